import assert from "node:assert/strict";
import fc from "fast-check";
import {
  fromCidr,
  includes,
  intersect,
  isEmpty,
  union,
  type AddressSet,
} from "../../../policypack/address-set";
import type {
  AllowRule,
  Cluster,
  ClusterPolicy,
  Labels,
  NetworkPolicy,
  Peer,
  PortMatch,
  Requirement,
  Selector,
  TierRule,
  Workload,
} from "../../../policypack/reachability/model";
import type { AnalysisOptions } from "../../../policypack/reachability/reachability";
import { arbitraryInput } from "./arbitrary-cluster";
import { selects } from "./brute-force";

/** What a case of the semantics looks at. */
interface Facts {
  readonly cluster: Cluster;
  readonly options: AnalysisOptions;
  readonly pods: readonly Workload[];
  readonly onNodes: readonly Workload[];
  /** Every selector with each set of labels that it is held against. */
  readonly selections: readonly { readonly selector: Selector; readonly labels: Labels }[];
  readonly allowRules: readonly AllowRule[];
  readonly tierRules: readonly TierRule[];
  readonly allowPeers: readonly Peer[];
  readonly tierPeers: readonly Peer[];
  readonly ports: readonly PortMatch[];
  readonly isolates: (policy: NetworkPolicy, pod: Workload, direction: Direction) => boolean;
  /** The cluster policies of a tier that have rules for a pod. */
  readonly policiesOf: (
    tier: ClusterPolicy["tier"],
    pod: Workload,
    direction: Direction,
  ) => readonly ClusterPolicy[];
}

type Direction = "ingress" | "egress";
const directions = ["ingress", "egress"] as const;
const tiers = ["Admin", "Baseline"] as const;
const actions = ["Accept", "Deny", "Pass"] as const;

const privateIpv4 = union(
  ...["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"].map((cidr) => fromCidr(cidr)),
);

