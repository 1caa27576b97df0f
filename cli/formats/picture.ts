import { noAddresses, type AddressSet } from "../../policypack/address-set";
import { formatPorts, unionPorts, type PortSet } from "../../policypack/port-set";
import type { Workload } from "../../policypack/reachability/model";
import type { Ends, FlowGroup, Reachability } from "../../policypack/reachability/reachability";
import { addressKey } from "../../policypack/reachability/address-key";
import { formatAddresses } from "./addresses";
import { counted } from "./counted";
import { endNames, workloadId } from "./ends";
import { memo } from "./memo";
import { grainsOf, type Grain, type Unit } from "./picture-grain";
import { printable } from "./printable";
import { summary } from "./summary";

/** What is open as a graph that a person can take in: what `dot`, `mermaid` and `svg` draw. */
export interface Picture {
  readonly title: string;
  /** The summary of the cluster, and what the picture merges or leaves out. */
  readonly description: string;
  /** Sorted by name. */
  readonly boxes: readonly Box[];
  /** Nodes in no box: addresses outside the cluster, and namespaces where each is a node. */
  readonly nodes: readonly PictureNode[];
  readonly arrows: readonly Arrow[];
}

/** A namespace with its nodes. */
export interface Box {
  readonly name: string;
  readonly nodes: readonly PictureNode[];
}

export interface PictureNode {
  /** Unique in the picture, and the same in each picture of the same cluster. */
  readonly key: string;
  readonly kind: "workloads" | "outside";
  readonly label: string;
  /** The ports that its own pods may use among themselves; undefined where there are none. */
  readonly within: string | undefined;
  /** What policies leave open, such as `not isolated for ingress`; undefined where it is isolated in both directions. */
  readonly open: string | undefined;
  /** All that it stands for. */
  readonly details: string;
}

/** What one node may send to another; with two heads, each to the other. */
export interface Arrow {
  /** Key of a node. */
  readonly from: string;
  readonly to: string;
  readonly twoHeads: boolean;
  readonly ports: string;
}

/** How much a person can take in. */
export interface PictureLimits {
  readonly nodes: number;
  readonly arrows: number;
}

const readable: PictureLimits = { nodes: 60, arrows: 100 };
/** Networks in the label of an outside node, and names in the details of a node. */
const labelled = 6;
const detailed = 50;

/** The finest picture of what is open that stays within the limits, or else the coarsest there is. */
export function picture(reachability: Reachability, limits = readable): Picture {
  const groups = reachability.groups();
  const outsides = outsidesOf(groups);
  const names = endNames(reachability.cluster);
  const { finer, coarsest } = grainsOf(reachability, groups, names, limits.nodes);
  for (const grain of finer) {
    if (grain.units.length + (grain.isOutsideOne ? 1 : outsides.length) > limits.nodes) continue;
    const drawn = draw(reachability, groups, outsides, grain);
    if (drawn.arrows.length <= (grain.isFinest ? limits.arrows / 2 : limits.arrows)) return drawn;
  }
  return draw(reachability, groups, outsides, coarsest());
}

/** The different sets of addresses outside the cluster, in the order in which they are met. */
function outsidesOf(groups: readonly FlowGroup[]): readonly AddressSet[] {
  const sets = new Map<string, AddressSet>();
  for (const { from, to } of groups) {
    for (const ends of [from, to]) {
      if ("addresses" in ends) sets.set(addressKey(ends.addresses), ends.addresses);
    }
  }
  return [...sets.values()];
}

function draw(
  reachability: Reachability,
  groups: readonly FlowGroup[],
  outsides: readonly AddressSet[],
  { units, isOutsideOne, notes }: Grain,
): Picture {
  const unitNumbers = new Map<Workload, number>();
  units.forEach(({ workloads }, number) => {
    for (const workload of workloads) unitNumbers.set(workload, number);
  });
  const outsideNumbers = new Map(
    outsides.map((addresses, index) => [addressKey(addresses), units.length + (isOutsideOne ? 0 : index)]),
  );
  const numbersOfList = memo((list: readonly Workload[]) => [
    ...new Set(list.flatMap((workload) => unitNumbers.get(workload) ?? [])),
  ]);
  const numbersOfAddresses = memo((addresses: AddressSet) => {
    const number = outsideNumbers.get(addressKey(addresses));
    return number === undefined ? [] : [number];
  });
  const links = linksOf(groups, (ends) =>
    "addresses" in ends ? numbersOfAddresses(ends.addresses) : numbersOfList(ends),
  );

  const openTo = new Set(reachability.openToAll);
  const openFrom = new Set(reachability.openFromAll);
  const keys = distinct([
    ...units.map(({ workloads }) => unitKey(workloads)),
    ...(isOutsideOne
      ? outsides.slice(0, 1).map(() => everywhere)
      : outsides.map((set) => formatAddresses(set, labelled))),
  ]);
  const nodes = keys.map((key, number): PictureNode => {
    const unit = units[number];
    if (unit === undefined) {
      const sets = isOutsideOne ? outsides : outsides.slice(number - units.length, number - units.length + 1);
      return outsideNode(key, sets);
    }
    const { workloads, label } = unit;
    return {
      key,
      kind: "workloads",
      label,
      within: links.get(number)?.get(number),
      open: openText(workloads, openTo, openFrom),
      details: listing(workloads.map(workloadId)),
    };
  });
  const boxes = byBox(units, nodes);
  const boxed = new Set(boxes.flatMap((box) => box.nodes));
  return {
    title: "What may talk to what",
    description: [
      `${summary(reachability)}.`,
      ...notes,
      ...(isOutsideOne && outsides.length > 1 ? [`All ${everywhere} are one node.`] : []),
    ].join(" "),
    boxes,
    nodes: nodes.filter((node) => !boxed.has(node)),
    arrows: arrowsOf(links, keys),
  };
}

