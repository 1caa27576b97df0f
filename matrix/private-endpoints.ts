import { reachOf } from "./address-ranges";
import { blocksOf, type Flow } from "./flow";
import { formatPorts } from "./port";

/** A private range that a policy opens on purpose. */
export interface PrivateEndpoint {
  readonly cidr: string;
  /** Each as `TCP 443` or `TCP 9100-9155`. */
  readonly ports: readonly string[];
  readonly reason: string;
}

/** The private ranges among the targets of the flows, so that whoever judges the policy can tell them from an accident. */
export function declaredPrivateEndpoints(flows: readonly Flow[]): PrivateEndpoint[] {
  return flows.flatMap(({ to, ports, purpose }) =>
    blocksOf(to)
      .filter((block) => reachOf(block) === "private")
      .map(({ cidr, reason = purpose }) => ({
        cidr,
        ports: ports.map((port) => formatPorts([port])),
        reason,
      })),
  );
}
