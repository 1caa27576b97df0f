import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { command } from "../../cli/commands/check";
import { temporaryFolder } from "../helpers/check";
import { root } from "../helpers/stack-network";

const policy = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress]
  ingress:
    - from: [{podSelector: {matchLabels: {app: web}}}]
      ports: [{port: 5432}]
    - from: [{podSelector: {matchLabels: {app: web}}}]
`;
const exception = { resource: "NetworkPolicy default/db", reason: "a merge", until: "2026-12-31" };

describe("zero-trust check", function () {
  this.timeout(60_000);

  const folder = temporaryFolder();

  /** As the shell would; slow, since the rules are compiled anew. */
  function spawn(args: readonly string[], input: string, env: NodeJS.ProcessEnv = {}) {
    const loaded = folder.write(
      "loaded.cjs",
      `process.on("exit", () => process.stderr.write(Object.keys(require.cache).filter((file) => /node_modules.@(pulumi|grpc)/.test(file)).join()));`,
    );
    const entry = [
      require.resolve("ts-node/register/transpile-only"),
      "-r",
      loaded,
      join(root, "cli", "main.ts"),
    ];
    const { status, stdout, stderr } = spawnSync(process.execPath, ["-r", ...entry, "check", ...args], {
      cwd: folder.path,
      encoding: "utf8",
      input,
      env: { ...process.env, TS_NODE_PROJECT: join(root, "tsconfig.json"), ...env },
    });
    return { status, stdout, stderr };
  }

  /** In this process: what it prints, and the exit code that it asks for. Rejects where it cannot start. */
  async function run(...args: readonly string[]): Promise<{ status: number; stdout: string }> {
    const cwd = process.cwd();
    const { NO_COLOR: noColour } = process.env;
    const write = process.stdout.write.bind(process.stdout);
    let printed = "";
    process.chdir(folder.path);
    // The tests may run on a terminal.
    process.env.NO_COLOR = "1";
    process.stdout.write = (piece: string | Uint8Array) => {
      printed += String(piece);
      return true;
    };
    try {
      await command()
        .exitOverride()
        .configureOutput({ writeErr: () => undefined })
        .parseAsync(args, { from: "user" });
      return { status: Number(process.exitCode ?? 0), stdout: printed };
    } finally {
      process.stdout.write = write;
      process.chdir(cwd);
      if (noColour === undefined) delete process.env.NO_COLOR;
      else process.env.NO_COLOR = noColour;
      process.exitCode = undefined;
    }
  }

  /** One rule of the pack, whatever the others say. */
  const only = (settings: object): void => {
    folder.write("pack.json", {
      all: "disabled",
      "exceptions-in-date": "mandatory",
      exceptions: "advisory",
      "netpol-ports-required": { enforcementLevel: "mandatory", ...settings },
    });
  };

  it("fails on what is mandatory, with what to write instead", async () => {
    folder.write("app.yaml", policy);
    only({});
    const { status, stdout } = await run("--manifests", "app.yaml", "--config", "pack.json");
    assert.equal(
      stdout,
      `NetworkPolicy default/db (app.yaml, document 1)
  mandatory  netpol-ports-required
    app.yaml:10  spec.ingress[1].ports is missing
    Why it is dangerous: the rule then opens every port of every protocol, a debug port or SSH included.
    Write instead: the ports that are spoken, as in ports: [{protocol: TCP, port: 8443}]

