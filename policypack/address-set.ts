import { isIPv4, isIPv6 } from "node:net";
import * as ipaddr from "ipaddr.js";

/** An inclusive range of addresses of one family, as numbers. */
export interface AddressInterval {
  readonly first: bigint;
  readonly last: bigint;
}

export type AddressFamily = "IPv4" | "IPv6";

/**
 * A set of IP addresses. Each family is a list of intervals that is sorted, disjoint and not adjacent, so equal sets have
 * equal representations. The families never mix: `::ffff:10.0.0.1` is an IPv6 address here and is not 10.0.0.1, because an
 * enforcer that compares bytes sees it that way too.
 */
export interface AddressSet {
  readonly IPv4: readonly AddressInterval[];
  readonly IPv6: readonly AddressInterval[];
}

const families: readonly AddressFamily[] = ["IPv4", "IPv6"];
const bits = { IPv4: 32, IPv6: 128 } as const;
const highest = { IPv4: (1n << 32n) - 1n, IPv6: (1n << 128n) - 1n } as const;

export const noAddresses: AddressSet = { IPv4: [], IPv6: [] };

/** All addresses of one family: 0.0.0.0/0 or ::/0. */
export function allAddresses(family: AddressFamily): AddressSet {
  return { ...noAddresses, [family]: [{ first: 0n, last: highest[family] }] };
}

/** A CIDR that was read, or what keeps the text from being one. */
export type CidrReading =
  | {
      readonly ok: true;
      readonly set: AddressSet;
      readonly family: AddressFamily;
      /** The network in canonical form, when the text sets bits beyond its prefix (`10.0.0.1/8` → `10.0.0.0/8`). */
      readonly networkOfHostBits?: string;
    }
  | { readonly ok: false; readonly problem: string };

/**
 * Reads a CIDR (RFC 4632, RFC 4291 section 2.3) strictly: no octal or short IPv4 forms (`010.0.0.0/8`, `10/8`), no zone, no
 * missing prefix, since enforcers read those differently. Bits beyond the prefix are accepted, as the API server does, and
 * reported in `networkOfHostBits`; the set is the whole network, which is what enforcers open.
 */
export function readCidr(text: string): CidrReading {
  const slash = text.indexOf("/");
  if (slash < 0) return { ok: false, problem: "it has no prefix length" };
  const address = readAddress(text.slice(0, slash));
  if (address === undefined) return { ok: false, problem: "its address is neither IPv4 nor IPv6" };
  const { family, value } = address;
  const prefix = text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(prefix) || Number(prefix) > bits[family]) {
    return { ok: false, problem: `its prefix length is not a number from 0 to ${bits[family]}` };
  }
  const hostBits = (1n << BigInt(bits[family] - Number(prefix))) - 1n;
  const first = value & ~hostBits;
  const set = { ...noAddresses, [family]: [{ first, last: first | hostBits }] };
  return first === value
    ? { ok: true, set, family }
    : { ok: true, set, family, networkOfHostBits: `${formatAddress(family, first)}/${prefix}` };
}

/** The addresses of a CIDR that is known to be valid. Throws a RangeError naming the text when it is not. */
export function fromCidr(text: string): AddressSet {
  const reading = readCidr(text);
  if (!reading.ok) throw new RangeError(`${JSON.stringify(text)} is not a CIDR: ${reading.problem}`);
  return reading.set;
}

/** The addresses that are in any of the sets. */
export function union(...sets: readonly AddressSet[]): AddressSet {
  return perFamily((family) => merge(sets.flatMap((set) => set[family])));
}

/** The addresses of `from` that are not in `removed`. */
export function subtract(from: AddressSet, removed: AddressSet): AddressSet {
  return perFamily((family) => subtractIntervals(from[family], removed[family]));
}

/** The addresses that are in both sets. */
export function intersect(a: AddressSet, b: AddressSet): AddressSet {
  return perFamily((family) => intersectIntervals(a[family], b[family]));
}

export function isEmpty(set: AddressSet): boolean {
  return set.IPv4.length === 0 && set.IPv6.length === 0;
}

/** Whether every address of `inner` is in `outer`. */
export function includes(outer: AddressSet, inner: AddressSet): boolean {
  return isEmpty(subtract(inner, outer));
}

