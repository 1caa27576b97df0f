import { fromCidr, type AddressSet } from "../address-set";
import { hasNoPorts, intersectPorts, subtractPorts, type PortSet } from "../port-set";
import { hasMember } from "./class-set";
import type { AllowRule, Cluster, ClusterPolicy, NetworkPolicy, Peer, TierRule, Workload } from "./model";
import { policyTitle } from "./notes";
import { classify } from "./pod-classes";
import { inOrder, newTables, policyCompiler, type Direction } from "./policy-compiler";
import { judge, type OtherEnd, type Profile, type Rule, type Tier } from "./profile";
import type { AnalysisOptions } from "./reachability";
import { addressEnd } from "./view";

/** A workload, or one address outside the cluster: an end that every rule matches as a whole or not at all. */
export type SingleEnd = Workload | { readonly address: string };

/** Why a connection is open or shut. */
export interface Explanation {
  readonly from: SingleEnd;
  readonly to: SingleEnd;
  /** The ports that were asked about. */
  readonly asked: PortSet;
  /** Those of the asked ports that both ends leave open. */
  readonly open: PortSet;
  /** What the source's policies say of traffic to the destination. */
  readonly egress: EndExplanation;
  /** What the destination's policies say of traffic from the source. */
  readonly ingress: EndExplanation;
}

export interface EndExplanation {
  readonly direction: Direction;
  /**
   * `outside`: an address, which no policy protects. `host-network`: pods outside every policy. `not-isolated`: no NetworkPolicy
   * isolates the pods in this direction. `isolated`: NetworkPolicies do.
   */
  readonly state: "outside" | "host-network" | "not-isolated" | "isolated";
  /** The NetworkPolicies that isolate the pods in this direction. */
  readonly isolatedBy: readonly NetworkPolicy[];
  /** The rules that decided some of the asked ports: tier Admin first, in order, then NetworkPolicies or tier Baseline. */
  readonly decisions: readonly Decision[];
  /** Those of the asked ports that this end leaves open. */
  readonly open: PortSet;
  /** Those of the asked ports that this end shuts. */
  readonly shut: PortSet;
}

/** What one peer of one rule decided. */
export interface Decision {
  readonly policy: NetworkPolicy | ClusterPolicy;
  /** `NetworkPolicy erlmcp/postgres-ingress` */
  readonly title: string;
  /** `spec.ingress[0].from[1]`, or the rule's place where it is for any peer. */
  readonly at: string;
  readonly action: Rule["action"];
  readonly ports: PortSet;
}

/**
 * Explains every port between two ends: which policy and rule opens it, or leaves it shut, at each end. It asks the same
 * compiled rules as the analysis, peer by peer.
 *
 * @param asked the ports in question
 */
export function explain(
  cluster: Cluster,
  from: SingleEnd,
  to: SingleEnd,
  asked: PortSet,
  options: AnalysisOptions = {},
): Explanation {
  return explainer(cluster, options)(from, to, asked);
}

/** {@link explain} for many connections of one cluster. */
export function explainer(
  cluster: Cluster,
  options: AnalysisOptions = {},
): (from: SingleEnd, to: SingleEnd, asked: PortSet) => Explanation {
  const explainEnd = endExplainer(cluster, options);
  return (from, to, asked) => {
    const egress = explainEnd("egress", from, to, asked);
    const ingress = explainEnd("ingress", to, from, asked);
    return { from, to, asked, open: intersectPorts(egress.open, ingress.open), egress, ingress };
  };
}

type ExplainEnd = (
  direction: Direction,
  subject: SingleEnd,
  other: SingleEnd,
  asked: PortSet,
) => EndExplanation;

/** What applies to some pods in one direction, peer by peer. */
interface CompiledEnd {
  readonly isolatedBy: readonly NetworkPolicy[];
  readonly origins: Readonly<Record<Tier, Origins>>;
  readonly profile: Profile;
}

