import assert from "node:assert/strict";
import fc from "fast-check";
import {
  allAddresses,
  contains,
  fromCidr,
  intersect,
  isEmpty,
  subtract,
  union,
} from "../../../policypack/address-set";
import {
  allPorts,
  intersectPorts,
  noPorts,
  portSet,
  subtractPorts,
  unionPorts,
  type PortSet,
} from "../../../policypack/port-set";
import { addressRegions } from "../../../policypack/reachability/address-regions";
import { ClassSets, hasMember } from "../../../policypack/reachability/class-set";
import { allPortsId, noPortsId, PortTable } from "../../../policypack/reachability/port-table";

const ports: fc.Arbitrary<PortSet> = fc.oneof(
  fc.constant(noPorts),
  fc.constant(allPorts),
  fc
    .array(
      fc.record({
        protocol: fc.constantFrom("TCP" as const, "UDP" as const),
        first: fc.integer({ min: 1, max: 4 }),
        length: fc.integer({ min: 0, max: 3 }),
      }),
      { maxLength: 3 },
    )
    .map((ranges) =>
      portSet(ranges.map(({ length, ...range }) => ({ ...range, last: range.first + length }))),
    ),
);

const members = fc
  .uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 6 })
  .map((numbers) => numbers.sort((a, b) => a - b));

describe("the table of port sets", () => {
  it("knows none and all by fixed numbers, and equal sets by the same one", () => {
    const table = new PortTable();
    assert.equal(table.id(noPorts), noPortsId);
    assert.equal(table.id(allPorts), allPortsId);
    const one = portSet([{ protocol: "TCP", first: 1, last: 5 }]);
    const same = portSet([
      { protocol: "TCP", first: 3, last: 5 },
      { protocol: "TCP", first: 1, last: 2 },
    ]);
    assert.equal(table.id(one), table.id(same));
    assert.notEqual(table.id(one), table.id(portSet([{ protocol: "UDP", first: 1, last: 5 }])));
    assert.deepEqual(table.set(table.id(one)), one);
  });

  it("combines sets as the port sets themselves are, again and again", () => {
    fc.assert(
      fc.property(fc.array(ports, { minLength: 2, maxLength: 5 }), (sets) => {
        const table = new PortTable();
        const ids = sets.map((set) => table.id(set));
        const combine = (): void => {
          for (const [a, some] of sets.entries()) {
            for (const [b, others] of sets.entries()) {
              const [left, right] = [ids[a] ?? noPortsId, ids[b] ?? noPortsId];
              assert.equal(table.union(left, right), table.id(unionPorts(some, others)));
              assert.equal(table.intersect(left, right), table.id(intersectPorts(some, others)));
              assert.equal(table.subtract(left, right), table.id(subtractPorts(some, others)));
            }
          }
        };
        combine();
        combine();
      }),
    );
  });

  it("resolves a name to the ports that a destination gives it, of the protocol where one is asked", () => {
    const table = new PortTable();
    const named = [
      { name: "dns", protocol: "UDP", number: 53 },
      { name: "dns", protocol: "TCP", number: 5353 },
      { name: "http", protocol: "TCP", number: 80 },
    ] as const;
    const of = (...ranges: readonly (readonly ["TCP" | "UDP", number])[]): number =>
      table.id(portSet(ranges.map(([protocol, number]) => ({ protocol, first: number, last: number }))));
    const dns = { kind: "name", name: "dns" } as const;
    assert.equal(table.resolve(undefined, named), allPortsId);
    assert.equal(table.resolve([], named), noPortsId);
    assert.equal(table.resolve([{ ...dns, protocol: "UDP" }], named), of(["UDP", 53]));
    assert.equal(table.resolve([{ ...dns, protocol: undefined }], named), of(["UDP", 53], ["TCP", 5353]));
    assert.equal(table.resolve([{ ...dns, protocol: "SCTP" }], named), noPortsId);
    assert.equal(table.resolve([{ ...dns, protocol: undefined }], []), noPortsId);
    const number = { kind: "numbers", protocol: "TCP", first: 80, last: 80 } as const;
    assert.equal(table.resolve([number, { ...dns, protocol: "TCP" }], named), of(["TCP", 80], ["TCP", 5353]));
  });
});

