import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { removeInstance } from "../../sandbox/control-plane";
import { openStack } from "../../sandbox/stack";
import { liveObjects } from "../helpers/cluster";
import { installExample } from "../helpers/install-example";

describe("the payments example on a real API server", function () {
  this.timeout(120_000);

  const instance = `test-payments-${process.pid}`;
  let example: string;
  before(() => {
    example = installExample("payments");
  });
  after(async () => {
    await removeInstance(instance);
    rmSync(dirname(example), { recursive: true });
  });

  it("comes up past the policy pack, and goes down again", async () => {
    const stack = await openStack({ stack: "payments", instance, program: join(example, "index.ts") });
    const up = await stack.up();
    assert.equal(up.exitCode, 0, up.stdout);
    assert.deepEqual(up.violations, []);
    assert.deepEqual(Object.keys(liveObjects(stack.kubeconfig)), [
      "Namespace payments",
      "NetworkPolicy payments checkout-egress",
      "NetworkPolicy payments checkout-ingress",
      "NetworkPolicy payments ledger-egress",
      "NetworkPolicy payments ledger-ingress",
      "NetworkPolicy payments payments-deny-all-egress",
      "NetworkPolicy payments payments-deny-all-ingress",
    ]);
    assert.equal((await stack.destroy()).exitCode, 1, "default-deny is protected");
    assert.equal((await stack.destroy({ unprotect: true })).exitCode, 0);
    assert.deepEqual(liveObjects(stack.kubeconfig), {});
  });
});
