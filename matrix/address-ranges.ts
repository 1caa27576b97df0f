import ipaddr from "ipaddr.js";
import type { AddressBlock } from "./flow";

export type IpFamily = "IPv4" | "IPv6";

/** Family of a CIDR that {@link cidrProblem} has found valid. */
export function familyOf(cidr: string): IpFamily {
  return cidr.includes(":") ? "IPv6" : "IPv4";
}

/**
 * What is wrong with a CIDR, or undefined where it is a network in canonical notation (RFC 4632, RFC 4291). Stricter than
 * the API server: four decimal parts without leading zeros, and no host bits, which it accepts although enforcers differ on them.
 */
export function cidrProblem(cidr: string): string | undefined {
  const [address, prefix, ...rest] = cidr.split("/");
  if (
    address === undefined ||
    prefix === undefined ||
    rest.length > 0 ||
    !/^(0|[1-9]\d{0,2})$/.test(prefix)
  ) {
    return "is not a network in CIDR notation";
  }
  const valid = address.includes(":")
    ? ipaddr.IPv6.isValid(address) && !address.includes("%")
    : ipaddr.IPv4.isValidFourPartDecimal(address) && !/(^|\.)0\d/.test(address);
  if (!valid) return "is not a network in CIDR notation";
  if (Number(prefix) > (address.includes(":") ? 128 : 32)) return "has a prefix longer than an address";
  const network = address.includes(":")
    ? ipaddr.IPv6.networkAddressFromCIDR(cidr)
    : ipaddr.IPv4.networkAddressFromCIDR(cidr);
  return network.toString() === ipaddr.parse(address).toString()
    ? undefined
    : `has host bits set: its network is ${network.toString()}/${prefix}`;
}

/** The network that holds just this address. */
export function hostCidr(address: string): string {
  return `${address}/${address.includes(":") ? 128 : 32}`;
}

/** Whether the valid CIDR `inner` lies within the valid CIDR `outer`. */
export function cidrContains(outer: string, inner: string): boolean {
  if (familyOf(outer) !== familyOf(inner)) return false;
  const [network, prefix] = ipaddr.parseCIDR(outer);
  const [address, length] = ipaddr.parseCIDR(inner);
  return length >= prefix && address.match(network, prefix);
}

/**
 * IPv4 ranges that are not the public Internet: the ranges that the IANA special-purpose registry (RFC 6890) calls not
 * globally reachable, multicast and reserved space, and the one cloud metadata address that lies in public space.
 */
export const nonPublicIpv4: readonly string[] = [
  "0.0.0.0/8", // this network
  "10.0.0.0/8", // RFC 1918
  "100.64.0.0/10", // shared address space, CGNAT (RFC 6598); holds Alibaba Cloud's metadata address
  "127.0.0.0/8", // loopback
  "168.63.129.16/32", // Azure's platform and metadata endpoint
  "169.254.0.0/16", // link-local; holds the metadata address of most clouds
  "172.16.0.0/12", // RFC 1918
  "192.0.0.0/24", // IETF protocol assignments; holds Oracle Cloud's classic metadata address
  "192.0.2.0/24", // documentation
  "192.168.0.0/16", // RFC 1918
  "198.18.0.0/15", // benchmarking
  "198.51.100.0/24", // documentation
  "203.0.113.0/24", // documentation
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // reserved, and limited broadcast
];

/**
 * Parts of IPv6's global unicast space (2000::/3) that are not the public Internet. What lies outside 2000::/3 needs no
 * exception: unique local (fc00::/7, and with it fd00:ec2::254), link-local, multicast, loopback and IPv4-mapped
 * addresses, and the NAT64 prefix 64:ff9b::/96, behind which 10.0.0.1 can be reached as 64:ff9b::a00:1.
 */
export const nonPublicIpv6: readonly string[] = [
  "2001::/23", // IETF protocol assignments, Teredo among them
  "2001:db8::/32", // documentation
  "2002::/16", // 6to4: embeds IPv4 addresses, private ones too
  "3fff::/20", // documentation
];

/** The public Internet, as address blocks of the given families. */
export function publicInternet(families: readonly IpFamily[]): AddressBlock[] {
  const blocks: Record<IpFamily, AddressBlock> = {
    IPv4: { cidr: "0.0.0.0/0", except: nonPublicIpv4 },
    IPv6: { cidr: "2000::/3", except: nonPublicIpv6 },
  };
  return families.map((family) => blocks[family]);
}

/**
 * Whether a block of valid CIDRs holds public addresses only, private ones only (whatever is not the public Internet
 * counts as private), or some of both.
 */
export function reachOf({ cidr, except = [] }: AddressBlock): "public" | "private" | "mixed" {
  const [publicSpace, exceptions] =
    familyOf(cidr) === "IPv4" ? ["0.0.0.0/0", nonPublicIpv4] : ["2000::/3", nonPublicIpv6];
  if (!cidrContains(publicSpace, cidr)) return cidrContains(cidr, publicSpace) ? "mixed" : "private";
  if (exceptions.some((exception) => cidrContains(exception, cidr))) return "private";
  const closed = exceptions
    .filter((exception) => cidrContains(cidr, exception))
    .every((exception) => except.some((range) => cidrContains(range, exception)));
  return closed ? "public" : "mixed";
}