function endExplainer(cluster: Cluster, options: AnalysisOptions): ExplainEnd {
  const classes = classify(cluster);
  const tables = newTables();
  const representatives = (classes.members[0] ?? []).map(([first]) => first);
  const compiler = policyCompiler(cluster, representatives, tables, options);
  const classOf = (workload: Workload) => classes.classOf[0]?.get(workload) ?? -1;

  function compileEnd(direction: Direction, subject: Workload, number: number): CompiledEnd {
    const protects = (policy: NetworkPolicy | ClusterPolicy) => hasMember(compiler.subjectOf(policy), number);
    const origins = { Admin: new Origins(), NetworkPolicy: new Origins(), Baseline: new Origins() };

    /** A rule of its own for each peer, so that a decision names the peer. */
    const rulesOf = (tier: Tier, policies: readonly (NetworkPolicy | ClusterPolicy)[]) =>
      policies.flatMap((policy) =>
        (policy[direction] ?? []).flatMap((rule: AllowRule | TierRule) =>
          (rule.peers ?? [undefined]).flatMap((peer: Peer | undefined) => {
            const parts = compiler.rules(policy, rule, direction, subject.namedPorts, peer && [peer]);
            const origin = { policy, title: policyTitle(policy), at: peer?.at ?? rule.at };
            for (const part of parts) origins[tier].add(part, origin);
            return parts;
          }),
        ),
      );
    const isolatedBy = cluster.networkPolicies.filter(
      (policy) =>
        policy.namespace === subject.namespace && policy[direction] !== undefined && protects(policy),
    );
    const clusterPolicies = (tier: ClusterPolicy["tier"]) =>
      rulesOf(tier, inOrder(cluster.clusterPolicies, tier).filter(protects));
    const profile = compiler.profile(
      clusterPolicies("Admin"),
      isolatedBy.length === 0 ? undefined : rulesOf("NetworkPolicy", isolatedBy),
      clusterPolicies("Baseline"),
    );
    return { isolatedBy, origins, profile };
  }

  const compiled = new Map<string, CompiledEnd>();
  return (direction, subject, other, asked) => {
    if (!isSingleWorkload(subject)) return untouched(direction, "outside", asked);
    if (subject.hostNetwork) return untouched(direction, "host-network", asked);
    const number = classOf(subject);
    const key = `${direction} ${number}`;
    let end = compiled.get(key);
    if (end === undefined) compiled.set(key, (end = compileEnd(direction, subject, number)));
    const { isolatedBy, origins, profile } = end;

    const decisions: Decision[] = [];
    const verdict = judge(profile, otherEnd(other, classOf), tables.ports, (tier, rule, decided) => {
      const ports = intersectPorts(tables.ports.set(decided), asked);
      if (hasNoPorts(ports)) return;
      const makers = origins[tier].of(rule);
      // NetworkPolicies allow together; of equal rules of cluster policies the first has decided.
      for (const maker of tier === "NetworkPolicy" ? makers : makers.slice(0, 1)) {
        decisions.push({ ...maker, action: rule.action, ports });
      }
    });
    const open = intersectPorts(tables.ports.set(verdict), asked);
    return {
      direction,
      state: isolatedBy.length === 0 ? "not-isolated" : "isolated",
      isolatedBy,
      decisions,
      open,
      shut: subtractPorts(asked, open),
    };
  };
}

type Origin = Omit<Decision, "ports" | "action">;

/** Where compiled rules come from; equal rules of several policies are one compiled rule. */
class Origins {
  private readonly known = new Map<Rule, Origin[]>();

  add(rule: Rule, origin: Origin): void {
    this.known.set(rule, [...this.of(rule), origin]);
  }

  of(rule: Rule): readonly Origin[] {
    return this.known.get(rule) ?? [];
  }
}

function untouched(direction: Direction, state: "outside" | "host-network", asked: PortSet): EndExplanation {
  return { direction, state, isolatedBy: [], decisions: [], open: asked, shut: subtractPorts(asked, asked) };
}

function otherEnd(other: SingleEnd, classOf: (workload: Workload) => number): OtherEnd {
  if (!isSingleWorkload(other)) return addressEnd(addressOf(other.address));
  const number = classOf(other);
  return {
    matches: ({ classes }) => classes === undefined || hasMember(classes, number),
    namedPorts: other.namedPorts,
  };
}

export function isSingleWorkload(end: SingleEnd): end is Workload {
  return !("address" in end);
}

function addressOf(address: string): AddressSet {
  return fromCidr(`${address}/${address.includes(":") ? 128 : 32}`);
}
