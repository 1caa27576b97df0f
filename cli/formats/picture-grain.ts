import type { Workload } from "../../policypack/reachability/model";
import type { Ends, FlowGroup, Reachability } from "../../policypack/reachability/reachability";
import { counted } from "./counted";
import { byNamespace, byNamespaceAndName, type EndNames, type NamespacePart } from "./ends";
import { printable } from "./printable";

/** What one node stands for. */
export interface Unit {
  readonly label: string;
  /** The namespace in whose box it is drawn; undefined where it is in none. */
  readonly box: string | undefined;
  /** Never empty. */
  readonly workloads: readonly Workload[];
}

/** How coarsely a cluster is drawn. */
export interface Grain {
  /** Every workload is in one of them. */
  readonly units: readonly Unit[];
  /** Whether all addresses outside the cluster are one node. */
  readonly isOutsideOne: boolean;
  /** Whether workloads are drawn one by one although some may have the same flows. */
  readonly isFinest: boolean;
  /** What the reader of such a picture has to know, the outside aside. */
  readonly notes: readonly string[];
}

const equalNote = "Workloads of a namespace with the same flows are one node.";
const namespaceNote =
  "Each node is a namespace: an arrow says that some workload of one may reach some workload of the other.";

/** Namespaces in the coarsest picture. */
const fewest = 10;
/** Workloads that the label of a node names. */
const examples = 3;

/** The ways to draw a cluster, the finest first. */
export interface Grains {
  /** A node a workload, a node for workloads with the same flows, a node a namespace, and only some namespaces. */
  readonly finer: Iterable<Grain>;
  /** Readable whatever the cluster is like. */
  readonly coarsest: () => Grain;
}

/**
 * @param nodes how many nodes for workloads a picture may have
 */
export function grainsOf(
  reachability: Reachability,
  groups: readonly FlowGroup[],
  names: EndNames,
  nodes: number,
): Grains {
  const workloads = [...reachability.cluster.workloads].sort(byNamespaceAndName);
  const namespaces = byNamespace(workloads);
  let busiest: readonly NamespacePart[] | undefined;
  const ofNamespaces = (most: number): Grain => {
    busiest ??= byFlows(namespaces, groups);
    return busiestNamespaces(namespaces, new Set(busiest.slice(0, most)));
  };
  function* finer(): Generator<Grain> {
    if (workloads.length <= nodes) {
      const units = workloads.map((workload) => unitOf([workload], names));
      yield { units, isFinest: true, isOutsideOne: false, notes: [] };
    }
    const equal = equalWorkloads(reachability, workloads, groups, nodes);
    if (equal !== undefined) {
      const units = equal.map((members) => unitOf(members, names));
      const notes = units.length < workloads.length ? [equalNote] : [];
      yield { units, isFinest: false, isOutsideOne: false, notes };
      yield { units, isFinest: false, isOutsideOne: true, notes };
    }
    if (namespaces.length <= nodes) yield ofNamespaces(nodes);
    yield ofNamespaces(nodes / 2);
  }
  return { finer: finer(), coarsest: () => ofNamespaces(fewest) };
}

function busiestNamespaces(namespaces: readonly NamespacePart[], own: ReadonlySet<NamespacePart>): Grain {
  const units = namespaces.filter((namespace) => own.has(namespace)).map(namespaceUnit);
  const rest = namespaces.filter((namespace) => !own.has(namespace));
  const cut =
    rest.length === 0
      ? []
      : [`Only the ${own.size} namespaces with the most flows have a node of their own.`];
  return {
    units: rest.length === 0 ? units : [...units, restUnit(rest)],
    isFinest: false,
    isOutsideOne: true,
    notes: [namespaceNote, ...cut],
  };
}

