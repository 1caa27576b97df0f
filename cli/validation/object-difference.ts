import { childPath } from "../../policypack/reachability/read-problem";
import { field, isList, isObject, quote, type Plain } from "../../policypack/plain-data";

/** A difference at one place of an object, as the end of a sentence that the place begins. */
export interface ObjectDifference {
  /** `spec.ingress[0].ports` */
  readonly at: string;
  readonly found: string;
}

/**
 * Where an object differs from what it should be. A null field is a missing one, and in which order the items of a list stand makes no
 * difference: in a policy none of them goes before another.
 *
 * @param at path of the two values within their object
 */
export function objectDifferences(
  expected: Plain | undefined,
  actual: Plain | undefined,
  at: string,
): ObjectDifference[] {
  if (canonical(expected) === canonical(actual)) return [];
  if (isObject(expected) && isObject(actual)) {
    return keysOf(expected, actual).flatMap((key) =>
      objectDifferences(field(expected, key), field(actual, key), childPath(at, key)),
    );
  }
  if (isList(expected) && isList(actual)) return listDifferences(expected, actual, at);
  if (actual === undefined) return [{ at, found: `is missing; the stack has ${quote(expected)}` }];
  const wanted = expected === undefined ? "none" : quote(expected);
  return [{ at, found: `is ${quote(actual)}; the stack has ${wanted}` }];
}

/** Where an object lacks what it should have; what it has besides makes no difference. */
export function missingParts(
  expected: Plain | undefined,
  actual: Plain | undefined,
  at: string,
): ObjectDifference[] {
  if (!isObject(expected)) return objectDifferences(expected, actual, at);
  return Object.keys(expected).flatMap((key) =>
    missingParts(field(expected, key), field(actual, key), childPath(at, key)),
  );
}

function listDifferences(
  expected: readonly Plain[],
  actual: readonly Plain[],
  at: string,
): ObjectDifference[] {
  const lacking = without(expected, actual);
  const besides = without(actual, expected);
  // One item in the place of another is that item changed.
  const [only, found] = [lacking[0], besides[0]];
  if (lacking.length === 1 && besides.length === 1 && isObject(only?.item) && isObject(found?.item)) {
    return objectDifferences(only.item, found.item, `${at}[${found.index}]`);
  }
  return [
    ...lacking.map(({ item }) => ({ at, found: `lacks ${quote(item)}, which the stack has` })),
    ...besides.map(({ item, index }) => ({
      at: `${at}[${index}]`,
      found: `is ${quote(item)}, which the stack does not have`,
    })),
  ];
}

/** The items of a list that another one lacks, as often as it lacks them. */
function without(items: readonly Plain[], others: readonly Plain[]): { item: Plain; index: number }[] {
  const left = others.map(canonical);
  return items.flatMap((item, index) => {
    const same = left.indexOf(canonical(item));
    if (same < 0) return [{ item, index }];
    left.splice(same, 1);
    return [];
  });
}

/** Equal for values that mean the same. */
function canonical(value: Plain | undefined): string {
  if (isList(value)) return `[${value.map(canonical).sort().join()}]`;
  if (isObject(value)) {
    const parts = keysOf(value).map((key) => `${JSON.stringify(key)}:${canonical(field(value, key))}`);
    return `{${parts.join()}}`;
  }
  return JSON.stringify(value ?? null);
}

/** The keys that have a value in one of the objects, sorted. */
function keysOf(...objects: readonly Plain[]): string[] {
  const keys = objects.flatMap((object) =>
    isObject(object) ? Object.keys(object).filter((key) => field(object, key) !== undefined) : [],
  );
  return [...new Set(keys)].sort();
}
