import { noAddresses, subtract, toCidrs, type AddressFamily, type AddressSet } from "./address-set";
import type { Finding, Subject } from "./define-rule";
import type { ComparedEnd, Comparison, Deviation } from "./matrix-comparison";
import { formatPorts, type PortSet } from "./port-set";
import {
  explainer,
  type Decision,
  type EndExplanation,
  type Explanation,
  type SingleEnd,
} from "./reachability/explanation";
import type { ClusterPolicy, NetworkPolicy, Workload } from "./reachability/model";
import type { Direction } from "./reachability/policy-compiler";
import { Sample } from "./reachability/read-notes";
import { remediesFor, type Remedy } from "./reachability/remedy";
import { selectsEverything } from "./reachability/selector";
import type { StackCluster } from "./stack-cluster";

/** What a rule reports of deviations that have one cause. */
export interface CauseFinding extends Finding {
  readonly subject: Subject;
}

type Of<K extends Deviation["kind"]> = Extract<Deviation, { kind: K }>;

/** How a finding is worded; the connections, or the pods, follow upon `found`. */
interface Words {
  readonly found: string;
  readonly danger: string;
  readonly fix: string;
}

/** How what is open is worded. */
export interface FindingWords {
  /** Of a peer that opens what is not declared. */
  readonly opened: Words;
  /** Of pods that nothing isolates for traffic to them, and from them. */
  readonly unisolated: Readonly<Record<Direction, Omit<Words, "fix">>>;
}

const matrixWords: FindingWords = {
  opened: {
    found: "opens what the communication matrix does not declare",
    danger:
      "nobody has decided that this may talk, and whoever takes over one end gets to the other unnoticed.",
    fix: "the peers and ports that the matrix declares. If the flow is wanted, declare it first, with its purpose, in the matrix of the namespace's owner.",
  },
  unisolated: {
    ingress: {
      found: "has pods that no policy isolates for ingress",
      danger: "everything reaches them on every port, whatever the communication matrix declares.",
    },
    egress: {
      found: "has pods that no policy isolates for egress",
      danger: "they reach everything on every port, whatever the communication matrix declares.",
    },
  },
};

/**
 * One finding for each cause: a peer of a rule that opens too much, policies that leave something shut, or a namespace without
 * isolation. What the stack has no part in is left out: it is for whoever deploys it.
 */
export function matrixFindings(
  stack: StackCluster,
  comparison: Comparison,
  words: FindingWords = matrixWords,
): CauseFinding[] {
  const causes = new Causes(stack, comparison, words);
  for (const deviation of comparison.deviations) {
    if (deviation.kind === "open") causes.addOpen(deviation);
    else if (deviation.kind === "shut") causes.addShut(deviation);
    else causes.addUnisolated(deviation);
  }
  return causes.findings();
}

interface OpenCause {
  readonly decision: Decision;
  readonly connections: Sample;
  /** Those of pods that have more labels than their service asks for, which are told where the others are as declared. */
  readonly ofVariants: Sample;
}

interface ShutCause {
  readonly policy: NetworkPolicy | ClusterPolicy;
  readonly at: string;
  readonly connections: Sample;
  /** What would open the first of them. */
  readonly remedy: string;
}

interface UnisolatedCause {
  readonly namespace: string;
  readonly direction: Direction;
  readonly first: Workload;
  readonly pods: Sample;
}

class Causes {
  private readonly opened = new Map<string, OpenCause>();
  private readonly shut = new Map<string, ShutCause>();
  private readonly unisolated = new Map<string, UnisolatedCause>();
  /** Shared by all, since each explanation asks the same compiled policies. */
  private readonly explain: ReturnType<typeof explainer>;

  constructor(
    private readonly stack: StackCluster,
    private readonly comparison: Comparison,
    private readonly words: FindingWords,
  ) {
    let made: ReturnType<typeof explainer> | undefined;
    this.explain = (...connection) => (made ??= explainer(comparison.cluster))(...connection);
  }

  addOpen(deviation: Of<"open">): void {
    const { direction, subject, other, ports } = deviation;
    const { decisions } = this.explained(deviation)[direction];
    const opening = decisions.filter(({ action }) => action !== "Deny");
    // Cluster policies may shut something of pods that are open otherwise.
    if (opening.length === 0) this.addUnisolated({ kind: "not isolated", direction, subject });
    for (const decision of opening) {
      if (!this.isOurs(decision.policy) && !this.isOurs(subject) && !this.isOurs(other)) continue;
      const key = `${decision.title} ${decision.at}`;
      let cause = this.opened.get(key);
      if (cause === undefined) {
        cause = { decision, connections: new Sample(), ofVariants: new Sample() };
        this.opened.set(key, cause);
      }
      const isOfVariant = [subject, other].some((end) => this.isVariant(end));
      (isOfVariant ? cause.ofVariants : cause.connections).add(() => this.connection(deviation, ports));
    }
  }

