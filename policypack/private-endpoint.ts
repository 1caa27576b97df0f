import { fromCidr, intersect, isEmpty, subtract, type AddressSet } from "./address-set";
import { cidr, listOf, reason, record, text } from "./config-field";
import type { DeclaredReach } from "./declared-reach";
import { allPorts, hasNoPorts, portSet, readPortRange, subtractPorts, type PortSet } from "./port-set";

/** Annotation under which a policy declares the private endpoints it opens on purpose: a JSON list of {@link PrivateEndpoint}. */
export const privateEndpointsAnnotation = "zero-trust.erlmcp/private-endpoints";

/** A private network that egress may reach. */
export type PrivateEndpoint = DeclaredReach;

/** How a private endpoint is written in the annotation; {@link reachOf} tells whether its ports are any. */
export const privateEndpoint = record<PrivateEndpoint>({
  allowed:
    "an object with cidr, ports (optional, as in TCP 443 or TCP 9100-9155; absent means all) and reason",
  example: { cidr: "10.20.0.0/16", ports: ["TCP 443"], reason: "payment provider over the VPN" },
  values: {
    cidr,
    ports: listOf(
      text({
        pattern: /^(TCP|UDP|SCTP) \d{1,5}(-\d{1,5})?$/,
        allowed: "a protocol and a port or range, as in TCP 443 or TCP 9100-9155",
        example: "TCP 443",
      }),
    ),
    reason,
  },
  optional: ["ports"],
});

/** Addresses together with ports, each address on each of the ports. */
export interface Reach {
  readonly addresses: AddressSet;
  readonly ports: PortSet;
}

/** What a valid endpoint opens; undefined when a port of it is out of range. */
export function reachOf({ cidr: network, ports }: PrivateEndpoint): Reach | undefined {
  const ranges = ports?.map(readPortRange);
  if (ranges === undefined) return { addresses: fromCidr(network), ports: allPorts };
  const valid = ranges.filter((range) => range !== undefined);
  return valid.length < ranges.length ? undefined : { addresses: fromCidr(network), ports: portSet(valid) };
}

/** The part of a reach that no other one covers; pieces are disjoint. */
export function subtractReach(from: Reach, covers: readonly Reach[]): Reach[] {
  return covers.reduce<Reach[]>(
    (rest, cover) =>
      rest
        .flatMap(({ addresses, ports }) => [
          { addresses: subtract(addresses, cover.addresses), ports },
          { addresses: intersect(addresses, cover.addresses), ports: subtractPorts(ports, cover.ports) },
        ])
        .filter(({ addresses, ports }) => !isEmpty(addresses) && !hasNoPorts(ports)),
    [from],
  );
}