const cases: Record<string, (facts: Facts) => boolean> = {
  "In, of a label with a listed value": asks(
    "In",
    (value, values) => value !== undefined && values.includes(value),
  ),
  "In, of a label with another value": asks(
    "In",
    (value, values) => value !== undefined && !values.includes(value),
  ),
  "In, of a label that is missing": asks("In", (value) => value === undefined),
  "NotIn, of a label with a listed value": asks(
    "NotIn",
    (value, values) => value !== undefined && values.includes(value),
  ),
  "NotIn, of a label with another value": asks(
    "NotIn",
    (value, values) => value !== undefined && !values.includes(value),
  ),
  "NotIn, of a label that is missing": asks("NotIn", (value) => value === undefined),
  "Exists, of a label that is there": asks("Exists", (value) => value !== undefined),
  "Exists, of a label with an empty value": asks("Exists", (value) => value === ""),
  "Exists, of a label that is missing": asks("Exists", (value) => value === undefined),
  "DoesNotExist, of a label that is there": asks("DoesNotExist", (value) => value !== undefined),
  "DoesNotExist, of a label that is missing": asks("DoesNotExist", (value) => value === undefined),
  "a label key that every object seems to have": ({ selections }) =>
    selections.some(({ selector, labels }) =>
      selector.requirements.some(({ key }) => key === "constructor" && !Object.hasOwn(labels, key)),
    ),
  "a selector without requirements": ({ selections }) =>
    selections.some(({ selector }) => selector.requirements.length === 0),
  "a selector of which one requirement holds": ({ selections }) =>
    selections.some(({ selector, labels }) => {
      const held = selector.requirements.filter((one) => selects({ requirements: [one] }, labels)).length;
      return held > 0 && held < selector.requirements.length;
    }),

  "a pod isolated for ingress alone": (facts) => isIsolated(facts, true, false),
  "a pod isolated for egress alone": (facts) => isIsolated(facts, false, true),
  "a pod isolated for both": (facts) => isIsolated(facts, true, true),
  "a pod isolated for none": (facts) => isIsolated(facts, false, false),
  "a pod isolated by a policy without rules": ({ cluster, pods, isolates }) =>
    cluster.networkPolicies.some((policy) =>
      directions.some(
        (direction) =>
          policy[direction]?.length === 0 && pods.some((pod) => isolates(policy, pod, direction)),
      ),
    ),
  "a pod isolated by several policies": ({ cluster, pods, isolates }) =>
    pods.some((pod) =>
      directions.some(
        (direction) =>
          cluster.networkPolicies.filter((policy) => isolates(policy, pod, direction)).length > 1,
      ),
    ),

  "a rule for any peer": ({ allowRules }) => allowRules.some(({ peers }) => peers === undefined),
  "a rule with several peers": ({ allowRules }) => allowRules.some(({ peers = [] }) => peers.length > 1),
  "a peer of the own namespace": ({ allowPeers }) =>
    allowPeers.some((peer) => peer.kind === "pods" && peer.namespaces === undefined),
  "a peer of whole namespaces": ({ allowPeers }) =>
    allowPeers.some((peer) => peer.kind === "pods" && peer.pods === undefined),
  "a peer of which only the namespace or only the pod matches": ({ cluster, pods, allowPeers }) =>
    allowPeers.some(
      (peer) =>
        peer.kind === "pods" &&
        pods.some((pod) => {
          if (peer.namespaces === undefined || peer.pods === undefined) return false;
          return selects(peer.namespaces, labelsOf(cluster, pod)) !== selects(peer.pods, pod.labels);
        }),
    ),
  "a block": ({ allowPeers }) => blocksOf(allowPeers).length > 0,
  "a block with a hole": ({ allowPeers }) =>
    blocksOf(allowPeers).some(({ IPv4, IPv6 }) => IPv4.length > 1 || IPv6.length > 1),
  "a block of which nothing is left": ({ allowPeers }) => blocksOf(allowPeers).some(isEmpty),
  "a block of IPv6": ({ allowPeers }) => blocksOf(allowPeers).some(({ IPv6 }) => IPv6.length > 0),
  "blocks that overlap": ({ allowPeers }) =>
    somePair(blocksOf(allowPeers), (a, b) => !isEmpty(intersect(a, b)) && !includes(a, b) && !includes(b, a)),
  "blocks that hold one another": ({ allowPeers }) =>
    somePair(blocksOf(allowPeers), (a, b) => includes(a, b) !== includes(b, a)),
  "blocks that touch": ({ allowPeers }) =>
    somePair(blocksOf(allowPeers), (a, b) =>
      a.IPv4.some(({ last }) => b.IPv4.some(({ first }) => last + 1n === first)),
    ),

  "a rule for any port": ({ allowRules }) => allowRules.some(({ ports }) => ports === undefined),
  "a rule with several ports": ({ allowRules }) => allowRules.some(({ ports = [] }) => ports.length > 1),
  "one port": hasRange(({ first, last }) => first === last),
  "a range of ports": hasRange(({ first, last }) => first < last && last - first < 65534),
  "all ports of a protocol": hasRange(({ first, last }) => first === 1 && last === 65535),
  "ports of SCTP": hasRange(({ protocol }) => protocol === "SCTP"),
  "port ranges that touch": hasRanges((a, b) => a.last + 1 === b.first),
  "port ranges that overlap": hasRanges((a, b) => a.first < b.first && b.first <= a.last && a.last < b.last),
  "a port name that some pods have and some lack": ({ ports, pods }) =>
    namesOf(ports).some(({ name }) => {
      const having = pods.filter(({ namedPorts }) => namedPorts.some((port) => port.name === name)).length;
      return having > 0 && having < pods.length;
    }),
  "a port name that a pod has under another protocol alone": ({ ports, pods }) =>
    namesOf(ports).some(({ name, protocol }) =>
      pods.some(({ namedPorts }) => {
        const named = namedPorts.filter((port) => port.name === name);
        return (
          protocol !== undefined && named.length > 0 && named.every((port) => port.protocol !== protocol)
        );
      }),
    ),
  "a port name of any protocol that a pod has under two": ({ ports, pods }) =>
    namesOf(ports).some(
      ({ name, protocol }) =>
        protocol === undefined &&
        pods.some(({ namedPorts }) => namedPorts.filter((port) => port.name === name).length > 1),
    ),
  "a port name that two pods give different numbers": ({ ports, pods }) =>
    namesOf(ports).some(
      ({ name, protocol }) =>
        new Set(
          pods.flatMap(({ namedPorts }) =>
            namedPorts
              .filter((port) => port.name === name && port.protocol === protocol)
              .map(({ number }) => number),
          ),
        ).size > 1,
    ),

  "a hostNetwork workload with addresses": ({ onNodes }) =>
    onNodes.some(({ addresses }) => addresses.length > 0),
  "a hostNetwork workload without, with node ranges": ({ onNodes, options }) =>
    options.nodeRanges !== undefined && onNodes.some(({ addresses }) => addresses.length === 0),
  "a hostNetwork workload without, and without node ranges": ({ onNodes, options }) =>
    options.nodeRanges === undefined && onNodes.some(({ addresses }) => addresses.length === 0),
  "a hostNetwork workload that an empty selector would select": ({ onNodes, cluster }) =>
    onNodes.some(({ namespace, labels }) =>
      cluster.networkPolicies.some(
        (policy) => policy.namespace === namespace && selects(policy.podSelector, labels),
      ),
    ),
  "nodes asked of a hostNetwork workload whose node is there": ({ onNodes, cluster, tierPeers }) =>
    tierPeers.some(({ kind }) => kind === "nodes") &&
    onNodes.some(({ node }) => cluster.nodes.some(({ name }) => name === node)),
  "nodes asked of a hostNetwork workload whose node is not there": ({ onNodes, cluster, tierPeers }) =>
    tierPeers.some(({ kind }) => kind === "nodes") &&
    onNodes.some(({ node }) => cluster.nodes.every(({ name }) => name !== node)),
  "nodes asked of a node with addresses": ({ cluster, tierPeers }) =>
    tierPeers.some(
      (peer) =>
        peer.kind === "nodes" &&
        cluster.nodes.some(({ labels, addresses }) => addresses.length > 0 && selects(peer.nodes, labels)),
    ),
  "an address of a node that is not in its usual form": ({ cluster }) =>
    cluster.nodes.some(({ addresses }) => addresses.includes("fd00:0::8")),
  "an ipBlock that has a pod, and matches it": ({ pods, allowPeers, options }) =>
    options.ipBlocksMatchPods === true && blocksOf(allowPeers).some((block) => isSomeIn(pods, block)),
  "an ipBlock that has a pod, and does not match it": ({ pods, allowPeers, options }) =>
    options.ipBlocksMatchPods !== true && blocksOf(allowPeers).some((block) => isSomeIn(pods, block)),
  ...casesOfNetworks("Accept"),
  ...casesOfNetworks("Deny"),
  ...casesOfNetworks("Pass"),

  ...Object.fromEntries(
    tiers.flatMap((tier) =>
      actions.map((action): [string, (facts: Facts) => boolean] => [
        `${action} in the ${tier} tier`,
        ({ pods, policiesOf }) =>
          pods.some((pod) =>
            directions.some((direction) =>
              policiesOf(tier, pod, direction).some((policy) =>
                policy[direction].some((rule) => rule.action === action),
              ),
            ),
          ),
      ]),
    ),
  ),
  "a pod under policies of equal priority": (facts) => hasRivals(facts, (a, b) => a.priority === b.priority),
  "a pod under policies of equal priority, not in the order of their names": (facts) =>
    hasRivals(facts, (a, b) => a.priority === b.priority && a.name > b.name),
  "a pod under policies of equal priority, of two kinds": (facts) =>
    hasRivals(facts, (a, b) => a.priority === b.priority && a.kind !== b.kind),
  "a pod under policies that are not in the order of their priority": (facts) =>
    hasRivals(facts, (a, b) => a.priority > b.priority),
  "a pod under the Admin tier and a NetworkPolicy": (facts) =>
    hasTiers(facts, (admin, _, isolated) => admin && isolated),
  "a pod under the Baseline tier and a NetworkPolicy": (facts) =>
    hasTiers(facts, (_, baseline, isolated) => baseline && isolated),
  "a pod under the Baseline tier and no NetworkPolicy": (facts) =>
    hasTiers(facts, (_, baseline, isolated) => baseline && !isolated),
  "a pod under both tiers": (facts) => hasTiers(facts, (admin, baseline) => admin && baseline),
  "domain names": ({ tierPeers }) => tierPeers.some(({ kind }) => kind === "domains"),
  "a subject of pods in whole namespaces": ({ cluster }) =>
    cluster.clusterPolicies.some(({ subject }) => subject.pods === undefined),

  "pods that are alike": ({ pods }) =>
    somePair(pods, (a, b) => areAlike(a, b) && samePorts(a, b) && sameAddresses(a, b)),
  "pods that are alike but for their ports": ({ pods }) =>
    somePair(pods, (a, b) => areAlike(a, b) && !samePorts(a, b)),
  "pods that are alike but for their addresses": ({ pods }) =>
    somePair(pods, (a, b) => areAlike(a, b) && samePorts(a, b) && !sameAddresses(a, b)),
  "hostNetwork workloads that are alike but for their nodes": ({ onNodes }) =>
    somePair(
      onNodes,
      (a, b) => areAlike(a, b) && samePorts(a, b) && sameAddresses(a, b) && a.node !== b.node,
    ),
  "workloads that are alike but for the network": ({ pods, onNodes }) =>
    pods.some((a) => onNodes.some((b) => areAlike(a, b) && samePorts(a, b) && sameAddresses(a, b))),
  "workloads with one name and two kinds": ({ cluster }) =>
    somePair(
      cluster.workloads,
      (a, b) => a.namespace === b.namespace && a.name === b.name && a.kind !== b.kind,
    ),
};

