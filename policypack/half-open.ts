import type { KnownPods } from "./known-pods";
import { isAt, withMatrixPods, type MatrixPods, type Role } from "./matrix-pods";
import {
  hasNoPorts,
  intersectPorts,
  noPorts,
  portSet,
  subtractPorts,
  unionPorts,
  type PortSet,
} from "./port-set";
import { explainer, type EndExplanation } from "./reachability/explanation";
import type { AllowRule, NetworkPolicy, Peer, PortMatch, Workload } from "./reachability/model";
import type { Direction } from "./reachability/policy-compiler";
import { remediesFor, type Remedy } from "./reachability/remedy";
import { selects } from "./reachability/selector";
import { sidesOf, type Sides } from "./reachability/sides";
import type { StackCluster } from "./stack-cluster";

/** A peer of a policy that opens some ports of which the other end opens none to any of the policy's pods. */
export interface HalfOpening {
  readonly policy: NetworkPolicy;
  readonly direction: Direction;
  /** `spec.egress[0].to[1]` */
  readonly at: string;
  /** Never empty. */
  readonly ports: PortSet;
  /** One pair of pods for which that is so. */
  readonly from: Workload;
  readonly to: Workload;
  /** How messages name them. */
  readonly text: string;
  /** What shuts it at the other end. */
  readonly shut: EndExplanation;
  /** What would open it there; undefined where nothing does. */
  readonly remedy: Remedy | undefined;
}

type PodPeer = Extract<Peer, { kind: "pods" }>;

/**
 * What one end opens and the other shuts, peer by peer and port by port, where the pods at both ends are known. A port counts as half
 * open where it is open between none of the pods at both ends: a peer for many pods need not be wanted by each of them.
 */
export function halfOpenings(stack: StackCluster, known: KnownPods): HalfOpening[] {
  const pods = withMatrixPods(stack.cluster, stack.matrices, stack.hasKnownLabels);
  return new HalfOpeningFinder(stack, known, pods).find();
}

interface Pair {
  readonly subject: number;
  readonly other: number;
}

function* pairsOf(subjects: readonly number[], others: readonly number[]): Generator<Pair> {
  for (const subject of subjects) for (const other of others) yield { subject, other };
}

class HalfOpeningFinder {
  private readonly sides: Sides;
  private readonly representatives: readonly Workload[];
  private readonly roles: readonly Role[];
  /** The classes of pods that are there, by namespace. */
  private readonly classesIn = new Map<string, number[]>();
  private explain: ReturnType<typeof explainer> | undefined;

  constructor(
    private readonly stack: StackCluster,
    private readonly known: KnownPods,
    private readonly pods: MatrixPods,
  ) {
    this.sides = sidesOf(pods.cluster);
    this.representatives = this.sides.classes.flatMap(([first]) => first ?? []);
    this.roles = this.representatives.map((workload) => pods.roleOf(workload));
    for (const [number, { namespace, hostNetwork }] of this.representatives.entries()) {
      const standing = this.roles[number]?.standing;
      if (hostNetwork || (standing !== "real" && standing !== "service")) continue;
      const list = this.classesIn.get(namespace);
      if (list === undefined) this.classesIn.set(namespace, [number]);
      else list.push(number);
    }
  }

  find(): HalfOpening[] {
    return this.stack.cluster.networkPolicies.flatMap((policy) =>
      (["ingress", "egress"] as const).flatMap((direction) =>
        (policy[direction] ?? []).flatMap((rule) =>
          (rule.peers ?? []).flatMap((peer) =>
            peer.kind === "pods" ? this.findIn(policy, direction, rule, peer) : [],
          ),
        ),
      ),
    );
  }

