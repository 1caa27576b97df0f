import { intersect, isEmpty, toCidrs, type AddressSet } from "../address-set";
import type { AllowRule, Cluster, ClusterPolicy, NetworkPolicy, TierRule } from "./model";
import { inOrder, isClusterPolicy } from "./policy-compiler";
import type { AnalysisOptions, Note } from "./reachability";

/** What a reader of the answer must know: where the policies leave something to the network plugin, to DNS or to chance. */
export function notesOn(cluster: Cluster, options: AnalysisOptions): Note[] {
  const policies = [...cluster.networkPolicies, ...cluster.clusterPolicies];
  return [
    ...policies.flatMap((policy) => rulesIn(policy).flatMap((rule) => peerNotes(policy, rule, options))),
    ...(["Admin", "Baseline"] as const).flatMap((tier) => ties(inOrder(cluster.clusterPolicies, tier))),
  ];
}

export function policyTitle(policy: NetworkPolicy | ClusterPolicy): string {
  return isClusterPolicy(policy)
    ? `${policy.kind} ${policy.name}`
    : `NetworkPolicy ${policy.namespace}/${policy.name}`;
}

/** The rules of both directions. */
export function rulesIn(policy: NetworkPolicy | ClusterPolicy): readonly (AllowRule | TierRule)[] {
  return [...(policy.ingress ?? []), ...(policy.egress ?? [])];
}

function peerNotes(
  policy: NetworkPolicy | ClusterPolicy,
  rule: AllowRule | TierRule,
  { podRanges, serviceRanges, ipBlocksMatchPods }: AnalysisOptions,
): Note[] {
  const about = policyTitle(policy);
  return (rule.peers ?? []).flatMap((peer): Note[] => {
    if (peer.kind === "domains") {
      const names = peer.names.join(", ");
      const text = `accepts traffic to ${names}: only DNS knows which addresses these are, so they are not in this answer`;
      return [{ about, at: peer.at, text }];
    }
    if (peer.kind !== "addresses") return [];
    const pods = overlap(peer.addresses, podRanges);
    const services = overlap(peer.addresses, serviceRanges);
    return [
      ...(pods === undefined || ipBlocksMatchPods === true || isClusterPolicy(policy)
        ? []
        : [
            {
              about,
              at: peer.at,
              text: `${peer.text} covers pod addresses (${pods}): whether it lets pods through depends on the network plugin, and this answer says it does not`,
            },
          ]),
      ...(services === undefined
        ? []
        : [
            {
              about,
              at: peer.at,
              text: `${peer.text} covers Service addresses (${services}): most network plugins judge the pods behind a Service and never its address`,
            },
          ]),
    ];
  });
}

function overlap(addresses: AddressSet, ranges: AddressSet | undefined): string | undefined {
  if (ranges === undefined) return undefined;
  const shared = intersect(addresses, ranges);
  return isEmpty(shared) ? undefined : toCidrs(shared).slice(0, 4).join(", ");
}

/** @param policies of one tier, in order */
function ties(policies: readonly ClusterPolicy[]): Note[] {
  return policies.flatMap((policy, index): Note[] => {
    const previous = policies[index - 1];
    if (previous?.priority !== policy.priority) return [];
    return [
      {
        about: policyTitle(policy),
        at: "spec.priority",
        text: `has priority ${policy.priority} like ${policyTitle(previous)}: where both match, the API leaves open which one decides; this answer takes them in the order of their names`,
      },
    ];
  });
}