const everywhere = "addresses outside the cluster";

function outsideNode(key: string, sets: readonly AddressSet[]): PictureNode {
  return {
    key,
    kind: "outside",
    label:
      sets.length === 1
        ? formatAddresses(sets[0] ?? noAddresses, labelled)
        : `${everywhere} (${counted(sets.length, "set")})`,
    within: undefined,
    open: undefined,
    details: listing(sets.map((set) => formatAddresses(set, detailed))),
  };
}

/** The first workload's id, which is in no other unit, and how many others there are. */
function unitKey(workloads: readonly Workload[]): string {
  const [first] = workloads;
  const id = first === undefined ? "" : printable(workloadId(first));
  return workloads.length < 2 ? id : `${id} and ${counted(workloads.length - 1, "more", "more")}`;
}

/** Hostile names may become equal once they are printable, and long address sets once they are shortened. */
function distinct(keys: readonly string[]): readonly string[] {
  const met = new Map<string, number>();
  return keys.map((key) => {
    const count = (met.get(key) ?? 0) + 1;
    met.set(key, count);
    return count === 1 ? key : `${key} (${count})`;
  });
}

function listing(names: readonly string[]): string {
  const shown = names.slice(0, detailed).map(printable);
  const rest = names.length - shown.length;
  return [...shown, ...(rest > 0 ? [`and ${counted(rest, "more", "more")}`] : [])].join("\n");
}

function openText(
  workloads: readonly Workload[],
  openTo: ReadonlySet<Workload>,
  openFrom: ReadonlySet<Workload>,
): string | undefined {
  const total = workloads.length;
  if (workloads.every(({ hostNetwork }) => hostNetwork)) return "on the host network";
  const counts = [
    { count: workloads.filter((workload) => openTo.has(workload)).length, direction: "ingress" },
    { count: workloads.filter((workload) => openFrom.has(workload)).length, direction: "egress" },
  ].filter(({ count }) => count > 0);
  if (counts.length === 0) return undefined;
  return counts.every(({ count }) => count === total)
    ? `not isolated for ${counts.map(({ direction }) => direction).join(" and ")}`
    : `not isolated: ${counts.map(({ count, direction }) => counted(count, `for ${direction}`, `for ${direction}`)).join(", ")}`;
}

function byBox(units: readonly Unit[], nodes: readonly PictureNode[]): Box[] {
  const boxes = new Map<string, PictureNode[]>();
  units.forEach(({ box }, number) => {
    const node = nodes[number];
    if (box === undefined || node === undefined) return;
    const members = boxes.get(box);
    if (members === undefined) boxes.set(box, [node]);
    else members.push(node);
  });
  return [...boxes].map(([name, members]) => ({ name: printable(name), nodes: members }));
}

/** For each node's number, the numbers of the nodes that it may send something to, with the ports as text. */
type Links = ReadonlyMap<number, ReadonlyMap<number, string>>;

function linksOf(groups: readonly FlowGroup[], numbersOf: (ends: Ends) => readonly number[]): Links {
  // In a coarse picture most groups are between the same nodes, so their ports are put together first.
  const merged = new Map<string, { from: readonly number[]; to: readonly number[]; ports: Set<PortSet> }>();
  for (const { from, to, ports } of groups) {
    const [sources, destinations] = [numbersOf(from), numbersOf(to)];
    const key = `${sources.join()}>${destinations.join()}`;
    const entry = merged.get(key);
    if (entry === undefined) merged.set(key, { from: sources, to: destinations, ports: new Set([ports]) });
    else entry.ports.add(ports);
  }
  const sets = new Map<number, Map<number, Set<PortSet>>>();
  for (const { from, to, ports } of merged.values()) {
    for (const source of from) {
      const row = sets.get(source) ?? new Map<number, Set<PortSet>>();
      sets.set(source, row);
      for (const destination of to) {
        const open = row.get(destination) ?? new Set();
        row.set(destination, open);
        for (const set of ports) open.add(set);
      }
    }
  }
  return new Map(
    [...sets].map(([source, row]) => [
      source,
      new Map([...row].map(([destination, open]) => [destination, formatPorts(unionPorts(...open))])),
    ]),
  );
}

function arrowsOf(links: Links, keys: readonly string[]): Arrow[] {
  return keys.flatMap((from, source) =>
    keys.flatMap((to, destination): Arrow[] => {
      const ports = links.get(source)?.get(destination);
      if (ports === undefined || source === destination) return [];
      const twoHeads = links.get(destination)?.get(source) === ports;
      return twoHeads && destination < source ? [] : [{ from, to, twoHeads, ports }];
    }),
  );
}
