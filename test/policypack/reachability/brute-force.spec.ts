import assert from "node:assert/strict";
import { fromCidr, subtract, union } from "../../../policypack/address-set";
import type { Protocol } from "../../../policypack/port-set";
import type {
  AllowRule,
  Cluster,
  ClusterPolicy,
  NetworkPolicy,
  Peer,
  PortMatch,
  Selector,
  TierRule,
  Workload,
} from "../../../policypack/reachability/model";
import type { AnalysisOptions } from "../../../policypack/reachability/reachability";
import { readCluster } from "../../../policypack/reachability/read-cluster";
import { mayConnect } from "./brute-force";
import { objectsOf, portProbed, readCases } from "./cyclonus/cyclonus-cases";

const everything: Selector = { requirements: [] };
const anyPod: Peer = { at: "", kind: "pods", namespaces: everything, pods: undefined };

const web = pod("shop", "web");
const db = {
  ...pod("shop", "db"),
  namedPorts: [
    { name: "sql", protocol: "TCP" as const, number: 5432 },
    { name: "dns", protocol: "UDP" as const, number: 53 },
  ],
};
const job = pod("batch", "job");
const agent = { ...pod("batch", "agent"), hostNetwork: true };

function pod(namespace: string, name: string): Workload {
  return {
    namespace,
    name,
    kind: "Pod",
    labels: { app: name },
    namedPorts: [],
    hostNetwork: false,
    addresses: [],
  };
}

function app(name: string): Selector {
  return { requirements: [{ key: "app", operator: "In", values: [name] }] };
}

function pods(peer: { readonly namespaces?: Selector; readonly pods?: Selector }): Peer {
  return { at: "", kind: "pods", namespaces: peer.namespaces, pods: peer.pods };
}

function addresses(...cidrs: string[]): Peer {
  return {
    at: "",
    kind: "addresses",
    addresses: union(...cidrs.map((cidr) => fromCidr(cidr))),
    text: cidrs.join(),
  };
}

function port(number: number, protocol: Protocol = "TCP"): PortMatch {
  return { kind: "numbers", protocol, first: number, last: number };
}

function allow(peers?: readonly Peer[], ports?: readonly PortMatch[]): AllowRule {
  return { at: "", peers, ports };
}

/** A NetworkPolicy in the namespace shop. */
function policy(
  podSelector: Selector,
  { ingress, egress }: { readonly ingress?: readonly AllowRule[]; readonly egress?: readonly AllowRule[] },
): NetworkPolicy {
  return { namespace: "shop", name: "policy", podSelector, ingress, egress };
}

function rule(action: TierRule["action"], peers: readonly Peer[], ports?: readonly PortMatch[]): TierRule {
  return { at: "", name: undefined, action, peers, ports };
}

/** A ClusterNetworkPolicy for every pod. */
function tier(
  name: ClusterPolicy["tier"],
  egress: readonly TierRule[],
  rest?: Partial<ClusterPolicy>,
): ClusterPolicy {
  return {
    kind: "ClusterNetworkPolicy",
    name: "policy",
    tier: name,
    priority: 0,
    subject: { namespaces: everything, pods: undefined },
    ingress: [],
    egress,
    ...rest,
  };
}

function clusterWith(rest: Partial<Cluster>): Cluster {
  const workloads = [web, db, job, agent];
  return {
    namespaces: ["shop", "batch"].map((name) => ({ name, labels: { "kubernetes.io/metadata.name": name } })),
    workloads,
    networkPolicies: [],
    clusterPolicies: [],
    nodes: [],
    ...rest,
  };
}

type Attempt = [from: Workload | string, to: Workload | string, port?: number, protocol?: Protocol];

/** Asserts which attempts are let through, and which are not. */
function judges(
  cluster: Partial<Cluster>,
  {
    open,
    shut,
    options = {},
  }: { readonly open: Attempt[]; readonly shut: Attempt[]; readonly options?: AnalysisOptions },
): void {
  const mayPass = ([from, to, number = 80, protocol = "TCP"]: Attempt): boolean =>
    mayConnect(clusterWith(cluster), options, from, to, protocol, number);
  assert.deepEqual(
    open.map(mayPass),
    open.map(() => true),
    "of those that should be open",
  );
  assert.deepEqual(
    shut.map(mayPass),
    shut.map(() => false),
    "of those that should be shut",
  );
}

