import { formatPorts, hasNoPorts, subtractPorts } from "../../policypack/port-set";
import { difference } from "../../policypack/reachability/difference";
import type { Cluster, NetworkPolicy } from "../../policypack/reachability/model";
import { endNames } from "../formats/ends";

/** Flows of one effect that are told. */
const most = 8;

/**
 * What one policy that is not as declared opens and closes in a cluster in which everything else is: what other policies do wrong
 * hides nothing of it.
 *
 * @param declared the cluster as it should be
 * @param actual the policy as it is; undefined where it is missing
 * @returns the rest of a sentence that `it` begins, blank included; several flows are on lines of their own
 */
export function effectOf(
  declared: Cluster,
  { namespace, name }: Pick<NetworkPolicy, "namespace" | "name">,
  actual: NetworkPolicy | undefined,
): string {
  const others = declared.networkPolicies.filter(
    (policy) => policy.namespace !== namespace || policy.name !== name,
  );
  const asItIs = { ...declared, networkPolicies: actual === undefined ? others : [...others, actual] };
  const names = endNames(declared);
  const opened: string[] = [];
  const closed: string[] = [];
  for (const { from, to, before, after } of difference(declared, asItIs).changes) {
    const flow = `${names.ends(from).text} -> ${names.ends(to).text}`;
    const [more, less] = [subtractPorts(after, before), subtractPorts(before, after)];
    if (!hasNoPorts(more)) opened.push(`opens ${flow} on ${formatPorts(more)}`);
    if (!hasNoPorts(less)) closed.push(`closes ${flow} on ${formatPorts(less)}`);
  }
  // What is opened is the danger, so it comes first.
  const lines = [...opened, ...closed];
  if (lines.length === 0)
    return " opens and closes nothing as long as all other policies and pods stay as they are";
  if (lines.length === 1) return ` ${lines.join("")}`;
  const rest = lines.length - most;
  const shown = rest > 1 ? [...lines.slice(0, most), `and ${rest} more`] : lines;
  return shown.map((line) => `\n  ${line}`).join("");
}
