import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dump, load } from "js-yaml";
import { removeInstance } from "../../sandbox/control-plane";
import { openStack, type SandboxStack } from "../../sandbox/stack";
import { apply, kubectl } from "../helpers/cluster";
import { root } from "../helpers/stack-network";

interface Result {
  readonly passed: boolean;
  readonly checks: readonly { id: string; status: string; findings: { about: string; at: string }[] }[];
}

describe("zero-trust validate, on a real API server", function () {
  this.timeout(300_000);

  const instance = `test-validate-${process.pid}`;
  const folder = mkdtempSync(join(tmpdir(), "zero-trust-validate-"));
  let stack: SandboxStack;

  before(async () => {
    stack = await openStack({ stack: "staging", instance });
    const { exitCode, stdout, stderr } = await stack.up();
    assert.equal(exitCode, 0, `${stdout}\n${stderr}`);
  });
  after(async () => {
    await removeInstance(instance);
    rmSync(folder, { recursive: true });
  });

  function run(kubeconfig: string, ...args: string[]) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, "dist", "cli", "main.js"), "validate", "--kubeconfig", kubeconfig, ...args],
      { cwd: root, encoding: "utf8" },
    );
    return { status, stdout, stderr };
  }

  /** What fails, as `check: object`. */
  function failures(...args: string[]): string[] {
    const { status, stdout, stderr } = run(stack.kubeconfig, ...args, "--format", "json");
    assert.ok(stdout !== "", stderr);
    const { passed, checks } = JSON.parse(stdout) as Result;
    assert.equal(status, passed ? 0 : 1);
    const failed = checks
      .filter((check) => check.status === "failed")
      .flatMap(({ id, findings }) => findings.map(({ about }) => `${id}: ${about}`));
    return [...new Set(failed)].sort();
  }
  const kube = (...args: string[]): string => kubectl(stack.kubeconfig, ...args);

  it("passes the stack as it was deployed, compared with it and with none", () => {
    const { status, stdout, stderr } = run(stack.kubeconfig, "--stack", "staging");
    assert.equal(stderr, "");
    assert.equal(status, 0, stdout);
    assert.match(
      stdout,
      /^Compared with the stack staging; 3 namespaces: erlmcp, monitoring, observability$/m,
    );
    assert.match(stdout, /^✓ Default-deny is there, in both directions$/m);
    assert.match(stdout, /^✓ No object is there that the stack does not know$/m);
    assert.deepEqual(failures(), []);
    assert.deepEqual(failures("--namespace", "erlmcp"), []);
  });

  it("compares with the stack that is named, not with what happens to be there", () => {
    const found = failures("--stack", "prod");
    assert.ok(found.includes("service-policies: NetworkPolicy erlmcp/erlmcp-mtls-only"), found.join("\n"));
    assert.ok(found.includes("namespaces: Namespace erlmcp"));
  });

  describe("after sabotage by hand", () => {
    afterEach(() => {
      const out = join(folder, "staging");
      const render = [join(root, "dist", "cli", "main.js"), "render", "--stack", "staging", "--out", out];
      assert.equal(spawnSync(process.execPath, render, { cwd: root }).status, 0);
      kube("apply", "--server-side", "--force-conflicts", "-k", out);
      assert.deepEqual(failures("--stack", "staging"), [], "all is mended");
    });

    it("names a policy that was deleted", () => {
      kube("delete", "networkpolicy", "redis-egress", "-n", "erlmcp");
      const found = failures("--stack", "staging");
      assert.ok(found.includes("service-policies: NetworkPolicy erlmcp/redis-egress"), found.join("\n"));
      const { status, stdout } = run(stack.kubeconfig, "--stack", "staging");
      assert.equal(status, 1);
      assert.match(stdout, /^ +NetworkPolicy erlmcp\/redis-egress/m);
    });

    it("names a default-deny that was deleted", () => {
      kube("delete", "networkpolicy", "erlmcp-deny-all-ingress", "-n", "erlmcp");
      const found = failures("--stack", "staging");
      assert.ok(
        found.includes("default-deny: NetworkPolicy erlmcp/erlmcp-deny-all-ingress"),
        found.join("\n"),
      );
      assert.ok(found.includes("default-deny: Namespace erlmcp"));
      assert.ok(failures().includes("default-deny: Namespace erlmcp"));
    });

    it("names a policy that was widened", () => {
      const edit = [{ op: "add", path: "/spec/ingress/0/ports/-", value: { protocol: "TCP", port: 3306 } }];
      kube(
        "patch",
        "networkpolicy",
        "postgres-ingress",
        "-n",
        "erlmcp",
        "--type=json",
        "-p",
        JSON.stringify(edit),
      );
      const found = failures("--stack", "staging");
      assert.ok(found.includes("service-policies: NetworkPolicy erlmcp/postgres-ingress"), found.join("\n"));
      const wide = [{ op: "remove", path: "/spec/ingress/0/ports" }];
      kube(
        "patch",
        "networkpolicy",
        "postgres-ingress",
        "-n",
        "erlmcp",
        "--type=json",
        "-p",
        JSON.stringify(wide),
      );
      assert.ok(failures().includes("ports: NetworkPolicy erlmcp/postgres-ingress"));
    });

    it("names a namespace that lost a label", () => {
      kube("label", "namespace", "monitoring", "network-policy-");
      assert.deepEqual(failures("--stack", "staging"), ["namespaces: Namespace monitoring"]);
      assert.deepEqual(failures(), ["namespaces: Namespace monitoring"]);
    });

    it("names a stray policy that allows all", () => {
      apply(stack.kubeconfig, {
        apiVersion: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        metadata: { name: "allow-all", namespace: "erlmcp" },
        spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: [{}] },
      });
      try {
        const found = failures("--stack", "staging");
        for (const check of ["strays", "ports", "permissive"]) {
          assert.ok(found.includes(`${check}: NetworkPolicy erlmcp/allow-all`), found.join("\n"));
        }
        assert.ok(failures().includes("permissive: NetworkPolicy erlmcp/allow-all"));
      } finally {
        kube("delete", "networkpolicy", "allow-all", "-n", "erlmcp");
      }
    });

    it("names a pod that no policy selects", () => {
      apply(stack.kubeconfig, {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "debug", namespace: "erlmcp", labels: { run: "debug" } },
        spec: {
          containers: [
            {
              name: "main",
              image: "main",
              securityContext: {
                allowPrivilegeEscalation: false,
                runAsNonRoot: true,
                capabilities: { drop: ["ALL"] },
                seccompProfile: { type: "RuntimeDefault" },
              },
            },
          ],
        },
      });
      try {
        assert.ok(failures("--stack", "staging").includes("pods: Pod erlmcp/debug"));
        assert.ok(failures("--namespace", "erlmcp").includes("pods: Pod erlmcp/debug"));
        assert.deepEqual(failures("--namespace", "monitoring"), []);
      } finally {
        kube("delete", "pod", "debug", "-n", "erlmcp", "--grace-period=0", "--force");
      }
    });

    it("names a namespace that nobody isolated", () => {
      kube("create", "namespace", "shop");
      try {
        const found = failures();
        assert.ok(found.includes("default-deny: Namespace shop"), found.join("\n"));
        assert.ok(found.includes("namespaces: Namespace shop"));
        assert.deepEqual(failures("--stack", "staging"), []);
      } finally {
        kube("delete", "namespace", "shop");
      }
    });
  });

  describe("with a service account", () => {
    const kubeconfigOf = (serviceAccount: string): string => {
      const token = kube("create", "token", serviceAccount, "-n", "default").trim();
      const config = load(readFileSync(stack.kubeconfig, "utf8")) as { users: { user: object }[] };
      config.users = config.users.map((user) => ({ ...user, user: { token } }));
      const file = join(folder, serviceAccount);
      writeFileSync(file, dump(config), { mode: 0o600 });
      return file;
    };

    it("works with the ClusterRole of docs/ and nothing more", () => {
      kube("apply", "-f", join(root, "docs", "validate-clusterrole.yaml"));
      kube("create", "serviceaccount", "validate", "-n", "default");
      const binding = ["--clusterrole=zero-trust-validate", "--serviceaccount=default:validate"];
      kube("create", "clusterrolebinding", "zero-trust-validate", ...binding);
      const { status, stdout, stderr } = run(kubeconfigOf("validate"), "--stack", "staging");
      assert.equal(stderr, "");
      assert.equal(status, 0, stdout);
    });

    it("exits with 3 without it, and names what is missing", () => {
      kube("create", "serviceaccount", "nobody", "-n", "default");
      const { status, stdout, stderr } = run(kubeconfigOf("nobody"), "--stack", "staging");
      assert.equal(status, 3);
      assert.equal(stdout, "");
      assert.match(
        stderr,
        /^error: the cluster does not permit system:serviceaccount:default:nobody to list namespaces, nodes, pods, .*networkpolicies\.networking\.k8s\.io/,
      );
      assert.match(stderr, /--clusterrole=zero-trust-validate --serviceaccount=default:nobody$/m);
      assert.match(
        stderr,
        /apiGroups: \[networking\.k8s\.io\]\n +resources: \[networkpolicies\]\n +verbs: \[list\]/,
      );
      // Only kinds that this cluster serves.
      assert.ok(!stderr.includes("cilium"));
    });

    it("exits with 3 with credentials that are none", () => {
      const config = load(readFileSync(stack.kubeconfig, "utf8")) as { users: { user: object }[] };
      config.users = config.users.map((user) => ({ ...user, user: { token: "wrong" } }));
      const file = join(folder, "wrong");
      writeFileSync(file, dump(config));
      const { status, stderr } = run(file);
      assert.equal(status, 3);
      assert.match(
        stderr,
        /^error: the API server at https:\/\/127\.0\.0\.1:\d+ does not accept the credentials/,
      );
    });
  });
});
