import type { LabelSelector } from "./kubernetes";
import type { PortRange } from "./port";

/** A set of pods that talk to others: what the matrix calls FROM and TO. */
export interface Service {
  /** Key of the service in the matrix, and the stem of its policies' names: `<name>-ingress`, `<name>-egress`. */
  readonly name: string;
  /** The namespace its pods run in; it must be one of the network's namespaces. */
  readonly namespace: string;
  /** Which pods of that namespace; never empty, since an empty selector is every pod. */
  readonly podSelector: LabelSelector;
  /** Names for its policies where they are not `<name>-ingress` and `<name>-egress`. */
  readonly policyNames?: { readonly ingress?: string; readonly egress?: string };
}

/** A range of addresses, with the parts of it that stay closed. */
export interface AddressBlock {
  /** Network in CIDR notation, IPv4 or IPv6, host bits zero. */
  readonly cidr: string;
  /** Ranges inside `cidr` that stay closed; absent means none. */
  readonly except?: readonly string[];
  /** Why a private range is opened, where the flow's purpose does not say; absent means the flow's purpose does. */
  readonly reason?: string;
}

/** One end of a flow. Build it with {@link Peer}. */
export type Endpoint =
  | { readonly kind: "service"; readonly service: string }
  | { readonly kind: "namespaces"; readonly namespaces: readonly string[] }
  | { readonly kind: "addresses"; readonly name: string; readonly blocks: readonly AddressBlock[] }
  | { readonly kind: "group"; readonly name: string; readonly members: readonly Endpoint[] };

/** Named constructors of {@link Endpoint}. */
export const Peer = {
  /** The pods of one service of the matrix. */
  service: (service: string): Endpoint => ({ kind: "service", service }),
  /** Every pod of the named namespaces: wider than any service, so the flow's purpose has to justify it. */
  namespaces: (...namespaces: string[]): Endpoint => ({ kind: "namespaces", namespaces }),
  /** Addresses outside the cluster, under a name a reader understands. */
  addresses: (name: string, blocks: readonly AddressBlock[]): Endpoint => ({
    kind: "addresses",
    name,
    blocks,
  }),
  /** Any of several endpoints, under one name. */
  group: (name: string, members: readonly Endpoint[]): Endpoint => ({ kind: "group", name, members }),
} as const;

/** One row of the communication matrix: who may open connections to whom, on which ports, and why. */
export interface Flow {
  /** Stable key of the row, kebab-case. */
  readonly id: string;
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** At least one; there is no flow on all ports. */
  readonly ports: readonly PortRange[];
  /** Why the flow exists, for the person who audits it; never empty. It becomes an annotation on the policies. */
  readonly purpose: string;
  /**
   * Which ends the row opens. Absent means both: egress at `from` and ingress at `to`. `"to"` opens the receiving end
   * only, so that the row adds nothing to what the senders may do.
   */
  readonly opens?: "to";
}

/** The communication matrix: every service, and every flow between them. Whatever it does not list stays closed. */
export interface Matrix {
  readonly services: readonly Service[];
  readonly flows: readonly Flow[];
}

/** The services an endpoint stands for; addresses and whole namespaces stand for none. */
export function servicesOf(endpoint: Endpoint): string[] {
  switch (endpoint.kind) {
    case "service":
      return [endpoint.service];
    case "group":
      return endpoint.members.flatMap(servicesOf);
    case "namespaces":
    case "addresses":
      return [];
  }
}

/** The address blocks an endpoint holds, its group's members included. */
export function blocksOf(endpoint: Endpoint): AddressBlock[] {
  switch (endpoint.kind) {
    case "addresses":
      return [...endpoint.blocks];
    case "group":
      return endpoint.members.flatMap(blocksOf);
    case "service":
    case "namespaces":
      return [];
  }
}
