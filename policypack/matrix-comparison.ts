import { isEmpty, type AddressSet } from "./address-set";
import type { CommunicationMatrix, MatrixEnd, MatrixFlow } from "./communication-matrix";
import { isAt, withMatrixPods, type MatrixPods, type Role } from "./matrix-pods";
import { allPorts, hasNoPorts, intersectPorts, subtractPorts, unionPorts, type PortSet } from "./port-set";
import { subtractReach, type Reach } from "./private-endpoint";
import type { Workload } from "./reachability/model";
import type { Direction } from "./reachability/policy-compiler";
import { sidesOf, type Sides } from "./reachability/sides";
import type { StackCluster, StackMatrix } from "./stack-cluster";

/** One end of a connection that is not as declared. */
export type ComparedEnd = Workload | { readonly addresses: AddressSet };

/** A connection that the policies of one end judge in another way than the matrix. */
export type Deviation =
  | {
      /** Open, though nothing declares it. */
      readonly kind: "open";
      readonly direction: Direction;
      /** The pods whose policies open it. */
      readonly subject: Workload;
      readonly other: ComparedEnd;
      readonly ports: PortSet;
    }
  | {
      /** Declared, and shut by the policies of the subject. */
      readonly kind: "shut";
      readonly direction: Direction;
      readonly subject: Workload;
      readonly other: ComparedEnd;
      readonly ports: PortSet;
      readonly flow: MatrixFlow;
      readonly isBaseline: boolean;
    }
  | {
      /** No policy isolates the pods in the direction, so everything is open. */
      readonly kind: "not isolated";
      readonly direction: Direction;
      readonly subject: Workload;
    };

export interface Comparison extends MatrixPods {
  readonly deviations: readonly Deviation[];
}

const directions: readonly Direction[] = ["ingress", "egress"];

/** Which connections are looked at; absent means all, as far as both ends leave them open. */
export interface ComparisonScope {
  readonly isSubject: (subject: Workload, direction: Direction) => boolean;
  /** Whether what the subject's policies leave open counts as open even where the other end's policies shut it. */
  readonly oneEndSuffices: boolean;
}

const everything: ComparisonScope = { isSubject: () => true, oneEndSuffices: false };

/**
 * Compares what the policies allow with what the matrices declare, for the pods of the namespaces that these decide about. A connection
 * counts as open where both ends leave it open; of pods that are not deployed and of no service, any policy may come along.
 */
export function compareWithMatrices({
  cluster,
  matrices,
  isKnown,
  hasKnownLabels,
}: StackCluster): Comparison {
  const pods = withMatrixPods(cluster, matrices, hasKnownLabels);
  const sides = sidesOf(pods.cluster);
  const comparer = new Comparer(pods, sides, matrices, isKnown);
  return { ...pods, deviations: [...comparer.undeclared(), ...comparer.shut()] };
}

type ReachabilityOfStack = Pick<StackCluster, "cluster" | "matrices" | "isKnown" | "hasKnownLabels">;

/** The part of {@link compareWithMatrices} that is about what is open and not declared. */
export function undeclaredConnections(
  { cluster, matrices, isKnown, hasKnownLabels }: ReachabilityOfStack,
  scope: ComparisonScope,
): Comparison {
  const pods = withMatrixPods(cluster, matrices, hasKnownLabels);
  const comparer = new Comparer(pods, sidesOf(pods.cluster), matrices, isKnown, scope);
  return { ...pods, deviations: [...comparer.undeclared()] };
}

/** What one row of a matrix lets the pods at one end do: to talk to the other end, on these ports. */
interface Allowance {
  readonly other: MatrixEnd;
  readonly ports: PortSet;
}

class Comparer {
  private readonly representatives: readonly Workload[];
  private readonly roles: readonly Role[];
  private readonly allowances = new Map<string, readonly Allowance[]>();
  private readonly allowed = new Map<string, PortSet>();

  constructor(
    pods: MatrixPods,
    private readonly sides: Sides,
    private readonly matrices: readonly StackMatrix[],
    private readonly isKnown: (namespace: string) => boolean,
    private readonly scope = everything,
  ) {
    this.representatives = sides.classes.flatMap(([first]) => first ?? []);
    this.roles = this.representatives.map((workload) => pods.roleOf(workload));
  }

  *undeclared(): Generator<Deviation> {
    for (const [number, subject] of this.representatives.entries()) {
      const deciding = this.deciding(subject.namespace);
      if (deciding.length === 0 || subject.hostNetwork) continue;
      for (const direction of directions) {
        if (!this.scope.isSubject(subject, direction)) continue;
        if (!this.sides.isOpen(direction, number)) yield* this.opened(direction, number, subject);
        else if (this.isOfService(number, deciding) && this.isKnown(subject.namespace)) {
          yield { kind: "not isolated", direction, subject };
        }
      }
    }
  }

