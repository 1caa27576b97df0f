import * as ipaddr from "ipaddr.js";
import { fromCidr, type AddressFamily, type AddressSet } from "../../../policypack/address-set";
import type { Protocol } from "../../../policypack/port-set";
import type {
  AllowRule,
  Cluster,
  ClusterPolicy,
  Labels,
  NetworkPolicy,
  Peer,
  PortMatch,
  Selector,
  TierRule,
  Workload,
} from "../../../policypack/reachability/model";
import type { AnalysisOptions } from "../../../policypack/reachability/reachability";

/** One connection that somebody tries. */
interface Attempt {
  readonly cluster: Cluster;
  readonly options: AnalysisOptions;
  readonly from: Place;
  readonly to: Place;
  readonly protocol: Protocol;
  readonly port: number;
}

/** One end of a connection. */
interface Place {
  /** Undefined outside the cluster. */
  readonly workload: Workload | undefined;
  /** Those that are known; one outside the cluster. */
  readonly addresses: readonly Address[];
}

/** A single address as a number of its family. */
interface Address {
  readonly family: AddressFamily;
  readonly value: bigint;
}

type Direction = "ingress" | "egress";

/** Where pods are when nothing says it. */
const privateIpv4 = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"].map(fromCidr);
/** Where nodes are when nothing says it. */
const privateSpace = [...privateIpv4, fromCidr("fc00::/7")];

/**
 * Whether one connection to one port is let through, read off the API documentation of `networking.k8s.io/v1` and
 * `policy.networking.k8s.io` for this connection alone. It is as slow as it is plain: nothing is computed for more than one
 * connection, so it has no idea in common with an engine that computes with sets.
 *
 * @param from a workload, or an address outside the cluster
 * @param to a workload, or an address outside the cluster
 */
export function mayConnect(
  cluster: Cluster,
  options: AnalysisOptions,
  from: Workload | string,
  to: Workload | string,
  protocol: Protocol,
  port: number,
): boolean {
  return connectionsBetween(cluster, options, from, to)(protocol, port);
}

/** {@link mayConnect} for many ports of one pair, whose addresses are then read once. */
export function connectionsBetween(
  cluster: Cluster,
  options: AnalysisOptions,
  from: Workload | string,
  to: Workload | string,
): (protocol: Protocol, port: number) => boolean {
  const [source, destination] = [placeOf(from), placeOf(to)];
  return (protocol, port) => {
    const attempt = { cluster, options, from: source, to: destination, protocol, port };
    return (
      isLetThrough(attempt, "egress", source, destination) &&
      isLetThrough(attempt, "ingress", destination, source)
    );
  };
}

function placeOf(end: Workload | string): Place {
  return typeof end === "string"
    ? { workload: undefined, addresses: [addressOf(end)] }
    : { workload: end, addresses: end.addresses.map(addressOf) };
}

/** What the policies of one end, the subject, say. */
function isLetThrough(
  attempt: Attempt,
  direction: Direction,
  { workload: subject }: Place,
  other: Place,
): boolean {
  // Policies select pods: not what is outside, and not pods on their node's network.
  if (subject === undefined || subject.hostNetwork) return true;
  const admin = decisionOfTier(attempt, "Admin", direction, subject, other);
  if (admin.decision === "Accept") return true;
  if (admin.decision === "Deny" && !admin.mayPass) return false;
  let isolated = false;
  for (const policy of attempt.cluster.networkPolicies) {
    const rules = policy[direction];
    if (rules === undefined || policy.namespace !== subject.namespace) continue;
    if (!selects(policy.podSelector, subject.labels)) continue;
    isolated = true;
    if (rules.some((rule) => allows(attempt, policy, rule, other))) return true;
  }
  if (isolated) return false;
  const baseline = decisionOfTier(attempt, "Baseline", direction, subject, other);
  return baseline.decision !== "Deny" || baseline.mayPass;
}

