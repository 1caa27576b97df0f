import type { Labels, Selector } from "./model";
import { selects, selectsEverything } from "./selector";

/** Things with labels, found by selector without looking at each of them. */
export interface LabelIndex {
  /** The numbers of the things selected, ascending. */
  select(selector: Selector): readonly number[];
}

/** An index of the things whose numbers are given, ascending, with the labels of each. */
export function indexLabels(numbers: readonly number[], labelsOf: (number: number) => Labels): LabelIndex {
  let byLabel: Map<string, Map<string, number[]>> | undefined;

  function index(): Map<string, Map<string, number[]>> {
    const made = new Map<string, Map<string, number[]>>();
    for (const number of numbers) {
      const labels = labelsOf(number);
      for (const key of Object.keys(labels)) {
        let byValue = made.get(key);
        if (byValue === undefined) made.set(key, (byValue = new Map<string, number[]>()));
        const value = labels[key] ?? "";
        const found = byValue.get(value);
        if (found === undefined) byValue.set(value, [number]);
        else found.push(number);
      }
    }
    return made;
  }

  /** The fewest things among which all selected ones are, by one requirement that names values; all things without such a one. */
  function candidates({ requirements }: Selector): readonly number[] {
    const labels = (byLabel ??= index());
    let fewest = numbers;
    for (const { key, operator, values } of requirements) {
      if (operator !== "In") continue;
      const found = values.flatMap((value) => labels.get(key)?.get(value) ?? []);
      if (found.length < fewest.length) fewest = found.sort((a, b) => a - b);
    }
    return fewest;
  }

  return {
    select(selector) {
      if (selectsEverything(selector)) return numbers;
      const found = candidates(selector);
      // A thing that is a candidate by the only requirement needs no second look.
      if (selector.requirements.length === 1 && found !== numbers) return found;
      return found.filter((number) => selects(selector, labelsOf(number)));
    },
  };
}
