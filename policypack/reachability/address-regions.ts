import {
  allAddresses,
  union,
  type AddressFamily,
  type AddressInterval,
  type AddressSet,
} from "../address-set";

/** Addresses that the same sets hold. */
export interface AddressRegion {
  readonly addresses: AddressSet;
  /** The indexes of the sets that hold all of these addresses, ascending; the others hold none of them. */
  readonly holders: readonly number[];
}

/** Divides all addresses by which of the sets hold them: regions that are disjoint, each with other holders. */
export function addressRegions(sets: readonly AddressSet[]): AddressRegion[] {
  const regions = new Map<string, { holders: number[]; parts: AddressSet[] }>();
  for (const family of ["IPv4", "IPv6"] as const) {
    for (const { interval, holders } of sweep(sets, family)) {
      const key = holders.join();
      const part = { ...union(), [family]: [interval] };
      const region = regions.get(key);
      if (region === undefined) regions.set(key, { holders, parts: [part] });
      else region.parts.push(part);
    }
  }
  return [...regions.values()].map(({ holders, parts }) => ({ holders, addresses: union(...parts) }));
}

/** Goes through the addresses of a family from the first to the last, and stops wherever a set begins or ends. */
function* sweep(
  sets: readonly AddressSet[],
  family: AddressFamily,
): Generator<{ interval: AddressInterval; holders: number[] }> {
  const stops = sets
    .flatMap((set, index) =>
      set[family].flatMap(({ first, last }) => [
        { at: first, index, begins: true },
        { at: last + 1n, index, begins: false },
      ]),
    )
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const holders = new Set<number>();
  const [{ last: highest } = { last: 0n }] = allAddresses(family)[family];
  let first = 0n;
  for (const { at, index, begins } of [...stops, { at: highest + 1n, index: -1, begins: false }]) {
    if (at > first) {
      yield { interval: { first, last: at - 1n }, holders: [...holders].sort((a, b) => a - b) };
      first = at;
    }
    if (begins) holders.add(index);
    else holders.delete(index);
  }
}
