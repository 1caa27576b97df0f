import type { Cluster } from "../../policypack/reachability/model";
import { selectsEverything } from "../../policypack/reachability/selector";
import { ownFinding, type Finding } from "./finding";
import { titleOf } from "./live-cluster";
import { opensFor } from "./opens-for";
import type { Scope } from "./scope";

/** Pods that a default-deny shuts off and no policy opens anything for. That nothing isolates a pod is said by a rule. */
export function unservedPods({ workloads, networkPolicies }: Cluster, scope: Scope): Finding[] {
  return workloads
    .filter(({ namespace, hostNetwork }) => scope.has(namespace) && !hostNetwork)
    .filter((workload) => {
      const own = networkPolicies.filter(({ namespace }) => namespace === workload.namespace);
      const isShut = (direction: "ingress" | "egress"): boolean =>
        own.some((policy) => policy[direction] !== undefined && selectsEverything(policy.podSelector));
      return isShut("ingress") && isShut("egress") && !own.some((policy) => opensFor(policy, workload));
    })
    .map((workload) =>
      ownFinding({
        kind: "stray",
        about: titleOf(workload),
        found: `has the labels ${JSON.stringify(workload.labels)}, which no policy but default-deny selects`,
        danger:
          "it reaches nothing, not even DNS, and nothing reaches it; whoever makes it work in a hurry opens too much.",
        fix: "give it the labels of the service it belongs to, add a policy for it, or remove it.",
      }),
    );
}
