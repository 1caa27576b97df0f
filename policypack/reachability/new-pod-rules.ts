import { includes, intersect, isEmpty, type AddressSet } from "../address-set";
import { portSet, protocols } from "../port-set";
import type { ClassSet } from "./class-set";
import { chosenKey, type Condition, type Conditions } from "./condition";
import type { AllowRule, ClusterPolicy, NamedPort, NetworkPolicy, Peer, PortMatch, TierRule } from "./model";
import type { NewPodPlace } from "./new-pod-place";
import type { ConditionalRule, Side } from "./openings";
import type { OtherEnds } from "./other-ends";
import {
  inOrder,
  isClusterPolicy,
  privateIpv4,
  takesUncertain,
  type Direction,
  type PolicyCompiler,
  type Tables,
} from "./policy-compiler";
import { allPortsId, type PortsId } from "./port-table";
import type { Action } from "./profile";
import type { AnalysisOptions } from "./reachability";

/** A rule that applies to a new pod if the pod is what its policy is for. */
export interface OwnRule {
  readonly tier: "admin" | "allow" | "baseline";
  readonly action: ConditionalRule["action"];
  /** What the pod has to fulfil for the policy to be for it. */
  readonly subject: Condition;
  /** As `Rule` has them. */
  readonly classes: ClassSet | undefined;
  readonly addresses: AddressSet | undefined;
  readonly ports: readonly PortMatch[] | undefined;
}

/** Turns policies into what they say of a connection with a new pod. */
export interface NewPodRules {
  /** The rules that may apply to a pod at a place, in the order in which they are asked. */
  own(place: NewPodPlace, policies: readonly NetworkPolicy[], direction: Direction): readonly OwnRule[];
  /**
   * What the new pod's policies say.
   *
   * @param rules those of its own rules that match the other end, in order
   * @param isolated what isolates the new pod
   * @param namedPorts of the other end, where egress rules find their named ports
   */
  ownSide(
    rules: readonly OwnRule[],
    isolated: readonly Condition[],
    direction: Direction,
    namedPorts: readonly NamedPort[],
  ): Side;
  /**
   * What the policies of the other end say.
   *
   * @param direction of these policies
   */
  otherSide(end: OtherEnds, place: NewPodPlace, direction: Direction): Side;
}

