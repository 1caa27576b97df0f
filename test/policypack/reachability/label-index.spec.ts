import assert from "node:assert/strict";
import { indexLabels } from "../../../policypack/reachability/label-index";
import type { Labels, Requirement } from "../../../policypack/reachability/model";

const things: readonly Labels[] = [
  { app: "web", tier: "front" },
  { app: "api" },
  { app: "web", tier: "back" },
  {},
  { app: "db", tier: "back" },
  { app: "api", tier: "front" },
];
const index = indexLabels([...things.keys()], (number) => things[number] ?? {});

function selected(...requirements: readonly (readonly [string, Requirement["operator"], ...string[]])[]) {
  const selector = requirements.map(([key, operator, ...values]) => ({ key, operator, values }));
  return [...index.select({ requirements: selector })];
}

describe("an index of labels", () => {
  it("finds all things where nothing is required", () => {
    assert.deepEqual(selected(), [0, 1, 2, 3, 4, 5]);
  });

  it("finds things by one value of a label, or by several, in ascending order", () => {
    assert.deepEqual(selected(["app", "In", "web"]), [0, 2]);
    assert.deepEqual(selected(["app", "In", "web", "api"]), [0, 1, 2, 5]);
    assert.deepEqual(selected(["app", "In", "api", "db", "web"]), [0, 1, 2, 4, 5]);
    assert.deepEqual(selected(["app", "In", "nothing"]), []);
    assert.deepEqual(selected(["zone", "In", "a"]), []);
    assert.deepEqual(selected(["constructor", "In", "a"]), []);
  });

  it("finds things by a label alone, and by what they do not have", () => {
    assert.deepEqual(selected(["tier", "Exists"]), [0, 2, 4, 5]);
    assert.deepEqual(selected(["tier", "DoesNotExist"]), [1, 3]);
    assert.deepEqual(selected(["app", "NotIn", "web", "api"]), [3, 4]);
  });

  it("holds things to all that is required, in whatever order", () => {
    assert.deepEqual(selected(["app", "In", "web"], ["tier", "In", "back"]), [2]);
    assert.deepEqual(selected(["tier", "In", "back"], ["app", "In", "web"]), [2]);
    assert.deepEqual(selected(["tier", "NotIn", "back"], ["app", "In", "web", "db"]), [0]);
    assert.deepEqual(selected(["app", "In", "web"], ["app", "In", "api"]), []);
    assert.deepEqual(selected(["tier", "Exists"], ["tier", "DoesNotExist"]), []);
    assert.deepEqual(selected(["app", "In", "api"], ["tier", "Exists"]), [5]);
  });

  it("finds only among the things it was made of", () => {
    const part = indexLabels([1, 2, 5], (number) => things[number] ?? {});
    const find = (requirement: Requirement) => [...part.select({ requirements: [requirement] })];
    assert.deepEqual(find({ key: "app", operator: "In", values: ["web"] }), [2]);
    assert.deepEqual(find({ key: "app", operator: "In", values: ["web", "api"] }), [1, 2, 5]);
    assert.deepEqual(find({ key: "tier", operator: "Exists", values: [] }), [2, 5]);
    assert.deepEqual(part.select({ requirements: [] }), [1, 2, 5]);
  });
});
