import { intersect, isEmpty, subtract, type AddressSet } from "../address-set";
import { noPorts, type PortSet } from "../port-set";
import { addressKey } from "./address-key";
import { hasMember, type ClassSet } from "./class-set";
import { groupFlows } from "./group-flows";
import type { Cluster, NamedPort, Workload } from "./model";
import { notesOn } from "./notes";
import { classify, type PodClasses } from "./pod-classes";
import { newTables, policyCompiler, type Tables } from "./policy-compiler";
import { noPortsId, type PortsId } from "./port-table";
import type { Profile } from "./profile";
import {
  isWorkload,
  type AnalysisOptions,
  type End,
  type Ends,
  type Flow,
  type FlowGroup,
  type Outside,
  type Reachability,
} from "./reachability";
import { outsideOf, portsAt, usualFew, viewer, type OutsidePart, type SplitView, type View } from "./view";

/**
 * Computes what may talk to what in a cluster, by `networking.k8s.io/v1` and `policy.networking.k8s.io`.
 *
 * @param options absent means that an ipBlock is for addresses outside the cluster and that nodes are in private space
 * @param few up to how many classes of pods are looked at one by one; it changes the time and never the answer
 */
export function analyse(cluster: Cluster, options: AnalysisOptions = {}, few = usualFew): Reachability {
  const classes = classify(cluster);
  return reachabilityOf(cluster, classFlows(cluster, classes, 0, newTables(), options, few), options);
}

/** Classes that have the same ports. */
export interface Part {
  readonly set: ClassSet;
  readonly ports: PortsId;
}

/** What one pod class may send, to all classes. */
export interface Row {
  /** Equal for rows that say the same, under one set of tables. */
  readonly key: string;
  /** Equal for rows whose sets say the same. */
  readonly setsKey: string;
  /** Sets that are disjoint; classes in `single` are not meant, though they may be members. */
  readonly sets: readonly Part[];
  /** Classes with ports of their own, which may be none. */
  readonly single: ReadonlyMap<number, PortsId>;
}

const nothing: Row = { key: "", setsKey: "", sets: [], single: new Map() };

/** The flows of one cluster between pod classes. */
export interface ClassFlows {
  readonly classes: PodClasses;
  readonly tables: Tables;
  readonly members: readonly (readonly Workload[])[];
  classOf(workload: Workload): number;
  /** The ports open from one class to another. */
  between(from: number, to: number): PortsId;
  row(from: number): Row;
  /** What a class may send to the outside. */
  toOutside(from: number): readonly OutsidePart[];
  /** What the outside may send to a class. */
  fromOutside(to: number): readonly OutsidePart[];
  /** Whether no rule shuts anything for the class in the direction. */
  isOpen(number: number, direction: "ingress" | "egress"): boolean;
}

/**
 * The flows of the cluster at `index` among those that were classified together.
 */
