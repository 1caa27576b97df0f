import assert from "node:assert/strict";
import { reachabilityKnown as rule } from "../../../policypack/rules/reachability-known";
import { findingsOf, messagesOf, resource, unknown, type WireResource } from "../../helpers/run-rule";
import { stackResources } from "../../helpers/stack-resources";
import { stackNetwork } from "../../helpers/stack-network";

const deployment = (template: unknown, name = "web", suffix = ""): WireResource =>
  resource(
    `kubernetes:apps/v1:Deployment${suffix}`,
    { metadata: { name, namespace: "shop" }, spec: { template } },
    `${name}${suffix}`,
  );
const web = deployment({ metadata: { labels: { app: "web" } } });
const policy = (spec: unknown, suffix = "", resourceName = "p"): WireResource =>
  resource(
    `kubernetes:networking.k8s.io/v1:NetworkPolicy${suffix}`,
    { metadata: { name: "p", namespace: "shop" }, spec },
    `${resourceName}${suffix}`,
  );

/** Asks for the label app of pods, and for the label team of namespaces. */
const asking = policy(
  {
    podSelector: { matchLabels: { app: "web" } },
    ingress: [{ from: [{ namespaceSelector: { matchExpressions: [{ key: "team", operator: "Exists" }] } }] }],
  },
  "",
  "asking",
);

