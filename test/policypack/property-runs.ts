/**
 * How many inputs a property is tried with, for fast-check. `ZERO_TRUST_PROPERTY_RUNS` scales all of them: it is the number for a
 * property that usually has 10,000. `ZERO_TRUST_PROPERTY_SEED` draws other inputs, or the same in every run.
 * @param usual Where nothing is set.
 * @param seed Where none is set; absent means a new one each time.
 */
export function propertyRuns(usual: number, seed?: number): { numRuns: number; seed?: number } {
  const { ZERO_TRUST_PROPERTY_RUNS: runs, ZERO_TRUST_PROPERTY_SEED: ownSeed } = process.env;
  const drawn = ownSeed === undefined ? seed : Number(ownSeed);
  return {
    numRuns: runs === undefined ? usual : Math.ceil((usual * Number(runs)) / 10_000),
    ...(drawn === undefined ? {} : { seed: drawn }),
  };
}