describe("the judgement of single connections", () => {
  it("lets everything through that no policy isolates", () => {
    judges(
      {},
      {
        open: [
          [web, db],
          [web, web],
          [web, "203.0.113.1"],
          ["2001:db8::1", web],
          [agent, web],
        ],
        shut: [],
      },
    );
  });

  it("isolates for one direction at a time, in the policy's namespace", () => {
    judges(
      { networkPolicies: [policy(everything, { ingress: [] })] },
      {
        open: [
          [web, job],
          [web, "203.0.113.1"],
        ],
        shut: [
          [web, db],
          [db, db],
          [job, web],
          ["203.0.113.1", web],
        ],
      },
    );
    judges(
      { networkPolicies: [policy(app("web"), { egress: [] })] },
      {
        open: [
          [job, web],
          [db, web],
        ],
        shut: [
          [web, db],
          [web, job],
          [web, web],
        ],
      },
    );
  });

  it("adds up what policies allow, and asks both ends", () => {
    judges(
      {
        networkPolicies: [
          policy(app("db"), { ingress: [allow([pods({ pods: app("web") })], [port(5432)])] }),
          policy(everything, { ingress: [allow([pods({ namespaces: everything })], [port(9090)])] }),
          policy(app("web"), { egress: [allow(undefined, [port(5432)])] }),
        ],
      },
      {
        open: [
          [web, db, 5432],
          [job, db, 9090],
        ],
        shut: [
          [web, db, 9090],
          [job, db, 5432],
          [web, db, 5432, "UDP"],
        ],
      },
    );
  });

  it("takes a missing part of a peer for the own namespace or for every pod", () => {
    const from = (peer: Peer) => ({ networkPolicies: [policy(app("db"), { ingress: [allow([peer])] })] });
    judges(from(pods({ pods: everything })), {
      open: [[web, db]],
      shut: [
        [job, db],
        [agent, db],
        ["10.0.0.1", db],
      ],
    });
    judges(from(pods({ namespaces: everything })), {
      open: [
        [web, db],
        [job, db],
      ],
      shut: [[agent, db]],
    });
    judges(from(pods({ namespaces: everything, pods: app("job") })), {
      open: [[job, db]],
      shut: [[web, db]],
    });
    const batch: Selector = {
      requirements: [{ key: "kubernetes.io/metadata.name", operator: "In", values: ["batch"] }],
    };
    judges(from(pods({ namespaces: batch, pods: app("web") })), {
      open: [],
      shut: [
        [web, db],
        [job, db],
      ],
    });
    judges(
      { networkPolicies: [policy(app("db"), { ingress: [allow()] })] },
      {
        open: [
          [agent, db],
          ["::1", db],
        ],
        shut: [],
      },
    );
  });

  it("holds every requirement of a selector against the label, which may be missing", () => {
    const shutsDb = (...requirements: Selector["requirements"]) => {
      const cluster = clusterWith({ networkPolicies: [policy({ requirements }, { ingress: [] })] });
      return !mayConnect(cluster, {}, web, db, "TCP", 80);
    };
    assert.ok(shutsDb({ key: "app", operator: "In", values: ["db", "web"] }));
    assert.ok(!shutsDb({ key: "app", operator: "In", values: ["web"] }));
    assert.ok(!shutsDb({ key: "app", operator: "NotIn", values: ["db"] }));
    assert.ok(shutsDb({ key: "tier", operator: "NotIn", values: ["db"] }));
    assert.ok(!shutsDb({ key: "tier", operator: "In", values: ["db"] }));
    assert.ok(shutsDb({ key: "app", operator: "Exists", values: [] }));
    assert.ok(!shutsDb({ key: "constructor", operator: "Exists", values: [] }));
    assert.ok(shutsDb({ key: "tier", operator: "DoesNotExist", values: [] }));
    assert.ok(
      !shutsDb(
        { key: "app", operator: "Exists", values: [] },
        { key: "tier", operator: "Exists", values: [] },
      ),
    );
  });

  it("finds a named port in the destination, under its protocol", () => {
    const named = (name: string, protocol?: Protocol): PortMatch => ({ kind: "name", protocol, name });
    const toPorts = (...ports: PortMatch[]) => ({
      networkPolicies: [policy(app("web"), { egress: [allow(undefined, ports)] })],
    });
    judges(toPorts(named("sql", "TCP")), {
      open: [[web, db, 5432]],
      shut: [
        [web, db, 5432, "UDP"],
        [web, db, 53, "UDP"],
        [web, job, 5432],
        [web, "203.0.113.1", 5432],
      ],
    });
    judges(toPorts(named("dns", "TCP")), {
      open: [],
      shut: [
        [web, db, 53],
        [web, db, 53, "UDP"],
      ],
    });
    judges(
      {
        clusterPolicies: [tier("Admin", [rule("Accept", [anyPod], [named("dns")]), rule("Deny", [anyPod])])],
      },
      {
        open: [[web, db, 53, "UDP"]],
        shut: [
          [web, db, 53],
          [web, db, 5432],
        ],
      },
    );
  });

  it("matches a block up to its edges and not in its exceptions", () => {
    const block: Peer = {
      at: "",
      kind: "addresses",
      addresses: subtract(fromCidr("203.0.113.0/24"), fromCidr("203.0.113.64/26")),
      text: "",
    };
    judges(
      { networkPolicies: [policy(app("web"), { egress: [allow([block])] })] },
      {
        open: [
          [web, "203.0.113.0"],
          [web, "203.0.113.63"],
          [web, "203.0.113.128"],
          [web, "203.0.113.255"],
        ],
        shut: [
          [web, "203.0.112.255"],
          [web, "203.0.113.64"],
          [web, "203.0.113.127"],
          [web, "203.0.114.0"],
          [web, "::1"],
        ],
      },
    );
  });

  it("matches pods by a block only where told to, and nodes wherever they may be", () => {
    const inBlock = { ...db, addresses: ["10.0.0.9", "fd00::9"] };
    const to = (...cidrs: string[]) => ({
      workloads: [web, inBlock, job, agent],
      networkPolicies: [policy(app("web"), { egress: [allow([addresses(...cidrs)])] })],
    });
    judges(to("10.0.0.8/29"), {
      open: [[web, agent]],
      shut: [
        [web, inBlock],
        [web, job],
      ],
    });
    const options = { ipBlocksMatchPods: true };
    judges(to("10.0.0.8/29"), { options, open: [[web, inBlock]], shut: [[web, job]] });
    judges(to("fd00::/8"), {
      options,
      open: [
        [web, inBlock],
        [web, agent],
      ],
      shut: [[web, job]],
    });
    judges(to("203.0.113.0/24"), { open: [], shut: [[web, agent]] });
    const nodeRanges = fromCidr("203.0.113.0/30");
    judges(to("203.0.113.0/24"), { options: { nodeRanges }, open: [[web, agent]], shut: [] });
    const onNode = { ...agent, addresses: ["192.168.0.1"] };
    judges(to("10.0.0.0/8"), { open: [], shut: [[web, onNode]] });
    judges(to("192.168.0.0/16"), { open: [[web, onNode]], shut: [] });
  });

  it("asks the tiers in turn: the first rule that matches decides, Pass leaves it to the next tier", () => {
    const shutByPolicy = [policy(everything, { egress: [] })];
    const admin = (...rules: TierRule[]) => [tier("Admin", rules)];
    judges(
      { networkPolicies: shutByPolicy, clusterPolicies: admin(rule("Accept", [anyPod], [port(80)])) },
      { open: [[web, db]], shut: [[web, db, 81]] },
    );
    judges(
      {
        networkPolicies: shutByPolicy,
        clusterPolicies: admin(rule("Pass", [anyPod], [port(80)]), rule("Accept", [anyPod])),
      },
      {
        open: [
          [web, db, 81],
          [job, web, 80],
        ],
        shut: [[web, db, 80]],
      },
    );
    judges(
      {
        clusterPolicies: admin(
          rule("Deny", [pods({ namespaces: everything, pods: app("db") })]),
          rule("Accept", [anyPod]),
        ),
      },
      { open: [[web, job]], shut: [[web, db]] },
    );
    const baseline = tier("Baseline", [rule("Pass", [anyPod], [port(80)]), rule("Deny", [anyPod])]);
    judges(
      { clusterPolicies: [baseline] },
      {
        open: [
          [web, db],
          [web, "203.0.113.1", 81],
          [agent, db, 81],
        ],
        shut: [[web, db, 81]],
      },
    );
    judges(
      {
        networkPolicies: [policy(app("web"), { egress: [allow()] })],
        clusterPolicies: [baseline, ...admin(rule("Pass", [anyPod]))],
      },
      { open: [[web, db, 81]], shut: [[db, web, 81]] },
    );
  });

  it("asks policies in the order of priority, then of name, whatever their kind", () => {
    const deny = [rule("Deny", [anyPod])];
    const accept = [rule("Accept", [anyPod])];
    judges(
      {
        clusterPolicies: [
          tier("Admin", deny, { priority: 2, name: "a" }),
          tier("Admin", accept, { priority: 1, name: "b" }),
        ],
      },
      { open: [[web, db]], shut: [] },
    );
    judges(
      {
        clusterPolicies: [
          tier("Admin", accept, { name: "a-2", kind: "AdminNetworkPolicy" }),
          tier("Admin", deny, { name: "a-10" }),
        ],
      },
      { open: [], shut: [[web, db]] },
    );
  });

  it("accepts by networks whatever may be in them, and denies only what must be", () => {
    const networks = (action: TierRule["action"], ...cidrs: string[]) => ({
      workloads: [web, db, job, agent],
      clusterPolicies: [
        tier(
          "Admin",
          action === "Accept"
            ? [rule(action, [addresses(...cidrs)]), rule("Deny", [anyPod])]
            : [rule(action, [addresses(...cidrs)])],
        ),
      ],
    });
    const twoAddresses = { ...db, addresses: ["10.0.0.9", "192.168.0.1"] };
    judges(networks("Accept", "10.0.0.9/32"), {
      open: [
        [web, twoAddresses],
        [web, db],
      ],
      shut: [],
    });
    judges(networks("Accept", "203.0.113.0/24"), {
      open: [],
      shut: [
        [web, twoAddresses],
        [web, db],
      ],
    });
    judges(networks("Deny", "10.0.0.0/8"), {
      open: [
        [web, twoAddresses],
        [web, db],
        [web, agent],
      ],
      shut: [[web, "10.1.2.3"]],
    });
    judges(networks("Deny", "10.0.0.9/32", "192.168.0.0/16"), {
      open: [[web, db]],
      shut: [[web, twoAddresses]],
    });
    judges(networks("Deny", "10.0.0.0/8"), {
      options: { podRanges: fromCidr("10.1.0.0/16") },
      open: [[web, agent]],
      shut: [[web, db]],
    });
    // Every private IPv4 range: where a pod may be, but not all of where a node may.
    judges(networks("Deny", "0.0.0.0/0"), { open: [[web, agent]], shut: [[web, db]] });
    judges(networks("Deny", "0.0.0.0/0", "fc00::/7"), {
      open: [],
      shut: [
        [web, db],
        [web, agent],
      ],
    });
  });

  it("knows nodes by their labels and addresses, and no domain name", () => {
    const node = { name: "one", labels: { zone: "a" }, addresses: ["192.168.0.1", "fd00:0::1"] };
    const onNode = { ...agent, node: "one" };
    const zone = (value: string): Peer => ({
      at: "",
      kind: "nodes",
      nodes: { requirements: [{ key: "zone", operator: "In", values: [value] }] },
    });
    const denies = (...peers: Peer[]) => ({
      nodes: [node],
      clusterPolicies: [tier("Admin", [rule("Deny", peers)])],
    });
    judges(denies(zone("a")), {
      open: [
        [web, db],
        [web, agent],
        [web, "192.168.0.2"],
      ],
      shut: [
        [web, onNode],
        [web, "192.168.0.1"],
        [web, "fd00::1"],
      ],
    });
    judges(denies(zone("b")), {
      open: [
        [web, onNode],
        [web, "192.168.0.1"],
      ],
      shut: [],
    });
    judges(denies({ at: "", kind: "nodes", nodes: everything }), {
      open: [[web, db]],
      shut: [
        [web, agent],
        [web, onNode],
      ],
    });
    judges(denies({ at: "", kind: "domains", names: ["example.com"] }), {
      open: [
        [web, db],
        [web, "203.0.113.1"],
      ],
      shut: [],
    });
    judges(
      {
        nodes: [node],
        networkPolicies: [policy(everything, { egress: [] })],
        clusterPolicies: [tier("Admin", [rule("Accept", [zone("b")])])],
      },
      {
        open: [[web, agent]],
        shut: [
          [web, onNode],
          [web, db],
        ],
      },
    );
  });

  it("says of pods and NetworkPolicies what an independent simulator says", () => {
    const { cases } = readCases();
    let verdicts = 0;
    for (const one of cases) {
      for (const step of one.steps) {
        const { cluster } = readCluster(objectsOf(step).map((body) => ({ body, source: "cases.jsonl" })));
        const { pods: tested } = step.cluster;
        const workloads = tested.map((pod) =>
          cluster.workloads.find(({ namespace, name }) => namespace === pod.namespace && name === pod.name),
        );
        for (const { probes, rows } of step.tables) {
          for (const probe of probes) {
            const found = workloads.map((from) =>
              workloads
                .map((to, column) => {
                  const pod = tested[column];
                  assert.ok(from && to && pod);
                  const { protocol, number } = portProbed(probe, pod);
                  return mayConnect(cluster, { ipBlocksMatchPods: true }, from, to, protocol, number)
                    ? "."
                    : "X";
                })
                .join(""),
            );
            assert.deepEqual(found, rows, `${probe} in #${one.number}, ${one.description}`);
            verdicts += tested.length ** 2;
          }
        }
      }
    }
    assert.equal(verdicts, 123_669);
  });
});
