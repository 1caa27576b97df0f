import * as assert from "node:assert/strict";
import { readStackNetwork } from "../../cli/stack-network";
import { manifestsOf } from "../../matrix";
import { isFalseAlarm, isMissed, judgeMutants } from "../../mutants/judge";
import { mutantsOf, type Mutant } from "../../mutants/mutants";

/** Few enough for every run of the tests; `npm run mutants` judges them all. */
const everyNth = 40;

describe("the policy pack on mutants of the deployed policies", function () {
  this.timeout(120_000);

  for (const stack of ["staging", "prod"]) {
    const network = readStackNetwork(".", stack);
    const mutants = [...mutantsOf(manifestsOf(network))];

    it(`blocks those of ${stack} that are harmful and no others, in a sample with one of each kind`, () => {
      const verdicts = judgeMutants(network, [...oneOfEachKind(mutants), ...mutants.filter(isInSample)]);
      const titles = verdicts
        .filter((verdict) => isMissed(verdict) || isFalseAlarm(verdict))
        .map(
          ({ mutant, isHarmful }) => `${isHarmful ? "missed" : "false alarm"}: ${mutant.kind}: ${mutant.at}`,
        );
      assert.deepEqual(titles, []);
      assert.ok(verdicts.some(({ isHarmful }) => isHarmful));
      assert.ok(verdicts.some(({ isHarmful }) => !isHarmful));
    });

    it(`are of ${stack} 300 at least, each another one, and none the stack as it is`, () => {
      const written = mutants.map(({ objects }) => JSON.stringify(objects));
      assert.ok(written.length >= 300, String(written.length));
      assert.equal(new Set(written).size, written.length);
      assert.ok(!written.includes(JSON.stringify(manifestsOf(network))));
    });
  }

  it("leaves alone what is written in another way only", () => {
    const network = readStackNetwork(".", "staging");
    const rewritten: Mutant = {
      kind: "reverse the order",
      at: "of the objects",
      objects: [...manifestsOf(network)].reverse(),
      dropsSafeguard: false,
    };
    assert.deepEqual(judgeMutants(network, [rewritten]), [
      { mutant: rewritten, isHarmful: false, blockedBy: [] },
    ]);
  });
});

function isInSample(_: Mutant, index: number): boolean {
  return index % everyNth === 0;
}

function oneOfEachKind(mutants: readonly Mutant[]): Mutant[] {
  return [...new Map(mutants.map((mutant) => [mutant.kind, mutant])).values()];
}
