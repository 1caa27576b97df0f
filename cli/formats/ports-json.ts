import { toCidrs } from "../../policypack/address-set";
import { formatPorts, type PortSet } from "../../policypack/port-set";
import type { Ends } from "../../policypack/reachability/reachability";
import { workloadId } from "./ends";

export type PortsJson =
  "all" | readonly { readonly protocol: string; readonly first: number; readonly last: number }[];

export function portsJson(ports: PortSet): PortsJson {
  if (formatPorts(ports) === "all ports") return "all";
  return Object.entries(ports.numbers).flatMap(([protocol, intervals]) =>
    intervals.map(({ first, last }) => ({ protocol, first, last })),
  );
}

export function endsJson(ends: Ends): { workloads: string[] } | { addresses: string[] } {
  return "addresses" in ends ? { addresses: toCidrs(ends.addresses) } : { workloads: ends.map(workloadId) };
}