Failed: 1 mandatory finding in 1 object, by 1 rule.
`,
    );
    assert.equal(status, 1);
  });

  it("passes what is advisory only, read from stdin into the namespace that is named, and loads nothing of Pulumi", () => {
    only({ enforcementLevel: "advisory" });
    const args = ["--manifests", "-", "--namespace", "shop", "--config", "pack.json"];
    const { status, stdout, stderr } = spawn(args, policy);
    assert.match(
      stdout,
      /^NetworkPolicy shop\/db \(stdin, document 1\)\n {2}advisory {2}netpol-ports-required\n/,
    );
    assert.match(stdout, /\nPassed: 1 advisory finding in 1 object, by 1 rule\.\n$/);
    assert.deepEqual([status, stderr], [0, ""]);
  });

  it("takes exceptions for what they are on the day that is named", async () => {
    folder.write("app.yaml", policy);
    only({ exceptions: [exception] });
    const on = (day: string) =>
      run("--manifests", "app.yaml", "--config", "pack.json", "--format", "json", "--today", day);
    const before = await on("2026-12-31");
    assert.equal(before.status, 0);
    const { passed, summary } = JSON.parse(before.stdout) as { passed: boolean; summary: object };
    assert.deepEqual(
      [passed, summary],
      [true, { objects: 1, rules: 1, mandatory: 0, advisory: 0, excepted: 1 }],
    );
    const after = await on("2027-01-01");
    assert.equal(after.status, 1);
    assert.match(after.stdout, /"rule":"exceptions-in-date"/);
    assert.match(after.stdout, /"rule":"netpol-ports-required"/);
  });

  it("judges a stack from its state, and shows SARIF where the state is", async () => {
    const type = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
    const properties = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "db", namespace: "shop" },
      spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: [{ from: [{ podSelector: {} }] }] },
    };
    const urn = `urn:pulumi:dev::app::${type}::db`;
    folder.write("state.json", {
      version: 3,
      deployment: { resources: [{ urn, type, custom: true, inputs: properties, outputs: properties }] },
    });
    only({});
    const args = ["--state", "state.json", "--config", "pack.json"];
    assert.match((await run(...args)).stdout, /^NetworkPolicy shop\/db \(Pulumi resource db\)\n/);
    const { status, stdout } = await run(...args, "--format", "sarif");
    const log = JSON.parse(stdout) as {
      runs: {
        tool: { driver: { rules: { helpUri: string }[] } };
        results: { locations: { physicalLocation: unknown; logicalLocations: unknown }[] }[];
      }[];
    };
    assert.deepEqual(log.runs[0]?.results[0]?.locations, [
      {
        physicalLocation: {
          artifactLocation: { uri: "state.json", uriBaseId: "%SRCROOT%" },
          region: { startLine: 1 },
        },
        logicalLocations: [
          {
            fullyQualifiedName: "NetworkPolicy shop/db: spec.ingress[0].ports",
            decoratedName: urn,
            kind: "resource",
          },
        ],
      },
    ]);
    assert.match(
      log.runs[0].tool.driver.rules[0]?.helpUri ?? "",
      /^file:\/\/\/.*\/docs\/rules\.md#netpol-ports-required$/,
    );
    assert.equal(status, 1);
  });

  it("says of a state that its secrets stay closed, where something depends on one", async () => {
    const properties = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "db", namespace: "shop" },
      spec: { ingress: { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" } },
    };
    const type = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
    const resources = [
      {
        urn: `urn:pulumi:dev::app::${type}::db`,
        type,
        custom: true,
        inputs: properties,
        outputs: properties,
      },
    ];
    folder.write("state.json", { version: 3, deployment: { resources } });
    only({});
    const { stdout } = await run("--state", "state.json", "--config", "pack.json");
    assert.match(
      stdout,
      /\nNotes\n {2}the stack: its secrets are not decrypted here, and what depends on one cannot be verified: pulumi policy analyze can\n/,
    );
  });

  it("does not start where something is wrong with its arguments or with what it is to read, and says what", async () => {
    folder.write("app.yaml", policy);
    folder.write("broken.yaml", "a: [");
    folder.write("pack.json", { "netpol-port-required": "advisory" });
    const cases: [string[], RegExp][] = [
      [[], /^UsageError: it is not said what to read\n/],
      [["--manifests", "broken.yaml"], /^UsageError: broken\.yaml:\d+ \(document 1\) is not YAML/],
      [["--manifests", "none.yaml"], /^UsageError: none\.yaml does not exist\n/],
      [
        ["--manifests", "app.yaml", "--config", "pack.json"],
        /^UsageError: pack\.json:2: netpol-port-required is no rule of the pack\n {2}allowed: [^]*\n {2}fix: {5}write netpol-ports-required$/,
      ],
      [["--manifests", "app.yaml", "--today", "2026-02-30"], /^UsageError: --today 2026-02-30 is no day\n/],
      [
        ["--manifests", "app.yaml", "--rules-url", "docs"],
        /^UsageError: --rules-url docs is no absolute URL\n/,
      ],
      [
        ["--manifests", "app.yaml", "--format", "xml"],
        /^CommanderError: error: option '--format <format>' argument 'xml' is invalid/,
      ],
    ];
    for (const [args, message] of cases) await assert.rejects(run(...args), message);
  });

  it("writes no colours to what is no terminal, on a build machine either", () => {
    only({ enforcementLevel: "advisory" });
    const args = ["--manifests", "-", "--namespace", "shop", "--config", "pack.json"];
    const { stdout } = spawn(args, policy, { CI: "true" });
    assert.match(stdout, /^NetworkPolicy shop\/db \(stdin, document 1\)\n/);
  });

  it("ends with 2 then", () => {
    const { status, stdout, stderr } = spawn(["--manifests", "-"], "a: [");
    assert.match(stderr, /^error: stdin:\d+ \(document 1\) is not YAML/);
    assert.deepEqual([status, stdout], [2, ""]);
  });
});
