import assert from "node:assert/strict";
import { portSet, type PortSet } from "../../../policypack/port-set";
import { explain, type SingleEnd } from "../../../policypack/reachability/explanation";
import { remediesFor, type Remedy } from "../../../policypack/reachability/remedy";
import { clusterOf } from "../../helpers/cluster-of";

function pod(id: string, spec = "", status = ""): string {
  const [namespace = "", name = ""] = id.split("/");
  return `{apiVersion: v1, kind: Pod, metadata: {name: ${name}, namespace: ${namespace}, labels: {app: ${name}}}, spec: {${spec}}, status: {${status}}}`;
}

function policy(name: string, selector: string, rest: string): string {
  return `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ${name}, namespace: shop}, spec: {podSelector: ${selector}, ${rest}}}`;
}

const pods = [
  pod("shop/web"),
  pod("bank/db"),
  pod("shop/agent", "hostNetwork: true"),
  pod("shop/known", "hostNetwork: true", "hostIP: 192.0.2.7, podIP: 192.0.2.7, podIPs: [{ip: 192.0.2.7}]"),
];
const ofWeb = "{matchLabels: {app: web}}";
const tcp = (first: number, last = first): PortSet => portSet([{ protocol: "TCP", first, last }]);
const port = (number: number): object => ({ protocol: "TCP", port: number });
const toDb = {
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "bank" } },
  podSelector: { matchLabels: { app: "db" } },
};

/** The remedies for traffic from the pod web, or from `from`. */
function remedies(to: string, asked: PortSet, policies: readonly string[], from = "web"): readonly Remedy[] {
  const cluster = clusterOf(...pods, ...policies);
  const end = (name: string): SingleEnd =>
    cluster.workloads.find((workload) => workload.name === name) ?? { address: name };
  return remediesFor(explain(cluster, end(from), end(to), asked));
}

function ruleOf([remedy, ...more]: readonly Remedy[]): object {
  assert.ok(remedy?.kind === "add-rule");
  assert.equal(more.length, 0);
  return { policy: remedy.policy.name, at: remedy.at, ...remedy.rule };
}

describe("what opens a flow that is shut", () => {
  const denyAll = policy("deny", "{}", "policyTypes: [Egress]");
  const webDeny = policy("a", ofWeb, "policyTypes: [Egress]");
  const webAllow = policy(
    "b",
    ofWeb,
    "policyTypes: [Egress], egress: [{to: [{podSelector: {}}], ports: [{port: 1}]}]",
  );

  it("is a rule in the first policy of these pods that has rules", () => {
    const forAll = policy("everyone", "{}", "policyTypes: [Egress], egress: [{to: [{podSelector: {}}]}]");
    assert.deepEqual(ruleOf(remedies("db", tcp(5432), [forAll, denyAll, webDeny, webAllow])), {
      policy: "b",
      at: "spec.egress",
      to: [toDb],
      ports: [port(5432)],
    });
  });

  it("is a policy of its own where the pods have none with rules", () => {
    const expected = [
      {
        kind: "add-policy",
        manifest: {
          apiVersion: "networking.k8s.io/v1",
          kind: "NetworkPolicy",
          metadata: { name: "web-egress", namespace: "shop" },
          spec: {
            podSelector: { matchLabels: { app: "web" } },
            policyTypes: ["Egress"],
            egress: [{ to: [toDb], ports: [port(5432)] }],
          },
        },
      },
    ];
    assert.deepEqual(remedies("db", tcp(5432), [denyAll, webDeny]), expected);
    const forAll = policy("everyone", "{}", "policyTypes: [Egress], egress: [{to: [{podSelector: {}}]}]");
    assert.deepEqual(remedies("db", tcp(5432), [forAll]), expected);
  });

  it("names what is shut of the asked ports alone, in ranges, protocol by protocol", () => {
    const asked = portSet([
      { protocol: "UDP", first: 53, last: 53 },
      { protocol: "TCP", first: 1, last: 10 },
      { protocol: "TCP", first: 80, last: 80 },
    ]);
    const five = policy("b", ofWeb, "policyTypes: [Egress], egress: [{ports: [{port: 5}]}]");
    assert.deepEqual(ruleOf(remedies("db", asked, [five])), {
      policy: "b",
      at: "spec.egress",
      to: [toDb],
      ports: [
        { protocol: "TCP", port: 1, endPort: 4 },
        { protocol: "TCP", port: 6, endPort: 10 },
        { protocol: "TCP", port: 80 },
        { protocol: "UDP", port: 53 },
      ],
    });
    assert.deepEqual(remedies("db", tcp(5), [five]), []);
  });

  it("is for the address of what no selector matches", () => {
    const to = (name: string): object => ruleOf(remedies(name, tcp(443), [webAllow]));
    const block = (cidr: string): object => ({
      policy: "b",
      at: "spec.egress",
      to: [{ ipBlock: { cidr } }],
      ports: [port(443)],
    });
    assert.deepEqual(to("203.0.113.7"), block("203.0.113.7/32"));
    assert.deepEqual(to("2001:db8::7"), block("2001:db8::7/128"));
    assert.deepEqual(to("known"), block("192.0.2.7/32"));
    assert.deepEqual(to("agent"), block("<address of its node>/32"));
  });

  it("is nothing that a NetworkPolicy can say where cluster policies deny, of which only those that do are named", () => {
    const guard = (name: string, priority: number, rules: string): string =>
      `{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {name: ${name}}, spec: {priority: ${priority}, subject: {namespaces: {}}, egress: [${rules}]}}`;
    const rule = (action: string, number: number): string =>
      `{action: ${action}, to: [{namespaces: {}}], ports: [{portNumber: {protocol: TCP, port: ${number}}}]}`;
    const guards = [
      guard("one", 1, [rule("Allow", 80), rule("Deny", 81), rule("Pass", 82)].join()),
      guard("two", 2, rule("Deny", 82)),
      guard("three", 3, rule("Deny", 83)),
    ];
    const denied = remedies("db", tcp(80, 83), guards).map((remedy) =>
      remedy.kind === "denied" ? `${remedy.by.title} ${remedy.by.at}` : remedy.kind,
    );
    assert.deepEqual(denied, [
      "AdminNetworkPolicy one spec.egress[1].to[0]",
      "AdminNetworkPolicy three spec.egress[0].to[0]",
    ]);
  });

  it("is asked of each end that shuts it, and of no address", () => {
    const both = [webAllow, policy("in", ofWeb, "ingress: [{ports: [{port: 1}]}]")];
    assert.deepEqual(
      remedies("web", tcp(9), both).map((remedy) => remedy.kind === "add-rule" && remedy.at),
      ["spec.egress", "spec.ingress"],
    );
    assert.deepEqual(ruleOf(remedies("web", tcp(9), both, "203.0.113.7")), {
      policy: "in",
      at: "spec.ingress",
      from: [{ ipBlock: { cidr: "203.0.113.7/32" } }],
      ports: [port(9)],
    });
  });
});
