import type { Labels, Requirement, Selector } from "./model";
import type { SearchSteps } from "./search-steps";
import { selects, selectsEverything } from "./selector";

/** What is known of one label while the search goes on; a label that is not known at all may be anything. */
interface Wanted {
  /** True: the label is there. False: it is not. Undefined: either. */
  readonly there: boolean | undefined;
  /** The values that it may have; undefined where that may be any but those excluded. */
  readonly only: readonly string[] | undefined;
  readonly excluded: readonly string[];
}

/** About as many can be asked in the time that the rest of a step takes. */
const selectorsInAStep = 32;

const anything: Wanted = { there: undefined, only: undefined, excluded: [] };

/**
 * The fewest labels that every selector of one list selects and none of another; undefined where there are none such. Exact: a
 * selector that must not select leaves a choice of which requirement fails, and the choices are tried one after the other, as
 * far as the labels found so far are selected and another choice can have fewer labels. A value that may be any is `any`.
 *
 * Throws `OutOfSteps` when it takes more steps than are left.
 */
export function fewestLabels(
  all: readonly Selector[],
  none: readonly Selector[],
  steps: SearchSteps,
): Labels | undefined {
  if (none.some(selectsEverything)) return undefined;
  let fewest: Labels | undefined;
  let count = Infinity;

  function visit(wanted: ReadonlyMap<string, Wanted>): void {
    steps.take(1 + Math.floor(none.length / selectorsInAStep));
    const labels = Object.fromEntries(
      [...wanted].flatMap(([key, label]) => (label.there === true ? [[key, valueOf(key, label)]] : [])),
    );
    // No choice that is still open takes a label away.
    if (Object.keys(labels).length >= count) return;
    const selecting = none.find((selector) => selects(selector, labels));
    if (selecting === undefined) {
      fewest = labels;
      count = Object.keys(labels).length;
      return;
    }
    for (const requirement of selecting.requirements.map(negated).sort(withoutLabelFirst)) {
      const narrowed = narrow(wanted, [requirement]);
      if (narrowed !== undefined) visit(narrowed);
    }
  }

  const unnamed = new Map<string, string>();
  /** A value that no selector names, where it may be any: so no selector tells it from another such value. */
  function valueOf(key: string, { only }: Wanted): string {
    if (only !== undefined) return only[0] ?? "";
    let value = unnamed.get(key);
    if (value === undefined) unnamed.set(key, (value = unnamedValue(key, [...all, ...none])));
    return value;
  }

  const start = narrow(
    new Map(),
    all.flatMap(({ requirements }) => requirements),
  );
  if (start !== undefined) visit(start);
  return fewest;
}

function unnamedValue(key: string, selectors: readonly Selector[]): string {
  const named = new Set(
    selectors
      .flatMap(({ requirements }) => requirements)
      .flatMap((requirement) => (requirement.key === key ? requirement.values : [])),
  );
  let value = "any";
  for (let number = 2; named.has(value); number++) value = `any-${number}`;
  return value;
}

/** Undefined where the requirements contradict each other or what is wanted already. */
function narrow(
  wanted: ReadonlyMap<string, Wanted>,
  requirements: readonly Requirement[],
): ReadonlyMap<string, Wanted> | undefined {
  const narrowed = new Map(wanted);
  for (const requirement of requirements) {
    const label = narrowLabel(narrowed.get(requirement.key) ?? anything, requirement);
    if (label === undefined) return undefined;
    narrowed.set(requirement.key, label);
  }
  return narrowed;
}

function narrowLabel(label: Wanted, { operator, values }: Requirement): Wanted | undefined {
  switch (operator) {
    case "In": {
      const only = (label.only ?? values).filter(
        (value) => values.includes(value) && !label.excluded.includes(value),
      );
      return label.there === false || only.length === 0 ? undefined : { ...label, there: true, only };
    }
    case "NotIn": {
      const only = label.only?.filter((value) => !values.includes(value));
      return only?.length === 0 ? undefined : { ...label, only, excluded: [...label.excluded, ...values] };
    }
    case "Exists":
      return label.there === false ? undefined : { ...label, there: true };
    case "DoesNotExist":
      return label.there === true ? undefined : { ...label, there: false };
  }
}

const opposite = { In: "NotIn", NotIn: "In", Exists: "DoesNotExist", DoesNotExist: "Exists" } as const;

function negated(requirement: Requirement): Requirement {
  return { ...requirement, operator: opposite[requirement.operator] };
}

function withoutLabelFirst(a: Requirement, b: Requirement): number {
  return Number(needsLabel(a)) - Number(needsLabel(b));
}

function needsLabel({ operator }: Requirement): boolean {
  return operator === "In" || operator === "Exists";
}