export function newPodRules(
  clusterPolicies: readonly ClusterPolicy[],
  compiler: PolicyCompiler,
  { ports: table }: Tables,
  conditions: Conditions,
  options: AnalysisOptions,
): NewPodRules {
  const inAskedOrder = [
    ...inOrder(clusterPolicies, "Admin").map((policy) => ({ policy, tier: "admin" as const })),
    ...inOrder(clusterPolicies, "Baseline").map((policy) => ({ policy, tier: "baseline" as const })),
  ];

  function own(place: NewPodPlace, policies: readonly NetworkPolicy[], direction: Direction): OwnRule[] {
    const ofCluster = inAskedOrder.map(({ policy, tier }) => ({
      policy,
      tier,
      subject: place.asks(policy.subject.namespaces, policy.subject.pods),
    }));
    const ofNamespace = policies.map((policy) => ({
      policy,
      tier: "allow" as const,
      subject: place.asks(policy.namespace, policy.podSelector),
    }));
    return [...ofCluster, ...ofNamespace].flatMap(({ policy, tier, subject }) =>
      subject === undefined
        ? []
        : (policy[direction] ?? []).flatMap((rule) =>
            compiler.rules(policy, rule, direction, []).map(({ action, classes, addresses }) => ({
              tier,
              action,
              subject,
              classes,
              addresses,
              ports: rule.ports,
            })),
          ),
    );
  }

  function ownSide(
    rules: readonly OwnRule[],
    isolated: readonly Condition[],
    direction: Direction,
    namedPorts: readonly NamedPort[],
  ): Side {
    const ofTier = (tier: OwnRule["tier"]) =>
      rules
        .filter((rule) => rule.tier === tier)
        .flatMap(({ action, subject, ports }) =>
          destinationPorts(ports, direction === "egress" ? namedPorts : "new pod").map(
            ({ ports: open, when }) => ({ action, when: [conditions.both(subject, when)], ports: open }),
          ),
        );
    return { admin: ofTier("admin"), isolated, allow: ofTier("allow"), baseline: ofTier("baseline") };
  }

  function otherSide(end: OtherEnds, place: NewPodPlace, direction: Direction): Side {
    const rulesOf = (policies: readonly (NetworkPolicy | ClusterPolicy)[]) =>
      policies.flatMap((policy) =>
        (policy[direction] ?? []).flatMap((rule: AllowRule | TierRule) => {
          const own = "action" in rule ? rule.action : "Accept";
          const actions: readonly Action[] = own === "Pass" ? ["MayPass", "Pass"] : [own];
          return actions.flatMap((action) => {
            const matching =
              rule.peers === undefined
                ? [conditions.always]
                : rule.peers.flatMap((peer) => matched(peer, policy, action, place) ?? []);
            if (matching.length === 0) return [];
            return destinationPorts(rule.ports, direction === "ingress" ? end.namedPorts : "new pod").map(
              ({ ports, when }) => ({
                action,
                when: [...new Set(matching.map((condition) => conditions.both(condition, when)))],
                ports,
              }),
            );
          });
        }),
      );
    return {
      admin: rulesOf(end.admin),
      isolated: end.networkPolicies.length > 0 ? [conditions.always] : [],
      allow: rulesOf(end.networkPolicies),
      baseline: rulesOf(end.baseline),
    };
  }

  /** What a new pod has to fulfil for a peer to match it; undefined where none can. */
  function matched(
    peer: Peer,
    policy: NetworkPolicy | ClusterPolicy,
    action: ConditionalRule["action"],
    place: NewPodPlace,
  ): Condition | undefined {
    switch (peer.kind) {
      case "pods":
        return place.asks(
          peer.namespaces ?? (isClusterPolicy(policy) ? { requirements: [] } : policy.namespace),
          peer.pods,
        );
      case "addresses": {
        if (!isClusterPolicy(policy) && options.ipBlocksMatchPods !== true) return undefined;
        // Which address the pod gets is not known: what may be open is taken for open, as it is for workloads.
        const whereabouts = options.podRanges ?? privateIpv4;
        const matches = takesUncertain(action)
          ? !isEmpty(intersect(whereabouts, peer.addresses))
          : includes(peer.addresses, whereabouts);
        return matches ? conditions.always : undefined;
      }
      case "nodes":
      case "domains":
        return undefined;
    }
  }

  /**
   * The ports that a rule means at the destination, and what that asks of the new pod. A new pod may call any port by the name
   * that a rule has: then the rule means all ports of the protocol, under the condition that the pod names them so.
   *
   * @param named the ports that the destination names, or that the destination is the new pod
   */
  function destinationPorts(
    ports: readonly PortMatch[] | undefined,
    named: readonly NamedPort[] | "new pod",
  ): { readonly ports: PortsId; readonly when: Condition }[] {
    if (ports === undefined) return [{ ports: allPortsId, when: conditions.always }];
    if (named !== "new pod") return [{ ports: table.resolve(ports, named), when: conditions.always }];
    const numbers = ports.filter(({ kind }) => kind === "numbers");
    return [
      ...(numbers.length === 0 ? [] : [{ ports: table.resolve(numbers, []), when: conditions.always }]),
      ...ports.flatMap((port) =>
        port.kind === "numbers"
          ? []
          : protocols
              .filter((protocol) => protocol === (port.protocol ?? protocol))
              .map((protocol) => ({
                ports: table.id(portSet([{ protocol, first: 1, last: 65535 }])),
                when: conditions.of([
                  {
                    key: chosenKey("port name", `${protocol} ${port.name}`),
                    operator: "Exists",
                    values: [],
                  },
                ]),
              })),
      ),
    ];
  }

  return { own, ownSide, otherSide };
}
