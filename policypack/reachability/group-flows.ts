import type { AddressSet } from "../address-set";
import { addressKey } from "./address-key";
import { hasMember, type ClassSet, type ClassSets } from "./class-set";
import type { ClassFlows, Row } from "./engine";
import type { Workload } from "./model";
import { noPortsId, type PortsId, type PortTable } from "./port-table";
import type { FlowGroup, Outside } from "./reachability";
import type { OutsidePart } from "./view";

/** Sources that have the same ports to the same destinations. */
interface Block {
  readonly from: number[];
  readonly to: ClassSet;
  readonly ports: PortsId;
}

/**
 * Every flow, in groups: first the sources with the same ports to the same destination, then the destinations with the same
 * sources and ports.
 */
export function groupFlows(
  flows: ClassFlows,
  workloadsOf: (set: ClassSet) => readonly Workload[],
  outsideEnd: (addresses: AddressSet) => Outside,
): FlowGroup[] {
  const { sets, ports: table } = flows.tables;
  const inside = mergeDestinations(blocksOf(flows), sets).map(({ from, to, ports }) => ({
    from: workloadsOf(from),
    to: workloadsOf(to),
    ports: table.set(ports),
  }));
  const outward = byAddresses(flows, (number) => flows.toOutside(number)).map(({ part, classes }) => ({
    from: workloadsOf(sets.of(classes)),
    to: outsideEnd(part.addresses),
    ports: table.set(part.ports),
  }));
  const inward = byAddresses(flows, (number) => flows.fromOutside(number)).map(({ part, classes }) => ({
    from: outsideEnd(part.addresses),
    to: workloadsOf(sets.of(classes)),
    ports: table.set(part.ports),
  }));
  return [...inside, ...outward, ...inward];
}

function blocksOf(flows: ClassFlows): Iterable<Block> {
  const { sets, ports: table } = flows.tables;
  const blocks = new Map<string, Block>();
  const add = (from: number, to: ClassSet, ports: PortsId) => {
    const key = `${to.id}:${ports}`;
    const block = blocks.get(key);
    if (block === undefined) blocks.set(key, { from: [from], to, ports });
    else block.from.push(from);
  };
  for (const from of flows.members.keys()) {
    const row = flows.row(from);
    for (const { set, ports } of row.sets) {
      const lacking = lackingIn(row, set, ports, table);
      const rest = lacking.length === 0 ? set : sets.without(set, new Set(lacking));
      if (rest.members.length > 0) add(from, rest, ports);
    }
    for (const [to, ports] of row.single) if (ports !== noPortsId) add(from, sets.of([to]), ports);
  }
  return blocks.values();
}

/**
 * The classes of a set that do not have all of its ports. Classes with more ports than the set stay in it: taking each out would
 * make a set of its own for nearly every source.
 */
function lackingIn({ single }: Row, set: ClassSet, ports: PortsId, table: PortTable): number[] {
  return [...single]
    .filter(([to, own]) => table.subtract(ports, own) !== noPortsId && hasMember(set, to))
    .map(([to]) => to);
}

function mergeDestinations(
  blocks: Iterable<Block>,
  sets: ClassSets,
): { from: ClassSet; to: ClassSet; ports: PortsId }[] {
  const merged = new Map<string, { from: ClassSet; to: ClassSet[]; ports: PortsId }>();
  for (const { from: sources, to, ports } of blocks) {
    const from = sets.of(sources);
    const key = `${from.id}:${ports}`;
    const group = merged.get(key);
    if (group === undefined) merged.set(key, { from, to: [to], ports });
    else group.to.push(to);
  }
  return [...merged.values()].map(({ from, to, ports }) => ({ from, to: sets.union(to), ports }));
}

function byAddresses(
  { members }: ClassFlows,
  partsOf: (number: number) => readonly OutsidePart[],
): { part: OutsidePart; classes: number[] }[] {
  const groups = new Map<string, { part: OutsidePart; classes: number[] }>();
  for (const number of members.keys()) {
    for (const part of partsOf(number)) {
      const key = `${part.ports} ${addressKey(part.addresses)}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { part, classes: [number] });
      else group.classes.push(number);
    }
  }
  return [...groups.values()];
}
