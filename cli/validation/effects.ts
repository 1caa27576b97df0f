import { formatPorts, hasNoPorts, subtractPorts } from "../../policypack/port-set";
import { difference } from "../../policypack/reachability/difference";
import type { Cluster, NetworkPolicy } from "../../policypack/reachability/model";
import { endNames } from "../formats/ends";

/** Flows of one effect that are told. */
const most = 8;

/**
 * What a policy that is not as it should be opens and closes, as the end of a sentence that `it` begins.
 *
 * @param live the cluster as it is
 * @param expected the policy as it should be; undefined where there should be none
 */
export function effectOf(
  live: Cluster,
  policy: Pick<NetworkPolicy, "namespace" | "name">,
  expected: NetworkPolicy | undefined,
): string {
  const others = live.networkPolicies.filter(
    ({ namespace, name }) => namespace !== policy.namespace || name !== policy.name,
  );
  const asDeclared = { ...live, networkPolicies: expected === undefined ? others : [...others, expected] };
  const names = endNames(live);
  const lines = difference(asDeclared, live).changes.flatMap(({ from, to, before, after }) => {
    const flow = `${names.ends(from).text} -> ${names.ends(to).text}`;
    const opened = subtractPorts(after, before);
    const closed = subtractPorts(before, after);
    return [
      ...(hasNoPorts(opened) ? [] : [`opens ${flow} on ${formatPorts(opened)}`]),
      ...(hasNoPorts(closed) ? [] : [`closes ${flow} on ${formatPorts(closed)}`]),
    ];
  });
  if (lines.length === 0)
    return "opens and closes nothing among the pods of today, which says nothing of those to come.";
  // What is opened is the danger, so it comes first.
  const sorted = [
    ...lines.filter((line) => line.startsWith("opens")),
    ...lines.filter((line) => line.startsWith("closes")),
  ];
  const rest = sorted.length - most;
  const shown = rest > 1 ? [...sorted.slice(0, most), `and ${rest} more`] : sorted;
  return shown.join(";\n  ");
}
