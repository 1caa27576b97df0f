import assert from "node:assert/strict";
import fc from "fast-check";
import { fewestLabels } from "../../../policypack/reachability/fewest-labels";
import type { Labels, Requirement, Selector } from "../../../policypack/reachability/model";
import { OutOfSteps, SearchSteps } from "../../../policypack/reachability/search-steps";
import { selects } from "../../../policypack/reachability/selector";
import { propertyRuns } from "../property-runs";

/** `app=a|b` and `app!=a|b`, `app` and `!app`; several with spaces between them. */
function selector(text: string): Selector {
  return { requirements: text.split(" ").filter(Boolean).map(requirement) };
}

function requirement(text: string): Requirement {
  const [key = "", values] = text.split(/!?=/);
  if (values !== undefined) {
    return { key, operator: text.includes("!=") ? "NotIn" : "In", values: values.split("|") };
  }
  return text.startsWith("!")
    ? { key: text.slice(1), operator: "DoesNotExist", values: [] }
    : { key: text, operator: "Exists", values: [] };
}

function fewest(all: readonly string[], none: readonly string[] = [], steps = 1000): Labels | undefined {
  return fewestLabels(all.map(selector), none.map(selector), new SearchSteps(steps));
}

describe("the fewest labels", () => {
  it("are what every selector asks for together", () => {
    assert.deepEqual(fewest([]), {});
    assert.deepEqual(fewest(["app=a", "tier"]), { app: "a", tier: "any" });
    assert.deepEqual(fewest(["app=a|b", "app=b|c"]), { app: "b" });
    assert.deepEqual(fewest(["app=a|b", "app!=a"]), { app: "b" });
    assert.deepEqual(fewest(["app!=a", "app=a|b"]), { app: "b" });
    assert.deepEqual(fewest(["app!=a", "app!=b", "app=a|b|c"]), { app: "c" });
    assert.deepEqual(fewest(["app!=a", "!tier"]), {});
  });

  it("are none where selectors contradict each other", () => {
    for (const all of [
      ["app=a", "app=b"],
      ["app=a", "app!=a"],
      ["app!=a", "app=a"],
      ["app=a|b", "app!=a", "app!=b"],
      ["app!=a", "app!=b", "app=a|b"],
      ["app=a", "!app"],
      ["!app", "app=a"],
      ["app", "!app"],
      ["!app", "app"],
    ]) {
      assert.equal(fewest(all), undefined, all.join());
    }
    assert.equal(fewest([], [""]), undefined);
    assert.equal(fewest(["app=a"], ["app=a"]), undefined);
    assert.equal(fewest(["app=a"], ["app"]), undefined);
    assert.equal(fewest(["!app"], ["!app"]), undefined);
  });

  it("have a value that no selector names for the label, where it may be any", () => {
    assert.deepEqual(fewest(["app", "app!=any"]), { app: "any-2" });
    assert.deepEqual(fewest(["app", "app!=any|any-2"]), { app: "any-3" });
    assert.deepEqual(fewest(["app"], ["app=any"]), { app: "any-2" });
    assert.deepEqual(fewest(["app", "tier!=any"]), { app: "any" });
  });

  it("leave out, add or change a label so that no selector of the other list selects them", () => {
    assert.deepEqual(fewest([], ["app=a"]), {});
    assert.deepEqual(fewest([], ["!app"]), { app: "any" });
    assert.deepEqual(fewest([], ["app!=b|a"]), { app: "b" });
    assert.deepEqual(fewest(["app=a|b"], ["app=a"]), { app: "b" });
    assert.deepEqual(fewest(["app"], ["app=any|any-2"]), { app: "any-3" });
    assert.deepEqual(fewest(["app=a"], ["app=a !tier"]), { app: "a", tier: "any" });
  });

  it("are fewer than the first that are found, where there are fewer", () => {
    const pairs = ["!a !b", "!b !c"];
    assert.deepEqual(fewest([], pairs), { b: "any" });
    assert.deepEqual(fewest([], ["!b !a", "!b !c"]), { b: "any" });
    assert.deepEqual(fewest([], [...pairs, "!c !d"]), { a: "any", c: "any" });
    assert.deepEqual(fewest([], ["!a !b"]), { a: "any" });
  });

  it("change a value rather than add a label, where both are as few in the end", () => {
    const all = ["b=x|y"];
    assert.deepEqual(fewest(all, ["!a b=x", "b=y !c"]), { b: "y", c: "any" });
    assert.deepEqual(fewest(all, ["a!=q b=x", "b=y !c"]), { b: "y", c: "any" });
  });

  it("are given up after the steps that are left, of which many selectors take more", () => {
    const many = Array.from({ length: 64 }, (_, index) => `app=${index}`);
    assert.deepEqual(fewest([], ["!app"], 2), { app: "any" });
    assert.throws(() => fewest([], ["!app"], 1), OutOfSteps);
    assert.deepEqual(fewest([], many, 3), {});
    assert.throws(() => fewest([], many, 2), OutOfSteps);
  });

  it("are what trying all labels finds", () => {
    const keys = ["app", "tier", "zone"];
    const some = fc
      .array(
        fc.tuple(
          fc.constantFrom(...keys),
          fc.constantFrom("", "!", "=", "!="),
          fc.constantFrom("a", "b", "a|b"),
        ),
        { maxLength: 3 },
      )
      .map((requirements) =>
        requirements
          .map(([key, operator, values]) =>
            operator.endsWith("=") ? `${key}${operator}${values}` : `${operator}${key}`,
          )
          .join(" "),
      );
    const choices = [undefined, "a", "b", "any"];
    const every = choices.flatMap((app) =>
      choices.flatMap((tier) =>
        choices.map((zone): Labels => JSON.parse(JSON.stringify({ app, tier, zone })) as Labels),
      ),
    );
    fc.assert(
      fc.property(fc.array(some, { maxLength: 3 }), fc.array(some, { maxLength: 4 }), (all, none) => {
        const fits = (labels: Labels): boolean =>
          all.every((text) => selects(selector(text), labels)) &&
          !none.some((text) => selects(selector(text), labels));
        const counts = every.filter(fits).map((labels) => Object.keys(labels).length);
        const found = fewest(all, none, 100_000);
        assert.equal(
          found && Object.keys(found).length,
          counts.length === 0 ? undefined : Math.min(...counts),
        );
        if (found) assert.ok(fits(found));
      }),
      propertyRuns(20_000),
    );
  });
});
