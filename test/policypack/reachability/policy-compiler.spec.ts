import assert from "node:assert/strict";
import { fromCidr } from "../../../policypack/address-set";
import { allPorts, formatPorts, hasNoPorts } from "../../../policypack/port-set";
import { analyse } from "../../../policypack/reachability/engine";
import { explain } from "../../../policypack/reachability/explanation";
import type { Cluster, Workload } from "../../../policypack/reachability/model";
import { inOrder } from "../../../policypack/reachability/policy-compiler";
import type { AnalysisOptions } from "../../../policypack/reachability/reachability";
import { clusterOf } from "../../helpers/cluster-of";

function pod(id: string, spec = "", status = ""): string {
  const [namespace = "", name = ""] = id.split("/");
  return `{apiVersion: v1, kind: Pod, metadata: {name: ${name}, namespace: ${namespace}, labels: {app: ${name}}}, spec: {${spec}}, status: {${status}}}`;
}

function clusterPolicy(
  kind: "AdminNetworkPolicy" | "ClusterNetworkPolicy",
  name: string,
  priority: number,
  rest = "",
): string {
  const [version, tier] = kind === "AdminNetworkPolicy" ? ["v1alpha1", ""] : ["v1alpha2", "tier: Admin, "];
  return `{apiVersion: policy.networking.k8s.io/${version}, kind: ${kind}, metadata: {name: ${name}}, spec: {${tier}priority: ${priority}, subject: {namespaces: {}}, ${rest}}}`;
}

function egressOf(...rules: string[]): string {
  return clusterPolicy("AdminNetworkPolicy", "guard", 1, `egress: [${rules.join()}]`);
}

function node(name: string, zone: string, address: string): string {
  return `{apiVersion: v1, kind: Node, metadata: {name: ${name}, labels: {zone: ${zone}}}, status: {addresses: [{type: InternalIP, address: ${address}}]}}`;
}

function workload(cluster: Cluster, name: string): Workload {
  const found = cluster.workloads.find((one) => one.name === name);
  assert.ok(found, name);
  return found;
}

/** The names of the workloads that one may send something to, with the ports. */
function reached(from: string, manifests: readonly string[], options: AnalysisOptions = {}): string[] {
  const cluster = clusterOf(...manifests);
  const reachability = analyse(cluster, options);
  const source = workload(cluster, from);
  return cluster.workloads
    .filter((to) => to !== source)
    .flatMap((to) => {
      const ports = reachability.ports(source, to);
      return hasNoPorts(ports) ? [] : [`${to.name} ${formatPorts(ports)}`];
    })
    .sort();
}

describe("the order of cluster policies", () => {
  const policies = [
    clusterPolicy("ClusterNetworkPolicy", "a", 7),
    clusterPolicy("AdminNetworkPolicy", "c", 7),
    clusterPolicy("AdminNetworkPolicy", "a-2", 7),
    clusterPolicy("AdminNetworkPolicy", "a", 7),
    clusterPolicy("AdminNetworkPolicy", "z", 6),
    "{apiVersion: policy.networking.k8s.io/v1alpha1, kind: BaselineAdminNetworkPolicy, metadata: {name: default}, spec: {subject: {namespaces: {}}}}",
  ];
  const ordered = (manifests: readonly string[], tier: "Admin" | "Baseline"): string[] =>
    inOrder(clusterOf(...manifests).clusterPolicies, tier).map(({ kind, name }) => `${kind} ${name}`);

  it("is by priority, then name, then kind, whatever the order of the manifests", () => {
    for (const given of [
      policies,
      [...policies].reverse(),
      [...policies.slice(3), ...policies.slice(0, 3)],
    ]) {
      assert.deepEqual(ordered(given, "Admin"), [
        "AdminNetworkPolicy z",
        "AdminNetworkPolicy a",
        "ClusterNetworkPolicy a",
        "AdminNetworkPolicy a-2",
        "AdminNetworkPolicy c",
      ]);
      assert.deepEqual(ordered(given, "Baseline"), ["BaselineAdminNetworkPolicy default"]);
    }
  });

  it("decides between policies that contradict each other", () => {
    const deny = "egress: [{action: Deny, to: [{namespaces: {}}]}]";
    const allow = "egress: [{action: Allow, to: [{namespaces: {}}]}]";
    const pods = [pod("shop/web"), pod("shop/db")];
    const of = (first: string, second: string): string[] => {
      const both = [
        clusterPolicy("AdminNetworkPolicy", "a", 7, first),
        clusterPolicy("AdminNetworkPolicy", "b", 7, second),
      ];
      const answer = reached("web", [...pods, ...both]);
      assert.deepEqual(reached("web", [...pods, ...both.reverse()]), answer);
      return answer;
    };
    assert.deepEqual(of(deny, allow), []);
    assert.deepEqual(of(allow, deny), ["db all ports"]);
  });
});

