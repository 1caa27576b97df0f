import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { isBuiltin } from "node:module";
import { homedir, tmpdir } from "node:os";
import { delimiter, dirname, join, posix } from "node:path";
import { removeInstance } from "../../sandbox/control-plane";
import { openStack } from "../../sandbox/stack";
import { resolveTools } from "../../sandbox/tools";
import { publishPack, type PublishedPack } from "../helpers/publish-pack";
import { root } from "../helpers/stack-network";

const policy = (cidr: string): string => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web-egress
  namespace: default
  annotations:
    zero-trust.erlmcp/purpose: Calls the payment provider
spec:
  podSelector:
    matchLabels:
      app: web
  policyTypes: [Egress]
  egress:
    - to:
        - ipBlock:
            cidr: ${cidr}
      ports:
        - protocol: TCP
          port: 443
`;

describe("the policy pack as `pulumi policy publish` packs it", function () {
  // It is installed from the registry, or npm's cache of it.
  this.timeout(300_000);

  const source = join(root, "policypack");
  const instance = `test-published-${process.pid}`;
  const folder = mkdtempSync(join(tmpdir(), "published-"));
  const pack = join(folder, "package");
  let published: PublishedPack;
  let files: string[];

  before(async () => {
    published = await publishPack(source);
    // As the engine does with a pack that an organisation requires.
    execFileSync("tar", ["-xz", "-C", folder], { input: published.tarball });
    files = readdirSync(pack, { recursive: true, encoding: "utf8", withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => posix.relative(pack, posix.join(entry.parentPath, entry.name)))
      .sort();
  });
  after(async () => {
    await removeInstance(instance);
    rmSync(folder, { recursive: true });
  });

  it("is announced with its name, its version and all its policies", () => {
    const { version } = JSON.parse(readFileSync(join(source, "package.json"), "utf8")) as { version: string };
    assert.deepEqual([published.name, published.version], ["erlmcp-zero-trust", version]);
    for (const name of ["netpol-valid", "matrix-conformance", "exceptions-in-date"]) {
      assert.ok(published.policies.includes(name), `${name} is among its policies`);
    }
  });

  it("holds what it needs to run: no sources, no tests, nothing of this machine", () => {
    assert.deepEqual(
      files.filter((file) => !/^dist\/.*\.js$/.test(file)),
      ["PulumiPolicy.yaml", "README.md", "package.json"],
    );
    const needed = modulesFrom("dist/index.js");
    assert.deepEqual(
      needed.filter((file) => !files.includes(file)),
      [],
    );
    for (const file of files) {
      const text = readFileSync(join(pack, file), "utf8");
      // A dependency by path would be one on this machine.
      const places = [root, homedir(), ...(file === "package.json" ? ["file:", "workspace:"] : [])];
      for (const place of places) {
        assert.ok(!text.includes(place), `${file} does not name ${place}`);
      }
    }
    assert.ok(!existsSync(join(source, `erlmcp-zero-trust-policypack-${published.version}.tgz`)));
  });

  describe("installed alone elsewhere", () => {
    const manifest = join(folder, "manifest.yaml");
    const runner = join(folder, "bin", "pulumi-analyzer-policy-nodejs");
    before(() => {
      const install = ["install", "--loglevel=error", "--production", "--prefer-offline"];
      execFileSync("npm", [...install, "--no-audit", "--no-fund"], { cwd: pack });
      // What Pulumi's own script of this name does: it runs packs with the runner that they bring along.
      mkdirSync(dirname(runner));
      const main = join(pack, "node_modules", "@pulumi", "pulumi", "cmd", "run-policy-pack");
      writeFileSync(runner, `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`);
      chmodSync(runner, 0o755);
    });

    const preview = async (cidr: string) => {
      writeFileSync(manifest, policy(cidr));
      const tools = await resolveTools();
      const stack = await openStack({
        stack: "deploy-manifest",
        instance,
        program: join(root, "test", "fixtures", "deploy-manifest.ts"),
        policyPack: pack,
        env: {
          MANIFEST: manifest,
          PATH: [dirname(runner), ...tools.path, process.env.PATH ?? ""].join(delimiter),
        },
      });
      return stack.preview();
    };

    it("has all that it loads, and not the Kubernetes SDK, which would slow its start", () => {
      const { dependencies } = JSON.parse(readFileSync(join(pack, "package.json"), "utf8")) as {
        dependencies: Record<string, string>;
      };
      assert.deepEqual(
        packagesLoaded(),
        Object.keys(dependencies).filter((name) => name !== "@pulumi/pulumi"),
      );
      // It fails where a package lacks one that it depends on.
      execFileSync("npm", ["ls", "--all", "--omit=dev"], { cwd: pack, stdio: "pipe" });
      assert.ok(!existsSync(join(pack, "node_modules", "@pulumi", "kubernetes")));
    });

    it("blocks a preview, with the rule's message", async () => {
      const { exitCode, violations, stdout } = await preview("10.0.0.0/8");
      assert.equal(exitCode, 1, stdout);
      assert.deepEqual(
        violations.map(({ policyPack, policy: name, enforcement, urn }) => [
          policyPack,
          name,
          enforcement,
          urn?.split("::").at(-1),
        ]),
        [["erlmcp-zero-trust", "netpol-no-private-ranges-in-external-egress", "mandatory", "web-egress"]],
      );
      assert.ok(
        stdout.includes(
          "NetworkPolicy default/web-egress: spec.egress[0].to[0].ipBlock reaches 10.0.0.0/8 (private, RFC 1918) on TCP 443.",
        ),
        stdout,
      );
    });

    it("lets a preview pass that breaks no rule", async () => {
      const { exitCode, violations, stdout } = await preview("203.0.113.0/28");
      assert.equal(exitCode, 0, stdout);
      assert.deepEqual(violations, []);
    });
  });

  /** The packages that the pack loads itself. */
  function packagesLoaded(): string[] {
    const found = modulesFrom("dist/index.js").flatMap((file) =>
      [...readFileSync(join(pack, file), "utf8").matchAll(/require\("([^."][^"]*)"\)/g)].map(
        ([, name = ""]) => name,
      ),
    );
    const packages = found
      .filter((name) => !isBuiltin(name))
      .map((name) =>
        name
          .split("/")
          .slice(0, name.startsWith("@") ? 2 : 1)
          .join("/"),
      );
    return [...new Set(packages)].sort();
  }

  /** A module of the pack, and all that it loads of the pack, directly or not. */
  function modulesFrom(entry: string): string[] {
    const found = new Set([entry]);
    for (const file of found) {
      if (!files.includes(file)) continue;
      const text = readFileSync(join(pack, file), "utf8");
      for (const [, module = ""] of text.matchAll(/require\("(\.[^"]*)"\)/g)) {
        const target = posix.join(posix.dirname(file), module);
        found.add(files.includes(`${target}/index.js`) ? `${target}/index.js` : `${target}.js`);
      }
    }
    return [...found];
  }
});
