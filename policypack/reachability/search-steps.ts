/** Counts the steps of a search, so that it ends. */
export class SearchSteps {
  private taken = 0;

  /** @param limit how many may be taken */
  constructor(readonly limit: number) {}

  /** Takes some steps. Throws {@link OutOfSteps} when that is more than may be taken. */
  take(count = 1): void {
    this.taken += count;
    if (this.taken > this.limit) throw new OutOfSteps(this.limit);
  }
}

/** A search was given up before it was decided. */
export class OutOfSteps extends Error {
  constructor(limit: number) {
    super(`not decided within ${limit} steps`);
  }
}
