import type { Reachability } from "../../policypack/reachability/reachability";
import { counted } from "./counted";

/** `15 workloads in 3 namespaces, 20 policies; not isolated: 2 for ingress, 3 for egress`. */
export function summary({ cluster, openToAll, openFromAll }: Reachability): string {
  const namespaces = new Set(cluster.workloads.map(({ namespace }) => namespace)).size;
  const policies = cluster.networkPolicies.length + cluster.clusterPolicies.length;
  const onHostNetwork = cluster.workloads.filter(({ hostNetwork }) => hostNetwork).length;
  return [
    `${counted(cluster.workloads.length, "workload")} in ${counted(namespaces, "namespace")}, ` +
      counted(policies, "policy", "policies"),
    `not isolated: ${counted(openToAll.length, "for ingress", "for ingress")}, ` +
      counted(openFromAll.length, "for egress", "for egress"),
    ...(onHostNetwork === 0 ? [] : [`${counted(onHostNetwork, "workload")} on the host network`]),
  ].join("; ");
}