function allows(attempt: Attempt, policy: NetworkPolicy, rule: AllowRule, other: Place): boolean {
  return (
    hasPort(attempt, rule.ports) &&
    (rule.peers === undefined || rule.peers.some((peer) => isInAllowPeer(attempt, policy, peer, other)))
  );
}

/**
 * The action of the first rule of a tier that matches, in order of priority, then of name; Pass where none does. `mayPass` says
 * that a rule before it passes the connection on if the other end is where it may be.
 */
function decisionOfTier(
  attempt: Attempt,
  tier: ClusterPolicy["tier"],
  direction: Direction,
  subject: Workload,
  other: Place,
): { decision: TierRule["action"]; mayPass: boolean } {
  let mayPass = false;
  const policies = attempt.cluster.clusterPolicies
    .filter((policy) => policy.tier === tier)
    .sort((a, b) => a.priority - b.priority || (a.name < b.name ? -1 : 1));
  for (const policy of policies) {
    if (!selects(policy.subject.namespaces, labelsOfNamespace(attempt.cluster, subject.namespace))) continue;
    if (policy.subject.pods !== undefined && !selects(policy.subject.pods, subject.labels)) continue;
    for (const rule of policy[direction]) {
      // What cannot be told is taken for open: an Accept takes all that it may match, the others what they must.
      const certain = rule.action !== "Accept";
      if (!hasPort(attempt, rule.ports)) continue;
      if (rule.peers.some((peer) => isInTierPeer(attempt, peer, other, certain))) {
        return { decision: rule.action, mayPass };
      }
      if (rule.action === "Pass" && rule.peers.some((peer) => isInTierPeer(attempt, peer, other, false))) {
        mayPass = true;
      }
    }
  }
  return { decision: "Pass", mayPass };
}

function isInAllowPeer(
  { cluster, options }: Attempt,
  policy: NetworkPolicy,
  peer: Peer,
  other: Place,
): boolean {
  switch (peer.kind) {
    case "pods":
      return isInPods(cluster, peer, other, policy.namespace);
    case "addresses":
      if (other.workload === undefined) return isAnyIn(other.addresses, peer.addresses);
      if (other.workload.hostNetwork) return isIn(other, nodesOf(options), peer.addresses, false);
      return options.ipBlocksMatchPods === true && isAnyIn(other.addresses, peer.addresses);
    default:
      return false;
  }
}

/** @param certain Whether it has to match wherever the other end is, and not just perhaps. */
function isInTierPeer({ cluster, options }: Attempt, peer: Peer, other: Place, certain: boolean): boolean {
  switch (peer.kind) {
    case "pods":
      return isInPods(cluster, peer, other, undefined);
    case "addresses":
      if (other.workload === undefined) return isAnyIn(other.addresses, peer.addresses);
      return isIn(
        other,
        other.workload.hostNetwork ? nodesOf(options) : podsOf(options),
        peer.addresses,
        certain,
      );
    case "nodes":
      return isNode(cluster, peer.nodes, other, certain);
    case "domains":
      return false;
  }
}

/** @param ownNamespace The policy's, for a peer without namespace selector. */
function isInPods(
  cluster: Cluster,
  peer: Extract<Peer, { kind: "pods" }>,
  { workload: other }: Place,
  ownNamespace: string | undefined,
): boolean {
  if (other === undefined || other.hostNetwork) return false;
  const inNamespace =
    peer.namespaces === undefined
      ? other.namespace === ownNamespace
      : selects(peer.namespaces, labelsOfNamespace(cluster, other.namespace));
  return inNamespace && (peer.pods === undefined || selects(peer.pods, other.labels));
}

function isNode(
  cluster: Cluster,
  nodes: Selector,
  { workload, addresses }: Place,
  certain: boolean,
): boolean {
  if (workload === undefined) {
    return cluster.nodes.some(
      (node) =>
        selects(nodes, node.labels) &&
        node.addresses.map(addressOf).some((own) => addresses.some((address) => isSame(own, address))),
    );
  }
  if (!workload.hostNetwork) return false;
  const node = cluster.nodes.find(({ name }) => name === workload.node);
  if (node !== undefined) return selects(nodes, node.labels);
  return !certain || nodes.requirements.length === 0;
}

