import type { NetworkPolicy, Workload } from "../../policypack/reachability/model";
import { selects, selectsEverything } from "../../policypack/reachability/selector";

/** Whether a policy is for the pods in particular, or opens something for them: a default-deny does neither. */
export function opensFor(policy: NetworkPolicy, { namespace, labels, hostNetwork }: Workload): boolean {
  const { podSelector, ingress = [], egress = [] } = policy;
  if (hostNetwork || policy.namespace !== namespace || !selects(podSelector, labels)) return false;
  return ingress.length > 0 || egress.length > 0 || !selectsEverything(podSelector);
}
