import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { NetworkPolicy } from "../../matrix";
import { connects, type Party } from "../helpers/connectivity";
import { installExample } from "../helpers/install-example";
import { registrationsOf, type Registration } from "../helpers/registrations";
import { root } from "../helpers/stack-network";

describe("the payments example", function () {
  this.timeout(120_000);

  let example: string;
  let all: Registration[];
  before(async () => {
    example = installExample("payments");
    const requireExample = createRequire(join(example, "index.ts"));
    all = await registrationsOf(() => requireExample("./index.ts") as unknown, {
      project: "payments-network",
    });
  });
  after(() => {
    rmSync(dirname(example), { recursive: true });
  });

  it("installs a package whose every file is there", () => {
    const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      exports: Record<string, string | Record<string, string>>;
    };
    for (const target of Object.values(exports).flatMap((entry) =>
      typeof entry === "string" ? [entry] : Object.values(entry),
    )) {
      assert.ok(existsSync(join(example, "node_modules", "erlmcp-zero-trust", target)), target);
    }
  });

  it("deploys its own services' policies and touches no other namespace", () => {
    const objects = all.filter(({ type }) => type.startsWith("kubernetes:"));
    assert.deepEqual(objects.map(({ inputs }) => (inputs.metadata as { name: string }).name).sort(), [
      "checkout-egress",
      "checkout-ingress",
      "ledger-egress",
      "ledger-ingress",
      "payments",
      "payments-deny-all-egress",
      "payments-deny-all-ingress",
    ]);
    for (const { inputs } of objects) {
      const { namespace, name } = inputs.metadata as { namespace?: string; name: string };
      assert.equal(namespace ?? name, "payments");
    }
  });

  it("opens its own flows and keeps the rest shut", () => {
    const policies = all
      .filter(({ type }) => type.endsWith(":NetworkPolicy"))
      .map(({ inputs }) => inputs as unknown as NetworkPolicy);
    const pod = (namespace: string, name: string): Party => ({
      namespace,
      labels: { "app.kubernetes.io/name": name },
    });
    const checkout = pod("payments", "checkout");
    const ledger = pod("payments", "ledger");
    assert.equal(connects(policies, checkout, ledger, "TCP", 7000), true);
    assert.equal(connects(policies, checkout, pod("erlmcp", "erlmcp"), "TCP", 8443), true);
    assert.equal(connects(policies, ledger, { address: "10.40.2.5" }, "TCP", 5432), true);
    assert.equal(connects(policies, ledger, checkout, "TCP", 8443), false);
    assert.equal(connects(policies, ledger, { address: "8.8.8.8" }, "TCP", 443), false);
    assert.equal(connects(policies, checkout, { address: "10.40.2.5" }, "TCP", 443), false);
  });
});
