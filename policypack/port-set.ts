import { field, isList, isUnknown, type Plain, type PlainObject } from "./plain-data";

/** An inclusive range of port numbers. */
export interface PortInterval {
  readonly first: number;
  readonly last: number;
}

/**
 * A set of ports: intervals by transport protocol (sorted, disjoint, not adjacent), and names, which stand for a number
 * that only the selected pod knows and therefore equal nothing but themselves.
 */
export interface PortSet {
  readonly numbers: Readonly<Record<string, readonly PortInterval[]>>;
  /** Each as `TCP http`. */
  readonly names: readonly string[];
}

/** The protocols a NetworkPolicy port can have (`networking.k8s.io/v1`, NetworkPolicyPort.protocol). */
export const protocols = ["TCP", "UDP", "SCTP"] as const;

export type Protocol = (typeof protocols)[number];

const allNumbers: PortInterval = { first: 1, last: 65535 };

/** Every port of every protocol: what a rule without `ports` opens. */
export const allPorts: PortSet = {
  numbers: Object.fromEntries(protocols.map((protocol) => [protocol, [allNumbers]])),
  names: [],
};

export const noPorts: PortSet = { numbers: {}, names: [] };

/** A port set from single intervals. */
export function portSet(ranges: readonly (PortInterval & { readonly protocol: string })[]): PortSet {
  const numbers: Record<string, PortInterval[]> = {};
  for (const { protocol, first, last } of ranges) (numbers[protocol] ??= []).push({ first, last });
  return {
    numbers: Object.fromEntries(
      inOrder(Object.keys(numbers)).map((protocol) => [protocol, merge(numbers[protocol] ?? [])]),
    ),
    names: [],
  };
}

/**
 * The ports that a NetworkPolicy rule opens; undefined when a part of it is not known or not valid. No `ports` means all
 * ports, a port without number all ports of its protocol, and no protocol means TCP (`networking.k8s.io/v1`).
 */
export function portsOfRule(rule: PlainObject): PortSet | undefined {
  const ports = field(rule, "ports");
  if (ports === undefined || (isList(ports) && ports.length === 0)) return allPorts;
  if (!isList(ports)) return undefined;
  const ranges: (PortInterval & { protocol: string })[] = [];
  const names: string[] = [];
  for (const entry of ports) {
    const protocol = field(entry, "protocol") ?? "TCP";
    const port = field(entry, "port");
    const endPort = field(entry, "endPort");
    if (isUnknown(entry) || typeof protocol !== "string") return undefined;
    if (port === undefined) ranges.push({ protocol, ...allNumbers });
    else if (typeof port === "string") names.push(`${protocol} ${port}`);
    else if (isPortNumber(port) && endPort === undefined) ranges.push({ protocol, first: port, last: port });
    else if (isPortNumber(port) && isPortNumber(endPort))
      ranges.push({ protocol, first: port, last: endPort });
    else return undefined;
  }
  return { ...portSet(ranges), names: [...new Set(names)].sort() };
}

export function isPortNumber(value: Plain | undefined): value is number {
  return (
    typeof value === "number" &&
    Number.isInteger(value) &&
    value >= allNumbers.first &&
    value <= allNumbers.last
  );
}

/**
 * Reads `TCP 443`, `UDP 53` or `TCP 9100-9155`, the notation of private endpoint declarations. Undefined when the text is
 * anything else.
 */
export function readPortRange(text: string): (PortInterval & { protocol: string }) | undefined {
  const match = /^(TCP|UDP|SCTP) (\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const [, protocol, from, to = from] = match ?? [];
  const first = Number(from);
  const last = Number(to);
  if (protocol === undefined || !isPortNumber(first) || !isPortNumber(last) || last < first) return undefined;
  return { protocol, first, last };
}

/** The ports that are in any of the sets. */
export function unionPorts(...sets: readonly PortSet[]): PortSet {
  const present = inOrder([...new Set(sets.flatMap((set) => Object.keys(set.numbers)))]);
  return {
    numbers: Object.fromEntries(
      present.map((protocol) => [protocol, merge(sets.flatMap((set) => set.numbers[protocol] ?? []))]),
    ),
    names: [...new Set(sets.flatMap((set) => set.names))].sort(),
  };
}

/** The ports that are in both sets. */
export function intersectPorts(a: PortSet, b: PortSet): PortSet {
  return subtractPorts(a, subtractPorts(a, b));
}

/** The ports of `from` that are not in `removed`. */
export function subtractPorts(from: PortSet, removed: PortSet): PortSet {
  const numbers = Object.entries(from.numbers).map(([protocol, intervals]): [string, PortInterval[]] => [
    protocol,
    (removed.numbers[protocol] ?? []).reduce<PortInterval[]>(
      (rest, hole) => rest.flatMap((interval) => cut(interval, hole)),
      [...intervals],
    ),
  ]);
  return {
    numbers: Object.fromEntries(numbers.filter(([, intervals]) => intervals.length > 0)),
    names: from.names.filter((name) => !removed.names.includes(name)),
  };
}

export function hasNoPorts(set: PortSet): boolean {
  return set.names.length === 0 && Object.values(set.numbers).every((intervals) => intervals.length === 0);
}

/** `TCP 443, 9100-9155; UDP 53; TCP http`, or `all ports`. */
export function formatPorts(set: PortSet): string {
  if (protocols.every((protocol) => set.numbers[protocol]?.some(isAllNumbers) === true)) return "all ports";
  return [
    ...Object.entries(set.numbers).map(
      ([protocol, intervals]) => `${protocol} ${intervals.map(formatInterval).join(", ")}`,
    ),
    ...set.names,
  ].join("; ");
}

/** In the order of {@link protocols}, then any others: one order, so that equal sets are written alike. */
function inOrder(present: readonly string[]): string[] {
  if (present.length < 2) return [...present];
  const known = protocols.filter((protocol) => present.includes(protocol));
  return [...known, ...present.filter((protocol) => !known.some((name) => name === protocol)).sort()];
}

function isAllNumbers({ first, last }: PortInterval): boolean {
  return first === allNumbers.first && last === allNumbers.last;
}

/** `9100-9155`, or `443` for a single port. */
export function formatInterval({ first, last }: PortInterval): string {
  return first === last ? String(first) : `${first}-${last}`;
}

function cut(interval: PortInterval, hole: PortInterval): PortInterval[] {
  return [
    { first: interval.first, last: Math.min(interval.last, hole.first - 1) },
    { first: Math.max(interval.first, hole.last + 1), last: interval.last },
  ].filter(({ first, last }) => first <= last);
}

function merge(intervals: readonly PortInterval[]): PortInterval[] {
  const merged: PortInterval[] = [];
  for (const next of [...intervals].sort((a, b) => a.first - b.first)) {
    const previous = merged.at(-1);
    if (previous !== undefined && next.first <= previous.last + 1) {
      merged[merged.length - 1] = { first: previous.first, last: Math.max(previous.last, next.last) };
    } else {
      merged.push(next);
    }
  }
  return merged;
}