  private *opened(direction: Direction, number: number, subject: Workload): Generator<Deviation> {
    const opposite = direction === "ingress" ? "egress" : "ingress";
    for (const otherNumber of this.sides.others(direction, number)) {
      const other = this.representatives[otherNumber];
      // Pods on their node's network are addresses, which the outside is for.
      if (other === undefined || other.hostNetwork) continue;
      const theirs =
        this.scope.oneEndSuffices || this.roles[otherNumber]?.standing === "stranger"
          ? allPorts
          : this.sides.ports(opposite, otherNumber, number);
      const open = intersectPorts(this.sides.ports(direction, number, otherNumber), theirs);
      const ports = subtractPorts(open, this.allowedPorts(direction, number, otherNumber));
      if (!hasNoPorts(ports)) yield { kind: "open", direction, subject, other, ports };
    }
    const declared = this.allowancesOf(direction, number).map(reachOf);
    for (const part of this.sides.outside(direction, number)) {
      for (const { addresses, ports } of subtractReach(part, declared)) {
        yield { kind: "open", direction, subject, other: { addresses }, ports };
      }
    }
  }

  *shut(): Generator<Deviation> {
    const members = new Map<string, number[]>();
    const add = (key: string, number: number): void => {
      const list = members.get(key);
      if (list === undefined) members.set(key, [number]);
      else list.push(number);
    };
    const serviceKeys = new Map<unknown, string>();
    for (const [number, { namespace, hostNetwork }] of this.representatives.entries()) {
      const role = this.roles[number];
      if (role === undefined || hostNetwork || (role.standing !== "real" && role.standing !== "service"))
        continue;
      add(`namespace ${namespace}`, number);
      for (const service of role.services) {
        if (!serviceKeys.has(service)) serviceKeys.set(service, `service ${serviceKeys.size}`);
        add(serviceKeys.get(service) ?? "", number);
      }
    }
    const membersOf = (end: MatrixEnd): number[] => {
      const keys = [
        ...end.services.map((service) => serviceKeys.get(service) ?? ""),
        ...end.namespaces.map((namespace) => `namespace ${namespace}`),
      ];
      return [...new Set(keys.flatMap((key) => members.get(key) ?? []))];
    };
    for (const { matrix, isBaseline } of this.matrices) {
      for (const flow of matrix.flows) {
        const [from, to] = [membersOf(flow.from), membersOf(flow.to)];
        if (flow.opensFrom) yield* this.shutAt("egress", from, to, flow.to, flow, isBaseline);
        yield* this.shutAt("ingress", to, from, flow.from, flow, isBaseline);
      }
    }
  }

  private *shutAt(
    direction: Direction,
    subjects: readonly number[],
    others: readonly number[],
    end: MatrixEnd,
    flow: MatrixFlow,
    isBaseline: boolean,
  ): Generator<Deviation> {
    for (const number of subjects) {
      const subject = this.representatives[number];
      if (subject === undefined || !this.isKnown(subject.namespace)) continue;
      for (const otherNumber of others) {
        const other = this.representatives[otherNumber];
        const ports = subtractPorts(flow.ports, this.sides.ports(direction, number, otherNumber));
        if (other === undefined || hasNoPorts(ports)) continue;
        yield { kind: "shut", direction, subject, other, ports, flow, isBaseline };
      }
      if (isEmpty(end.addresses)) continue;
      const wanted = { addresses: end.addresses, ports: flow.ports };
      for (const { addresses, ports } of subtractReach(wanted, this.sides.outside(direction, number))) {
        yield { kind: "shut", direction, subject, other: { addresses }, ports, flow, isBaseline };
      }
    }
  }

  /** The matrices that decide about a namespace: the baseline's where it has one for it, so that nobody declares himself in. */
  private deciding(namespace: string): readonly CommunicationMatrix[] {
    const all = this.matrices.filter(({ matrix }) => matrix.namespaces.includes(namespace));
    const existing = all.filter(({ isBaseline }) => isBaseline);
    return (existing.length > 0 ? existing : all).map(({ matrix }) => matrix);
  }

  private isOfService(number: number, deciding: readonly CommunicationMatrix[]): boolean {
    const services = this.roles[number]?.services ?? [];
    return services.some((service) => deciding.some((matrix) => matrix.services.includes(service)));
  }

  private allowancesOf(direction: Direction, number: number): readonly Allowance[] {
    const [subject, role] = [this.representatives[number], this.roles[number]];
    if (subject === undefined || role === undefined) return [];
    const key = `${direction} ${role.key}`;
    let allowances = this.allowances.get(key);
    if (allowances === undefined) {
      const flows = this.deciding(subject.namespace).flatMap((matrix) => matrix.flows);
      allowances =
        direction === "ingress"
          ? flows
              .filter(({ to }) => isAt(to, subject, role))
              .map(({ from, ports }) => ({ other: from, ports }))
          : flows
              .filter(({ from, opensFrom }) => opensFrom && isAt(from, subject, role))
              .map(({ to, ports }) => ({ other: to, ports }));
      this.allowances.set(key, allowances);
    }
    return allowances;
  }

  private allowedPorts(direction: Direction, number: number, otherNumber: number): PortSet {
    const [other, otherRole] = [this.representatives[otherNumber], this.roles[otherNumber]];
    if (other === undefined || otherRole === undefined) return unionPorts();
    const key = `${direction} ${this.roles[number]?.key ?? ""} ${otherRole.key}`;
    let ports = this.allowed.get(key);
    if (ports === undefined) {
      const rows = this.allowancesOf(direction, number).filter((row) => isAt(row.other, other, otherRole));
      ports = unionPorts(...rows.map((row) => row.ports));
      this.allowed.set(key, ports);
    }
    return ports;
  }
}

function reachOf({ other, ports }: Allowance): Reach {
  return { addresses: other.addresses, ports };
}
