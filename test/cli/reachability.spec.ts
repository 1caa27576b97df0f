import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../helpers/stack-network";

const base = `apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from: [{podSelector: {matchLabels: {app: web}}}]
      ports: [{port: 5432}]
`;

describe("zero-trust, on what policies allow", function () {
  this.timeout(60_000);

  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "zero-trust-"));
    writeFileSync(join(folder, "base.yaml"), base);
    writeFileSync(join(folder, "head.yaml"), base.replace("{port: 5432}", "{port: 5432}, {port: 22}"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function run(args: readonly string[], input = "") {
    const entry = [require.resolve("ts-node/register/transpile-only"), join(root, "cli", "main.ts")] as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, ["-r", ...entry, ...args], {
      cwd: folder,
      encoding: "utf8",
      input,
      env: { ...process.env, TS_NODE_PROJECT: join(root, "tsconfig.json") },
    });
    return { status, stdout, stderr };
  }

  it("lists every pair in the spelling of other tools", () => {
    const { status, stdout } = run(["connectivity", "--manifests", "base.yaml", "--format", "csv"]);
    assert.equal(status, 0);
    assert.deepEqual(stdout.split("\n"), [
      "src,dst,conn",
      "0.0.0.0-255.255.255.255[External],shop/web[Pod],All Connections",
      "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff[External],shop/web[Pod],All Connections",
      "shop/web[Pod],0.0.0.0-255.255.255.255[External],All Connections",
      "shop/web[Pod],::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff[External],All Connections",
      "shop/web[Pod],shop/db[Pod],TCP 5432",
      "",
    ]);
  });

  it("tells on stderr what every answer rests on", () => {
    const block = base.replace(
      "[{podSelector: {matchLabels: {app: web}}}]",
      "[{ipBlock: {cidr: 10.0.0.0/8}}]",
    );
    writeFileSync(join(folder, "block.yaml"), block);
    const pods = ["--pod-cidr", "10.1.0.0/16"];
    const note =
      "note: NetworkPolicy shop/db spec.ingress[0].from[0]: 10.0.0.0/8 covers pod addresses (10.1.0.0/16): whether it lets pods through depends on the network plugin, and this answer says it does not\n";
    for (const command of [
      ["explain", "shop/web", "shop/db", "--manifests", "block.yaml"],
      ["exposure", "--manifests", "block.yaml"],
      ["diff", "block.yaml", "block.yaml"],
    ]) {
      assert.equal(run([...command, ...pods]).stderr, note);
    }
  });

  it("reads stdin, and prints every format", () => {
    for (const format of ["text", "md", "csv", "json", "dot", "svg", "mermaid"]) {
      const { status, stdout, stderr } = run(["connectivity", "--manifests", "-", "--format", format], base);
      assert.equal(status, 0, stderr);
      assert.match(stdout, /5432/, format);
      assert.ok(stdout.endsWith("\n"), format);
    }
  });

  it("tells what a change opens, and fails where that is asked for", () => {
    const opening = run(["diff", "base.yaml", "head.yaml", "--fail-on", "opened"]);
    assert.equal(
      opening.stdout,
      "1 change of what is open: 1 widened.\n\nWidened\n  shop/web -> shop/db  +TCP 22 (now TCP 22, 5432)\n",
    );
    assert.equal(opening.status, 1);
    assert.equal(run(["diff", "base.yaml", "head.yaml"]).status, 0);
    assert.equal(run(["diff", "head.yaml", "base.yaml", "--fail-on", "opened"]).status, 0);
    assert.equal(run(["diff", "head.yaml", "base.yaml", "--fail-on", "any"]).status, 1);
  });

  it("explains a connection by the names people use", () => {
    const { status, stdout } = run(["explain", "shop/web", "shop/db", "22", "--manifests", "base.yaml"]);
    assert.equal(status, 0);
    assert.match(stdout, /^shop\/web -> shop\/db: shut \(TCP 22\)\n/);
    assert.match(stdout, /To open it, add to spec\.ingress of NetworkPolicy shop\/db:\n {2}- from:\n/);
    assert.match(
      run(["explain", "shop/web", "203.0.113.7", "UDP/53", "--manifests", "base.yaml"]).stdout,
      /^shop\/web -> 203\.0\.113\.7: open \(UDP 53\)\n/,
    );
  });

  it("names what is not there, and what is", () => {
    const unknown = run(["explain", "shop/wep", "shop/db", "--manifests", "base.yaml"]);
    assert.equal(unknown.status, 2);
    assert.equal(
      unknown.stderr,
      `error: "shop/wep" is no workload of the input, and no address
  allowed: <namespace>/<name>, <namespace>/<name>[<Kind>], or one IPv4 or IPv6 address
  fix:     name one of shop/web[Pod], shop/db[Pod]
`,
    );
    const port = run(["explain", "shop/web", "shop/db", "70000", "--manifests", "base.yaml"]);
    assert.equal(port.status, 2);
    assert.equal(
      port.stderr,
      `error: "70000" is no port
  allowed: a number from 1 to 65535, a range such as 9100-9155, each with TCP/, UDP/ or SCTP/ before it if it is not TCP
  fix:     correct it, or leave it out to ask about every port
`,
    );
    const range = run(["connectivity", "--manifests", "base.yaml", "--pod-cidr", "10.0.0.0/33"]);
    assert.equal(range.status, 2);
    assert.match(range.stderr, /^error: --pod-cidr 10\.0\.0\.0\/33 is no CIDR: /);
  });

  it("answers nothing from a policy it cannot read, and names every place", () => {
    writeFileSync(
      join(folder, "bad.yaml"),
      base.replace("port: 5432", "port: 5432, protocol: TPC").replace("policyTypes", "policyType"),
    );
    const { status, stdout, stderr } = run(["connectivity", "--manifests", "bad.yaml"]);
    assert.equal(status, 2);
    assert.equal(stdout, "");
    assert.equal(
      stderr,
      `error: bad.yaml:14 (document 3): NetworkPolicy shop/db: spec.policyType is not a field of the API
  allowed: podSelector, policyTypes, ingress, egress
  fix:     write policyTypes
error: bad.yaml:17 (document 3): NetworkPolicy shop/db: spec.ingress[0].ports[0].protocol is "TPC"
  allowed: "TCP", "UDP" or "SCTP"
  fix:     write "TCP"
`,
    );
  });

  it("asks for the ranges that make an answer sharper, and tells what rests on them", () => {
    writeFileSync(
      join(folder, "block.yaml"),
      base.replace("podSelector: {matchLabels: {app: web}}", "ipBlock: {cidr: 10.0.0.0/8}"),
    );
    const { stdout } = run(["connectivity", "--manifests", "block.yaml", "--pod-cidr", "10.244.0.0/16"]);
    assert.match(
      stdout,
      /NetworkPolicy shop\/db spec\.ingress\[0\]\.from\[0\]: 10\.0\.0\.0\/8 covers pod addresses \(10\.244\.0\.0\/16\): whether it lets pods through depends on the network plugin, and this answer says it does not/,
    );
  });
});
