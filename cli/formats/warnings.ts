import type { Workload } from "../../policypack/reachability/model";
import type { Reachability } from "../../policypack/reachability/reachability";

/** Workloads that policies leave open, and what that means for them. */
export interface Warning {
  readonly text: string;
  /** Sorted by namespace and name. */
  readonly workloads: readonly Workload[];
}

/** What a reader should close, or should at least know to be open; each workload is in one warning. */
export function warnings({ cluster, openToAll, openFromAll }: Reachability): Warning[] {
  const to = new Set(openToAll);
  const from = new Set(openFromAll);
  return [
    {
      text: "Not isolated: no policy limits who may connect to these, or whom they may connect to",
      workloads: openToAll.filter((workload) => from.has(workload)),
    },
    {
      text: "Not isolated for ingress: no policy limits who may connect to these",
      workloads: openToAll.filter((workload) => !from.has(workload)),
    },
    {
      text: "Not isolated for egress: no policy limits whom these may connect to",
      workloads: openFromAll.filter((workload) => !to.has(workload)),
    },
    {
      text: "On the host network: policies cannot select these, only their node's address counts",
      workloads: cluster.workloads.filter(({ hostNetwork }) => hostNetwork),
    },
  ].filter(({ workloads }) => workloads.length > 0);
}
