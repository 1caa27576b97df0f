import assert from "node:assert/strict";
import { workloadNoSecondNetwork as rule } from "../../../policypack/rules/workload-no-second-network";
import { findingsOf, messagesOf, resource, unknown, type WireResource } from "../../helpers/run-rule";
import { podSpecPlaces } from "../pod-spec";

const multus = "k8s.v1.cni.cncf.io/networks";
const multusDefault = "v1.multus-cni.io/default-network";
const gke = "networking.gke.io/interfaces";

const named = { name: "web", namespace: "erlmcp" };

/** The Deployment erlmcp/web whose pods have these annotations. */
const annotated = (annotations: unknown, metadata: unknown = named): WireResource =>
  resource(
    "kubernetes:apps/v1:Deployment",
    { metadata, spec: { template: { metadata: { annotations }, spec: {} } } },
    "web",
  );

const place = "spec.template.metadata.annotations";

describe("workload-no-second-network", () => {
  it("accepts pods on the cluster's network alone, named or not", async () => {
    for (const annotations of [
      undefined,
      null,
      {},
      { [multus]: "" },
      { [multus]: " " },
      { [multus]: "[]" },
      { [multus]: null },
      { [multusDefault]: "" },
      { [gke]: '[{"interfaceName":"eth0","network":"default"}]' },
      { [gke]: "[]" },
      {
        "k8s.v1.cni.cncf.io/network-status": '[{"name":"core/n6"}]',
        "networking.gke.io/default-interface": "eth0",
      },
    ]) {
      assert.deepEqual(await findingsOf(rule, annotated(annotations)), []);
    }
    assert.deepEqual(await findingsOf(rule, resource("kubernetes:core/v1:Pod", {})), []);
  });

  it("blocks a pod that is given another network", async () => {
    assert.deepEqual(await messagesOf(rule, annotated({ [multus]: "core/n6" })), [
      `Deployment erlmcp/web: ${place}["${multus}"] is "core/n6".
Why it is dangerous: NetworkPolicies isolate a pod on the network of the cluster only. On a network that it is given besides, or instead, none of them applies: it reaches whatever is there, and is reached from there.
Write instead: nothing: leave the annotation out. Where the pod needs the other network, an entry under this rule's allow, which says in its reason what guards that network.
See docs/rules.md#workload-no-second-network`,
    ]);
  });

  it("knows the annotations of each plug-in, in each of their forms", async () => {
    for (const [key, value] of [
      [multus, "n6, n4@net2"],
      [multus, '[{"name":"n6","namespace":"core"}]'],
      [multus, '{"name":"n6"}'],
      [multusDefault, "kube-system/macvlan"],
      [multusDefault, "[]"],
      [gke, '[{"interfaceName":"eth0","network":"default"},{"interfaceName":"eth1","network":"data"}]'],
      [gke, '[{"interfaceName":"eth1"}]'],
      [gke, '[{"interfaceName":"eth1","network":null}]'],
      [gke, "[null]"],
      [gke, '["default"]'],
      [gke, '[{"interfaceName":'],
    ] as const) {
      assert.deepEqual(await findingsOf(rule, annotated({ [key]: value })), [
        `Deployment erlmcp/web: ${place}["${key}"] is ${JSON.stringify(value)}.`,
      ]);
    }
  });

  it("reports each annotation, and the object's own ones only for a Pod", async () => {
    assert.deepEqual(await findingsOf(rule, annotated({ [multus]: "n6", [multusDefault]: "flat" })), [
      `Deployment erlmcp/web: ${place}["${multus}"] is "n6".`,
      `Deployment erlmcp/web: ${place}["${multusDefault}"] is "flat".`,
    ]);
    const metadata = { ...named, annotations: { [multus]: "n6" } };
    assert.deepEqual(await findingsOf(rule, annotated({}, metadata)), []);
    assert.deepEqual(await findingsOf(rule, resource("kubernetes:core/v1:Pod", { metadata, spec: {} })), [
      `Pod erlmcp/web: metadata.annotations["${multus}"] is "n6".`,
    ]);
  });

  it("looks into every kind that holds a pod template, in every version of it, and into its patches", async () => {
    for (const [apiVersion, kind, path] of podSpecPlaces) {
      const keys = [...path.slice(0, -1), "metadata"];
      const held = { ...(kind === "Pod" ? named : {}), annotations: { [multus]: "n6" } };
      const nested = keys.reduceRight<unknown>((value, key) => ({ [key]: value }), held) as object;
      for (const suffix of ["", "Patch"]) {
        const props = { metadata: named, ...nested };
        assert.deepEqual(
          await findingsOf(rule, resource(`kubernetes:${apiVersion}:${kind}${suffix}`, props, "web")),
          [`${kind}${suffix} erlmcp/web: ${keys.join(".")}.annotations["${multus}"] is "n6".`],
        );
      }
    }
  });

  it("looks into Lists", async () => {
    const spec = { template: { metadata: { annotations: { [multus]: "n6" } } } };
    const items = [{ apiVersion: "apps/v1", kind: "DaemonSet", metadata: named, spec }];
    assert.deepEqual(await findingsOf(rule, resource("kubernetes:core/v1:List", { items })), [
      `DaemonSet erlmcp/web: items[0].${place}["${multus}"] is "n6".`,
    ]);
  });

  it("lets be what its configuration allows, and nothing else", async () => {
    const config = { allow: [{ namespace: "core", name: "upf", reason: "forwards user traffic" }] };
    const upf = (name: unknown, namespace: unknown): Promise<string[]> =>
      findingsOf(rule, annotated({ [multus]: "n6" }, { name, namespace }), config);
    assert.deepEqual(await upf("upf", "core"), []);
    assert.deepEqual(await upf("upf", "erlmcp"), [`Deployment erlmcp/upf: ${place}["${multus}"] is "n6".`]);
    assert.deepEqual(await upf("upf", unknown), [
      `Deployment (namespace not known)/upf cannot be verified: ${place}["${multus}"] is "n6", and whether this rule's allow covers it depends on a value that is not known in the preview.`,
    ]);
    assert.deepEqual(
      await findingsOf(rule, annotated(unknown, { name: "upf", namespace: "core" }), config),
      [],
    );
  });

  it("tells what is not known from what is wrong, at every level", async () => {
    const spec = (template: unknown): unknown => ({ metadata: named, spec: { template } });
    const cases: [unknown, string][] = [
      [{ metadata: named, spec: unknown }, "spec is not known in the preview."],
      [spec(unknown), "spec.template is not known in the preview."],
      [spec({ metadata: unknown }), "spec.template.metadata is not known in the preview."],
      [spec({ metadata: { annotations: unknown } }), `${place} is not known in the preview.`],
      [
        spec({ metadata: { annotations: { [gke]: unknown } } }),
        `${place}["${gke}"] is not known in the preview.`,
      ],
      [spec({ metadata: { annotations: { [multus]: 6 } } }), `${place}["${multus}"] is 6 and not text.`],
    ];
    for (const [props, found] of cases) {
      assert.deepEqual(await findingsOf(rule, resource("kubernetes:apps/v1:Deployment", props)), [
        `Deployment erlmcp/web cannot be verified: ${found}`,
      ]);
    }
  });
});
