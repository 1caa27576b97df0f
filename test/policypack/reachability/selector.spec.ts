import assert from "node:assert/strict";
import fc from "fast-check";
import { indexLabels } from "../../../policypack/reachability/label-index";
import type { Labels, Requirement } from "../../../policypack/reachability/model";
import { formatSelector, selectorKey, selects } from "../../../policypack/reachability/selector";

const requirement = (
  key: string,
  operator: Requirement["operator"],
  ...values: readonly string[]
): Requirement => ({ key, operator, values });

const requirements = fc.array(
  fc
    .tuple(
      fc.constantFrom("app", "tier"),
      fc.constantFrom("In", "NotIn", "Exists", "DoesNotExist"),
      fc.uniqueArray(fc.constantFrom("a", "b", ""), { minLength: 1 }),
    )
    .map(([key, operator, values]) =>
      requirement(key, operator, ...(operator.endsWith("In") ? values.sort() : [])),
    ),
  { maxLength: 3 },
);
const labels: fc.Arbitrary<Labels> = fc.dictionary(
  fc.constantFrom("app", "tier", "other"),
  fc.constantFrom("a", "b", ""),
  { noNullPrototype: true },
);

describe("a selector", () => {
  it("is written as kubectl writes it", () => {
    const cases: [string, Requirement[]][] = [
      ["everything", []],
      ["app=web", [requirement("app", "In", "web")]],
      ["tier in (a,b)", [requirement("tier", "In", "a", "b")]],
      ["app!=web", [requirement("app", "NotIn", "web")]],
      ["tier notin (a,b)", [requirement("tier", "NotIn", "a", "b")]],
      ["legacy", [requirement("legacy", "Exists")]],
      ["!legacy", [requirement("legacy", "DoesNotExist")]],
      ["app=web,!legacy", [requirement("app", "In", "web"), requirement("legacy", "DoesNotExist")]],
    ];
    for (const [text, given] of cases) assert.equal(formatSelector({ requirements: given }), text);
  });

  it("selects by the labels that are there, and a label that is missing satisfies NotIn and DoesNotExist", () => {
    const [web, bare] = [{ app: "web" }, {}];
    const selected = (given: Requirement): Labels[] =>
      [web, bare].filter((one) => selects({ requirements: [given] }, one));
    assert.deepEqual(selected(requirement("app", "In", "web", "x")), [web]);
    assert.deepEqual(selected(requirement("app", "In", "x")), []);
    assert.deepEqual(selected(requirement("app", "NotIn", "web")), [bare]);
    assert.deepEqual(selected(requirement("app", "NotIn", "x")), [web, bare]);
    assert.deepEqual(selected(requirement("app", "Exists")), [web]);
    assert.deepEqual(selected(requirement("app", "DoesNotExist")), [bare]);
    // Every object of JavaScript has one by inheritance.
    assert.deepEqual(selected(requirement("constructor", "Exists")), []);
  });

  it("has the key of those with the same requirements in another order, and of no others", () => {
    const [web, data, old] = [
      requirement("app", "In", "web"),
      requirement("tier", "In", "data"),
      requirement("old", "Exists"),
    ];
    const key = (...given: Requirement[]): string => selectorKey({ requirements: given });
    assert.equal(key(web, data, old), key(old, data, web));
    const others = [
      key(),
      key(web),
      key(data),
      key(web, data),
      key(requirement("app", "NotIn", "web")),
      key(requirement("app", "In", "web", "x")),
    ];
    assert.equal(new Set(others).size, others.length);
  });

  it("finds in an index of labels what it selects one by one, in ascending order", () => {
    fc.assert(
      fc.property(fc.array(labels, { maxLength: 8 }), requirements, (things, given) => {
        const selector = { requirements: given };
        const numbers = [...things.keys()].map((number) => number + 2);
        const labelsOf = (number: number): Labels => things[number - 2] ?? {};
        assert.deepEqual(
          [...indexLabels(numbers, labelsOf).select(selector)],
          numbers.filter((number) => selects(selector, labelsOf(number))),
        );
      }),
      { numRuns: 300 },
    );
  });
});
