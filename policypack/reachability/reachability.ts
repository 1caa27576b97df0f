import type { AddressSet } from "../address-set";
import type { PortSet } from "../port-set";
import type { Cluster, Workload } from "./model";

/** How to read what the Kubernetes API leaves to the network plugin or to the cluster's set-up. */
export interface AnalysisOptions {
  /** Addresses that pods get; absent means not known. */
  readonly podRanges?: AddressSet;
  /** Addresses that Services get; absent means not known. */
  readonly serviceRanges?: AddressSet;
  /** Addresses that nodes have where no object says it; absent means the private ranges. */
  readonly nodeRanges?: AddressSet;
  /**
   * Whether an ipBlock of a NetworkPolicy also matches the known addresses of pods. Absent means false: an ipBlock is for addresses
   * outside the cluster, and most network plugins match pods by selectors alone.
   */
  readonly ipBlocksMatchPods?: boolean;
}

/** What one connection starts or ends at: the pods of a workload, or addresses outside the cluster. */
export type End = Workload | Outside;

export interface Outside {
  readonly addresses: AddressSet;
}

export function isWorkload(end: End): end is Workload {
  return "kind" in end;
}

/** What may flow from one end to another. Whatever is not listed is shut. */
export interface Flow {
  readonly from: End;
  readonly to: End;
  /** Never empty, and numbers only: names are resolved. */
  readonly ports: PortSet;
}

/** What may flow from each of some ends to each of others. */
export interface FlowGroup {
  readonly from: Ends;
  readonly to: Ends;
  /** Never empty, and numbers only. */
  readonly ports: PortSet;
}

/** Some workloads, sorted by namespace and name, or addresses outside the cluster. */
export type Ends = readonly Workload[] | Outside;

/** Something that the answer rests on and that a reader must know: a tie between policies, an ipBlock that covers pods. */
export interface Note {
  /** `NetworkPolicy ns/name`, or what else it is about. */
  readonly about: string;
  /** Place in that object; "" for the whole of it. */
  readonly at: string;
  readonly text: string;
}

/** The answer of the engine for one cluster. Every method computes from classes of equal pods; only `flows` goes by pairs. */
export interface Reachability {
  readonly cluster: Cluster;
  readonly notes: readonly Note[];
  /** Workloads that no policy isolates for traffic to them. */
  readonly openToAll: readonly Workload[];
  /** Workloads that no policy isolates for traffic from them. */
  readonly openFromAll: readonly Workload[];
  /**
   * The ports open between two ends; of addresses, those that are open to or from every one of them. What a workload may say to
   * itself is what its pods may say to each other.
   */
  ports(from: End, to: End): PortSet;
  /**
   * Every flow, one pair at a time, sorted by source, then destination: workloads, then addresses. Flows of a workload to itself
   * are included. The addresses of one pair of a workload and the outside come as one flow for each different set of ports.
   */
  flows(): Iterable<Flow>;
  /**
   * Every flow, grouped: sources with the same ports to the same destinations are one group. A pair of ends that is in several
   * groups has the ports of all of them together.
   */
  groups(): readonly FlowGroup[];
}
