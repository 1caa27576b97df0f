import assert from "node:assert/strict";
import fc from "fast-check";
import {
  allAddresses,
  contains,
  fromCidr,
  includes,
  intersect,
  isEmpty,
  noAddresses,
  readCidr,
  size,
  subtract,
  toCidrs,
  union,
  type AddressFamily,
  type AddressSet,
} from "../../policypack/address-set";

const problemOf = (text: string): string => {
  const reading = readCidr(text);
  return reading.ok ? "none" : reading.problem;
};

describe("reading a CIDR", () => {
  it("refuses what enforcers read differently", () => {
    for (const text of [
      "010.0.0.0/8", // octal or decimal
      "10/8",
      "10.0/16",
      "0x0a000000/8",
      "167772160/8",
      "10.0.0.0.0/8",
      "256.0.0.0/8",
      " 10.0.0.0/8",
      "fe80::1%eth0/64",
      "::ffff:010.0.0.1/128",
      "undefined/32",
      "/8",
      "",
    ]) {
      assert.notEqual(problemOf(text), "none", text);
    }
  });

  it("refuses a prefix that is no plain number within the family's length", () => {
    for (const text of [
      "10.0.0.0/33",
      "10.0.0.0/08",
      "10.0.0.0/+8",
      "10.0.0.0/",
      "10.0.0.0/8/8",
      "::/129",
      "::/-1",
    ]) {
      assert.match(problemOf(text), /^its prefix length is not a number from 0 to (32|128)$/, text);
    }
    assert.equal(problemOf("10.0.0.1"), "it has no prefix length");
    assert.equal(problemOf("example.com/24"), "its address is neither IPv4 nor IPv6");
  });

  it("takes host bits as the whole network and says which", () => {
    const reading = readCidr("10.1.2.3/8");
    assert.ok(reading.ok);
    assert.deepEqual(toCidrs(reading.set), ["10.0.0.0/8"]);
    assert.equal(reading.networkOfHostBits, "10.0.0.0/8");
    const canonical = readCidr("10.0.0.0/8");
    assert.ok(canonical.ok && canonical.networkOfHostBits === undefined);
    const v6 = readCidr("2001:db8::1/32");
    assert.ok(v6.ok && v6.networkOfHostBits === "2001:db8::/32");
  });

  it("keeps IPv4-mapped and IPv4-compatible addresses in IPv6, apart from each other", () => {
    const mapped = fromCidr("::ffff:10.0.0.0/104");
    assert.deepEqual(mapped.IPv4, []);
    assert.deepEqual(toCidrs(mapped), ["::ffff:a00:0/104"]);
    assert.ok(isEmpty(intersect(mapped, fromCidr("10.0.0.0/8"))));
    assert.deepEqual(toCidrs(fromCidr("::10.0.0.0/104")), ["::a00:0/104"]);
    assert.ok(!contains(fromCidr("10.0.0.0/8"), "::ffff:10.0.0.1"));
    assert.ok(contains(mapped, "::ffff:10.0.0.1"));
  });

  it("throws for a text that is no CIDR or address, naming it", () => {
    assert.throws(
      () => fromCidr("10/8"),
      new RangeError(`"10/8" is not a CIDR: its address is neither IPv4 nor IPv6`),
    );
    assert.throws(() => contains(noAddresses, "10"), new RangeError(`"10" is not an IP address`));
  });
});