  addShut(deviation: Of<"shut">): void {
    const { direction, subject, other, ports, flow, isBaseline } = deviation;
    const explanation = this.explained(deviation);
    const end = explanation[direction];
    const cause = shuttingPolicy(end, (policy) => this.isOurs(policy));
    if (cause === undefined) return;
    const ours = !isBaseline || [subject, other, ...end.isolatedBy].some((part) => this.isOurs(part));
    if (!ours) return;
    const at = cause.at ?? `spec.${direction}`;
    const key = `${this.stack.titleOf(cause.policy)} ${at}`;
    let known = this.shut.get(key);
    if (known === undefined) {
      const [remedy] = remediesFor(explanation);
      known = { policy: cause.policy, at, connections: new Sample(), remedy: remedyText(remedy, flow.id) };
      this.shut.set(key, known);
    }
    known.connections.add(() => this.connection(deviation, ports, `flow ${flow.id}`));
  }

  addUnisolated({ direction, subject }: Of<"not isolated">): void {
    const { namespace } = subject;
    const isDeclaredHere = this.stack.matrices.some(
      ({ matrix, isBaseline }) => !isBaseline && matrix.namespaces.includes(namespace),
    );
    if (!isDeclaredHere && !this.isOurs(subject)) return;
    const key = `${namespace} ${direction}`;
    let cause = this.unisolated.get(key);
    if (cause === undefined) {
      this.unisolated.set(key, (cause = { namespace, direction, first: subject, pods: new Sample() }));
    }
    cause.pods.add(() => this.nameOf(subject));
  }

  findings(): CauseFinding[] {
    return [
      ...[...this.unisolated.values()].map((cause) => this.unisolatedFinding(cause)),
      ...[...this.opened.values()].map((cause) => this.openFinding(cause)),
      ...[...this.shut.values()].map((cause) => this.shutFinding(cause)),
    ];
  }

  private unisolatedFinding({ namespace, direction, first, pods }: UnisolatedCause): CauseFinding {
    const object = this.stack.objectOf(first) ?? this.stack.namespaceObject(namespace);
    const type = direction === "ingress" ? "Ingress" : "Egress";
    const { found, danger } = this.words.unisolated[direction];
    return {
      subject: { ...(object ?? { title: "The stack", urn: undefined }), path: "" },
      at: `namespace ${namespace}`,
      found: `${found}: ${pods.toString()}`,
      danger,
      fix: `a NetworkPolicy in namespace ${namespace} with podSelector {} and policyTypes [${type}]. Where another stack deploys it, add it to the baseline (key baseline).`,
    };
  }

  private openFinding({ decision, connections, ofVariants }: OpenCause): CauseFinding {
    const what = connections.toString() === "" ? ofVariants : connections;
    const { found, danger, fix } = this.words.opened;
    return {
      subject: this.subjectOf(decision.policy),
      at: decision.at,
      found: `${found}: ${what.toString()}`,
      danger,
      fix,
    };
  }

  private shutFinding({ policy, at, connections, remedy }: ShutCause): CauseFinding {
    return {
      subject: this.subjectOf(policy),
      at,
      found: `leaves shut what the communication matrix declares: ${connections.toString()}`,
      danger:
        "what was agreed on does not work, and whoever makes it work in a hurry opens more than was agreed on.",
      fix: remedy,
    };
  }

  private subjectOf(policy: NetworkPolicy | ClusterPolicy): Subject {
    const object = this.stack.objectOf(policy);
    if (object !== undefined) return object;
    return { title: `${this.stack.titleOf(policy)} of the baseline`, path: "", urn: undefined };
  }

  private isOurs(part: ComparedEnd | NetworkPolicy | ClusterPolicy): boolean {
    return "name" in part && this.stack.objectOf(part) !== undefined;
  }

  private isVariant(end: ComparedEnd): boolean {
    return "labels" in end && this.comparison.roleOf(end).standing === "variant";
  }

