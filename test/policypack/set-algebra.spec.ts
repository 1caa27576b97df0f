import assert from "node:assert/strict";
import fc from "fast-check";
import {
  allAddresses,
  fromCidr,
  includes,
  intersect,
  isEmpty,
  noAddresses,
  subtract,
  toCidrs,
  union,
  type AddressFamily,
  type AddressSet,
} from "../../policypack/address-set";
import {
  allPorts,
  formatPorts,
  hasNoPorts,
  intersectPorts,
  noPorts,
  portSet,
  protocols,
  subtractPorts,
  unionPorts,
  type PortSet,
} from "../../policypack/port-set";

/** Sets with their operations. */
interface Algebra<T> {
  readonly sets: fc.Arbitrary<T>;
  readonly union: (...sets: readonly T[]) => T;
  readonly intersect: (a: T, b: T) => T;
  readonly subtract: (from: T, removed: T) => T;
  readonly isEmpty: (set: T) => boolean;
  readonly nothing: T;
  readonly everything: T;
  /** As a user reads it. */
  readonly format: (set: T) => string;
}

const bits = { IPv4: 32, IPv6: 128 } as const;

/** Where intervals begin and end: at both ends of a family, in its middle, and next to each other. */
const landmarks = (family: AddressFamily): fc.Arbitrary<bigint> => {
  const [middle, end] = [1n << BigInt(bits[family] - 1), 1n << BigInt(bits[family])];
  return fc.constantFrom(0n, 1n, 2n, 3n, middle - 1n, middle, middle + 1n, end - 3n, end - 2n, end - 1n);
};

const addressInterval = fc.constantFrom<AddressFamily>("IPv4", "IPv6").chain((family) =>
  fc.tuple(landmarks(family), landmarks(family)).map(([a, b]): AddressSet => ({
    ...noAddresses,
    [family]: [a < b ? { first: a, last: b } : { first: b, last: a }],
  })),
);

const addressAlgebra: Algebra<AddressSet> = {
  sets: fc.array(addressInterval, { maxLength: 5 }).map((intervals) => union(...intervals)),
  union,
  intersect,
  subtract,
  isEmpty,
  nothing: noAddresses,
  everything: union(allAddresses("IPv4"), allAddresses("IPv6")),
  format: (set) => toCidrs(set).join(),
};

const portLandmark = fc.constantFrom(1, 2, 3, 4, 5, 6, 443, 444, 65531, 65532, 65533, 65534, 65535);

const portRange = fc
  .tuple(fc.constantFrom(...protocols), portLandmark, portLandmark)
  .map(([protocol, a, b]) => ({ protocol, first: Math.min(a, b), last: Math.max(a, b) }));

const portAlgebra: Algebra<PortSet> = {
  sets: fc.array(portRange, { maxLength: 5 }).map(portSet),
  union: unionPorts,
  intersect: intersectPorts,
  subtract: subtractPorts,
  isEmpty: hasNoPorts,
  nothing: noPorts,
  everything: allPorts,
  format: formatPorts,
};

describeLaws("address sets", addressAlgebra);
describeLaws("port sets", portAlgebra);

describe("port sets with names", () => {
  const named = fc
    .tuple(portAlgebra.sets, fc.subarray(["TCP dns", "TCP http", "UDP dns"]))
    .map(([{ numbers }, names]): PortSet => ({ numbers, names }));

  it("keep the laws that need no set of everything", () => {
    fc.assert(
      fc.property(named, named, named, (a, b, c) => {
        isOneSet(portAlgebra, unionPorts(a, b), unionPorts(b, a));
        isOneSet(portAlgebra, intersectPorts(a, b), intersectPorts(b, a));
        isOneSet(portAlgebra, unionPorts(a, intersectPorts(a, b)), a);
        isOneSet(
          portAlgebra,
          subtractPorts(a, unionPorts(b, c)),
          intersectPorts(subtractPorts(a, b), subtractPorts(a, c)),
        );
        isOneSet(portAlgebra, unionPorts(subtractPorts(a, b), intersectPorts(a, b)), a);
      }),
    );
  });
});

describe("inclusion of address sets", () => {
  it("is what union and intersection say of it", () => {
    const { sets } = addressAlgebra;
    fc.assert(
      fc.property(sets, sets, (a, b) => {
        const isWithin = includes(b, a);
        assert.equal(isWithin, toCidrs(union(a, b)).join() === toCidrs(b).join());
        assert.equal(isWithin, toCidrs(intersect(a, b)).join() === toCidrs(a).join());
        assert.ok(includes(union(a, b), a) && includes(a, intersect(a, b)) && includes(a, subtract(a, b)));
      }),
    );
  });
});

