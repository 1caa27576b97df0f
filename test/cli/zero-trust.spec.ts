import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadAll } from "js-yaml";
import { manifestsOf, matrixRows } from "../../matrix";
import { root, stackNetwork } from "../helpers/stack-network";

describe("zero-trust", function () {
  this.timeout(60_000);

  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "zero-trust-"));
    for (const file of ["Pulumi.yaml", "Pulumi.staging.yaml", "Pulumi.prod.yaml"])
      cpSync(join(root, file), join(folder, file));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function run(...args: string[]) {
    const entry = [require.resolve("ts-node/register/transpile-only"), join(root, "cli", "main.ts")] as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, ["-r", ...entry, ...args], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, TS_NODE_PROJECT: join(root, "tsconfig.json") },
    });
    return { status, stdout, stderr };
  }

  it("explains itself", () => {
    const { status, stdout } = run("--help");
    assert.equal(status, 0);
    for (const command of [
      "matrix",
      "render",
      "connectivity",
      "diff",
      "explain",
      "exposure",
      "check",
      "validate",
    ]) {
      assert.match(stdout, new RegExp(`^ +${command} \\[options\\]`, "m"));
    }
    assert.match(stdout, /Exit codes: 0 done, 1 failed, 2 bad arguments\./);
  });

  it("prints the matrix of a stack", () => {
    const { status, stdout } = run("matrix", "--stack", "prod", "--format", "json");
    assert.equal(status, 0);
    assert.deepEqual(JSON.parse(stdout), matrixRows(stackNetwork("prod")));
  });

  it("renders one file an object, and a kustomization over them", () => {
    const { status, stdout } = run("render", "--stack", "prod", "--out", "manifests");
    assert.equal(status, 0);
    assert.equal(
      stdout,
      "27 files written to manifests; apply them with: kubectl apply --server-side -k manifests\n",
    );
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith("manifests")),
      ["manifests"],
      "nothing left beside it",
    );
    for (const file of readdirSync(join(folder, "manifests"))) {
      assert.equal(
        readFileSync(join(folder, "manifests", file), "utf8"),
        readFileSync(join(root, "test", "golden", "prod", file), "utf8"),
      );
    }
  });

  it("replaces an earlier render, so that no policy of a removed flow stays behind", () => {
    run("render", "--stack", "prod", "--out", "out");
    const { status } = run("render", "--stack", "staging", "--out", "out");
    assert.equal(status, 0);
    assert.ok(!readdirSync(join(folder, "out")).some((file) => file.includes("mtls")));
  });

  it("refuses a folder that holds somebody's files, and leaves them alone", () => {
    mkdirSync(join(folder, "out"));
    writeFileSync(join(folder, "out", "mine.yaml"), "a: 1\n");
    const { status, stderr } = run("render", "--stack", "prod", "--out", "out");
    assert.equal(status, 2);
    assert.equal(
      stderr,
      `error: out holds what zero-trust render did not write: mine.yaml
  allowed: a folder that is new, empty, or holds an earlier render
  fix:     name another folder with --out, or move these files away
`,
    );
    assert.deepEqual(readdirSync(join(folder, "out")), ["mine.yaml"]);
  });

  it("renders one stream for a pipe", () => {
    const { status, stdout } = run("render", "--stack", "staging", "--out", "-");
    assert.equal(status, 0);
    const kinds = (documents: unknown[]) =>
      documents.map((document) => (document as { kind: string }).kind).sort();
    assert.deepEqual(kinds(loadAll(stdout)), kinds(manifestsOf(stackNetwork("staging"))));
  });

  it("names the stacks there are", () => {
    const { status, stderr } = run("matrix", "--stack", "production");
    assert.equal(status, 2);
    assert.match(
      stderr,
      /^error: there is no stack "production": Pulumi\.production\.yaml does not exist in \./,
    );
    assert.match(stderr, /^ {2}allowed: prod, staging$/m);
  });

  const badArguments: [string[], RegExp][] = [
    [["matrix"], /required option '--stack <name>' not specified/],
    [["matrix", "--stack", "prod", "--format", "xml"], /Allowed choices are text, md, csv, json/],
    [["render", "--stack", "prod"], /required option '--out <dir>' not specified/],
    [["rendr"], /unknown command 'rendr'/],
    [["matrix", "--stack", "prod", "--cwd", "nowhere"], /Pulumi\.yaml does not exist/],
  ];
  for (const [args, message] of badArguments) {
    it(`exits with 2 on: ${args.join(" ")}`, () => {
      const { status, stderr } = run(...args);
      assert.match(stderr, message);
      assert.equal(status, 2);
    });
  }

  it("exits with 1 on wrong config, tells every problem, and writes nothing", () => {
    writeFileSync(
      join(folder, "Pulumi.test.yaml"),
      "config:\n  erlmcp-zero-trust:securityLevel: top\n  erlmcp-zero-trust:foo: 1\n",
    );
    const { status, stderr } = run("render", "--stack", "test", "--out", "out");
    assert.equal(status, 1);
    assert.match(stderr, /^error: Pulumi\.test\.yaml has 2 problems; nothing was deployed\./);
    assert.ok(!readdirSync(folder).includes("out"));
  });

  it("says where a stack file is not YAML", () => {
    writeFileSync(join(folder, "Pulumi.test.yaml"), "config:\n  a: [\n");
    const { status, stderr } = run("matrix", "--stack", "test");
    assert.equal(status, 2);
    assert.match(stderr, /Pulumi\.test\.yaml is not YAML: .*\(3:1\)/s);
  });

  it("does not guess at config that only the engine can read", () => {
    writeFileSync(join(folder, "Pulumi.test.yaml"), "environment:\n  - shared\n");
    const { status, stderr } = run("matrix", "--stack", "test");
    assert.equal(status, 2);
    assert.match(stderr, /Pulumi\.test\.yaml has an environment, which only the engine can read/);
  });
});
