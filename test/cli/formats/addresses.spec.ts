import assert from "node:assert/strict";
import fc from "fast-check";
import { formatAddresses, intervalTexts } from "../../../cli/formats/addresses";
import {
  fromCidr,
  noAddresses,
  subtract,
  toCidrs,
  union,
  type AddressSet,
} from "../../../policypack/address-set";
import { addresses } from "./clusters";

const set = (...cidrs: string[]) => addresses(...cidrs).addresses;
const without = (from: AddressSet, ...cidrs: string[]) => subtract(from, set(...cidrs));
const privateIpv4 = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];
const notPublic = [
  ...privateIpv4,
  "0.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "168.63.129.16/32",
  "169.254.0.0/16",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
];
const publicIpv4 = without(set("0.0.0.0/0"), ...notPublic);
const publicIpv6 = without(set("2000::/3"), "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20");

describe("formatAddresses", () => {
  it("names the fewest networks, with exceptions where that is shorter", () => {
    assert.equal(formatAddresses(set("0.0.0.0/0", "::/0")), "0.0.0.0/0, ::/0");
    assert.equal(
      formatAddresses(set("10.0.0.0/9", "10.128.0.0/9", "192.0.2.1/32")),
      "10.0.0.0/8, 192.0.2.1/32",
    );
    assert.equal(
      formatAddresses(without(set("0.0.0.0/0"), ...privateIpv4)),
      "0.0.0.0/0 except 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16",
    );
    assert.equal(
      formatAddresses(union(without(set("10.0.0.0/8"), "10.1.0.0/16"), set("192.0.2.0/24", "2001:db8::/32"))),
      "10.0.0.0/8 except 10.1.0.0/16; 192.0.2.0/24; 2001:db8::/32",
    );
    assert.equal(
      formatAddresses(without(set("203.0.113.0/24"), "203.0.113.64/26")),
      "203.0.113.0/26, 203.0.113.128/25",
    );
  });

  it("calls the public Internet by its name where all of it is there, and only then", () => {
    assert.equal(formatAddresses(publicIpv4), "the public Internet (IPv4)");
    assert.equal(formatAddresses(publicIpv6), "the public Internet (IPv6)");
    assert.equal(formatAddresses(union(publicIpv4, publicIpv6)), "the public Internet");
    assert.equal(
      formatAddresses(union(publicIpv4, set("10.0.0.0/8"))),
      "the public Internet (IPv4), 10.0.0.0/8",
    );
    assert.doesNotMatch(formatAddresses(without(publicIpv4, "8.8.8.8/32")), /public/);
    assert.doesNotMatch(formatAddresses(set("0.0.0.0/0")), /public/);
  });

  it("counts the networks beyond a limit", () => {
    const many = set(...Array.from({ length: 20 }, (_, index) => `10.${2 * index}.0.0/16`));
    assert.equal(formatAddresses(many, 3), "10.0.0.0/16, 10.2.0.0/16, 10.4.0.0/16 and 17 more");
    assert.equal(
      formatAddresses(without(set("0.0.0.0/0"), ...privateIpv4), 3),
      "0.0.0.0/0 except 10.0.0.0/8, 172.16.0.0/12 and 1 more",
    );
  });

  it("says neither more nor less than the set, in no more networks than its CIDRs", () => {
    const cidr = fc
      .tuple(fc.nat({ max: 0xffffffff }), fc.integer({ min: 0, max: 32 }), fc.boolean())
      .map(([address, length, isIpv6]) => {
        const bytes = [24, 16, 8, 0].map((shift) => (address >>> shift) & 255);
        return isIpv6
          ? `2001:db8:${(address >>> 16).toString(16)}:${(address & 0xffff).toString(16)}::/${32 + length}`
          : `${bytes.join(".")}/${length}`;
      });
    const cidrs = fc.array(cidr, { maxLength: 6 });
    fc.assert(
      fc.property(cidrs, cidrs, (included, excluded) => {
        const wanted = without(set(...included), ...excluded);
        const text = formatAddresses(wanted);
        fc.pre(!text.includes("public"));
        assert.deepEqual(read(text), wanted);
        assert.ok(text.split(/, |; | except /).length <= Math.max(1, toCidrs(wanted).length));
      }),
    );
  });
});

describe("intervalTexts", () => {
  it("writes both families' intervals, IPv6 as RFC 5952 does", () => {
    assert.deepEqual(intervalTexts(set("::/0", "10.0.0.0/8", "10.1.0.0/16", "192.0.2.1/32")), [
      "10.0.0.0-10.255.255.255",
      "192.0.2.1-192.0.2.1",
      "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ]);
    assert.deepEqual(intervalTexts(set("2001:db8:0:0:1::/80")), [
      "2001:db8:0:0:1::-2001:db8::1:ffff:ffff:ffff",
    ]);
  });
});

/** Reads what formatAddresses writes, without names. */
function read(text: string): AddressSet {
  if (text === "") return noAddresses;
  const networks = text.includes(" except ") ? text.split("; ") : text.split(", ");
  return union(
    ...networks.map((network) => {
      const [cidr = "", except = ""] = network.split(" except ");
      return subtract(
        fromCidr(cidr),
        union(
          ...except
            .split(", ")
            .filter((hole) => hole !== "")
            .map(fromCidr),
        ),
      );
    }),
  );
}