/** The workloads by namespace, isolation and flows, sorted; undefined when that makes more than `most` kinds. */
function equalWorkloads(
  { openToAll, openFromAll }: Reachability,
  workloads: readonly Workload[],
  groups: readonly FlowGroup[],
  most: number,
): readonly (readonly Workload[])[] | undefined {
  const to = new Set(openToAll);
  const from = new Set(openFromAll);
  const numbers = new Map<string, number>();
  const kindOf = new Map<Workload, number>();
  const sizes: number[] = [];
  for (const workload of workloads) {
    const { namespace, hostNetwork } = workload;
    const trait = JSON.stringify([namespace, hostNetwork, to.has(workload), from.has(workload)]);
    const kind = numbers.get(trait) ?? numbers.size;
    numbers.set(trait, kind);
    kindOf.set(workload, kind);
    sizes[kind] = (sizes[kind] ?? 0) + 1;
    if (sizes.length > most) return undefined;
  }
  // Each list of ends splits the kinds that are in it in part.
  for (const list of listsOf(groups).keys()) {
    if (sizes.length > most) return undefined;
    const listed = new Map<number, number>();
    for (const workload of list) {
      const kind = kindOf.get(workload);
      if (kind !== undefined) listed.set(kind, (listed.get(kind) ?? 0) + 1);
    }
    const split = new Map<number, number>();
    for (const [kind, count] of listed) {
      const size = sizes[kind] ?? 0;
      if (count === size) continue;
      sizes[kind] = size - count;
      split.set(kind, sizes.push(count) - 1);
    }
    if (split.size === 0) continue;
    for (const workload of list) {
      const kind = split.get(kindOf.get(workload) ?? -1);
      if (kind !== undefined) kindOf.set(workload, kind);
    }
  }
  const kinds = new Map<number, Workload[]>();
  for (const workload of workloads) {
    const kind = kindOf.get(workload) ?? 0;
    const members = kinds.get(kind);
    if (members === undefined) kinds.set(kind, [workload]);
    else members.push(workload);
  }
  return kinds.size > most ? undefined : [...kinds.values()];
}

/** The lists of workloads that are ends of groups, with how many ends each is. */
function listsOf(groups: readonly FlowGroup[]): ReadonlyMap<readonly Workload[], number> {
  const lists = new Map<readonly Workload[], number>();
  const add = (ends: Ends) => {
    if (!("addresses" in ends)) lists.set(ends, (lists.get(ends) ?? 0) + 1);
  };
  for (const { from, to } of groups) {
    add(from);
    add(to);
  }
  return lists;
}

/** The namespaces whose workloads are most often an end of a group come first; of equals, those that came first. */
function byFlows(
  namespaces: readonly NamespacePart[],
  groups: readonly FlowGroup[],
): readonly NamespacePart[] {
  const weights = new Map<string, number>();
  for (const [list, count] of listsOf(groups)) {
    for (const { namespace } of list) weights.set(namespace, (weights.get(namespace) ?? 0) + count);
  }
  const weight = ({ namespace }: NamespacePart) => weights.get(namespace) ?? 0;
  return [...namespaces].sort((a, b) => weight(b) - weight(a));
}

/** A node in its namespace's box, named without the namespace. */
function unitOf(workloads: readonly Workload[], names: EndNames): Unit {
  const box = workloads[0]?.namespace ?? "";
  const prefix = printable(box).length + 1;
  const shown = workloads.slice(0, examples).map((workload) => names.workload(workload).slice(prefix));
  const rest = workloads.length - shown.length;
  return {
    label: `${shown.join(", ")}${rest > 0 ? ` and ${counted(rest, "more", "more")}` : ""}`,
    box,
    workloads,
  };
}

function namespaceUnit({ namespace, members }: NamespacePart): Unit {
  return {
    label: `${printable(namespace)} (${counted(members.length, "workload")})`,
    box: undefined,
    workloads: members,
  };
}

function restUnit(namespaces: readonly NamespacePart[]): Unit {
  const workloads = namespaces.flatMap(({ members }) => members);
  return {
    label: `${counted(namespaces.length, "more namespace")} (${counted(workloads.length, "workload")})`,
    box: undefined,
    workloads,
  };
}
