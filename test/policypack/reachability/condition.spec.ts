import assert from "node:assert/strict";
import { chosenKey, Conditions, keyOf } from "../../../policypack/reachability/condition";
import type { Requirement } from "../../../policypack/reachability/model";

const web: Requirement = { key: chosenKey("label", "app"), operator: "In", values: ["web"] };
const old: Requirement = { key: chosenKey("label", "old"), operator: "Exists", values: [] };

describe("what a pod has to fulfil", () => {
  it("is one condition for the same requirements in whatever order", () => {
    const conditions = new Conditions();
    const both = conditions.of([web, old]);
    assert.equal(conditions.of([old, web]), both);
    assert.deepEqual(both.requirements, [web, old]);
    assert.equal(conditions.of([]), conditions.always);
    const others = [
      conditions.always,
      conditions.of([web]),
      conditions.of([old]),
      conditions.of([{ ...web, operator: "NotIn" }]),
      conditions.of([{ ...web, values: ["web", "x"] }]),
      both,
    ];
    assert.equal(new Set(others).size, others.length);
    assert.equal(new Set(others.map(({ id }) => id)).size, others.length);
  });

  it("is put together of two conditions, and is one of them where the other asks for nothing more", () => {
    const conditions = new Conditions();
    const [one, other] = [conditions.of([web]), conditions.of([old])];
    assert.equal(conditions.both(one, other), conditions.of([web, old]));
    assert.equal(conditions.both(one, one), one);
    assert.equal(conditions.both(one, conditions.always), one);
    assert.equal(conditions.both(conditions.always, one), one);
    assert.equal(conditions.both(conditions.always, conditions.always), conditions.always);
  });

  it("has keys by what is chosen, which do not take each other's place", () => {
    assert.equal(keyOf("label", chosenKey("label", "app")), "app");
    assert.equal(
      keyOf("namespace label", chosenKey("namespace label", "kubernetes.io/metadata.name")),
      "kubernetes.io/metadata.name",
    );
    assert.equal(keyOf("label", chosenKey("namespace label", "app")), undefined);
    assert.equal(keyOf("namespace label", chosenKey("label", "app")), undefined);
    assert.equal(keyOf("label", chosenKey("port name", "TCP http")), undefined);
  });
});
