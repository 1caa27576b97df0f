import { fromCidr, type AddressSet } from "./address-set";

/** IPv4 ranges that are not the public Internet, with the name that messages give them. */
const privateIpv4 = [
  { cidr: "10.0.0.0/8", name: "private, RFC 1918" },
  { cidr: "172.16.0.0/12", name: "private, RFC 1918" },
  { cidr: "192.168.0.0/16", name: "private, RFC 1918" },
  { cidr: "100.64.0.0/10", name: "shared address space, RFC 6598" },
  { cidr: "169.254.0.0/16", name: "link-local, RFC 3927" },
  { cidr: "127.0.0.0/8", name: "loopback, RFC 1122" },
] as const;

/** Where IPv6 carries an IPv4 address: how many bits come before it, and how the address is written. */
const embeddings = [
  { name: "IPv4-mapped, RFC 4291", bits: 96, write: (groups: string) => `::ffff:${groups}` },
  { name: "NAT64, RFC 6052", bits: 96, write: (groups: string) => `64:ff9b::${groups}` },
  { name: "6to4, RFC 3056", bits: 16, write: (groups: string) => `2002:${groups}::` },
] as const;

/** A range that external egress reaches only where it is declared. */
export interface PrivateRange {
  readonly name: string;
  readonly set: AddressSet;
}

/**
 * Private and local ranges of both families, with the private IPv4 ranges as they appear in IPv6: a NAT64 gateway turns
 * 64:ff9b::a00:1 into 10.0.0.1.
 */
export const privateRanges: readonly PrivateRange[] = [
  ...privateIpv4.map(({ cidr, name }) => ({ name, set: fromCidr(cidr) })),
  { name: "unique local, RFC 4193", set: fromCidr("fc00::/7") },
  { name: "link-local, RFC 4291", set: fromCidr("fe80::/10") },
  { name: "loopback, RFC 4291", set: fromCidr("::1/128") },
  { name: "local-use NAT64, RFC 8215", set: fromCidr("64:ff9b:1::/48") },
  ...embeddings.flatMap(({ name, bits, write }) =>
    privateIpv4.map(({ cidr }) => {
      const [address = "", length = ""] = cidr.split("/");
      const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
      const groups = `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
      return { name: `${cidr} as ${name}`, set: fromCidr(`${write(groups)}/${bits + Number(length)}`) };
    }),
  ),
];
