import { field, isList, isObject, isUnknown, type Plain, type PlainObject } from "./plain-data";

/** The label with its name that the API server sets on every namespace, whatever anybody writes (Kubernetes 1.21 and later). */
export const namespaceNameLabel = "kubernetes.io/metadata.name";

/**
 * The values of which a label has one on everything that a selector (`meta/v1` LabelSelector) selects: that in matchLabels, or
 * those of an expression with operator In. Each may be unknown. Undefined when the selector does not ask for a value of the
 * label; `unknown` when it is not known whether it does. Requirements on other labels, and further ones on this label,
 * only narrow the selection, so the first that asks for a value answers.
 */
export function requiredValues(selector: PlainObject, key: string): readonly Plain[] | "unknown" | undefined {
  const labels = field(selector, "matchLabels");
  const label = field(labels, key);
  if (label !== undefined) return [label];
  const expressions = field(selector, "matchExpressions");
  let maybe = isUnknown(labels) || isUnknown(expressions);
  for (const expression of isList(expressions) ? expressions : []) {
    const values = valuesOf(expression, key);
    if (values === "unknown") maybe = true;
    else if (values !== undefined) return values;
  }
  return maybe ? "unknown" : undefined;
}

function valuesOf(expression: Plain, key: string): readonly Plain[] | "unknown" | undefined {
  if (!isObject(expression)) return isUnknown(expression) ? "unknown" : undefined;
  const ofKey = field(expression, "key");
  const operator = field(expression, "operator");
  const isIn = operator === "In" || isUnknown(operator);
  if (!isIn || (ofKey !== key && !isUnknown(ofKey))) return undefined;
  if (isUnknown(operator) || isUnknown(ofKey)) return "unknown";
  const values = field(expression, "values");
  if (isUnknown(values)) return [values];
  return isList(values) && values.length > 0 ? values : undefined;
}
