import { field, isList, isObject, type Plain, type PlainObject } from "../plain-data";
import { childPath, either, nearest, notAllowed, show, type Report } from "./read-problem";

/** The names of the fields that the API has in one place. */
export type FieldNames = ReadonlySet<string>;

export function fieldNames(...names: readonly string[]): FieldNames {
  return new Set(names);
}

const noItems: readonly Plain[] = [];

/** An object with no other fields than those of the API; undefined when it is missing, or reported as none. */
export function readObject(
  value: Plain | undefined,
  at: string,
  names: FieldNames,
  report: Report,
): PlainObject | undefined {
  if (value === undefined) return undefined;
  if (!isObject(value)) {
    const allowed = `an object with the fields ${[...names].join(", ")}`;
    report(notAllowed(value, { at, allowed, fix: "write an object, or leave it out" }));
    return undefined;
  }
  // Object.keys would make a list for every object there is.
  for (const key in value) {
    if (!names.has(key) && Object.hasOwn(value, key)) reportUnknownField(key, at, names, report);
  }
  return value;
}

/** A field the API server does not have there, which it refuses, or drops when it is asked to be lenient. */
export function reportUnknownField(key: string, at: string, names: FieldNames, report: Report): void {
  const meant = nearest(key, names);
  report({
    at: childPath(at, key),
    problem: "is not a field of the API",
    allowed: [...names].join(", "),
    fix: meant === undefined ? "remove it, or move it to where it belongs" : `write ${meant}`,
    unknown: false,
  });
}

/** The items of a list; none when it is missing, or reported as no list. */
export function readList(
  value: Plain | undefined,
  at: string,
  items: string,
  report: Report,
): readonly Plain[] {
  if (value === undefined) return noItems;
  if (isList(value)) return value;
  report(notAllowed(value, { at, allowed: `a list of ${items}`, fix: "write a list, or leave it out" }));
  return noItems;
}

/** How many of what a list may hold, and what to do with more of them. */
export interface ListBounds {
  readonly items: string;
  readonly most: number;
  /** As in `write them in several rules`. */
  readonly more: string;
}

/** The items of a list that has to be there and hold one item or more. */
export function readBoundedList(
  value: Plain | undefined,
  at: string,
  bounds: ListBounds,
  fix: string,
  report: Report,
): readonly Plain[] {
  const allowed = `a list of 1 to ${bounds.most} ${bounds.items}`;
  if (!isList(value)) {
    report(notAllowed(value, { at, allowed, fix }));
    return noItems;
  }
  if (value.length === 0) report(notAllowed(value, { at, allowed, fix }));
  reportTooMany(value, at, bounds, report);
  return value;
}

export function reportTooMany(
  list: readonly Plain[],
  at: string,
  { items, most, more }: ListBounds,
  report: Report,
): void {
  if (list.length <= most) return;
  const problem = `has ${list.length} items`;
  report({ at, problem, allowed: `at most ${most} ${items}`, fix: more, unknown: false });
}

/** One of some texts, which has to be there; undefined when it is reported. */
export function readChoice<T extends string>(
  value: Plain | undefined,
  at: string,
  choices: readonly T[],
  report: Report,
): T | undefined {
  const choice = choices.find((candidate) => candidate === value);
  if (choice !== undefined) return choice;
  const quoted = choices.map((candidate) => show(candidate));
  const meant = typeof value === "string" ? nearest(value, choices) : undefined;
  report(
    notAllowed(value, {
      at,
      allowed: either(quoted),
      fix: `write ${meant === undefined ? either(quoted) : show(meant)}`,
    }),
  );
  return undefined;
}

/** A whole number within bounds, which has to be there; undefined when it is reported. */
export function readInteger(
  value: Plain | undefined,
  at: string,
  [least, most]: readonly [number, number],
  report: Report,
): number | undefined {
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
  const allowed = `a whole number from ${least} to ${most}`;
  report(notAllowed(value, { at, allowed, fix: numberFix(value, least, most) ?? `write ${allowed}` }));
  return undefined;
}

/** The way out where a number that is right stands in quotes. */
export function numberFix(value: Plain | undefined, least: number, most: number): string | undefined {
  if (typeof value !== "string" || !/^(0|[1-9]\d*)$/.test(value)) return undefined;
  const number = Number(value);
  return number >= least && number <= most ? `write ${number} without quotes` : undefined;
}

/** The one field that an object sets of those of which it has to set exactly one; undefined when it is reported. */
export function readOnlyField(
  value: Plain | undefined,
  at: string,
  names: FieldNames,
  report: Report,
): { readonly name: string; readonly value: Plain } | undefined {
  const one = names.size === 1 ? [...names].join() : `exactly one of ${[...names].join(", ")}`;
  const allowed = `an object that sets ${one}`;
  if (!isObject(value)) {
    report(notAllowed(value, { at, allowed, fix: `write ${allowed}` }));
    return undefined;
  }
  readObject(value, at, names, report);
  const set: { name: string; value: Plain }[] = [];
  for (const name of names) {
    const given = field(value, name);
    if (given !== undefined) set.push({ name, value: given });
  }
  const [only, ...more] = set;
  if (only !== undefined && more.length === 0) return only;
  if (only === undefined)
    report({ at, problem: "sets nothing", allowed: one, fix: `set ${either([...names])}`, unknown: false });
  else {
    const problem = `sets ${set.map(({ name }) => name).join(" and ")}`;
    const fix = "keep one of them, and write an item of its own for each other";
    report({ at, problem, allowed: one, fix, unknown: false });
  }
  return undefined;
}