describe("the table of pod classes", () => {
  it("has one object for sets with the same members", () => {
    fc.assert(
      fc.property(fc.array(members, { minLength: 1, maxLength: 8 }), (lists) => {
        const sets = new ClassSets();
        const made = lists.map((list) => sets.of(list));
        for (const [a, one] of lists.entries()) {
          assert.deepEqual([...(made[a]?.members ?? [])], one);
          assert.equal(sets.ofAny([...one, ...one].reverse()), made[a]);
          for (const [b, other] of lists.entries()) {
            const same = one.join() === other.join();
            assert.equal(made[a] === made[b], same);
            assert.equal(made[a]?.id === made[b]?.id, same);
          }
        }
        assert.equal(sets.of([]), sets.none);
      }),
    );
  });

  it("tells apart sets whose members add up alike", () => {
    // 31 is what one place counts more than the next in the sum by which sets are looked up.
    const sets = new ClassSets();
    assert.notEqual(sets.of([0, 62]), sets.of([1, 31]));
    assert.deepEqual([...sets.of([1, 31]).members], [1, 31]);
  });

  it("keeps apart a set and one that begins with it", () => {
    const sets = new ClassSets();
    const [none, one, two] = [sets.of([]), sets.of([0]), sets.of([0, 1])];
    assert.equal(new Set([none, one, two]).size, 3);
    assert.deepEqual([...sets.of([0]).members], [0]);
  });

  it("joins sets of which some are the same, or empty", () => {
    const sets = new ClassSets();
    const [low, high] = [sets.of([1, 2]), sets.of([2, 7])];
    assert.equal(sets.union([]), sets.none);
    assert.equal(sets.union([sets.none, sets.none]), sets.none);
    assert.equal(sets.union([low]), low);
    assert.equal(sets.union([low, sets.none, low]), low);
    assert.equal(sets.union([low, low, high]), sets.of([1, 2, 7]));
    assert.equal(sets.union([high, low]), sets.of([1, 2, 7]));
  });

  it("joins sets and takes members out", () => {
    fc.assert(
      fc.property(fc.array(members, { maxLength: 4 }), members, (lists, removed) => {
        const sets = new ClassSets();
        const all = [...new Set(lists.flat())].sort((a, b) => a - b);
        const made = lists.map((list) => sets.of(list));
        assert.equal(sets.union(made), sets.of(all));
        assert.equal(sets.union(made), sets.of(all));
        const rest = all.filter((member) => !removed.includes(member));
        assert.equal(sets.without(sets.of(all), new Set(removed)), sets.of(rest));
        for (let member = 0; member <= 41; member += 1)
          assert.equal(hasMember(sets.of(all), member), all.includes(member));
      }),
    );
  });
});

describe("the regions of addresses", () => {
  const cidr = fc.constantFrom(
    ...["0.0.0.0/0", "0.0.0.0/8", "10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/9", "255.255.255.255/32"],
    ...["::/0", "2001:db8::/32", "2001:db8:1::/48"],
  );
  const set = fc
    .tuple(fc.array(cidr, { maxLength: 3 }), fc.array(cidr, { maxLength: 1 }))
    .map(([held, taken]) => subtract(union(...held.map(fromCidr)), union(...taken.map(fromCidr))));

  it("are disjoint, hold every address, and say which sets hold them", () => {
    fc.assert(
      fc.property(fc.array(set, { maxLength: 4 }), (sets) => {
        const regions = addressRegions(sets);
        const everywhere = union(allAddresses("IPv4"), allAddresses("IPv6"));
        assert.deepEqual(union(...regions.map(({ addresses }) => addresses)), everywhere);
        assert.equal(new Set(regions.map(({ holders }) => holders.join())).size, regions.length);
        for (const [index, { addresses, holders }] of regions.entries()) {
          assert.ok(!isEmpty(addresses));
          assert.deepEqual(
            [...holders],
            [...holders].sort((a, b) => a - b),
          );
          for (const [number, one] of sets.entries()) {
            const expected = holders.includes(number) ? addresses : union();
            assert.deepEqual(intersect(addresses, one), expected);
          }
          for (const other of regions.slice(index + 1))
            assert.ok(isEmpty(intersect(addresses, other.addresses)));
        }
      }),
    );
  });

  it("begin and end where a set does", () => {
    const regions = addressRegions([fromCidr("10.0.0.0/8"), fromCidr("10.0.0.0/9")]);
    const of = (address: string): string | undefined =>
      regions.find(({ addresses }) => contains(addresses, address))?.holders.join();
    assert.deepEqual(
      ["9.255.255.255", "10.0.0.0", "10.127.255.255", "10.128.0.0", "11.0.0.0", "::1"].map(of),
      ["", "0,1", "0,1", "0", "", ""],
    );
  });
});
