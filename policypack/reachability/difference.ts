import { intersect, isEmpty, subtract, type AddressSet } from "../address-set";
import { hasNoPorts, subtractPorts, type PortSet } from "../port-set";
import { addressKey } from "./address-key";
import { hasMember, type ClassSet } from "./class-set";
import { classFlows, type ClassFlows, type Row } from "./engine";
import type { Cluster, Workload } from "./model";
import { classify, workloadKey } from "./pod-classes";
import { newTables } from "./policy-compiler";
import { noPortsId, type PortsId } from "./port-table";
import type { AnalysisOptions, Ends, Outside } from "./reachability";
import { usualFew, type OutsidePart } from "./view";

/**
 * What became of a flow: `opened` and `closed` where one side has no ports, `widened` and `narrowed` where one side has all of
 * the other's and more, `changed` where each has ports the other lacks, so that something was opened too.
 */
export type ChangeKind = "opened" | "closed" | "widened" | "narrowed" | "changed";

/** One change, for each of some sources to each of some destinations. */
export interface Change {
  readonly kind: ChangeKind;
  readonly from: Ends;
  readonly to: Ends;
  /** Numbers only; empty where nothing was open. */
  readonly before: PortSet;
  readonly after: PortSet;
}

/** What differs between two clusters. Workloads are the same when namespace, kind and name are. */
export interface Difference {
  /** Grouped: sources and destinations for which the same changed are one change. Those that open something come first. */
  readonly changes: readonly Change[];
  /** Workloads that only the head has; what they may do is among the changes. */
  readonly added: readonly Workload[];
  /** Workloads that only the base has. */
  readonly removed: readonly Workload[];
}

/** Whether a change opens a connection that was shut before. */
export function opens({ kind }: Change): boolean {
  return kind === "opened" || kind === "widened" || kind === "changed";
}

/**
 * Compares what two clusters allow, without looking at pairs whose policies are equal in both.
 *
 * @param options as in `analyse`; the same for both
 */
export function difference(
  base: Cluster,
  head: Cluster,
  options: AnalysisOptions = {},
  few = usualFew,
): Difference {
  const tables = newTables();
  const classes = classify(base, head);
  const before = classFlows(base, classes, 0, tables, options, few);
  const after = classFlows(head, classes, 1, tables, options, few);
  const numbers = [...Array(classes.count).keys()];
  const workloadsOf = workloadLists(before, after, tables.sets.of(numbers));

  const inside = merge(changedBlocks(before, after, numbers), tables.sets).map((block) =>
    change(
      workloadsOf(block.from),
      workloadsOf(block.to),
      tables.ports.set(block.before),
      tables.ports.set(block.after),
    ),
  );
  const outward = changedOutside(numbers, (number) => [before.toOutside(number), after.toOutside(number)]);
  const inward = changedOutside(numbers, (number) => [before.fromOutside(number), after.fromOutside(number)]);
  const outside = [
    ...outward.map(({ part, classes: members }) =>
      change(
        workloadsOf(tables.sets.of(members)),
        part,
        tables.ports.set(part.before),
        tables.ports.set(part.after),
      ),
    ),
    ...inward.map(({ part, classes: members }) =>
      change(
        part,
        workloadsOf(tables.sets.of(members)),
        tables.ports.set(part.before),
        tables.ports.set(part.after),
      ),
    ),
  ];
  return {
    changes: [...inside, ...outside].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind)),
    added: onlyIn(head, base),
    removed: onlyIn(base, head),
  };
}

const order: readonly ChangeKind[] = ["opened", "widened", "changed", "narrowed", "closed"];

function change(from: Ends, to: Ends, before: PortSet, after: PortSet): Change {
  const lost = !hasNoPorts(subtractPorts(before, after));
  const won = !hasNoPorts(subtractPorts(after, before));
  const kind = hasNoPorts(before)
    ? "opened"
    : hasNoPorts(after)
      ? "closed"
      : won && lost
        ? "changed"
        : won
          ? "widened"
          : "narrowed";
  return { kind, from: plain(from), to: plain(to), before, after };
}

function plain(ends: Ends): Ends {
  return "addresses" in ends ? { addresses: ends.addresses } : ends;
}

interface Block {
  readonly from: number[];
  readonly to: ClassSet;
  readonly before: PortsId;
  readonly after: PortsId;
}

function changedBlocks(before: ClassFlows, after: ClassFlows, numbers: readonly number[]): Iterable<Block> {
  const { sets } = before.tables;
  const blocks = new Map<string, Block>();
  const add = (from: number, to: ClassSet, was: PortsId, is: PortsId) => {
    const key = `${to.id}:${was}:${is}`;
    const block = blocks.get(key);
    if (block === undefined) blocks.set(key, { from: [from], to, before: was, after: is });
    else block.from.push(from);
  };
  const known = new Map<string, ChangedSet[]>();
  for (const from of numbers) {
    const was = before.row(from);
    const is = after.row(from);
    if (was.key === is.key) continue;
    const single = new Set([...was.single.keys(), ...is.single.keys()]);
    const key = `${was.setsKey};${is.setsKey}`;
    let changed = known.get(key);
    if (changed === undefined) known.set(key, (changed = changedSets(was, is, before)));
    for (const part of changed) {
      const rest = [...single].some((to) => hasMember(part.set, to))
        ? sets.without(part.set, single)
        : part.set;
      if (rest.members.length > 0) add(from, rest, part.before, part.after);
    }
    for (const to of single) {
      const [old, now] = [before.between(from, to), after.between(from, to)];
      if (old !== now) add(from, sets.of([to]), old, now);
    }
  }
  return blocks.values();
}

