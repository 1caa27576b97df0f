import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { locate } from "../../../cli/inputs/manifests";
import { stackObjects } from "../../../cli/inputs/stack-objects";
import { readStackState } from "../../../cli/inputs/stack-state";
import { field, isUnknown, Unknown, type Plain } from "../../../policypack/plain-data";
import { describeReadProblem, readCluster } from "../../../policypack/reachability/read-cluster";
import { root } from "../../helpers/stack-network";

interface Resource {
  readonly type: string;
  readonly name: string;
  readonly [field: string]: unknown;
}

/** An export of a stack with these resources. */
function exported(...resources: readonly Resource[]): string {
  const states = resources.map(({ name, ...state }) => ({
    urn: `urn:pulumi:dev::app::${state.type}::${name}`,
    custom: true,
    id: name,
    ...state,
  }));
  return JSON.stringify({ version: 3, deployment: { resources: states } });
}

function read(...resources: readonly Resource[]) {
  const { objects, notes } = stackObjects(readStackState(exported(...resources), "state.json"));
  return {
    objects,
    bodies: objects.map(({ body }) => body),
    notes: notes.map(({ about, text }) => `${about}: ${text}`),
  };
}

const namespace = (name: string, labels?: Record<string, Plain>) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, ...(labels === undefined ? {} : { labels }) },
});

const networkPolicy = (name: string, spec: Plain = {}) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name, namespace: "app" },
  spec,
});

const policyType = "kubernetes:networking.k8s.io/v1:NetworkPolicy";