describe("a peer of pods", () => {
  it("selects by the labels of pod and namespace together, in few namespaces and in many", () => {
    for (const count of [1, 16, 17, 40]) {
      const names = Array.from({ length: count }, (_, index) => `n${index}`);
      const manifests = [
        pod("shop/db"),
        `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: db, namespace: shop}, spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress, Egress], egress: [{to: [{namespaceSelector: {matchLabels: {team: a}}, podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [other]}]}}]}]}}`,
        "{apiVersion: v1, kind: Namespace, metadata: {name: b, labels: {team: b}}}",
        pod("b/stranger"),
        ...names.flatMap((name) => [
          `{apiVersion: v1, kind: Namespace, metadata: {name: ${name}, labels: {team: a}}}`,
          pod(`${name}/web-${name}`),
          pod(`${name}/other`),
        ]),
      ];
      assert.deepEqual(
        reached("db", manifests),
        names.map((name) => `web-${name} all ports`).sort(),
        `${count} namespaces`,
      );
    }
  });
});

describe("a peer of nodes", () => {
  const manifests = [
    node("n1", "a", "192.0.2.1"),
    node("n2", "b", "192.0.2.2"),
    pod("shop/web"),
    pod("shop/on-a", "hostNetwork: true, nodeName: n1"),
    pod("shop/on-b", "hostNetwork: true, nodeName: n2"),
    pod("shop/anywhere", "hostNetwork: true"),
    pod("shop/elsewhere", "hostNetwork: true, nodeName: n3"),
    pod("shop/plain", "nodeName: n1"),
  ];
  const inZoneA = "{nodes: {matchLabels: {zone: a}}}";
  const deny = "{action: Deny, to: [{nodes: {}}, {namespaces: {}}]}";

  it("denies what is surely on such a node, and allows what may be", () => {
    assert.deepEqual(reached("web", [...manifests, egressOf(`{action: Deny, to: [${inZoneA}]}`)]), [
      "anywhere all ports",
      "elsewhere all ports",
      "on-b all ports",
      "plain all ports",
    ]);
    assert.deepEqual(reached("web", [...manifests, egressOf(`{action: Allow, to: [${inZoneA}]}`, deny)]), [
      "anywhere all ports",
      "elsewhere all ports",
      "on-a all ports",
    ]);
    assert.deepEqual(reached("web", [...manifests, egressOf(deny)]), []);
  });

  it("matches the addresses of these nodes and no others", () => {
    const cluster = clusterOf(...manifests, egressOf(`{action: Deny, to: [${inZoneA}]}`));
    const reachability = analyse(cluster);
    const to = (cidr: string): string =>
      formatPorts(reachability.ports(workload(cluster, "web"), { addresses: fromCidr(cidr) }));
    assert.equal(to("192.0.2.1/32"), formatPorts({ numbers: {}, names: [] }));
    assert.equal(to("192.0.2.2/32"), "all ports");
  });
});