describe("address set arithmetic", () => {
  it("sees that two halves are the whole", () => {
    assert.deepEqual(union(fromCidr("0.0.0.0/1"), fromCidr("128.0.0.0/1")), allAddresses("IPv4"));
    assert.deepEqual(union(fromCidr("::/1"), fromCidr("8000::/1")), allAddresses("IPv6"));
    assert.deepEqual(toCidrs(allAddresses("IPv6")), ["::/0"]);
  });

  it("writes what is left of a block as the fewest CIDRs", () => {
    const left = subtract(fromCidr("10.0.0.0/8"), union(fromCidr("10.0.0.0/10"), fromCidr("10.128.0.1/32")));
    assert.equal(size(left), 2n ** 24n - 2n ** 22n - 1n);
    assert.deepEqual(toCidrs(left).slice(0, 4), [
      "10.64.0.0/10",
      "10.128.0.0/32",
      "10.128.0.2/31",
      "10.128.0.4/30",
    ]);
  });

  it("counts both families", () => {
    assert.equal(size(union(fromCidr("0.0.0.0/0"), fromCidr("::/0"))), 2n ** 32n + 2n ** 128n);
  });
});

/**
 * The laws are held against sets of numbers, on a universe of the first and the last 64 addresses of each family, where an
 * interval that runs over would show.
 */
describe("address set laws", () => {
  const bits = { IPv4: 32, IPv6: 128 } as const;
  const block = fc
    .record({
      family: fc.constantFrom<AddressFamily>("IPv4", "IPv6"),
      atEnd: fc.boolean(),
      at: fc.nat(63),
      free: fc.nat(6),
    })
    .map(({ family, atEnd, at, free }) => {
      const base = atEnd ? (1n << BigInt(bits[family])) - 64n : 0n;
      const first = base + BigInt((at >> free) << free);
      return { ...noAddresses, [family]: [{ first, last: first + (1n << BigInt(free)) - 1n }] };
    });
  const set = fc.array(block, { maxLength: 6 }).map((blocks) => union(...blocks));

  const members = (value: AddressSet): Set<string> => {
    const found = new Set<string>();
    for (const family of ["IPv4", "IPv6"] as const) {
      for (const { first, last } of value[family]) {
        for (let address = first; address <= last; address++) found.add(`${family} ${address.toString()}`);
      }
    }
    return found;
  };
  const same = (value: AddressSet, expected: Iterable<string>): void => {
    assert.deepEqual([...members(value)].sort(), [...expected].sort());
  };

  it("union, intersection and difference are those of sets", () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        const [inA, inB] = [members(a), members(b)];
        same(union(a, b), new Set([...inA, ...inB]));
        same(
          intersect(a, b),
          [...inA].filter((address) => inB.has(address)),
        );
        same(
          subtract(a, b),
          [...inA].filter((address) => !inB.has(address)),
        );
        assert.equal(
          includes(a, b),
          [...inB].every((address) => inA.has(address)),
        );
        assert.equal(isEmpty(a), inA.size === 0);
        assert.equal(size(a), BigInt(inA.size));
      }),
    );
  });

  it("equal sets have one representation, sorted and without gaps of nothing", () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        assert.deepEqual(union(a, b), union(b, a));
        assert.deepEqual(union(subtract(a, b), intersect(a, b)), a);
        assert.deepEqual(union(a, noAddresses), a);
        for (const family of ["IPv4", "IPv6"] as const) {
          union(a, b)[family].forEach((interval, index, all) => {
            const next = all[index + 1];
            assert.ok(
              interval.first <= interval.last && (next === undefined || interval.last + 1n < next.first),
            );
          });
        }
      }),
    );
  });

  it("CIDRs make up the set, without overlap, and no two of them join", () => {
    fc.assert(
      fc.property(set, (a) => {
        const cidrs = toCidrs(a);
        assert.deepEqual(union(...cidrs.map(fromCidr)), a);
        assert.equal(
          cidrs.map(fromCidr).reduce((sum, cidr) => sum + size(cidr), 0n),
          size(a),
        );
        const lengths = cidrs.map((cidr) => ({ cidr, prefix: cidr.split("/")[1] }));
        lengths.forEach((one, index) => {
          const next = lengths[index + 1];
          if (next === undefined || next.prefix !== one.prefix) return;
          const joined = union(fromCidr(one.cidr), fromCidr(next.cidr));
          assert.equal(toCidrs(joined).length, 2, `${one.cidr} and ${next.cidr} are one block`);
        });
      }),
    );
  });
});
