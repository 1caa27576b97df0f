import assert from "node:assert/strict";
import { diffInputs } from "../../../sandbox/kubernetes-provider/diff";
import type { DiffRequest, Difference } from "../../../sandbox/kubernetes-provider/diff";
import type { KubeObject } from "../../../sandbox/kubernetes-provider/kube-object";

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

function policy(spec: unknown, metadata: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "web", namespace: "shop", ...metadata },
    spec,
  };
}

function configMap(data: Record<string, string>, metadata: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "a", namespace: "shop", ...metadata },
    data,
  };
}

/** The difference for an object whose live state is as its old inputs asked, unless another is given. */
function diff(
  inputs: KubeObject,
  newInputs: KubeObject,
  request: Partial<DiffRequest> & { live?: KubeObject } = {},
): Difference {
  const { live = inputs, ...rest } = request;
  return diffInputs({
    urn: `urn:pulumi:stack::project::kubernetes:test/v1:${String(inputs.kind)}::a`,
    checkpoint: { inputs, live, fieldManager: "m", initialApiVersion: String(inputs.apiVersion) },
    newInputs,
    namespaced: true,
    ignoreChanges: [],
    mutability: { configMaps: false, secrets: false },
    ...rest,
  });
}

const rule = (port: unknown): unknown => ({ ports: [{ port, protocol: "TCP" }] });
const paths = ({ changes }: Difference): string[] =>
  changes.map(({ path, kind, replaces }) => `${kind} ${path}${replaces ? " (replaces)" : ""}`);

describe("the difference between an object and new inputs", () => {
  it("is none when nothing changes, whatever the API server added", () => {
    const inputs = policy({ podSelector: {}, ingress: [rule(80)] });
    const live = policy(
      { podSelector: {}, ingress: [rule(80)], policyTypes: ["Ingress"] },
      { uid: "1", resourceVersion: "7", managedFields: [] },
    );
    assert.deepEqual(paths(diff(inputs, inputs, { live })), []);
  });

  it("takes an empty list for none, but not an empty selector", () => {
    const peer = (selector: unknown): KubeObject =>
      policy({ podSelector: {}, ingress: [{ from: [selector] }] });
    const live = policy({ podSelector: {} });
    assert.deepEqual(
      paths(
        diff(policy({ podSelector: {}, ingress: [] }), policy({ podSelector: {}, ingress: [] }), { live }),
      ),
      [],
    );
    const narrow = peer({ podSelector: { matchLabels: { a: "b" } } });
    const wide = peer({ podSelector: { matchLabels: { a: "b" } }, namespaceSelector: {} });
    assert.deepEqual(paths(diff(narrow, wide)), ["add spec.ingress[0].from[0].namespaceSelector"]);
  });

  it("names each changed property", () => {
    const before = policy(
      { podSelector: {}, ingress: [rule(80), rule(81)] },
      { labels: { "a/b": "1", c: "2" } },
    );
    const after = policy(
      { podSelector: {}, ingress: [rule("http")] },
      { labels: { "a/b": "1", "d.e": "3" } },
    );
    assert.deepEqual(paths(diff(before, after)).sort(), [
      'add metadata.labels["d.e"]',
      "delete metadata.labels.c",
      "delete spec.ingress[1]",
      "update spec.ingress[0].ports[0].port",
    ]);
  });

  it("is that of the live object: what was changed by hand shows", () => {
    const inputs = policy({ podSelector: {}, ingress: [rule(80)] });
    const live = policy({ podSelector: {}, ingress: [rule(22)] });
    assert.deepEqual(paths(diff(inputs, inputs, { live })), ["update spec.ingress[0].ports[0].port"]);
  });

  it("sees what was appended to a policy's lists, but not to those of other kinds, as the official provider", () => {
    const inputs = policy({ podSelector: {}, ingress: [rule(80)] });
    const live = policy({ podSelector: {}, ingress: [rule(80), rule(22)] });
    assert.deepEqual(paths(diff(inputs, inputs, { live })), ["delete spec.ingress[1]"]);
    const service = (ports: unknown): KubeObject => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "a", namespace: "shop" },
      spec: { ports },
    });
    const asked = service([{ port: 80 }]);
    assert.deepEqual(paths(diff(asked, asked, { live: service([{ port: 80 }, { port: 22 }]) })), []);
  });

  it("counts a value that is not known yet as changed", () => {
    const inputs = configMap({ k: "v" });
    const changed = diff(inputs, configMap({ k: unknown }), {
      mutability: { configMaps: true, secrets: false },
    });
    assert.deepEqual(paths(changed), ["update data.k"]);
  });

  it("replaces for another name or namespace, making the new one first", () => {
    const renamed = diff(policy({}), policy({}, { name: "other" }));
    assert.deepEqual(paths(renamed), ["update metadata.name (replaces)"]);
    assert.equal(renamed.deleteBeforeReplace, false);
    assert.deepEqual(paths(diff(policy({}), policy({}, { namespace: "other" }))), [
      "update metadata.namespace (replaces)",
    ]);
  });

  it("replaces what cannot change, deleting first when the name is fixed", () => {
    const changed = diff(configMap({ k: "v" }), configMap({ k: "w" }));
    assert.deepEqual(paths(changed), ["update data.k (replaces)"]);
    assert.equal(changed.deleteBeforeReplace, true);
    const autonamed = { annotations: { "pulumi.com/autonamed": "true" } };
    assert.equal(
      diff(configMap({ k: "v" }, autonamed), configMap({ k: "w" }, autonamed)).deleteBeforeReplace,
      false,
    );
    const mutable = diff(configMap({ k: "v" }), configMap({ k: "w" }), {
      mutability: { configMaps: true, secrets: false },
    });
    assert.deepEqual(paths(mutable), ["update data.k"]);
  });

  it("replaces a patch only for another target", () => {
    const urn = "urn:pulumi:stack::project::kubernetes:core/v1:ConfigMapPatch::a";
    assert.deepEqual(paths(diff(configMap({ k: "v" }), configMap({ k: "w" }), { urn })), ["update data.k"]);
    assert.deepEqual(paths(diff(configMap({}), configMap({}, { name: "b" }), { urn })), [
      "update metadata.name (replaces)",
    ]);
  });

  it("takes a missing namespace for `default`", () => {
    const without = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } };
    assert.deepEqual(paths(diff(without, without, { live: configMap({}, { namespace: "default" }) })), []);
  });

  it("leaves out what ignoreChanges names, and what is below it", () => {
    const before = policy({ podSelector: {}, ingress: [rule(80)] }, { labels: { a: "1" } });
    const after = policy({ podSelector: {}, ingress: [rule(81)] }, { labels: { a: "2" } });
    const ignoreChanges = ["metadata.labels", "spec.ingress[*].ports"];
    assert.deepEqual(paths(diff(before, after, { ignoreChanges })), []);
    assert.deepEqual(paths(diff(before, after, { ignoreChanges: ["metadata.lab"] })).length, 2);
  });
});