  private findIn(policy: NetworkPolicy, direction: Direction, rule: AllowRule, peer: PodPeer): HalfOpening[] {
    const places =
      peer.namespaces === undefined ? [policy.namespace] : this.known.namespacesOf(peer.namespaces);
    const all = [policy.namespace, ...(places ?? [])];
    const isKnown = (place: string) => this.known.areKnownIn(place) && this.stack.isKnown(place);
    if (places === undefined || !all.every(isKnown)) return [];
    const subjects = this.matching(policy.namespace, (labels) => selects(policy.podSelector, labels));
    const others = places.flatMap((place) =>
      this.matching(place, (labels) => peer.pods === undefined || selects(peer.pods, labels)),
    );
    const unused = (rule.ports ?? [undefined]).filter((match) =>
      this.isUnused(pairsOf(subjects, others), direction, match),
    );
    for (const pair of unused.length === 0 ? [] : pairsOf(subjects, others)) {
      const ports = unionPorts(...unused.map((match) => this.opened(pair, direction, match)));
      if (!hasNoPorts(ports)) return [this.opening(policy, direction, peer, pair, ports)];
    }
    return [];
  }

  /** Whether an entry of a rule's ports opens something, and the other end shuts it for every pair. */
  private isUnused(pairs: Iterable<Pair>, direction: Direction, match: PortMatch | undefined): boolean {
    let opens = false;
    for (const pair of pairs) {
      const ports = this.opened(pair, direction, match);
      if (hasNoPorts(ports)) continue;
      if (!this.isShut(pair, direction, ports)) return false;
      opens = true;
    }
    return opens;
  }

  private matching(namespace: string, isMatch: (labels: Workload["labels"]) => boolean): number[] {
    return (this.classesIn.get(namespace) ?? []).filter((number) =>
      isMatch(this.representatives[number]?.labels ?? {}),
    );
  }

  /** What an entry of a rule's ports opens between two ends, as far as the end's other policies let it. */
  private opened({ subject, other }: Pair, direction: Direction, match: PortMatch | undefined): PortSet {
    const open = this.sides.ports(direction, subject, other);
    if (match === undefined) return open;
    const receiver = this.representatives[direction === "ingress" ? subject : other];
    const ports =
      match.kind === "numbers"
        ? portSet([match])
        : portSet(
            (receiver?.namedPorts ?? [])
              .filter(
                ({ name, protocol }) =>
                  name === match.name && (match.protocol === undefined || protocol === match.protocol),
              )
              .map(({ protocol, number }) => ({ protocol, first: number, last: number })),
          );
    return intersectPorts(open, ports);
  }

  /** Whether the other end shuts all of it, and nobody meant that. */
  private isShut({ subject, other }: Pair, direction: Direction, ports: PortSet): boolean {
    const opposite = direction === "ingress" ? "egress" : "ingress";
    const open = intersectPorts(ports, this.sides.ports(opposite, other, subject));
    return (
      hasNoPorts(open) &&
      (direction === "egress" || !hasNoPorts(subtractPorts(ports, this.meantHalf(other, subject))))
    );
  }

  /** What a matrix opens at the receiver only. */
  private meantHalf(from: number, to: number): PortSet {
    const [sender, senderRole] = [this.representatives[from], this.roles[from]];
    const [receiver, receiverRole] = [this.representatives[to], this.roles[to]];
    if (sender === undefined || senderRole === undefined) return noPorts;
    if (receiver === undefined || receiverRole === undefined) return noPorts;
    const flows = this.stack.matrices.flatMap(({ matrix }) => matrix.flows);
    return unionPorts(
      ...flows
        .filter(
          (flow) =>
            !flow.opensFrom && isAt(flow.from, sender, senderRole) && isAt(flow.to, receiver, receiverRole),
        )
        .map((flow) => flow.ports),
    );
  }

  private opening(
    policy: NetworkPolicy,
    direction: Direction,
    { at }: PodPeer,
    { subject, other }: Pair,
    ports: PortSet,
  ): HalfOpening {
    const ends = [this.representatives[subject], this.representatives[other]];
    const [from, to] = direction === "egress" ? ends : ends.reverse();
    if (from === undefined || to === undefined) throw new RangeError("a class of pods has none");
    this.explain ??= explainer(this.pods.cluster);
    const explanation = this.explain(from, to, ports);
    return {
      policy,
      direction,
      at,
      ports,
      from,
      to,
      text: `${this.pods.roleOf(from).text} to ${this.pods.roleOf(to).text}`,
      shut: direction === "egress" ? explanation.ingress : explanation.egress,
      remedy: remediesFor(explanation)[0],
    };
  }
}
