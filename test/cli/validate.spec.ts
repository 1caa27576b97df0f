import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dump, load } from "js-yaml";
import { clusterKinds } from "../../cli/cluster/cluster-kinds";
import { root } from "../helpers/stack-network";

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
}

/** What the staging stack deploys, without apiVersion and kind, as lists hand it out. */
const deployed = readdirSync(join(root, "test", "golden", "staging"))
  .filter((file) => file !== "kustomization.yaml")
  .map((file) => load(readFileSync(join(root, "test", "golden", "staging", file), "utf8")) as Manifest);

describe("zero-trust validate", function () {
  this.timeout(180_000);

  let folder: string;
  let server: Server;
  let methods: Set<string | undefined>;
  /** Kinds whose list is refused. */
  let forbidden: string[];
  let served: Manifest[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "zero-trust-"));
    methods = new Set();
    forbidden = [];
    served = deployed;
    server = createServer((request, response) => {
      methods.add(request.method);
      const path = request.url?.split("?")[0] ?? "";
      const kind = clusterKinds.find(({ group, versions, plural }) =>
        path.endsWith(`/${[...(group === "" ? [] : [group]), versions[0], plural].join("/")}`),
      );
      if (path === "/apis") response.end(JSON.stringify(discovery));
      else if (kind === undefined) response.writeHead(404).end("{}");
      else if (forbidden.includes(kind.kind)) {
        response.writeHead(403).end(JSON.stringify({ message: `x is forbidden: User "jane" cannot list` }));
      } else response.end(JSON.stringify({ items: served.filter((one) => one.kind === kind.kind) }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const config = {
      "current-context": "test",
      contexts: [{ name: "test", context: { cluster: "test", user: "jane" } }],
      clusters: [{ name: "test", cluster: { server: address, "insecure-skip-tls-verify": true } }],
      users: [{ name: "jane", user: { token: "secret" } }],
    };
    writeFileSync(join(folder, "kubeconfig"), dump(config));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  });

  const groups = new Set(clusterKinds.filter(({ builtIn }) => builtIn).map(({ group }) => group));
  const discovery = {
    kind: "APIGroupDiscoveryList",
    items: [...groups].map((group) => ({
      metadata: { name: group },
      versions: [
        {
          version: "v1",
          resources: clusterKinds
            .filter((kind) => kind.group === group)
            .map(({ plural }) => ({ resource: plural })),
        },
      ],
    })),
  };

  function run(...args: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
    const entry = [require.resolve("ts-node/register/transpile-only"), join(root, "cli", "main.ts")] as const;
    const child = spawn(process.execPath, ["-r", ...entry, "validate", ...args], {
      cwd: folder,
      env: { ...process.env, HOME: folder, KUBECONFIG: "", TS_NODE_PROJECT: join(root, "tsconfig.json") },
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (text: Buffer) => (stdout += text.toString()));
    child.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
    return new Promise((resolve) => {
      child.on("close", (status) => {
        resolve({ status, stdout, stderr });
      });
    });
  }
  const cluster = ["--kubeconfig", "kubeconfig"];
  const stack = ["--stack", "staging", "--cwd", root];

  it("exits with 0 where everything holds, and has only read", async () => {
    const { status, stdout, stderr } = await run(...cluster, ...stack);
    assert.equal(stderr, "");
    assert.equal(status, 0, stdout);
    assert.match(stdout, /^✓ Service policies are configured$/m);
    assert.match(stdout, /^\d+ checks: (?!.*failed)/m);
    assert.deepEqual([...methods], ["GET"]);
  });

  it("exits with 1 where something does not, as text and as JSON", async () => {
    served = deployed.filter((one) => !JSON.stringify(one).includes('"name":"redis-egress"'));
    const { status, stdout } = await run(...cluster, ...stack);
    assert.equal(status, 1);
    assert.match(
      stdout,
      /^✗ Service policies are configured\n {4}NetworkPolicy erlmcp\/redis-egress\n {6}mandatory {2}drift\n {8}is missing, and the stack has it\n/m,
    );
    const json = await run(...cluster, ...stack, "--namespace", "erlmcp", "--format", "json");
    assert.equal(json.status, 1);
    const { passed, stack: name, namespaces } = JSON.parse(json.stdout) as Record<string, unknown>;
    assert.deepEqual([passed, name, namespaces], [false, "staging", ["erlmcp"]]);
  });

  it("takes the configuration of the pack", async () => {
    served = deployed.filter((one) => !JSON.stringify(one).includes('"name":"erlmcp-deny-all-egress"'));
    assert.equal((await run(...cluster)).status, 1);
    writeFileSync(join(folder, "config.json"), '{"namespace-default-deny": "advisory"}');
    const { status, stdout } = await run(...cluster, "--config", "config.json");
    assert.equal(status, 0, stdout);
    assert.match(stdout, /^! Default-deny is there, in both directions$/m);
  });

  it("exits with 2 on wrong arguments", async () => {
    for (const [args, told] of [
      [["--kubeconfig", "none"], "error: there is no file none\n  fix:     correct --kubeconfig\n"],
      [
        [...cluster, "--context", "prod"],
        'error: the kubeconfig has no context "prod"\n  allowed: test\n  fix:     correct --context\n',
      ],
      [
        [...cluster, "--namespace", "shop"],
        "error: the cluster has no namespace shop\n  allowed: erlmcp, monitoring, observability\n  fix:     correct --namespace\n",
      ],
    ] as const) {
      assert.deepEqual(await run(...args), { status: 2, stdout: "", stderr: told });
    }
    const unknownStack = await run(...cluster, "--stack", "live", "--cwd", root);
    assert.equal(unknownStack.status, 2);
    assert.match(unknownStack.stderr, /^error: there is no stack "live"/);
    assert.deepEqual([...methods], ["GET"], "only what names a namespace asks the cluster");
  });

  it("exits with 3 without a cluster, and without permission", async () => {
    const none = await run();
    assert.equal(none.status, 3);
    assert.match(none.stderr, /^error: no cluster is named: /);
    forbidden = ["Pod", "NetworkPolicy"];
    const refused = await run(...cluster);
    assert.equal(refused.status, 3);
    assert.equal(refused.stdout, "");
    assert.match(
      refused.stderr,
      /^error: the cluster does not permit jane to list pods, networkpolicies\.networking\.k8s\.io\n/,
    );
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
    const away = await run(...cluster);
    assert.equal(away.status, 3);
    assert.match(
      away.stderr,
      /^error: the API server at http:\/\/127\.0\.0\.1:\d+ does not answer: .*ECONNREFUSED/,
    );
    server.listen(0);
  });
});
