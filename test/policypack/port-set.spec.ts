import assert from "node:assert/strict";
import fc from "fast-check";
import {
  allPorts,
  formatPorts,
  hasNoPorts,
  intersectPorts,
  portSet,
  portsOfRule,
  protocols,
  readPortRange,
  subtractPorts,
  unionPorts,
  type PortSet,
} from "../../policypack/port-set";

/** At both ends of the port numbers, where a range that runs over would show. */
const range = fc
  .record({
    protocol: fc.constantFrom(...protocols),
    first: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 65516, max: 65535 })),
    length: fc.nat(5),
  })
  .map(({ protocol, first, length }) => ({ protocol, first, last: Math.min(first + length, 65535) }));
const set = fc.array(range, { maxLength: 5 }).map(portSet);
const members = ({ numbers }: PortSet): string[] =>
  Object.entries(numbers).flatMap(([protocol, intervals]) =>
    intervals.flatMap(({ first, last }) =>
      Array.from({ length: last - first + 1 }, (_, index) => `${protocol} ${first + index}`),
    ),
  );

describe("port sets", () => {
  it("join, meet and subtract as sets of numbers do", () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        const [inA, inB] = [new Set(members(a)), new Set(members(b))];
        const left = [...inA].filter((port) => !inB.has(port));
        assert.deepEqual(members(unionPorts(a, b)).sort(), [...new Set([...inA, ...inB])].sort());
        assert.deepEqual(
          members(intersectPorts(a, b)).sort(),
          [...inA].filter((port) => inB.has(port)).sort(),
        );
        assert.deepEqual(members(subtractPorts(a, b)).sort(), left.sort());
        assert.equal(hasNoPorts(subtractPorts(a, b)), left.length === 0);
      }),
    );
  });

  it("keep ranges sorted, apart and not adjacent, and no protocol without one", () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        for (const { numbers } of [a, unionPorts(a, b), intersectPorts(a, b), subtractPorts(a, b)]) {
          for (const intervals of Object.values(numbers)) {
            assert.ok(intervals.length > 0);
            intervals.forEach(({ first, last }, index) => {
              const next = intervals[index + 1];
              assert.ok(first <= last && (next === undefined || last + 1 < next.first));
            });
          }
        }
      }),
    );
  });

  it("read a rule's ports as networking.k8s.io/v1 means them", () => {
    assert.deepEqual(portsOfRule({}), allPorts);
    assert.deepEqual(portsOfRule({ ports: [] }), allPorts);
    const shown = (ports: Parameters<typeof portsOfRule>[0]["ports"]): string => {
      const read = portsOfRule({ ports: ports ?? null });
      return read === undefined ? "unreadable" : formatPorts(read);
    };
    assert.equal(
      shown([{ port: 443 }, { protocol: "UDP", port: 53 }, { port: "http" }]),
      "TCP 443; UDP 53; TCP http",
    );
    assert.equal(shown([{ port: 1, endPort: 5 }, { port: 6 }]), "TCP 1-6");
    assert.equal(shown([{ protocol: "SCTP" }]), "SCTP 1-65535");
    assert.equal(shown([{ protocol: "TCP" }, { protocol: "UDP" }, { protocol: "SCTP" }]), "all ports");
    for (const ports of ["443", [{ port: 0 }], [{ port: 1, endPort: "x" }]])
      assert.equal(shown(ports), "unreadable");
  });

  it("read the notation of declarations", () => {
    assert.deepEqual(readPortRange("TCP 443"), { protocol: "TCP", first: 443, last: 443 });
    assert.deepEqual(readPortRange("UDP 1-65535"), { protocol: "UDP", first: 1, last: 65535 });
    for (const text of ["443", "tcp 443", "TCP 0", "TCP 70000", "TCP 5-4", "TCP 1-2-3", "TCP https"]) {
      assert.equal(readPortRange(text), undefined, text);
    }
  });
});