describe("reachability-known", () => {
  it("reports labels, networks and ports of pods that are not known, once for each workload", async () => {
    assert.deepEqual(
      await messagesOf(rule, [asking, deployment({ metadata: { labels: { app: unknown, tier: unknown } } })]),
      [
        `Deployment shop/web cannot be verified: spec.template.metadata.labels.app is not known in the preview.
Why it blocks: who may talk to whom depends on it, so it is not known whether pods are isolated and whether only declared flows are open. What cannot be verified is not compliant.
Write instead: text of at most 63 letters, digits, -, _ and ., with a letter or digit at both ends, or empty (write the value itself, or take it from stack config or from another object's input: an output of a resource that does not exist yet is not known in the preview).
See docs/rules.md#reachability-known`,
      ],
    );
    for (const [template, at] of [
      [unknown, "spec.template"],
      [{ spec: { hostNetwork: unknown } }, "spec.template.spec.hostNetwork"],
      [{ spec: { containers: unknown } }, "spec.template.spec.containers"],
    ] as const) {
      assert.deepEqual(await findingsOf(rule, deployment(template)), [
        `Deployment shop/web cannot be verified: ${at} is not known in the preview.`,
      ]);
    }
  });

  it("reports what the API server refuses as wrong, and not as unknown", async () => {
    assert.deepEqual(await findingsOf(rule, deployment({ metadata: { labels: { app: 1 } } })), [
      "Deployment shop/web: spec.template.metadata.labels.app is 1.",
    ]);
    assert.deepEqual(await findingsOf(rule, deployment(undefined)), [
      "Deployment shop/web: spec.template is missing.",
    ]);
  });

  it("leaves to the rules for single objects what those report, and names that are not known to nobody", async () => {
    for (const reported of [
      policy(unknown),
      policy({ podSelector: unknown }),
      resource("kubernetes:apps/v1:Deployment", { metadata: { name: "b", namespace: unknown } }, "b"),
      resource("kubernetes:core/v1:Namespace", { metadata: { name: unknown } }, "ns"),
      resource(
        "kubernetes:apps/v1:Deployment",
        { ...(web.props as object), metadata: { namespace: "shop" } },
        "b",
      ),
    ]) {
      assert.deepEqual(await findingsOf(rule, [web, reported]), [], JSON.stringify(reported.props));
    }
  });

  it("reports objects of the same name that differ, since one of them counts", async () => {
    const one = policy({ podSelector: {}, policyTypes: ["Ingress"] });
    const other = policy({ podSelector: {}, policyTypes: ["Egress"] }, "", "q");
    assert.deepEqual(await findingsOf(rule, [web, one, other]), [
      "NetworkPolicy shop/p: metadata.name is also that of Pulumi resource p, and the two differ.",
    ]);
    assert.deepEqual(
      await findingsOf(rule, [web, one, policy((one.props as { spec: unknown }).spec, "", "q")]),
      [],
    );
  });

  it("reports patches that change what policies go by, where the rest is not seen", async () => {
    const changes = "cannot be verified: spec changes an object of which the stack does not hold the rest.";
    assert.deepEqual(await findingsOf(rule, [web, policy({ podSelector: {} }, "Patch")]), [
      `NetworkPolicyPatch shop/p ${changes}`,
    ]);
    const whole = policy({ podSelector: {}, policyTypes: ["Ingress"] });
    assert.deepEqual(await findingsOf(rule, [web, whole, policy({ podSelector: {} }, "Patch")]), []);
    assert.deepEqual(await findingsOf(rule, [web, policy(undefined, "Patch")]), []);
    const existing = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "p", namespace: "shop" },
      spec: { podSelector: {} },
    };
    assert.deepEqual(
      await findingsOf(rule, [web, policy({ podSelector: {} }, "Patch")], {
        baseline: [{ objects: [existing] }],
      }),
      [],
    );
    const pods =
      "DeploymentPatch shop/api cannot be verified: spec.template changes an object of which the stack does not hold the rest.";
    for (const template of [
      { metadata: { labels: { app: "db" } } },
      { metadata: unknown },
      { spec: { hostNetwork: true } },
      { spec: { containers: [{ name: "a", ports: [{ name: "http", containerPort: 1 }] }] } },
      { spec: { containers: unknown } },
      unknown,
    ]) {
      assert.deepEqual(await findingsOf(rule, [web, deployment(template, "api", "Patch")]), [pods]);
    }
    for (const template of [
      undefined,
      { metadata: { annotations: {} } },
      { spec: { containers: [{ image: unknown }] } },
    ]) {
      assert.deepEqual(await findingsOf(rule, [web, deployment(template, "api", "Patch")]), []);
    }
    const tier = resource("kubernetes:policy.networking.k8s.io/v1alpha2:ClusterNetworkPolicyPatch", {
      metadata: { name: "tier" },
      spec: { priority: 1 },
    });
    assert.deepEqual(await findingsOf(rule, [web, tier]), [`ClusterNetworkPolicyPatch tier ${changes}`]);
  });

  it("reports labels of namespaces, and cluster policies, that cannot be read", async () => {
    const labels = resource("kubernetes:core/v1:Namespace", {
      metadata: { name: "shop", labels: { team: unknown } },
    });
    assert.deepEqual(await findingsOf(rule, [web, asking, labels]), [
      "Namespace shop cannot be verified: metadata.labels.team is not known in the preview.",
    ]);
    const tier = resource("kubernetes:policy.networking.k8s.io/v1alpha2:ClusterNetworkPolicy", {
      metadata: { name: "tier" },
      spec: unknown,
    });
    assert.deepEqual(await findingsOf(rule, [web, tier]), [
      "ClusterNetworkPolicy tier cannot be verified: spec is not known in the preview.",
    ]);
  });

  it("reports a matrix that cannot be read", async () => {
    const network = (matrix: unknown): WireResource =>
      resource("erlmcp:network:ZeroTrustNetwork", { matrix }, "network");
    const namespaces = ["shop"];
    assert.deepEqual(await findingsOf(rule, network({ namespaces, services: [], flows: unknown })), [
      "ZeroTrustNetwork network cannot be verified: matrix.flows is not known in the preview.",
    ]);
    assert.deepEqual(await findingsOf(rule, network({ services: [], flows: [{ id: "a" }] })), [
      "ZeroTrustNetwork network: matrix.namespaces is missing.",
      "ZeroTrustNetwork network: matrix.flows[0].from is missing.",
      "ZeroTrustNetwork network: matrix.flows[0].to is missing.",
      "ZeroTrustNetwork network: matrix.flows[0].ports is missing.",
    ]);
  });

  it("does not mind labels that are not known and that no selector asks for", async () => {
    const namespaced = resource("kubernetes:core/v1:Namespace", {
      metadata: { name: "shop", labels: { commit: unknown } },
    });
    const pods = deployment({ metadata: { labels: { app: "web", commit: unknown } } });
    assert.deepEqual(await findingsOf(rule, [namespaced, pods, asking]), []);
    const services = [{ name: "web", namespace: "shop", podSelector: { matchLabels: { commit: "x" } } }];
    const baseline = [{ matrix: { namespaces: ["shop"], services, flows: [] } }];
    assert.deepEqual(await findingsOf(rule, pods, { baseline }), [
      "Deployment shop/web cannot be verified: spec.template.metadata.labels.commit is not known in the preview.",
    ]);
  });

  it("blocks with a wrong baseline, and says where it is wrong", () => {
    const policyWithout = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "p" },
    };
    const baseline = [
      { objects: [policyWithout, 1], matrix: { namespaces: ["shop"], services: [], flows: [] } },
      { stack: "prod" },
    ];
    const { violations } = rule.judge([web], { baseline });
    assert.deepEqual(
      violations.map(({ message }) => message.split("\n")),
      [
        [
          "The stack was not judged: the configuration of the rule reachability-known in the policy pack is wrong.",
          "- baseline[0].objects[0].metadata.namespace is missing; allowed: at most 63 lower-case letters, digits and -, with a letter or digit at both ends. Fix: write the name of a namespace.",
          "- baseline[0].objects[1] is 1; allowed: an object with apiVersion, kind and metadata. Fix: write an object, or remove it.",
          '- baseline[1].stack is "prod"; allowed: project/stack. Fix: write, for instance, baseline[1].stack: "network/prod".',
          "See docs/rules.md#reachability-known",
        ],
      ],
    );
  });

  for (const stack of ["staging", "prod"] as const) {
    it(`can read all of ${stack}`, async () => {
      assert.deepEqual(await findingsOf(rule, stackResources(stackNetwork(stack))), []);
    });
  }
});