/** Whether a single address, in strict text form, is in the set. Throws a RangeError when the text is not an address. */
export function contains(set: AddressSet, text: string): boolean {
  const address = readAddress(text);
  if (address === undefined) throw new RangeError(`${JSON.stringify(text)} is not an IP address`);
  const { family, value } = address;
  return set[family].some(({ first, last }) => first <= value && value <= last);
}

/** How many addresses the set has, of both families together. */
export function size(set: AddressSet): bigint {
  return families
    .flatMap((family) => set[family])
    .reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
}

/** The fewest CIDRs that make up the set, IPv4 before IPv6, in ascending order. */
export function toCidrs(set: AddressSet): string[] {
  return families.flatMap((family) => set[family].flatMap((interval) => cidrsOf(family, interval)));
}

function perFamily(intervals: (family: AddressFamily) => AddressInterval[]): AddressSet {
  return { IPv4: intervals("IPv4"), IPv6: intervals("IPv6") };
}

function merge(intervals: readonly AddressInterval[]): AddressInterval[] {
  const merged: AddressInterval[] = [];
  for (const next of [...intervals].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0))) {
    const previous = merged.at(-1);
    if (previous !== undefined && next.first <= previous.last + 1n) {
      if (next.last > previous.last) merged[merged.length - 1] = { first: previous.first, last: next.last };
    } else {
      merged.push(next);
    }
  }
  return merged;
}

function subtractIntervals(
  from: readonly AddressInterval[],
  removed: readonly AddressInterval[],
): AddressInterval[] {
  const rest: AddressInterval[] = [];
  let index = 0;
  for (const { first, last } of from) {
    let start = first;
    for (; index < removed.length; index++) {
      const hole = removed[index];
      if (hole === undefined || hole.first > last) break;
      if (hole.first > start) rest.push({ first: start, last: hole.first - 1n });
      if (hole.last >= start) start = hole.last + 1n;
      // A hole that reaches beyond this interval may cut the next one too, so it stays the current one.
      if (hole.last > last) break;
    }
    if (start <= last) rest.push({ first: start, last });
  }
  return rest;
}

function intersectIntervals(a: readonly AddressInterval[], b: readonly AddressInterval[]): AddressInterval[] {
  const shared: AddressInterval[] = [];
  let i = 0;
  let j = 0;
  for (;;) {
    const left = a[i];
    const right = b[j];
    if (left === undefined || right === undefined) return shared;
    const first = left.first > right.first ? left.first : right.first;
    const last = left.last < right.last ? left.last : right.last;
    if (first <= last) shared.push({ first, last });
    if (left.last < right.last) i++;
    else j++;
  }
}

function cidrsOf(family: AddressFamily, { first, last }: AddressInterval): string[] {
  const cidrs: string[] = [];
  for (let start = first; start <= last;) {
    let hostBits = 0n;
    // The block doubles while it stays aligned to its own size and within the interval.
    while (hostBits < BigInt(bits[family]) && (start & ((1n << (hostBits + 1n)) - 1n)) === 0n) {
      if (start + (1n << (hostBits + 1n)) - 1n > last) break;
      hostBits++;
    }
    cidrs.push(`${formatAddress(family, start)}/${bits[family] - Number(hostBits)}`);
    start += 1n << hostBits;
  }
  return cidrs;
}

function readAddress(text: string): { family: AddressFamily; value: bigint } | undefined {
  if (isIPv4(text)) return { family: "IPv4", value: toNumber(ipaddr.IPv4.parse(text).toByteArray()) };
  if (!isIPv6(text) || text.includes("%")) return undefined;
  // ipaddr.js reads `::1.2.3.4` as the IPv4-mapped `::ffff:1.2.3.4`; with the dotted tail in hexadecimal it cannot.
  const hexadecimal = text.replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_, a: string, b: string, c: string, d: string) =>
      [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((part) => part.toString(16)).join(":"),
  );
  return { family: "IPv6", value: toNumber(ipaddr.IPv6.parse(hexadecimal).toByteArray()) };
}

function toNumber(bytes: readonly number[]): bigint {
  return BigInt(`0x${bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("")}`);
}

function formatAddress(family: AddressFamily, value: bigint): string {
  const hexadecimal = value.toString(16).padStart(bits[family] / 4, "0");
  const bytes = [...Buffer.from(hexadecimal, "hex")];
  return family === "IPv4" ? new ipaddr.IPv4(bytes).toString() : new ipaddr.IPv6(bytes).toRFC5952String();
}