describe("the clusters that the reachability engine is tried on", () => {
  it("have each case of the semantics in one of fifty at least", () => {
    const sample = fc
      .sample(arbitraryInput, { numRuns: 2000, seed: 20_240_229 })
      .map(({ cluster, options }) => factsOf(cluster, options));
    const rare = Object.entries(cases)
      .map(([name, occursIn]) => ({ name, found: sample.filter((facts) => occursIn(facts)).length }))
      .filter(({ found }) => found < sample.length / 50);
    assert.deepEqual(rare, []);
  });
});

/** Whether a selector has the operator for a label whose value, or lack of one, is such. */
function asks(
  operator: Requirement["operator"],
  isSuch: (value: string | undefined, values: readonly string[]) => boolean,
): (facts: Facts) => boolean {
  return ({ selections }) =>
    selections.some(({ selector, labels }) =>
      selector.requirements.some(
        (one) =>
          one.operator === operator &&
          isSuch(Object.hasOwn(labels, one.key) ? labels[one.key] : undefined, one.values),
      ),
    );
}

function isIsolated({ cluster, pods, isolates }: Facts, ingress: boolean, egress: boolean): boolean {
  return pods.some((pod) => {
    const by = (direction: Direction) =>
      cluster.networkPolicies.some((policy) => isolates(policy, pod, direction));
    return by("ingress") === ingress && by("egress") === egress;
  });
}

