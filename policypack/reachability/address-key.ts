import type { AddressSet } from "../address-set";

const keys = new WeakMap<AddressSet, string>();

/** Equal for sets of the same addresses. */
export function addressKey(addresses: AddressSet): string {
  let key = keys.get(addresses);
  if (key === undefined) {
    key = [addresses.IPv4, addresses.IPv6]
      .map((intervals) => intervals.map(({ first, last }) => `${first}-${last}`).join())
      .join(";");
    keys.set(addresses, key);
  }
  return key;
}