interface ChangedSet {
  readonly set: ClassSet;
  readonly before: PortsId;
  readonly after: PortsId;
}

/** The classes whose ports differ between the sets of two rows. */
function changedSets(was: Row, is: Row, { tables }: ClassFlows): ChangedSet[] {
  if (was.setsKey === is.setsKey) return [];
  const ports = new Map<number, { before: PortsId; after: PortsId }>();
  for (const part of was.sets) {
    for (const to of part.set.members) ports.set(to, { before: part.ports, after: noPortsId });
  }
  for (const part of is.sets) {
    for (const to of part.set.members) {
      ports.set(to, { before: ports.get(to)?.before ?? noPortsId, after: part.ports });
    }
  }
  const changed = new Map<string, { before: PortsId; after: PortsId; members: number[] }>();
  for (const [to, { before, after }] of ports) {
    if (before === after) continue;
    const key = `${before}:${after}`;
    const known = changed.get(key);
    if (known === undefined) changed.set(key, { before, after, members: [to] });
    else known.members.push(to);
  }
  return [...changed.values()].map(({ members, ...part }) => ({ ...part, set: tables.sets.ofAny(members) }));
}

function merge(
  blocks: Iterable<Block>,
  sets: ClassFlows["tables"]["sets"],
): { from: ClassSet; to: ClassSet; before: PortsId; after: PortsId }[] {
  const merged = new Map<string, { from: ClassSet; to: ClassSet[]; before: PortsId; after: PortsId }>();
  for (const { from: sources, to, before, after } of blocks) {
    const from = sets.of(sources);
    const key = `${from.id}:${before}:${after}`;
    const known = merged.get(key);
    if (known === undefined) merged.set(key, { from, to: [to], before, after });
    else known.to.push(to);
  }
  return [...merged.values()].map(({ to, ...block }) => ({ ...block, to: sets.union(to) }));
}

interface ChangedPart extends Outside {
  readonly before: PortsId;
  readonly after: PortsId;
}

/** The addresses with which the ports of classes differ, each with the classes. */
function changedOutside(
  numbers: readonly number[],
  partsOf: (number: number) => [readonly OutsidePart[], readonly OutsidePart[]],
): { part: ChangedPart; classes: number[] }[] {
  const groups = new Map<string, { part: ChangedPart; classes: number[] }>();
  for (const number of numbers) {
    for (const part of changedParts(...partsOf(number))) {
      const key = `${part.before}:${part.after} ${addressKey(part.addresses)}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { part, classes: [number] });
      else group.classes.push(number);
    }
  }
  return [...groups.values()];
}

function changedParts(was: readonly OutsidePart[], is: readonly OutsidePart[]): ChangedPart[] {
  if (was === is) return [];
  const both = was.flatMap((old) =>
    is.map((now) => ({
      addresses: intersect(old.addresses, now.addresses),
      before: old.ports,
      after: now.ports,
    })),
  );
  const closed = was.map((old) => ({
    addresses: without(old.addresses, is),
    before: old.ports,
    after: noPortsId,
  }));
  const opened = is.map((now) => ({
    addresses: without(now.addresses, was),
    before: noPortsId,
    after: now.ports,
  }));
  return [...both, ...closed, ...opened].filter(
    (part) => part.before !== part.after && !isEmpty(part.addresses),
  );
}

function without(addresses: AddressSet, parts: readonly OutsidePart[]): AddressSet {
  return parts.reduce((rest, part) => subtract(rest, part.addresses), addresses);
}

/** The workloads of a set of classes, as the head has them, else as the base had them. */
function workloadLists(
  before: ClassFlows,
  after: ClassFlows,
  all: ClassSet,
): (set: ClassSet) => readonly Workload[] {
  const sorted = [...all.members]
    .flatMap((number) => {
      const now = after.members[number] ?? [];
      const workloads = now.length > 0 ? now : (before.members[number] ?? []);
      return workloads.map((workload) => ({ number, workload, key: sortKey(workload) }));
    })
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const ranked = new Map<number, { rank: number; workload: Workload }[]>();
  sorted.forEach(({ number, workload }, rank) => {
    const list = ranked.get(number);
    if (list === undefined) ranked.set(number, [{ rank, workload }]);
    else list.push({ rank, workload });
  });
  const lists = new Map<ClassSet, readonly Workload[]>();
  return (set) => {
    let list = lists.get(set);
    if (list === undefined) {
      list = [...set.members]
        .flatMap((number) => ranked.get(number) ?? [])
        .sort((a, b) => a.rank - b.rank)
        .map(({ workload }) => workload);
      lists.set(set, list);
    }
    return list;
  };
}

function sortKey({ namespace, name, kind }: Workload): string {
  return `${namespace} ${name} ${kind}`;
}

function onlyIn(cluster: Cluster, other: Cluster): Workload[] {
  const known = new Set(other.workloads.map(workloadKey));
  return cluster.workloads
    .filter((workload) => !known.has(workloadKey(workload)))
    .sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}
