import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { sandboxModule } from "./sandbox-modules";

interface Install {
  readonly needsInstall: (root: string) => boolean;
}
interface Compile {
  readonly needsCompile: (root: string) => boolean;
  readonly compileIfStale: (root: string) => Promise<void>;
}

describe("preparing a checkout", () => {
  let root: string;
  const write = (file: string, text: string): void => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  };
  const lock = (packages: Record<string, unknown>): string => JSON.stringify({ packages });
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "prepare-"));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  it("installs when packages are missing or of another version than the lock says", async () => {
    const { needsInstall } = await sandboxModule<Install>("install.mjs");
    const packages = {
      "": { version: "1.0.0" },
      policypack: { version: "1.0.0" },
      "node_modules/policypack": { link: true },
      "node_modules/a": { version: "1.0.0" },
      "node_modules/only-on-another-system": { version: "1.0.0", optional: true },
    };
    write("package-lock.json", lock(packages));
    assert.ok(needsInstall(root));
    write("node_modules/.package-lock.json", lock({ "node_modules/a": { version: "0.9.0" } }));
    assert.ok(needsInstall(root));
    write("node_modules/.package-lock.json", lock({ "node_modules/a": { version: "1.0.0" } }));
    assert.ok(!needsInstall(root));
  });

  it("compiles when sources changed, came or went, and not otherwise", async () => {
    const { needsCompile, compileIfStale } = await sandboxModule<Compile>("compile.mjs");
    const build = "mkdir -p dist policypack/dist && touch dist/.tsbuildinfo policypack/dist/.tsbuildinfo";
    write("package.json", JSON.stringify({ scripts: { build } }));
    write("matrix/a.ts", "1");
    assert.ok(needsCompile(root));
    await compileIfStale(root);
    assert.ok(!needsCompile(root));

    write("matrix/b.ts", "1");
    assert.ok(needsCompile(root));
    await compileIfStale(root);
    rmSync(path.join(root, "matrix", "b.ts"));
    assert.ok(needsCompile(root));
    await compileIfStale(root);
    // Older than the compilation, as a checkout of an earlier commit may be.
    utimesSync(path.join(root, "matrix", "a.ts"), 1, 1);
    assert.ok(needsCompile(root));
    await compileIfStale(root);
    rmSync(path.join(root, "policypack"), { recursive: true });
    assert.ok(needsCompile(root));
  });

  it("does not take a failed compilation for a result", async () => {
    const { needsCompile, compileIfStale } = await sandboxModule<Compile>("compile.mjs");
    write("package.json", JSON.stringify({ scripts: { build: "echo 'a.ts: wrong'; exit 2" } }));
    write("dist/.tsbuildinfo", "");
    write("policypack/dist/.tsbuildinfo", "");
    await assert.rejects(compileIfStale(root), {
      message:
        /`npm run -s build` failed with exit code 2\. The end of [^]*compile\.log:\n {2}a\.ts: wrong\nCorrect what/,
    });
    assert.ok(needsCompile(root));
  });
});