  private explained({ direction, subject, other, ports }: Of<"open" | "shut">): Explanation {
    const end = singleEnd(other);
    return direction === "egress" ? this.explain(subject, end, ports) : this.explain(end, subject, ports);
  }

  /** `shop/web to shop/db (TCP 5432)` */
  private connection(
    { direction, subject, other }: Of<"open" | "shut">,
    ports: PortSet,
    more?: string,
  ): string {
    const [from, to] = direction === "egress" ? [subject, other] : [other, subject];
    const details = [formatFewPorts(ports), ...(more === undefined ? [] : [more])].join(", ");
    return `${this.nameOf(from)} to ${this.nameOf(to)} (${details})`;
  }

  private nameOf(end: ComparedEnd): string {
    return "labels" in end ? this.comparison.roleOf(end).text : formatAddresses(end.addresses);
  }
}

/** One address stands for all of them: rules match either all or none of those with which the ports are the same. */
function singleEnd(end: ComparedEnd): SingleEnd {
  if ("labels" in end) return end;
  const [first = ""] = toCidrs(end.addresses);
  return { address: first.slice(0, first.indexOf("/")) };
}

/** How many networks, or ranges of ports, are told one by one. */
const few = 3;

/** `10.0.0.0/8, 192.168.0.0/16 and 3 more`, or `10.0.0.0/8 except 10.9.0.0/16` where that is shorter. */
function formatAddresses(addresses: AddressSet): string {
  const sample = new Sample();
  for (const family of ["IPv4", "IPv6"] as const) {
    const networks = toCidrs({ ...noAddresses, [family]: addresses[family] });
    const around = networks.length > few ? blockAround(addresses, family) : noAddresses;
    const except = toCidrs(subtract(around, addresses));
    const isShorter = except.length > 0 && except.length <= few;
    const parts = isShorter ? [`${toCidrs(around).join()} except ${except.join(", ")}`] : networks;
    for (const part of parts) sample.add(() => part);
  }
  return sample.toString();
}

/** The smallest block that holds all addresses of a family. */
function blockAround(addresses: AddressSet, family: AddressFamily): AddressSet {
  const [first, last] = [addresses[family][0]?.first ?? 0n, addresses[family].at(-1)?.last ?? 0n];
  let hostBits = 0n;
  while (first >> hostBits !== last >> hostBits) hostBits++;
  const start = (first >> hostBits) << hostBits;
  return { ...noAddresses, [family]: [{ first: start, last: start + (1n << hostBits) - 1n }] };
}

/** `TCP 1-79, 81-442, 444-8079 and 2 more; UDP 53` */
function formatFewPorts(ports: PortSet): string {
  const all = formatPorts(ports);
  return all
    .split("; ")
    .map((part) => {
      const ranges = part.split(", ");
      return ranges.length > few + 1
        ? `${ranges.slice(0, few).join(", ")} and ${ranges.length - few} more`
        : part;
    })
    .join("; ");
}

/** The policy that is named for what is shut: the rule that denies, else one that could open it, else any that isolates. */
function shuttingPolicy(
  { decisions, isolatedBy, direction }: EndExplanation,
  isOurs: (policy: NetworkPolicy | ClusterPolicy) => boolean,
): { policy: NetworkPolicy | ClusterPolicy; at?: string } | undefined {
  const denying = decisions.find(({ action }) => action === "Deny");
  if (denying !== undefined) return denying;
  const ofOwn = isolatedBy.filter(
    (policy) => !selectsEverything(policy.podSelector) && (policy[direction] ?? []).length > 0,
  );
  const [policy] = [...ofOwn.filter(isOurs), ...ofOwn, ...isolatedBy.filter(isOurs), ...isolatedBy];
  return policy && { policy };
}

/** JSON, which YAML reads too. */
function remedyText(remedy: Remedy | undefined, flow: string): string {
  switch (remedy?.kind) {
    case "add-rule":
      return `what the flow ${flow} needs, in ${remedy.at} of NetworkPolicy ${remedy.policy.namespace}/${remedy.policy.name}: ${JSON.stringify(remedy.rule)}. If the flow is not wanted any more, remove it from the matrix.`;
    case "add-policy":
      return `what the flow ${flow} needs: ${JSON.stringify(remedy.manifest)}. If the flow is not wanted any more, remove it from the matrix.`;
    case "denied":
      return `a rule before ${remedy.by.at} of ${remedy.by.title} that accepts the flow ${flow}, or no such flow in the matrix.`;
    case undefined:
      return `a rule for the flow ${flow}, or no such flow in the matrix.`;
  }
}