describe("the state of a stack", () => {
  it("as Pulumi exports it, gives its Kubernetes objects", () => {
    const text = readFileSync(join(root, "test", "fixtures", "inputs", "state.json"), "utf8");
    const { objects, notes } = stackObjects(readStackState(text, "state.json"));
    assert.deepEqual(
      objects.map(({ source, body }) => `${source}: ${field(body, "kind") as string}`),
      [
        "Pulumi resource seen: Namespace",
        "Pulumi resource app: Namespace",
        "Pulumi resource s: Secret",
        "Pulumi resource web: Deployment",
        "Pulumi resource gone: NetworkPolicy",
        "Pulumi resource kept: NetworkPolicy",
        "Pulumi resource web: NetworkPolicy",
        "Pulumi resource auto: NetworkPolicy",
        "Pulumi resource moved: NetworkPolicy",
        "Pulumi resource kube-system-labels: Namespace",
      ],
    );
    assert.deepEqual(notes, [
      {
        about: "Namespace kube-system",
        at: "",
        text: "the stack adds labels to it and does not hold it whole: labels that others give it may be missing in this answer",
      },
    ]);
    const { cluster, problems } = readCluster(objects);
    assert.deepEqual(problems.map(describeReadProblem), [
      "Pulumi resource auto: NetworkPolicy app/auto-c3d47454: spec.podSelector.matchLabels.app is not known in the preview; " +
        "allowed: text of at most 63 letters, digits, -, _ and ., with a letter or digit at both ends, or empty. " +
        "Fix: write the value itself, or take it from stack config or from another object's input: an output of a resource that does not exist yet is not known in the preview.",
    ]);
    assert.deepEqual(problems.map(locate), ["Pulumi resource auto"]);
    assert.deepEqual(
      cluster.networkPolicies.map(({ name }) => name),
      ["gone", "kept", "web", "moved"],
    );
    assert.deepEqual(
      cluster.workloads.map(({ name }) => name),
      ["web"],
    );
  });

  it("takes what the provider answered before what the program asks for, without what is the provider's own", () => {
    const { bodies } = read(
      {
        name: "a",
        type: policyType,
        inputs: networkPolicy("a"),
        outputs: {
          ...networkPolicy("a", { podSelector: {} }),
          __inputs: {},
          __fieldManager: "x",
          id: "app/a",
          urn: "u",
        },
      },
      { name: "b", type: policyType, inputs: networkPolicy("b") },
    );
    assert.deepEqual(bodies, [networkPolicy("a", { podSelector: {} }), networkPolicy("b")]);
  });

  it("fills in apiVersion and kind from the type", () => {
    const { metadata } = namespace("a");
    const { bodies } = read(
      { name: "a", type: "kubernetes:core/v1:Namespace", inputs: { metadata } },
      { name: "b", type: "kubernetes:v1:Pod", inputs: { metadata } },
      { name: "c", type: "kubernetes:cilium.io/v2:CiliumNetworkPolicy", inputs: { metadata } },
    );
    assert.deepEqual(bodies, [
      { apiVersion: "v1", kind: "Namespace", metadata },
      { apiVersion: "v1", kind: "Pod", metadata },
      { apiVersion: "cilium.io/v2", kind: "CiliumNetworkPolicy", metadata },
    ]);
  });

  it("passes over components, providers and other clouds, and hands on Lists", () => {
    const list = { apiVersion: "v1", kind: "PodList", items: [{ metadata: { name: "a" }, spec: {} }] };
    const { bodies, notes } = read(
      { name: "chart", type: "kubernetes:helm.sh/v4:Chart", custom: false, inputs: { chart: "x" } },
      { name: "net", type: "erlmcp:network:ZeroTrustNetwork", custom: false },
      { name: "k", type: "pulumi:providers:kubernetes" },
      { name: "bucket", type: "aws:s3/bucket:Bucket", inputs: { a: 1 } },
      { name: "pods", type: "kubernetes:core/v1:PodList", inputs: list },
    );
    assert.deepEqual(bodies, [list]);
    assert.deepEqual(notes, []);
    assert.deepEqual(
      readCluster(
        read({ name: "pods", type: "kubernetes:core/v1:PodList", inputs: list }).objects,
      ).cluster.workloads.map(({ name }) => name),
      ["a"],
    );
  });

  it("does not know secrets", () => {
    const secret = {
      "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
      ciphertext: "v1:x",
    };
    const { bodies } = read({
      name: "a",
      type: policyType,
      inputs: networkPolicy("a", { a: [secret], b: "[secret]" }),
    });
    assert.deepEqual(bodies, [networkPolicy("a", { a: [new Unknown()], b: "[secret]" })]);
    const [whole] = read({
      name: "a",
      type: policyType,
      inputs: { ...networkPolicy("a"), spec: secret },
    }).bodies;
    assert.ok(isUnknown(field(whole, "spec")));
  });

  it("takes text for what it says, also where a preview would not know it", () => {
    const { bodies } = read({ name: "a", type: policyType, inputs: networkPolicy("a", { a: "undefined" }) });
    assert.deepEqual(bodies, [networkPolicy("a", { a: "undefined" })]);
  });

  it("counts an object that waits to be deleted, unless another one has its place", () => {
    const old = { type: policyType, delete: true } as const;
    const { bodies, notes } = read(
      { ...old, name: "a", outputs: networkPolicy("a", { old: true }) },
      { ...old, name: "b", outputs: networkPolicy("b-1") },
      { name: "a", type: policyType, outputs: networkPolicy("a") },
      { name: "b", type: policyType, outputs: networkPolicy("b-2") },
    );
    assert.deepEqual(bodies, [networkPolicy("a"), networkPolicy("b-2"), networkPolicy("b-1")]);
    assert.deepEqual(notes, [
      "NetworkPolicy app/b-1: it waits to be deleted, is still there, and so is in this answer",
    ]);
  });

  it("leaves out what was deleted to be made anew", () => {
    const { bodies } = read({
      name: "a",
      type: policyType,
      outputs: networkPolicy("a"),
      pendingReplacement: true,
    });
    assert.deepEqual(bodies, []);
  });

  describe("with patches", () => {
    const patch = (name: string, body: unknown) => ({
      name,
      type: "kubernetes:core/v1:NamespacePatch",
      inputs: body,
    });

    it("adds their labels to the namespace that it holds", () => {
      const { bodies, notes } = read(
        patch("p", namespace("a", { y: "3", z: "4" })),
        { name: "n", type: "kubernetes:core/v1:Namespace", inputs: namespace("a", { x: "1", y: "2" }) },
        patch("q", namespace("a", { w: "5" })),
      );
      assert.deepEqual(bodies, [namespace("a", { x: "1", y: "3", z: "4", w: "5" })]);
      assert.deepEqual(notes, []);
    });

    it("makes of them the namespace that it does not hold", () => {
      const { bodies, notes } = read(patch("p", namespace("a", { x: "1" })), patch("q", namespace("b")));
      assert.deepEqual(bodies, [namespace("a", { x: "1" }), namespace("b")]);
      assert.equal(notes.length, 2);
    });

    it("does not know labels that one of them does not know", () => {
      const { metadata } = namespace("a");
      const unknown = {
        "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
        ciphertext: "x",
      };
      const { bodies } = read(
        { name: "n", type: "kubernetes:core/v1:Namespace", inputs: namespace("a", { x: "1" }) },
        patch("p", { ...namespace("a"), metadata: { ...metadata, labels: unknown } }),
      );
      assert.ok(isUnknown(field(field(bodies[0], "metadata"), "labels")));
    });

    it("says of which objects it does not see the whole", () => {
      const { bodies, notes } = read(
        { name: "p", type: "kubernetes:networking.k8s.io/v1:NetworkPolicyPatch", inputs: networkPolicy("a") },
        {
          name: "d",
          type: "kubernetes:apps/v1:DeploymentPatch",
          inputs: { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", namespace: "app" } },
        },
        {
          name: "c",
          type: "kubernetes:core/v1:ConfigMapPatch",
          inputs: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" } },
        },
      );
      assert.deepEqual(bodies, []);
      assert.deepEqual(notes, [
        "NetworkPolicyPatch p: it changes NetworkPolicy app/a, which cannot be seen whole: what it changes is not in this answer",
        "DeploymentPatch d: it changes Deployment app/web, which cannot be seen whole: what it changes is not in this answer",
      ]);
    });
  });

  it("says what it cannot see", () => {
    const { notes } = read(
      { name: "nginx", type: "kubernetes:helm.sh/v3:Release", inputs: { chart: "nginx" } },
      { name: "a", type: policyType, inputs: networkPolicy("a"), provider: "urn:a::1" },
      { name: "b", type: policyType, inputs: networkPolicy("b"), provider: "urn:b::2" },
    );
    assert.deepEqual(notes, [
      "Helm Release nginx: the objects that it makes are not in the stack's state, so they are not in this answer",
      "the stack: it deploys Kubernetes objects by 2 providers: they are taken to be one and the same cluster",
    ]);
  });

  it("says that an update was interrupted", () => {
    const state = JSON.parse(exported({ name: "a", type: policyType, inputs: networkPolicy("a") })) as {
      deployment: Record<string, unknown>;
    };
    state.deployment.pending_operations = [{}, {}];
    assert.deepEqual(readStackState(JSON.stringify(state), "state.json").notes, [
      {
        about: "the stack",
        at: "",
        text: "an update was interrupted in 2 operation(s), and whether they were done is not known: pulumi refresh finds out",
      },
    ]);
  });

  const wanted = `
  allowed: what pulumi stack export prints
  fix:     pulumi stack export --stack <name> --file state.json`;
  const neverDeployed = `state.json has no resources: it was never deployed, or was destroyed
  allowed: a stack that is deployed
  fix:     deploy it with pulumi up, or read what it would deploy: pulumi preview --json --show-sames > plan.json, then --plan plan.json`;
  const refused: [string, string, string][] = [
    ["a plan", '{"steps": []}', `state.json is a plan of pulumi preview, which --plan reads${wanted}`],
    ["a manifest", '{"kind": "Pod"}', `state.json is a Kubernetes object, which --manifests reads${wanted}`],
    ["any other JSON", "[1]", `state.json has no deployment${wanted}`],
    [
      "a version of the future",
      '{"version": 5, "deployment": {}}',
      `state.json has the version 5, and 3 and 4 are known here${wanted}`,
    ],
    [
      "resources that are none",
      '{"version": 3, "deployment": {"resources": [{"urn": "a"}]}}',
      `state.json has no urn and type in resources[0]${wanted}`,
    ],
    [
      "resources that are no list",
      '{"version": 3, "deployment": {"resources": {}}}',
      `state.json has no list of resources${wanted}`,
    ],
    ["a stack that was never deployed", '{"version": 3, "deployment": {"metadata": {}}}', neverDeployed],
    ["a stack that was destroyed", exported({ name: "s", type: "pulumi:pulumi:Stack" }), neverDeployed],
  ];
  for (const [what, text, message] of refused) {
    it(`is not ${what}`, () => {
      assert.throws(() => readStackState(text, "state.json"), { name: "UsageError", message });
    });
  }

  it("is not what is no JSON", () => {
    assert.throws(() => readStackState("error: x", "state.json"), {
      name: "UsageError",
      message: /^state\.json is not JSON: .+\n {2}allowed: what pulumi stack export prints\n/,
    });
  });
});
