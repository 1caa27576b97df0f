import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { sandboxModule } from "./sandbox-modules";

interface Arguments {
  parseArguments(args: readonly string[], root: string): unknown;
  help(command?: string): string;
}

describe("the arguments of npm start, stop and destroy", () => {
  let root: string;
  let parse: (...args: string[]) => unknown;
  let help: (command?: string) => string;
  before(async () => {
    root = mkdtempSync(path.join(tmpdir(), "arguments-"));
    for (const file of ["Pulumi.yaml", "Pulumi.staging.yaml", "Pulumi.prod.yaml"]) {
      writeFileSync(path.join(root, file), "");
    }
    const module = await sandboxModule<Arguments>("arguments.mjs");
    parse = (...args) => module.parseArguments(args, root);
    help = (command) => module.help(command);
  });
  after(() => {
    rmSync(root, { recursive: true });
  });

  it("default to the staging stack, and to all control planes for stop", () => {
    assert.deepEqual(parse("start"), { command: "start", stack: "staging", options: {} });
    assert.deepEqual(parse("stop"), { command: "stop", stack: undefined, options: {} });
  });

  it("name a stack, a cluster and its context", () => {
    assert.deepEqual(parse("start", "prod", "--kubeconfig", "file", "--context=c"), {
      command: "start",
      stack: "prod",
      options: { kubeconfig: "file", context: "c" },
    });
  });

  it("are refused with what is allowed", () => {
    const refused: [string[], string | RegExp][] = [
      [["run"], '"run" is no command of the sandbox: use start, stop, destroy'],
      [
        ["start", "prd"],
        'there is no stack "prd": use prod or staging, or add Pulumi.prd.yaml to the project',
      ],
      [["destroy", "staging", "prod"], "destroy takes one stack, not 2: staging, prod"],
      [
        ["start", "--context", "c"],
        "--context says which context of a --kubeconfig file to use, and there is none: add --kubeconfig FILE",
      ],
      [["start", "--unprotect"], /^Unknown option '--unprotect'[^]*Usage: npm start -- \[STACK\]/],
    ];
    for (const [args, message] of refused) assert.throws(() => parse(...args), { message });
  });

  it("are explained", () => {
    assert.match(help("destroy"), /^Usage: npm run destroy -- \[STACK\] \[options\]\n[^]*--unprotect/);
    assert.match(help(), /npm start[^]*npm stop[^]*npm run destroy/);
  });

  it("end with exit code 2 when they are wrong, 0 for help, before anything is installed", () => {
    const run = path.resolve(__dirname, "../../sandbox/run.mjs");
    const wrong = spawnSync(process.execPath, [run, "start", "nowhere"], { encoding: "utf8" });
    assert.deepEqual([wrong.status, wrong.stderr.split(":")[1]], [2, ' there is no stack "nowhere"']);
    const helped = spawnSync(process.execPath, [run, "start", "--help"], { encoding: "utf8" });
    assert.equal(helped.status, 0);
    assert.match(helped.stdout, /^Usage: npm start/);
  });
});