type PortRange = Extract<PortMatch, { kind: "numbers" }>;

function hasRange(isSuch: (range: PortRange) => boolean): (facts: Facts) => boolean {
  return ({ ports }) => ports.some((match) => match.kind === "numbers" && isSuch(match));
}

function hasRanges(areSuch: (a: PortRange, b: PortRange) => boolean): (facts: Facts) => boolean {
  return ({ ports }) =>
    somePair(
      ports.flatMap((match) => (match.kind === "numbers" ? [match] : [])),
      (a, b) => a.protocol === b.protocol && areSuch(a, b),
    );
}

function namesOf(ports: readonly PortMatch[]): Extract<PortMatch, { kind: "name" }>[] {
  return ports.flatMap((match) => (match.kind === "name" ? [match] : []));
}

/** How the places where a pod may be lie to the `networks` of a rule: all of them within, some, or none. */
function casesOfNetworks(action: TierRule["action"]): Record<string, (facts: Facts) => boolean> {
  const blocks = ({ tierRules }: Facts): AddressSet[] =>
    tierRules.filter((rule) => rule.action === action).flatMap(({ peers }) => blocksOf(peers));
  const known = (facts: Facts, isSuch: (within: number, all: number) => boolean): boolean =>
    blocks(facts).some((block) =>
      facts.pods.some(
        ({ addresses }) =>
          addresses.length > 0 &&
          isSuch(addresses.filter((one) => isIn(one, block)).length, addresses.length),
      ),
    );
  const ranges = (
    facts: Facts,
    areKnown: boolean,
    isSuch: (all: boolean, some: boolean) => boolean,
  ): boolean => {
    const range = facts.options.podRanges ?? privateIpv4;
    return (
      areKnown === (facts.options.podRanges !== undefined) &&
      facts.pods.some(({ addresses }) => addresses.length === 0) &&
      blocks(facts).some((block) => isSuch(includes(block, range), !isEmpty(intersect(block, range))))
    );
  };
  return {
    [`${action} for networks with all addresses of a pod`]: (facts) =>
      known(facts, (within, all) => within === all),
    [`${action} for networks with some addresses of a pod`]: (facts) =>
      known(facts, (within, all) => within > 0 && within < all),
    [`${action} for networks with no address of a pod`]: (facts) => known(facts, (within) => within === 0),
    [`${action} for networks with all pod ranges`]: (facts) => ranges(facts, true, (all) => all),
    [`${action} for networks with a part of the pod ranges`]: (facts) =>
      ranges(facts, true, (all, some) => some && !all),
    [`${action} for networks apart from the pod ranges`]: (facts) => ranges(facts, true, (_, some) => !some),
    [`${action} for networks with all private space`]: (facts) => ranges(facts, false, (all) => all),
    [`${action} for networks with a part of private space`]: (facts) =>
      ranges(facts, false, (all, some) => some && !all),
  };
}

