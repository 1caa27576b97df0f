import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { readInput, readInputArgument, type InputChoice } from "../../../cli/inputs/read-input";
import { root, stackNetwork } from "../../helpers/stack-network";

const fixture = (name: string) => join(root, "test", "fixtures", "inputs", name);

describe("the input of a command", () => {
  let folder: string;
  const { PATH } = process.env;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "input-"));
  });
  afterEach(() => {
    process.env.PATH = PATH;
    rmSync(folder, { recursive: true });
  });

  function write(name: string, content: unknown): string {
    const path = join(folder, name);
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
    return path;
  }

  const manifest = { apiVersion: "v1", kind: "Pod", metadata: { name: "a" } };
  const choose = (choice: Omit<InputChoice, "cwd">) => readInput({ cwd: ".", ...choice });

  it("is manifests", () => {
    const path = write("a.yaml", manifest);
    const { objects, notes, matrix, before, locate } = choose({ manifests: [path] });
    assert.deepEqual(
      objects.map(({ body }) => body),
      [manifest],
    );
    assert.deepEqual([notes, matrix, before], [[], undefined, undefined]);
    assert.deepEqual(
      objects.map((object) => locate({ object, at: "metadata.name" })),
      [`${path}:1 (document 1)`],
    );
  });

  it("is a state", () => {
    const { objects, notes, before } = choose({ state: fixture("state.json") });
    assert.deepEqual([objects.length, notes.length, before], [10, 1, undefined]);
  });

  it("is a plan, with what is before it", () => {
    const { objects, before } = choose({ plan: fixture("plan.json") });
    assert.deepEqual([objects.length, before?.objects.length], [11, 10]);
  });

  it("has the services of the last update where it is a plan that does not hold the matrix", () => {
    const { services, flows } = JSON.parse(JSON.stringify(stackNetwork("prod").definition)) as {
      services: unknown;
      flows: unknown;
    };
    const component = {
      urn: "urn:pulumi:dev::app::erlmcp:network:ZeroTrustNetwork::n",
      type: "erlmcp:network:ZeroTrustNetwork",
    };
    const steps = [
      {
        op: "same",
        oldState: { ...component, outputs: { matrix: { services, flows } } },
        newState: component,
      },
    ];
    const after = choose({ plan: write("plan.json", { steps, changeSummary: { same: 1 } }) });
    assert.deepEqual(after.before?.matrix, { services, flows });
    assert.equal(after.matrix, undefined);
    assert.deepEqual(after.services, services);
    assert.deepEqual(after.notes, [
      {
        about: "the communication matrix",
        at: "",
        text: "a plan does not hold it: services are those of the last update where they stand for pods",
      },
    ]);
  });

  const wanted =
    "\n  allowed: one of --manifests <path...>, --stack <name>, --state <file>, --plan <file>\n  fix:     ";
  const choices: [Omit<InputChoice, "cwd">, string][] = [
    [{}, `it is not said what to read${wanted}name the manifests or the stack`],
    [
      { manifests: ["a"], plan: "b" },
      `--manifests and --plan are given${wanted}leave out all but one of them`,
    ],
    [
      { stack: "a", state: "b", plan: "c" },
      `--stack and --state and --plan are given${wanted}leave out all but one of them`,
    ],
  ];
  for (const [choice, message] of choices) {
    it(`is not ${Object.keys(choice).join(" and ") || "nothing"}`, () => {
      assert.throws(() => choose(choice), { name: "UsageError", message });
    });
  }

  describe("that an argument names", () => {
    const sources = (argument: string) => readInputArgument(argument, { cwd: "." }).objects.length;

    it("is a path, a state, or either side of a plan", () => {
      assert.equal(sources(write("a.yaml", manifest)), 1);
      assert.equal(sources(`state:${fixture("state.json")}`), 10);
      assert.equal(sources(`plan:${fixture("plan.json")}`), 11);
      assert.equal(sources(`plan-before:${fixture("plan.json")}`), 10);
    });

    it("is a path even with a colon in it", () => {
      assert.equal(sources(write("plan:a.yaml", manifest)), 1);
    });

    it("has a name", () => {
      assert.throws(() => sources("plan-before:"), {
        name: "UsageError",
        message: `"plan-before:" names nothing
  allowed: a path, stack:<name>, state:<file>, plan:<file>, plan-before:<file>
  fix:     write a name after plan-before:`,
      });
    });
  });

  describe("that a stack is", () => {
    /** Puts a pulumi on PATH that does this. */
    function pulumi(script: string): void {
      const path = write("pulumi", `#!/bin/sh\n${script}\n`);
      chmodSync(path, 0o755);
      process.env.PATH = `${folder}${delimiter}${PATH ?? ""}`;
    }
    const ofStack = () => readInput({ stack: "prod", cwd: "infra" });

    it("is what pulumi stack export prints", () => {
      pulumi(`echo "$@" > ${folder}/asked; cat ${fixture("state.json")}`);
      assert.equal(ofStack().objects.length, 10);
      assert.equal(readInputArgument("stack:prod", { cwd: "infra" }).objects.length, 10);
      assert.equal(
        readFileSync(join(folder, "asked"), "utf8"),
        "stack export --stack prod --cwd infra --non-interactive --color never\n",
      );
    });

    const failures: [string, string, string][] = [
      [
        "there is not",
        `echo "error: no stack named 'prod' found" >&2; exit 6`,
        `there is no stack "prod" in the Pulumi project in infra
  allowed: the stacks that pulumi stack ls shows there
  fix:     correct the name, or name the folder of its project with --cwd`,
      ],
      [
        "Pulumi cannot read",
        `echo "error: PULUMI_ACCESS_TOKEN must be set" >&2; exit 3`,
        `pulumi stack export --stack prod --cwd infra failed with exit code 3: error: PULUMI_ACCESS_TOKEN must be set
  allowed: a stack that Pulumi can read, with the backend logged in to
  fix:     make that command work first`,
      ],
      [
        "was never deployed",
        `echo '{"version": 3, "deployment": {"metadata": {}}}'`,
        `the stack prod has no resources: it was never deployed, or was destroyed
  allowed: a stack that is deployed
  fix:     deploy it with pulumi up, or read what it would deploy: pulumi preview --json --show-sames > plan.json, then --plan plan.json`,
      ],
    ];
    for (const [what, script, message] of failures) {
      it(`is refused where it ${what}`, () => {
        pulumi(script);
        assert.throws(ofStack, { name: "UsageError", message });
      });
    }

    it("is refused where there is no Pulumi", () => {
      process.env.PATH = folder;
      assert.throws(ofStack, {
        name: "UsageError",
        message: `there is no pulumi on PATH, and --stack asks it for the state
  allowed: the Pulumi CLI on PATH, logged in to the backend of the stack
  fix:     install it, or have the state in a file: pulumi stack export --stack <name> --file state.json, then --state state.json`,
      });
    });
  });

  describe("on stdin", () => {
    /** What a process prints that reads its stdin so. */
    function piped(expression: string, input: string | Buffer): string {
      const script =
        `const { readInput, readInputArgument } = require(${JSON.stringify(join(root, "cli", "inputs", "read-input"))});` +
        `try { console.log(${expression}) } catch (error) { console.log(error.message) }`;
      const { stdout, stderr } = spawnSync(
        process.execPath,
        ["-r", "ts-node/register/transpile-only", "-e", script],
        { cwd: root, encoding: "utf8", input },
      );
      assert.equal(stderr, "");
      return stdout;
    }

    it("is read to its end, however long", () => {
      const documents = Array.from({ length: 5000 }, (_, index) => ({
        ...manifest,
        metadata: { name: `pod-${index}` },
      }));
      const text = documents.map((document) => `${JSON.stringify(document)}\n`).join("---\n");
      const expression =
        'JSON.stringify(((r) => [r.objects.length, r.objects.at(-1).source])(readInput({ manifests: ["-"], cwd: "." })))';
      assert.equal(piped(expression, text), '[5000,"stdin, document 5000"]\n');
    });

    it("is a state or a plan, too", () => {
      const count = (argument: string, name: string) =>
        piped(`readInputArgument("${argument}:-", { cwd: "." }).objects.length`, readFileSync(fixture(name)));
      assert.equal(count("state", "state.json"), "10\n");
      assert.equal(count("plan", "plan.json"), "11\n");
    });

    it("is refused where nothing comes", () => {
      assert.match(
        piped('readInput({ manifests: ["-"], cwd: "." })', ""),
        /^stdin: no Kubernetes object there\n/,
      );
      assert.match(
        piped('readInput({ manifests: ["-"], cwd: "." })', "a: [\n"),
        /^stdin:2 \(document 1\) is not YAML: /,
      );
    });
  });
});
