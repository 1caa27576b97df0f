import type { KubernetesObject } from "./kubernetes-object";
import { directions, isAbsentOrEmpty, selectsEverything, type Direction } from "./network-policy";
import { field, isList, isObject, isUnknown, type Plain } from "./plain-data";

/**
 * By direction, whether a NetworkPolicy is default-deny: whether it selects all pods, lists the direction and has no rule for it.
 * Undefined when that is not known.
 */
export function deniesByDefault(
  policy: Pick<KubernetesObject, "body">,
): (direction: Direction) => boolean | undefined {
  const spec = field(policy.body, "spec");
  if (isUnknown(spec)) return () => undefined;
  const selector = field(spec, "podSelector");
  // A missing podSelector means all pods to the API server, but in a preview it may be one that is not known yet.
  const all = isUnknown(selector) ? undefined : isObject(selector) && selectsEverything(selector);
  const types = field(spec, "policyTypes");
  return (direction) => {
    const rules = field(spec, directions.find((entry) => entry.direction === direction)?.rules ?? "");
    const parts = [all, lists(types, direction), isUnknown(rules) ? undefined : isAbsentOrEmpty(rules)];
    if (parts.includes(false)) return false;
    return parts.includes(undefined) ? undefined : true;
  };
}

function lists(types: Plain | undefined, direction: Direction): boolean | undefined {
  if (isUnknown(types)) return undefined;
  if (!isList(types)) return false;
  return types.includes(direction) || (types.some((type: Plain) => isUnknown(type)) ? undefined : false);
}
