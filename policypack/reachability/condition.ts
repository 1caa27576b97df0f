import type { Requirement, Selector } from "./model";

/**
 * What a pod that does not exist yet has to fulfil to be matched: a selector over all that its creator chooses, by the keys that
 * {@link chosenKey} makes. Equal conditions of one {@link Conditions} are the same object.
 */
export interface Condition extends Selector {
  readonly id: number;
}

/** What the creator of a pod chooses: its labels, those of its namespace where that is new too, and names for its ports. */
export type Choice = "label" | "namespace label" | "port name";

/** One kind of key for all that is chosen, so that one search goes through it. */
export function chosenKey(choice: Choice, key: string): string {
  return `${choice}:${key}`;
}

/** A key as it was before {@link chosenKey}; undefined where it is of another kind of choice. */
export function keyOf(choice: Choice, chosen: string): string | undefined {
  return chosen.startsWith(`${choice}:`) ? chosen.slice(choice.length + 1) : undefined;
}

/** Makes conditions, each once. */
export class Conditions {
  private readonly known = new Map<string, Condition>();
  /** The condition that every pod fulfils. */
  readonly always = this.of([]);

  of(requirements: readonly Requirement[]): Condition {
    const texts = requirements.map(({ key, operator, values }) => JSON.stringify([key, operator, values]));
    const key = texts.sort().join();
    let condition = this.known.get(key);
    if (condition === undefined) {
      condition = { id: this.known.size, requirements };
      this.known.set(key, condition);
    }
    return condition;
  }

  both(a: Condition, b: Condition): Condition {
    if (a === b || b === this.always) return a;
    return a === this.always ? b : this.of([...a.requirements, ...b.requirements]);
  }
}