function hasRivals(
  { pods, policiesOf }: Facts,
  areSuch: (first: ClusterPolicy, second: ClusterPolicy) => boolean,
): boolean {
  return pods.some((pod) =>
    tiers.some((tier) =>
      directions.some((direction) => {
        const policies = policiesOf(tier, pod, direction);
        return policies.some((first, index) =>
          policies.slice(index + 1).some((second) => areSuch(first, second)),
        );
      }),
    ),
  );
}

function hasTiers(
  { cluster, pods, policiesOf, isolates }: Facts,
  isSuch: (admin: boolean, baseline: boolean, isolated: boolean) => boolean,
): boolean {
  return pods.some((pod) =>
    directions.some((direction) =>
      isSuch(
        policiesOf("Admin", pod, direction).length > 0,
        policiesOf("Baseline", pod, direction).length > 0,
        cluster.networkPolicies.some((policy) => isolates(policy, pod, direction)),
      ),
    ),
  );
}

function factsOf(cluster: Cluster, options: AnalysisOptions): Facts {
  const { workloads, networkPolicies, clusterPolicies, namespaces, nodes } = cluster;
  const pods = workloads.filter(({ hostNetwork }) => !hostNetwork);
  const allowRules = networkPolicies.flatMap(({ ingress = [], egress = [] }) => [...ingress, ...egress]);
  const tierRules = clusterPolicies.flatMap(({ ingress, egress }) => [...ingress, ...egress]);
  const allowPeers = allowRules.flatMap(({ peers }): readonly Peer[] => peers ?? []);
  const tierPeers = tierRules.flatMap(({ peers }) => peers);
  const podPeers = [...allowPeers, ...tierPeers].flatMap((peer) => (peer.kind === "pods" ? [peer] : []));
  const against = (selector: Selector | undefined, all: readonly { readonly labels: Labels }[]) =>
    selector === undefined ? [] : all.map(({ labels }) => ({ selector, labels }));
  return {
    cluster,
    options,
    pods,
    onNodes: workloads.filter(({ hostNetwork }) => hostNetwork),
    selections: [
      ...networkPolicies.flatMap(({ podSelector, namespace }) =>
        against(
          podSelector,
          pods.filter((pod) => pod.namespace === namespace),
        ),
      ),
      ...clusterPolicies.flatMap(({ subject }) => [
        ...against(subject.namespaces, namespaces),
        ...against(subject.pods, pods),
      ]),
      ...podPeers.flatMap((peer) => [...against(peer.namespaces, namespaces), ...against(peer.pods, pods)]),
      ...tierPeers.flatMap((peer) => (peer.kind === "nodes" ? against(peer.nodes, nodes) : [])),
    ],
    allowRules,
    tierRules,
    allowPeers,
    tierPeers,
    ports: [...allowRules, ...tierRules].flatMap(({ ports }): readonly PortMatch[] => ports ?? []),
    isolates: (policy, { namespace, labels }, direction) =>
      policy[direction] !== undefined &&
      policy.namespace === namespace &&
      selects(policy.podSelector, labels),
    policiesOf: (tier, pod, direction) =>
      clusterPolicies.filter(
        (policy) =>
          policy.tier === tier &&
          policy[direction].length > 0 &&
          selects(policy.subject.namespaces, labelsOf(cluster, pod)) &&
          (policy.subject.pods === undefined || selects(policy.subject.pods, pod.labels)),
      ),
  };
}