describe("address sets as CIDRs", () => {
  it("are the same set again, from any address to any other", () => {
    fc.assert(
      fc.property(addressAlgebra.sets, (a) => {
        assert.deepEqual(union(...toCidrs(a).map(fromCidr)), a);
      }),
    );
  });
});

function describeLaws<T>(name: string, algebra: Algebra<T>): void {
  const { sets, nothing, everything } = algebra;
  const complement = (set: T): T => algebra.subtract(everything, set);
  const law = (holds: string, sides: (a: T, b: T, c: T) => readonly (readonly [T, T])[]): void => {
    it(holds, () => {
      fc.assert(
        fc.property(sets, sets, sets, (a, b, c) => {
          for (const [one, other] of sides(a, b, c)) isOneSet(algebra, one, other);
        }),
      );
    });
  };

  describe(`${name}, by the laws of sets`, () => {
    law("commute", (a, b) => [
      [algebra.union(a, b), algebra.union(b, a)],
      [algebra.intersect(a, b), algebra.intersect(b, a)],
    ]);
    law("associate", (a, b, c) => [
      [algebra.union(algebra.union(a, b), c), algebra.union(a, algebra.union(b, c))],
      [algebra.union(a, b, c), algebra.union(a, algebra.union(b, c))],
      [algebra.intersect(algebra.intersect(a, b), c), algebra.intersect(a, algebra.intersect(b, c))],
    ]);
    law("are idempotent", (a) => [
      [algebra.union(a, a), a],
      [algebra.union(a), a],
      [algebra.intersect(a, a), a],
      [algebra.subtract(a, a), nothing],
    ]);
    law("distribute", (a, b, c) => [
      [
        algebra.intersect(a, algebra.union(b, c)),
        algebra.union(algebra.intersect(a, b), algebra.intersect(a, c)),
      ],
      [
        algebra.union(a, algebra.intersect(b, c)),
        algebra.intersect(algebra.union(a, b), algebra.union(a, c)),
      ],
      [
        algebra.subtract(algebra.union(a, b), c),
        algebra.union(algebra.subtract(a, c), algebra.subtract(b, c)),
      ],
      [algebra.intersect(a, algebra.subtract(b, c)), algebra.subtract(algebra.intersect(a, b), c)],
    ]);
    law("absorb", (a, b) => [
      [algebra.union(a, algebra.intersect(a, b)), a],
      [algebra.intersect(a, algebra.union(a, b)), a],
    ]);
    law("turn by De Morgan, within everything and within any set", (a, b, c) => [
      [complement(algebra.union(a, b)), algebra.intersect(complement(a), complement(b))],
      [complement(algebra.intersect(a, b)), algebra.union(complement(a), complement(b))],
      [
        algebra.subtract(c, algebra.union(a, b)),
        algebra.intersect(algebra.subtract(c, a), algebra.subtract(c, b)),
      ],
      [
        algebra.subtract(c, algebra.intersect(a, b)),
        algebra.union(algebra.subtract(c, a), algebra.subtract(c, b)),
      ],
    ]);
    law("have a complement", (a, b) => [
      [complement(complement(a)), a],
      [algebra.union(a, complement(a)), everything],
      [algebra.intersect(a, complement(a)), nothing],
      [algebra.subtract(a, b), algebra.intersect(a, complement(b))],
      [complement(everything), nothing],
      [complement(nothing), everything],
    ]);
    law("have nothing and everything as neutral and as last word", (a) => [
      [algebra.union(a, nothing), a],
      [algebra.intersect(a, everything), a],
      [algebra.subtract(a, nothing), a],
      [algebra.union(a, everything), everything],
      [algebra.intersect(a, nothing), nothing],
      [algebra.subtract(nothing, a), nothing],
      [algebra.subtract(a, everything), nothing],
    ]);

    it("are empty only where nothing is left", () => {
      fc.assert(
        fc.property(sets, sets, (a, b) => {
          const left = algebra.subtract(a, b);
          assert.equal(algebra.isEmpty(left), algebra.format(left) === algebra.format(nothing));
        }),
      );
    });
  });
}

/** Equal sets have equal representations, and read the same. */
function isOneSet<T>({ format }: Algebra<T>, one: T, other: T): void {
  assert.deepEqual(one, other);
  assert.equal(format(one), format(other));
}
