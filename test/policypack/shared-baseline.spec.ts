import * as assert from "node:assert/strict";
import type { StackValidationArgs } from "@pulumi/policy";
import { baselinePolicy, SharedBaseline, withSharedBaseline } from "../../policypack/shared-baseline";

const shared = [{ stack: "network/prod" }];
const own = [{ stack: "shop/prod" }];

describe("the baseline of all rules", () => {
  it("counts for a rule that has no settings, or none of this kind", () => {
    assert.deepEqual(withSharedBaseline(undefined, shared), { baseline: shared });
    assert.deepEqual(withSharedBaseline({ exclude: [] }, shared), { exclude: [], baseline: shared });
    // What the engine gives a rule whose baseline has its default.
    assert.deepEqual(withSharedBaseline({ baseline: [] }, shared), { baseline: shared });
  });

  it("comes before the rule's own", () => {
    assert.deepEqual(withSharedBaseline({ baseline: own }, shared), { baseline: [...shared, ...own] });
  });

  it("changes no settings where there is none", () => {
    for (const none of [undefined, []]) {
      assert.equal(withSharedBaseline(undefined, none), undefined);
      assert.deepEqual(withSharedBaseline({ baseline: own }, none), { baseline: own });
    }
  });

  it("leaves in what is wrong, for the rule to refuse", () => {
    assert.deepEqual(withSharedBaseline({ baseline: "shop" }, shared), { baseline: "shop" });
    assert.deepEqual(withSharedBaseline({ baseline: own }, "network"), { baseline: "network" });
    assert.equal(withSharedBaseline("strict", shared), "strict");
  });

  it("is what the policy baseline is configured with, which finds nothing itself", () => {
    const register = new SharedBaseline();
    assert.deepEqual(register.addTo({}), {});
    const getConfig = () => ({ baseline: shared });
    void baselinePolicy(register).validateStack({ getConfig } as unknown as StackValidationArgs, () => {
      assert.fail("the policy found something");
    });
    assert.deepEqual(register.addTo({}), { baseline: shared });
  });
});