function labelsOf({ namespaces }: Cluster, pod: Workload): Labels {
  return namespaces.find(({ name }) => name === pod.namespace)?.labels ?? {};
}

function blocksOf(peers: readonly Peer[]): AddressSet[] {
  return peers.flatMap((peer) => (peer.kind === "addresses" ? [peer.addresses] : []));
}

function isSomeIn(workloads: readonly Workload[], block: AddressSet): boolean {
  return workloads.some(({ addresses }) => addresses.some((address) => isIn(address, block)));
}

function isIn(address: string, block: AddressSet): boolean {
  return includes(block, fromCidr(`${address}/${address.includes(":") ? 128 : 32}`));
}

/** Whether two of a list, in either order, are such. */
function somePair<T>(list: readonly T[], areSuch: (a: T, b: T) => boolean): boolean {
  return list.some((a, index) => list.some((b, other) => other !== index && areSuch(a, b)));
}

function areAlike(a: Workload, b: Workload): boolean {
  const written = ({ labels }: Workload) => JSON.stringify(Object.entries(labels).sort());
  return a.namespace === b.namespace && written(a) === written(b);
}

function samePorts(a: Workload, b: Workload): boolean {
  const written = ({ namedPorts }: Workload) =>
    JSON.stringify(namedPorts.map(({ name, protocol, number }) => `${name} ${protocol} ${number}`).sort());
  return written(a) === written(b);
}

function sameAddresses(a: Workload, b: Workload): boolean {
  return a.addresses.join() === b.addresses.join();
}
