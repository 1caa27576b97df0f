import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";

// In processes of their own, since this one has loaded the SDK already.
describe("the start of the pack", () => {
  const root = path.resolve(__dirname, "..", "..");
  const run = (script: string): string =>
    execFileSync(
      process.execPath,
      ["--require", "ts-node/register/transpile-only", "--eval", `${script}; process.exit(0);`],
      { cwd: root, encoding: "utf8" },
    ).trim();
  const loaded = `Object.keys(require.cache).filter((file) => file.includes("/node_modules/@npmcli/")).length`;

  it("leaves npm's dependency tree reader out, which the SDK loads otherwise", () => {
    const sdk = 'require("@pulumi/policy")';
    assert.equal(run(`${sdk}; console.log(${loaded} > 1)`), "true");
    // The placeholder alone; it has to come before all that loads the SDK.
    assert.equal(run(`require("./policypack/index"); console.log(${loaded})`), "1");
  });

  it("loads it when the SDK asks for it", () => {
    const script = `
      require("./policypack/without-arborist");
      const { createRequire } = require("node:module");
      const arborist = createRequire(require.resolve("@pulumi/pulumi"))("@npmcli/arborist");
      console.log(new arborist.Arborist({ path: process.cwd() }).path, arborist.Arborist === arborist.Arborist)`;
    assert.equal(run(script), `${root} true`);
  });

  it("changes nothing where it is loaded already", () => {
    const script = `
      const arborist = require("@npmcli/arborist");
      require("./policypack/without-arborist");
      console.log(require("@npmcli/arborist") === arborist)`;
    assert.equal(run(script), "true");
  });
});
