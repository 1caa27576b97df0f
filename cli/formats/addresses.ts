import { publicInternet } from "../../matrix/address-ranges";
import {
  fromCidr,
  includes,
  noAddresses,
  subtract,
  toCidrs,
  union,
  type AddressFamily,
  type AddressInterval,
  type AddressSet,
} from "../../policypack/address-set";

/** A block of addresses that a CIDR can name: its first address and how many of its last bits are free. */
interface Block {
  readonly first: bigint;
  readonly freeBits: number;
}

/** A network, without the networks in it that are not meant. */
interface Network {
  readonly block: Block;
  readonly except: readonly Block[];
}

const families: readonly AddressFamily[] = ["IPv4", "IPv6"];
const bits = { IPv4: 32, IPv6: 128 } as const;

/** The public Internet as the matrix means it. */
const publicSpace = { IPv4: publicAddresses("IPv4"), IPv6: publicAddresses("IPv6") } as const;

function publicAddresses(family: AddressFamily): AddressSet {
  const blocks = publicInternet([family]).map(({ cidr, except = [] }) =>
    subtract(fromCidr(cidr), union(...except.map(fromCidr))),
  );
  return union(...blocks);
}

/**
 * A set of addresses in few words: `the public Internet, 10.0.0.0/8`, or in the fewest networks:
 * `10.0.0.0/8 except 10.1.0.0/16, 10.2.0.0/16; 2001:db8::/32`. Semicolons separate networks where one of them has exceptions.
 *
 * @param limit how many networks to name at most, exceptions included; the rest is counted: `and 3 more`
 */
export function formatAddresses(addresses: AddressSet, limit = Infinity): string {
  const parts = families.map((family) => partOf(family, addresses[family]));
  const open = parts.filter(({ isPublic }) => isPublic).map(({ family }) => family);
  const internet =
    open.length === families.length
      ? ["the public Internet"]
      : open.map((family) => `the public Internet (${family})`);
  const networks = parts.flatMap(({ family, networks }) =>
    networks.map(({ block, except }) => ({
      cidr: cidrOf(family, block),
      except: except.map((hole) => cidrOf(family, hole)),
    })),
  );
  const separator = networks.some(({ except }) => except.length > 0) ? "; " : ", ";
  const named: string[] = [];
  let left = limit;
  for (const { cidr, except } of networks) {
    if (left <= 0) break;
    left -= 1 + except.length;
    named.push(
      except.length === 0 ? cidr : `${cidr} except ${listed(except, Math.max(1, except.length + left))}`,
    );
  }
  const rest = networks.length - named.length;
  return `${[...internet, ...named].join(separator)}${rest > 0 ? ` and ${rest} more` : ""}`;
}

/** One family's addresses: the public Internet and the networks beyond it, or networks alone, whichever are fewer. */
function partOf(
  family: AddressFamily,
  intervals: readonly AddressInterval[],
): { readonly family: AddressFamily; readonly isPublic: boolean; readonly networks: readonly Network[] } {
  const networks = networksOf(family, intervals);
  const whole = { ...noAddresses, [family]: intervals };
  if (!includes(whole, publicSpace[family])) return { family, isPublic: false, networks };
  const beyond = networksOf(family, subtract(whole, publicSpace[family])[family]);
  return 1 + count(beyond) < count(networks)
    ? { family, isPublic: true, networks: beyond }
    : { family, isPublic: false, networks };
}

function count(networks: readonly Network[]): number {
  return networks.reduce((sum, { except }) => sum + 1 + except.length, 0);
}

function listed(cidrs: readonly string[], limit: number): string {
  if (cidrs.length <= limit) return cidrs.join(", ");
  return `${cidrs.slice(0, limit).join(", ")} and ${cidrs.length - limit} more`;
}

/** The intervals of a set as text, IPv4 before IPv6: `10.0.0.0-10.255.255.255`; IPv6 as RFC 5952 writes it. */
export function intervalTexts(addresses: AddressSet): string[] {
  return families.flatMap((family) =>
    addresses[family].map(({ first, last }) => `${addressText(family, first)}-${addressText(family, last)}`),
  );
}

function addressText(family: AddressFamily, address: bigint): string {
  return cidrOf(family, { first: address, freeBits: 0 }).replace(/\/\d+$/, "");
}

function cidrOf(family: AddressFamily, { first, freeBits }: Block): string {
  const last = first + (1n << BigInt(freeBits)) - 1n;
  return toCidrs({ ...noAddresses, [family]: [{ first, last }] }).join();
}

function networksOf(family: AddressFamily, intervals: readonly AddressInterval[]): readonly Network[] {
  return cover({ first: 0n, freeBits: bits[family] }, intervals, 0, intervals.length).inside;
}

/** A block's part of a set: the fewest networks that make it up, and those that make up the rest of the block. */
interface Cover {
  readonly inside: readonly Network[];
  readonly outside: readonly Block[];
}

/** Covers the part of a block that lies in `intervals[from]` up to `intervals[to - 1]`, which are those that touch the block. */
function cover(block: Block, intervals: readonly AddressInterval[], from: number, to: number): Cover {
  const { first, freeBits } = block;
  const interval = intervals[from];
  if (from >= to || interval === undefined) return { inside: [], outside: [block] };
  const last = first + (1n << BigInt(freeBits)) - 1n;
  if (interval.first <= first && last <= interval.last)
    return { inside: [{ block, except: [] }], outside: [] };
  const middle = first + (1n << BigInt(freeBits - 1));
  let cut = from;
  while (cut < to && (intervals[cut]?.last ?? 0n) < middle) cut++;
  const straddles = cut < to && (intervals[cut]?.first ?? middle) < middle;
  const lower = cover({ first, freeBits: freeBits - 1 }, intervals, from, straddles ? cut + 1 : cut);
  const upper = cover({ first: middle, freeBits: freeBits - 1 }, intervals, cut, to);
  const outside = [...lower.outside, ...upper.outside];
  const inside = [...lower.inside, ...upper.inside];
  return { inside: 1 + outside.length < count(inside) ? [{ block, except: outside }] : inside, outside };
}