describe("networks in a cluster policy", () => {
  const pods = [
    pod("shop/web"),
    pod("shop/unknown"),
    pod("shop/inside", "", "podIP: 10.1.0.1, podIPs: [{ip: 10.1.0.1}]"),
    pod("shop/outside", "", "podIP: 10.200.0.1, podIPs: [{ip: 10.200.0.1}]"),
  ];
  const networks = "{networks: [10.0.0.0/9]}";
  const denyRest = "{action: Deny, to: [{namespaces: {}}]}";
  const of = (rules: readonly string[], options: AnalysisOptions = {}): string[] =>
    reached("web", [...pods, egressOf(...rules)], options);

  it("are denied to pods whose addresses are surely within, and accepted for those that may be", () => {
    const denied = [`{action: Deny, to: [${networks}]}`];
    assert.deepEqual(of(denied), ["outside all ports", "unknown all ports"]);
    assert.deepEqual(of(denied, { podRanges: fromCidr("10.2.0.0/16") }), ["outside all ports"]);
    const accepted = [`{action: Allow, to: [${networks}]}`, denyRest];
    assert.deepEqual(of(accepted), ["inside all ports", "unknown all ports"]);
    assert.deepEqual(of(accepted, { podRanges: fromCidr("10.128.0.0/9") }), ["inside all ports"]);
  });

  it("are passed on for pods that may be within, and judged by the rules that follow as well", () => {
    const passed = [`{action: Pass, to: [${networks}]}`, denyRest];
    assert.deepEqual(of(passed), ["inside all ports", "unknown all ports"]);
    const isolated =
      "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: web, namespace: shop}, spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}}";
    const accepted = [`{action: Pass, to: [${networks}]}`, "{action: Allow, to: [{namespaces: {}}]}"];
    assert.deepEqual(reached("web", [...pods, egressOf(...accepted), isolated]), [
      "outside all ports",
      "unknown all ports",
    ]);
  });

  it("are passed on once where it is sure whom they match, and as a possibility where it is not", () => {
    const cluster = clusterOf(...pods, egressOf(`{action: Pass, to: [${networks}, {namespaces: {}}]}`));
    const decisions = (name: string): string[] =>
      explain(cluster, workload(cluster, "web"), workload(cluster, name), allPorts).egress.decisions.map(
        ({ action, at }) => `${action} ${at}`,
      );
    assert.deepEqual(decisions("outside"), ["Pass spec.egress[0].to[1]"]);
    assert.deepEqual(decisions("unknown"), ["MayPass spec.egress[0].to[0]", "Pass spec.egress[0].to[1]"]);
  });
});

describe("a port by its name", () => {
  const sql = (number: number): string =>
    `containers: [{name: c, ports: [{name: sql, containerPort: ${number}}]}]`;
  const pods = [
    pod("shop/web", sql(1)),
    pod("shop/db", sql(5432)),
    pod("shop/old", sql(1521)),
    pod("shop/none"),
  ];
  const ports = "[{port: sql}, {port: 80}]";
  const policy = (rest: string): string =>
    `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: {podSelector: {}, ${rest}}}`;

  it("is the destination's, in both directions", () => {
    const expected = ["db TCP 80, 5432", "none TCP 80", "old TCP 80, 1521"];
    for (const peers of ["", "[{podSelector: {}}]"]) {
      const outward = policy(`policyTypes: [Egress], egress: [{to: ${peers}, ports: ${ports}}]`);
      assert.deepEqual(reached("web", [...pods, outward]), expected);
      const inward = policy(`ingress: [{from: ${peers}, ports: ${ports}}]`);
      assert.deepEqual(reached("web", [...pods, inward]), expected);
    }
  });

  it("is explained as it is analysed", () => {
    const outward = policy(`policyTypes: [Egress], egress: [{to: [{podSelector: {}}], ports: ${ports}}]`);
    const cluster = clusterOf(...pods, outward);
    const explained = (to: string): string =>
      formatPorts(explain(cluster, workload(cluster, "web"), workload(cluster, to), allPorts).open);
    assert.deepEqual(["db", "old", "none"].map(explained), ["TCP 80, 5432", "TCP 80, 1521", "TCP 80"]);
  });
});
