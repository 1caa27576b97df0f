import type { Labels, Requirement, Selector } from "./model";

/** Whether the selector has no requirement, so that it selects everything. */
export function selectsEverything(selector: Selector): boolean {
  return selector.requirements.length === 0;
}

/** Whether something with these labels is selected (`meta/v1` LabelSelector). */
export function selects({ requirements }: Selector, labels: Labels): boolean {
  return requirements.every((requirement) => satisfies(labels, requirement));
}

/** Whether labels satisfy one requirement. A label that is missing satisfies NotIn and DoesNotExist. */
export function satisfies(labels: Labels, { key, operator, values }: Requirement): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
  }
}

const keys = new WeakMap<Selector, string>();

/** Equal for selectors with the same requirements, in whatever order. */
export function selectorKey(selector: Selector): string {
  let key = keys.get(selector);
  if (key === undefined) {
    key = selector.requirements
      .map((requirement) => JSON.stringify([requirement.key, requirement.operator, requirement.values]))
      .sort()
      .join("");
    keys.set(selector, key);
  }
  return key;
}

/** `app=web,tier in (a,b),!legacy`, the notation of kubectl; `everything` for a selector without requirements. */
export function formatSelector({ requirements }: Selector): string {
  return requirements.length === 0 ? "everything" : requirements.map(formatRequirement).join(",");
}

function formatRequirement({ key, operator, values }: Requirement): string {
  switch (operator) {
    case "In":
      return values.length === 1 ? `${key}=${values.join()}` : `${key} in (${values.join(",")})`;
    case "NotIn":
      return values.length === 1 ? `${key}!=${values.join()}` : `${key} notin (${values.join(",")})`;
    case "Exists":
      return key;
    case "DoesNotExist":
      return `!${key}`;
  }
}
