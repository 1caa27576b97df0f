import assert from "node:assert/strict";
import { join } from "node:path";
import { observe } from "../../../cli/check/observed";
import { readInput } from "../../../cli/inputs/read-input";
import { UsageError } from "../../../cli/usage-error";
import { namespaceKind, networkPolicyKind } from "../../../policypack/kubernetes-object";
import { Unknown } from "../../../policypack/plain-data";
import { temporaryFolder } from "../../helpers/check";
import { root } from "../../helpers/stack-network";

const kinds = [namespaceKind, networkPolicyKind];
const fixture = (name: string) => join(root, "test", "fixtures", "inputs", name);
const metadataOf = (props: unknown) => (props as { metadata?: unknown }).metadata;

describe("manifests, as rules judge them", () => {
  const folder = temporaryFolder();
  const observed = (content: unknown) =>
    observe(readInput({ manifests: [folder.write("a.yaml", content)], cwd: "." }), kinds, "team");

  it("have the type tokens that Pulumi gives them, and keep their order", () => {
    const { inputs, outputs, objects } = observed(`apiVersion: v1
kind: Pod
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicyList
---
apiVersion: v1
kind: List
`);
    assert.deepEqual(
      inputs.map(({ type }) => type),
      [
        "kubernetes:core/v1:Pod",
        "kubernetes:networking.k8s.io/v1:NetworkPolicyList",
        "kubernetes:core/v1:List",
      ],
    );
    assert.deepEqual(
      [...inputs].sort((a, b) => (a.urn < b.urn ? -1 : 1)),
      inputs,
    );
    assert.equal(outputs, inputs);
    assert.equal(objects, 3);
  });

  it("get the namespace that kubectl would give them, where rules judge them and they are in one", () => {
    const policy = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" };
    const given = [
      policy,
      { ...policy, metadata: { name: "a", namespace: "" } },
      { ...policy, metadata: { namespace: "shop" } },
      { ...policy, metadata: ["no object"] },
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "a" } },
      { apiVersion: "example.com/v1", kind: "NetworkPolicy", metadata: { name: "a" } },
      { apiVersion: "v1", kind: "List", items: [policy, { apiVersion: "v1", kind: "Namespace" }] },
      { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicyList", items: [{ metadata: { name: "a" } }] },
    ];
    const { inputs } = observed(given.map((object) => JSON.stringify(object)).join("\n---\n"));
    assert.deepEqual(
      inputs.map(({ props }) => {
        const { items } = props as { items?: unknown[] };
        return items === undefined ? metadataOf(props) : items.map(metadataOf);
      }),
      [
        { namespace: "team" },
        { name: "a", namespace: "team" },
        { namespace: "shop" },
        ["no object"],
        { name: "a" },
        { name: "a" },
        [{ namespace: "team" }, undefined],
        [{ name: "a", namespace: "team" }],
      ],
    );
  });

  it("are found again, each field at its line", () => {
    const { inputs, placeOf } = observed("# first\napiVersion: v1\nkind: Pod\nspec:\n  a: 1\n");
    const source = `${folder.path}/a.yaml, document 1`;
    assert.deepEqual(placeOf(inputs[0]?.urn ?? "", "spec.a"), {
      source,
      index: 0,
      position: { file: `${folder.path}/a.yaml`, line: 5, document: 1 },
    });
    assert.equal(inputs[0]?.source, source);
    assert.equal(placeOf("another", ""), undefined);
  });

  it("are refused where they do not say what they are", () => {
    const refusal = (content: string): string => {
      try {
        observed(content);
      } catch (error) {
        assert.ok(error instanceof UsageError);
        return error.message.replaceAll(folder.path, "");
      }
      return "";
    };
    assert.equal(
      refusal("apiVersion: v1\nkind: Pod\n---\nkind: Pod\nmetadata: {}\n"),
      "/a.yaml:4 (document 2): apiVersion is missing, so it is not said what the object is\n" +
        "  allowed: Kubernetes objects, each with apiVersion and kind\n" +
        "  fix:     write it, or leave the file out",
    );
    assert.match(
      refusal(
        "apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: Pod\n  - apiVersion: v1\n    kind: 7\n",
      ),
      /^\/a\.yaml:7 \(document 1\): items\[1\]\.kind is 7, so/,
    );
  });
});

describe("a stack, as rules judge it", () => {
  const folder = temporaryFolder();

  /** A state with these resources. */
  const state = (...resources: object[]) =>
    observe(
      readInput({
        state: folder.write("state.json", { version: 3, deployment: { resources } }),
        cwd: ".",
      }),
      kinds,
      "team",
    );
  const type = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
  const resource = (name: string, rest: object = {}) => ({
    urn: `urn:pulumi:dev::app::${type}::${name}`,
    type,
    custom: true,
    inputs: { from: "inputs" },
    outputs: { from: "outputs" },
    ...rest,
  });
  const shown = (resources: readonly { name: string; props: unknown }[]) =>
    resources.map(({ name, props }) => `${name}: ${(props as { from?: string }).from ?? "nothing"}`);

  it("is what is asked for to resource rules, and what is there to stack rules", () => {
    const { inputs, outputs, objects, notes, placeOf } = state(
      resource("web", { protect: true }),
      resource("new", { outputs: {} }),
      { ...resource("component"), type: "team:app:App", custom: false },
    );
    assert.deepEqual(shown(inputs), ["web: inputs", "new: inputs", "component: inputs"]);
    assert.deepEqual(shown(outputs), ["web: outputs", "new: inputs", "component: outputs"]);
    assert.deepEqual(
      inputs.map(({ opts }) => opts?.protect),
      [true, false, false],
    );
    assert.equal(objects, 2);
    assert.deepEqual(notes, []);
    const urn = inputs[1]?.urn ?? "";
    assert.deepEqual(placeOf(urn, "spec"), { source: "Pulumi resource new", index: 1, urn });
    assert.equal(placeOf("another", ""), undefined);
  });

  it("is without what it lets go of, and to resource rules without what it only reads", () => {
    const { inputs, outputs, notes } = state(
      resource("web"),
      resource("old", { delete: true }),
      resource("replaced", { pendingReplacement: true }),
      resource("seen", { external: true, inputs: {} }),
      resource("unseen", { external: true, inputs: {}, outputs: {} }),
    );
    assert.deepEqual(shown(inputs), ["web: inputs"]);
    assert.deepEqual(shown(outputs), ["web: outputs", "seen: outputs"]);
    assert.deepEqual(
      notes.map(({ about, text }) => `${about}: ${text}`),
      [
        "Pulumi resource old: it is to be deleted: it is not judged",
        "Pulumi resource unseen: it is read from the cluster, and the input does not say what is in it: it is not judged",
      ],
    );
  });

  it("is what an update would leave, with what is not known yet", () => {
    const { inputs, notes } = observe(readInput({ plan: fixture("plan.json"), cwd: "." }), kinds, "team");
    const names = inputs.map(({ name }) => name);
    assert.ok(names.includes("late"));
    assert.ok(!names.includes("gone"));
    const unknown = inputs.find(({ name }) => name === "unknown")?.props;
    const text = JSON.stringify(unknown, (_, value: unknown) => (value instanceof Unknown ? "?" : value));
    assert.match(text, /"\?"/);
    assert.deepEqual(
      notes.map(({ about, text }) => `${about}: ${text}`),
      ["Pulumi resource kept: it is left to others: it is not judged"],
    );
  });
});
