import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { NetworkPolicy } from "../../matrix";
import { connects, type Party } from "../helpers/connectivity";
import { registrationsOf, type Registration } from "../helpers/registrations";
import { root } from "../helpers/stack-network";

/**
 * Installs the example elsewhere as its team would: with this project as the package that `npm pack` makes of it. The other
 * packages are linked, not downloaded again.
 */
function installExample(): string {
  const folder = mkdtempSync(join(tmpdir(), "payments-"));
  const example = join(folder, "payments");
  cpSync(join(root, "examples", "payments"), example, { recursive: true });
  const modules = join(example, "node_modules");
  mkdirSync(modules);
  const pack = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const [{ filename } = { filename: "" }] = JSON.parse(
    execFileSync("npm", pack, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
  ) as { filename: string }[];
  execFileSync("tar", ["-xzf", join(folder, filename), "-C", modules]);
  cpSync(join(modules, "package"), join(modules, "erlmcp-zero-trust"), { recursive: true });
  rmSync(join(modules, "package"), { recursive: true });
  for (const name of readdirSync(join(root, "node_modules"))) {
    if (!existsSync(join(modules, name))) symlinkSync(join(root, "node_modules", name), join(modules, name));
  }
  return example;
}

describe("the payments example", function () {
  this.timeout(120_000);

  let example: string;
  let all: Registration[];
  before(async () => {
    assert.ok(
      existsSync(join(root, "dist", "components", "index.js")),
      "the package is built: npm run build",
    );
    example = installExample();
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