function podsOf({ podRanges }: AnalysisOptions): readonly AddressSet[] {
  return podRanges === undefined ? privateIpv4 : [podRanges];
}

function nodesOf({ nodeRanges }: AnalysisOptions): readonly AddressSet[] {
  return nodeRanges === undefined ? privateSpace : [nodeRanges];
}

/**
 * Whether a workload's addresses are in a block: all of them where it has to be certain, otherwise one.
 *
 * @param ranges where the workload is when its addresses are not known
 */
function isIn(
  { addresses }: Place,
  ranges: readonly AddressSet[],
  block: AddressSet,
  certain: boolean,
): boolean {
  if (addresses.length === 0)
    return certain
      ? ranges.every((range) => isWithin(range, block))
      : ranges.some((range) => meet(range, block));
  return certain ? addresses.every((address) => holds(block, address)) : isAnyIn(addresses, block);
}

function isAnyIn(addresses: readonly Address[], block: AddressSet): boolean {
  return addresses.some((address) => holds(block, address));
}

function hasPort({ to, protocol, port }: Attempt, matches: readonly PortMatch[] | undefined): boolean {
  if (matches === undefined) return true;
  return matches.some((match) => {
    if (match.kind === "numbers")
      return match.protocol === protocol && match.first <= port && port <= match.last;
    if (match.protocol !== undefined && match.protocol !== protocol) return false;
    return (
      to.workload?.namedPorts.some(
        (named) => named.name === match.name && named.protocol === protocol && named.number === port,
      ) === true
    );
  });
}

/** Whether all requirements hold (`meta/v1` LabelSelector). */
export function selects({ requirements }: Selector, labels: Labels): boolean {
  return requirements.every(({ key, operator, values }) => {
    const [, value] = Object.entries(labels).find(([name]) => name === key) ?? [];
    switch (operator) {
      case "In":
        return value !== undefined && values.includes(value);
      case "NotIn":
        return value === undefined || !values.includes(value);
      case "Exists":
        return value !== undefined;
      case "DoesNotExist":
        return value === undefined;
    }
  });
}

function labelsOfNamespace(cluster: Cluster, name: string): Labels {
  const namespace = cluster.namespaces.find((one) => one.name === name);
  if (namespace === undefined) throw new RangeError(`the cluster lists no namespace ${name}`);
  return namespace.labels;
}

/** Whether two sets share an address. The least that they share is where an interval of one of them starts. */
function meet(a: AddressSet, b: AddressSet): boolean {
  return [...startsOf(a), ...startsOf(b)].some((address) => holds(a, address) && holds(b, address));
}

/** Whether `outer` has every address of `inner`. The least it lacks is where an interval of `inner` starts or one of `outer` ended. */
function isWithin(inner: AddressSet, outer: AddressSet): boolean {
  return [...startsOf(inner), ...successorsOf(outer)].every(
    (address) => !holds(inner, address) || holds(outer, address),
  );
}

function startsOf(set: AddressSet): Address[] {
  return [
    ...set.IPv4.map(({ first }): Address => ({ family: "IPv4", value: first })),
    ...set.IPv6.map(({ first }): Address => ({ family: "IPv6", value: first })),
  ];
}

function successorsOf(set: AddressSet): Address[] {
  return [
    ...set.IPv4.map(({ last }): Address => ({ family: "IPv4", value: last + 1n })),
    ...set.IPv6.map(({ last }): Address => ({ family: "IPv6", value: last + 1n })),
  ];
}

function holds(set: AddressSet, { family, value }: Address): boolean {
  return set[family].some(({ first, last }) => first <= value && value <= last);
}

function isSame(a: Address, b: Address): boolean {
  return a.family === b.family && a.value === b.value;
}

function addressOf(text: string): Address {
  const address = ipaddr.parse(text);
  let value = 0n;
  for (const byte of address.toByteArray()) value = value * 256n + BigInt(byte);
  return { family: address.kind() === "ipv4" ? "IPv4" : "IPv6", value };
}
