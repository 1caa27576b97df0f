import { allAddresses, fromCidr, includes, intersect, subtract, union, type AddressSet } from "./address-set";

const loopback = "127.0.0.0/8";

/** IPv4 ranges that are not the public Internet, with the name that messages give them. */
const privateIpv4 = [
  { cidr: "10.0.0.0/8", name: "private, RFC 1918" },
  { cidr: "172.16.0.0/12", name: "private, RFC 1918" },
  { cidr: "192.168.0.0/16", name: "private, RFC 1918" },
  { cidr: "100.64.0.0/10", name: "shared address space, RFC 6598" },
  { cidr: "169.254.0.0/16", name: "link-local, RFC 3927" },
  { cidr: loopback, name: "loopback, RFC 1122" },
] as const;

/** IPv4 ranges of which nothing leads to the Internet, nor to a private network that anybody has to have (IANA's registries, RFC 6890). */
const unroutedIpv4 = [
  { cidr: "0.0.0.0/8", name: "this network, RFC 1122" },
  { cidr: "198.18.0.0/15", name: "benchmarking, RFC 2544" },
  { cidr: "224.0.0.0/4", name: "multicast, RFC 5771" },
  { cidr: "240.0.0.0/4", name: "reserved, RFC 1112" },
] as const;

const sixToFourBits = 16;

/** Where IPv6 carries an IPv4 address: how many bits come before it, and how the address is written. */
const embeddings = [
  { name: "IPv4-mapped, RFC 4291", bits: 96, write: (groups: string) => `::ffff:${groups}` },
  { name: "NAT64, RFC 6052", bits: 96, write: (groups: string) => `64:ff9b::${groups}` },
  { name: "6to4, RFC 3056", bits: sixToFourBits, write: (groups: string) => `2002:${groups}::` },
] as const;

/** A range that external egress reaches only where it is declared. */
export interface PrivateRange {
  readonly name: string;
  readonly set: AddressSet;
  /**
   * Where a wider block reaches nothing by taking the range in: the loopback, to which nothing leaves the pod, and private addresses as
   * 6to4, to which no relay leads (RFC 3964). It then counts for blocks only that lie within these addresses. Absent: for every block.
   */
  readonly within?: AddressSet;
}

/**
 * Private and local ranges of both families, with the private IPv4 ranges as they appear in IPv6: a NAT64 gateway turns
 * 64:ff9b::a00:1 into 10.0.0.1.
 */
export const privateRanges: readonly PrivateRange[] = [
  ...privateIpv4.map(({ cidr, name }) => range(name, fromCidr(cidr), cidr === loopback)),
  range("unique local, RFC 4193", fromCidr("fc00::/7")),
  range("link-local, RFC 4291", fromCidr("fe80::/10")),
  range("loopback, RFC 4291", fromCidr("::1/128"), true),
  range("local-use NAT64, RFC 8215", fromCidr("64:ff9b:1::/48")),
  ...embeddings.flatMap((embedding) =>
    privateIpv4.map(({ cidr }): PrivateRange => {
      const name = `${cidr} as ${embedding.name}`;
      const set = embed(cidr, embedding);
      if (embedding.bits === sixToFourBits) return { name, set, within: fromCidr("2002::/16") };
      return range(name, set, cidr === loopback);
    }),
  ),
];

/** All IPv4-mapped addresses. No packet has one: to a socket they stand for IPv4, which the blocks of IPv4 decide on. */
const mapped = fromCidr("::ffff:0:0/96");

/** Addresses that are none of the Internet's. What lies outside of IPv6's global unicast space is none, but for NAT64. */
const offInternet = union(
  ...[...privateIpv4, ...unroutedIpv4].map(({ cidr }) => fromCidr(cidr)),
  subtract(allAddresses("IPv6"), union(fromCidr("2000::/3"), fromCidr("64:ff9b::/96"))),
);

/**
 * Ranges that are not the Internet, and that a wider block does not have to except: nothing is reached by taking them in. A block that
 * holds nothing of the Internet is none for external egress, so all of it counts.
 */
export const unroutedRanges: readonly PrivateRange[] = [
  ...unroutedIpv4.map(({ cidr, name }) => ({ name, set: fromCidr(cidr), within: offInternet })),
  ...[
    { name: "multicast, RFC 4291", set: fromCidr("ff00::/8") },
    { name: "site-local, RFC 3879", set: fromCidr("fec0::/10") },
    { name: "IPv4-compatible, RFC 4291", set: fromCidr("::/96") },
    {
      name: "outside of global unicast, RFC 4291",
      set: { IPv4: [], IPv6: subtract(offInternet, mapped).IPv6 },
    },
  ].map((one) => ({ ...one, within: offInternet })),
];

/**
 * A block without the IPv4-mapped addresses that it only takes in: it reaches nothing by them, and API servers refuse exceptions that
 * are written so from Kubernetes 1.36 on. A block that holds nothing of the Internet is left as it is.
 */
export function withoutMapped(block: AddressSet): AddressSet {
  return includes(offInternet, block) ? block : subtract(block, mapped);
}

function range(name: string, set: AddressSet, isLoopback = false): PrivateRange {
  return isLoopback ? { name, set, within: set } : { name, set };
}

/** What a block reaches of ranges that are private. */
export function privatePart(block: AddressSet, ranges: readonly PrivateRange[]): AddressSet {
  const counting = ranges.filter(({ within }) => within === undefined || includes(within, block));
  return union(...counting.map(({ set }) => intersect(block, set)));
}

/**
 * Forms in which a packet to or from the IPv6 address is one of the IPv4 address itself. A 6to4 address is not: it leads to a relay
 * at the IPv4 address, which has to be one.
 */
const translations = embeddings.filter(({ bits }) => bits !== sixToFourBits);

/** The addresses of a valid CIDR, those of IPv4 also as hosts with IPv6 reach them, IPv4-mapped and by NAT64. */
export function withIpv6Forms(cidr: string): AddressSet {
  const set = fromCidr(cidr);
  if (set.IPv4.length === 0) return set;
  return union(set, ...translations.map((embedding) => embed(cidr, embedding)));
}

/** The IPv4 addresses that a set holds: its own, and those that IPv6 addresses in it stand for. */
export function ipv4Of(set: AddressSet): AddressSet {
  const toIpv4 = (address: bigint): bigint => address & 0xffff_ffffn;
  const translated = translations.map((embedding): AddressSet => {
    const part = intersect(set, embed("0.0.0.0/0", embedding));
    return {
      IPv4: part.IPv6.map(({ first, last }) => ({ first: toIpv4(first), last: toIpv4(last) })),
      IPv6: [],
    };
  });
  return union({ IPv4: set.IPv4, IPv6: [] }, ...translated);
}

function embed(cidr: string, { bits, write }: (typeof embeddings)[number]): AddressSet {
  const [address = "", length = ""] = cidr.split("/");
  const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  const groups = `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  return fromCidr(`${write(groups)}/${bits + Number(length)}`);
}