export function classFlows(
  cluster: Cluster,
  classes: PodClasses,
  index: number,
  tables: Tables,
  options: AnalysisOptions,
  few = usualFew,
): ClassFlows {
  const members = classes.members[index] ?? [];
  const representatives = members.map(([first]) => first);
  const compiler = policyCompiler(cluster, representatives, tables, options);
  const profiles = compiler.compile();
  const { ports: table, sets } = tables;
  const classOf = classes.classOf[index] ?? new Map<Workload, number>();
  const namedPortsOf = (number: number): readonly NamedPort[] => representatives[number]?.namedPorts ?? [];
  let naming: Map<string, number[]> | undefined;

  function classesNaming(port: string): readonly number[] {
    if (naming === undefined) {
      naming = new Map();
      for (const number of representatives.keys()) {
        for (const { name } of namedPortsOf(number)) {
          const list = naming.get(name);
          if (list === undefined) naming.set(name, [number]);
          else list.push(number);
        }
      }
    }
    return naming.get(port) ?? [];
  }

  const view = viewer(table, namedPortsOf, classesNaming, few, compiler.profile);
  const egressViews = viewsOf(profiles.egress, view);
  const ingressViews = viewsOf(profiles.ingress, view);

  /** The classes that exist and have this shared view for what comes in. */
  const receivers = new Map<View, number[]>();
  /** For each class: the receivers whose own rules name it as a source. */
  const namedBy: number[][] = [];
  ingressViews.forEach((split, number) => {
    if (split === undefined) return;
    const { own, shared } = split;
    const list = receivers.get(shared);
    if (list === undefined) receivers.set(shared, [number]);
    else list.push(number);
    for (const source of own.keys()) (namedBy[source] ??= []).push(number);
  });
  /** Shared views that leave something open for sources they do not list, and, for each class, those that list it. */
  const opening: View[] = [];
  const listing: View[][] = [];
  for (const shared of receivers.keys()) {
    if (shared.otherwise !== noPortsId) opening.push(shared);
    else for (const source of shared.listed.keys()) (listing[source] ??= []).push(shared);
  }

  const partitions = new Map<View, Map<View, Part[]>>();
  /** The receivers of one shared view, by what a sender's shared view leaves open to them. */
  function partition(receiving: View, sending: View): readonly Part[] {
    let bySending = partitions.get(receiving);
    if (bySending === undefined) partitions.set(receiving, (bySending = new Map<View, Part[]>()));
    let parts = bySending.get(sending);
    if (parts === undefined) {
      const byPorts = new Map<PortsId, number[]>();
      for (const number of receivers.get(receiving) ?? []) {
        const ports = sending.listed.get(number) ?? sending.otherwise;
        if (ports === noPortsId) continue;
        const list = byPorts.get(ports);
        if (list === undefined) byPorts.set(ports, [number]);
        else list.push(number);
      }
      parts = [...byPorts].map(([ports, numbers]) => ({ set: sets.of(numbers), ports }));
      bySending.set(sending, parts);
    }
    return parts;
  }

  function between(from: number, to: number): PortsId {
    const sending = egressViews[from];
    const receiving = ingressViews[to];
    if (sending === undefined || receiving === undefined) return noPortsId;
    return table.intersect(portsAt(sending, to), portsAt(receiving, from));
  }

  function row(from: number): Row {
    const sending = egressViews[from];
    if (sending === undefined) return nothing;
    const wide: Part[] = [];
    for (const receiving of [...opening, ...(listing[from] ?? [])]) {
      const received = receiving.listed.get(from) ?? receiving.otherwise;
      for (const { set, ports } of partition(receiving, sending.shared)) {
        const open = table.intersect(ports, received);
        if (open !== noPortsId) wide.push({ set, ports: open });
      }
    }
    wide.sort((a, b) => a.set.id - b.set.id);
    const single = new Map<number, PortsId>();
    for (const numbers of [sending.own.keys(), namedBy[from] ?? []]) {
      for (const to of numbers) {
        const ports = between(from, to);
        const usual = wide.find(({ set }) => hasMember(set, to))?.ports ?? noPortsId;
        if (ports !== usual) single.set(to, ports);
      }
    }
    const setsKey = wide.map(({ set, ports }) => `${set.id}:${ports}`).join();
    const singleKey = [...single].sort(([a], [b]) => a - b).map(([to, ports]) => `${to}:${ports}`);
    return { key: `${setsKey};${singleKey.join()}`, setsKey, sets: wide, single };
  }

  const outsides = new Map<Profile, OutsidePart[]>();
  function outside(profile: Profile | undefined): readonly OutsidePart[] {
    if (profile === undefined) return [];
    let parts = outsides.get(profile);
    if (parts === undefined) outsides.set(profile, (parts = outsideOf(profile, table)));
    return parts;
  }

  return {
    classes,
    tables,
    members,
    classOf: (workload) => {
      const number = classOf.get(workload);
      if (number === undefined) {
        throw new RangeError(`${workload.namespace}/${workload.name} is no workload of the cluster`);
      }
      return number;
    },
    between,
    row,
    toOutside: (from) => outside(profiles.egress[from]),
    fromOutside: (to) => outside(profiles.ingress[to]),
    isOpen: (number, direction) => {
      const profile = profiles[direction][number];
      const ofCluster = [profile?.admin, profile?.baseline].flat();
      return profile?.allow === undefined && !ofCluster.some((rule) => rule?.action === "Deny");
    },
  };
}

/** The view of each class, undefined where it has no profile; profiles that many classes have are seen as a whole. */
function viewsOf(
  profiles: readonly (Profile | undefined)[],
  view: (profile: Profile, users: number) => SplitView,
): (SplitView | undefined)[] {
  const users = new Map<Profile | undefined, number>();
  for (const profile of profiles) users.set(profile, (users.get(profile) ?? 0) + 1);
  const made = new Map<Profile, SplitView>();
  return profiles.map((profile) => {
    if (profile === undefined) return undefined;
    let split = made.get(profile);
    if (split === undefined) made.set(profile, (split = view(profile, users.get(profile) ?? 0)));
    return split;
  });
}

