import type { Reporter } from "./define-rule";
import type { KubernetesObject } from "./kubernetes-object";
import { field, isList, isObject, isUnknown, quote, type Plain, type PlainObject } from "./plain-data";

/** The way out where a value is not known in the preview. */
export const literalValueFix =
  "the value itself, or one from stack config or from another object's input; an output of a resource that does not exist yet is not known in the preview.";

export type Direction = "Ingress" | "Egress";

/** How the directions are spelt in a NetworkPolicy. */
export const directions = [
  { direction: "Ingress", rules: "ingress", peers: "from", others: "sources" },
  { direction: "Egress", rules: "egress", peers: "to", others: "destinations" },
] as const satisfies readonly { direction: Direction; rules: string; peers: string; others: string }[];

/** One allow rule of a NetworkPolicy. */
export interface AllowRule {
  readonly direction: Direction;
  /** `spec.egress[1]` */
  readonly at: string;
  /** The rule's key for its peers: `from` or `to`. */
  readonly peersKey: "from" | "to";
  readonly body: PlainObject;
}

/**
 * The allow rules of a NetworkPolicy, in order. Rules that are not known or are no objects are reported as unverifiable, with
 * `danger` saying what may be behind them; a missing direction holds no rules.
 */
export function readAllowRules(policy: KubernetesObject, danger: string, report: Reporter): AllowRule[] {
  const spec = field(policy.body, "spec");
  if (spec !== undefined && !isObject(spec)) {
    report.unverifiable({ at: "spec", ...notReadable(spec, "an object"), danger, fix: literalValueFix });
    return [];
  }
  return directions.flatMap(({ direction, rules: key, peers: peersKey }) => {
    const rules = field(spec, key);
    return readItems(rules, `spec.${key}`, danger, report).map(({ at, body }) => ({
      direction,
      at,
      peersKey,
      body,
    }));
  });
}

/** A member of a list, with its path. */
export interface Item {
  /** `spec.egress[1].to[0]` */
  readonly at: string;
  readonly body: PlainObject;
}

/** The members of a list of objects; what is not known or no object is reported as unverifiable. */
export function readItems(list: Plain | undefined, at: string, danger: string, report: Reporter): Item[] {
  if (list === undefined) return [];
  if (!isList(list)) {
    report.unverifiable({ at, ...notReadable(list, "a list"), danger, fix: literalValueFix });
    return [];
  }
  return list.flatMap((body, index): Item[] => {
    const itemAt = `${at}[${index}]`;
    if (isObject(body)) return [{ at: itemAt, body }];
    report.unverifiable({ at: itemAt, ...notReadable(body, "an object"), danger, fix: literalValueFix });
    return [];
  });
}

/** How a value that should have been `expected` is reported. */
export function notReadable(value: Plain, expected: string): { found?: string } {
  if (!isUnknown(value)) return { found: `is ${quote(value)} and not ${expected}` };
  return value.text === undefined
    ? {}
    : { found: `is ${JSON.stringify(value.text)}, in which a value is not known yet` };
}

/** Whether a list is missing or empty, which mean the same in a NetworkPolicy. */
export function isAbsentOrEmpty(value: Plain | undefined): boolean {
  return value === undefined || (isList(value) && value.length === 0);
}

/**
 * Whether a label selector has no requirement at all, so that it selects everything: `{}`, also with empty matchLabels or
 * matchExpressions. Undefined when that is not known.
 */
export function selectsEverything(selector: PlainObject): boolean | undefined {
  const labels = field(selector, "matchLabels") ?? {};
  const expressions = field(selector, "matchExpressions") ?? [];
  if (isObject(labels) && Object.keys(labels).length > 0) return false;
  if (isList(expressions) && expressions.length > 0) return false;
  return isObject(labels) && isList(expressions) ? true : undefined;
}
