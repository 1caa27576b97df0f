import type { Namespace, NetworkPolicy, Peer } from "./model";
import type { OtherEnds } from "./other-ends";
import type { Direction } from "./policy-compiler";
import type { AnalysisOptions } from "./reachability";
import { selectorKey, selectsEverything } from "./selector";

/**
 * The ends that may leave something open for a new pod in a namespace: those that are not isolated, and those of which a rule
 * may match a pod there. All others are shut.
 *
 * @param direction of the policies of these ends
 * @param matches the keys of the selectors that select a namespace
 */
export function visibleEnds(
  ends: readonly OtherEnds[],
  direction: Direction,
  matches: (namespace: Namespace) => readonly string[],
  options: AnalysisOptions,
): (namespace: Namespace) => readonly OtherEnds[] {
  const anywhere: OtherEnds[] = [];
  const bySelector = new Map<string, Set<OtherEnds>>();
  const byNamespace = new Map<string, Set<OtherEnds>>();
  for (const end of ends) {
    const peers = peersOf(end, direction);
    if (peers === undefined || peers.some(({ peer }) => mayMatchAnywhere(peer, options))) {
      anywhere.push(end);
      continue;
    }
    for (const { peer, policy } of peers) {
      if (peer.kind !== "pods") continue;
      if (peer.namespaces === undefined) add(byNamespace, policy.namespace, end);
      else add(bySelector, selectorKey(peer.namespaces), end);
    }
  }
  return (namespace) => [
    ...new Set([
      ...anywhere,
      ...(byNamespace.get(namespace.name) ?? []),
      ...matches(namespace).flatMap((key) => [...(bySelector.get(key) ?? [])]),
    ]),
  ];
}

/** The peers that alone can open something; undefined where not only peers can. */
function peersOf(
  { admin, networkPolicies }: OtherEnds,
  direction: Direction,
): { peer: Peer; policy: NetworkPolicy }[] | undefined {
  if (networkPolicies.length === 0 || admin.length > 0) return undefined;
  const peers: { peer: Peer; policy: NetworkPolicy }[] = [];
  for (const policy of networkPolicies) {
    for (const rule of policy[direction] ?? []) {
      if (rule.peers === undefined) return undefined;
      peers.push(...rule.peers.map((peer) => ({ peer, policy })));
    }
  }
  return peers;
}

function mayMatchAnywhere(peer: Peer, options: AnalysisOptions): boolean {
  if (peer.kind === "addresses") return options.ipBlocksMatchPods === true;
  return peer.kind === "pods" && peer.namespaces !== undefined && selectsEverything(peer.namespaces);
}

function add<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  let set = sets.get(key);
  if (set === undefined) sets.set(key, (set = new Set<V>()));
  set.add(value);
}