function reachabilityOf(cluster: Cluster, flows: ClassFlows, options: AnalysisOptions): Reachability {
  const { tables, members } = flows;
  const { ports: table } = tables;
  const sorted = [...cluster.workloads].sort(byName);
  const ranks = new Map(sorted.map((workload, rank) => [workload, rank]));
  const byRank = (a: Workload, b: Workload) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0);

  function portsOf(from: End, to: End): PortSet {
    if (isWorkload(from)) {
      const sender = flows.classOf(from);
      return isWorkload(to)
        ? table.set(flows.between(sender, flows.classOf(to)))
        : common(flows.toOutside(sender), to.addresses);
    }
    return isWorkload(to) ? common(flows.fromOutside(flows.classOf(to)), from.addresses) : noPorts;
  }

  /** The ports that every one of the addresses has; none where there are no addresses. */
  function common(parts: readonly OutsidePart[], addresses: AddressSet): PortSet {
    let rest = addresses;
    let ports: PortsId | undefined;
    for (const part of parts) {
      if (isEmpty(intersect(rest, part.addresses))) continue;
      rest = subtract(rest, part.addresses);
      ports = ports === undefined ? part.ports : table.intersect(ports, part.ports);
    }
    return isEmpty(rest) ? table.set(ports ?? noPortsId) : noPorts;
  }

  function* flowsByPair(): Generator<Flow> {
    const kept = new Map<number, { to: Workload; ports: PortSet }[]>();
    for (const from of sorted) {
      const number = flows.classOf(from);
      let destinations = kept.get(number);
      if (destinations === undefined) {
        destinations = expand(flows.row(number));
        // For the others of the class, if it has any.
        if (members[number]?.[1] !== undefined) kept.set(number, destinations);
      }
      for (const { to, ports } of destinations) yield { from, to, ports };
      for (const { addresses, ports } of flows.toOutside(number)) {
        yield { from, to: outsideEnd(addresses), ports: table.set(ports) };
      }
    }
    for (const to of sorted) {
      for (const { addresses, ports } of flows.fromOutside(flows.classOf(to))) {
        yield { from: outsideEnd(addresses), to, ports: table.set(ports) };
      }
    }
  }

  const outsideEnds = new Map<string, Outside>();
  /** The same object for the same addresses, so that whoever spells them out needs to do it once. */
  function outsideEnd(addresses: AddressSet): Outside {
    const key = addressKey(addresses);
    let end = outsideEnds.get(key);
    if (end === undefined) outsideEnds.set(key, (end = { addresses }));
    return end;
  }

  function expand({ sets, single }: Row): { to: Workload; ports: PortSet }[] {
    const destinations: { to: Workload; ports: PortSet }[] = [];
    const add = (number: number, ports: PortsId) => {
      for (const to of members[number] ?? []) destinations.push({ to, ports: table.set(ports) });
    };
    for (const { set, ports } of sets) {
      for (const number of set.members) if (!single.has(number)) add(number, ports);
    }
    for (const [number, ports] of single) if (ports !== noPortsId) add(number, ports);
    return destinations.sort((a, b) => byRank(a.to, b.to));
  }

  const workloadLists = new Map<ClassSet, readonly Workload[]>();
  function workloadsOf(set: ClassSet): readonly Workload[] {
    let list = workloadLists.get(set);
    if (list === undefined) {
      list = [...set.members].flatMap((number) => members[number] ?? []).sort(byRank);
      workloadLists.set(set, list);
    }
    return list;
  }

  function groups(): readonly FlowGroup[] {
    const rankOf = (ends: Ends) => {
      const [first] = "addresses" in ends ? [] : ends;
      return first === undefined ? ranks.size : (ranks.get(first) ?? 0);
    };
    return groupFlows(flows, workloadsOf, outsideEnd)
      .map((group) => ({ group, from: rankOf(group.from), to: rankOf(group.to) }))
      .sort((a, b) => a.from - b.from || a.to - b.to)
      .map(({ group }) => group);
  }

  const open = (direction: "ingress" | "egress") =>
    sorted.filter((workload) => !workload.hostNetwork && flows.isOpen(flows.classOf(workload), direction));
  return {
    cluster,
    notes: notesOn(cluster, options),
    openToAll: open("ingress"),
    openFromAll: open("egress"),
    ports: portsOf,
    flows: flowsByPair,
    groups,
  };
}

function byName(a: Workload, b: Workload): number {
  return compare(a.namespace, b.namespace) || compare(a.name, b.name) || compare(a.kind, b.kind);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
