import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { removeInstance, startControlPlane, stopControlPlane } from "../../sandbox/control-plane";
import { inSandbox, instanceFolder } from "../../sandbox/paths";
import { openStack } from "../../sandbox/stack";
import type { SandboxStack, StackArgs } from "../../sandbox/stack";
import type { ResourceConfig } from "../fixtures/sandbox/program";

const fixtures = path.resolve(__dirname, "../fixtures/sandbox");
const instance = `test-${process.pid}`;

function open(resources: readonly ResourceConfig[], args: Partial<StackArgs> = {}): Promise<SandboxStack> {
  return openStack({
    instance,
    stack: "e2e",
    program: path.join(fixtures, "program.ts"),
    policyPack: null,
    config: { resources },
    ...args,
  });
}

function kubectl(...args: string[]): string {
  return execFileSync(inSandbox("bin", "kubectl"), args, {
    env: { ...process.env, KUBECONFIG: path.join(instanceFolder(instance), "kubeconfig") },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();
}

function live(...args: string[]): Record<string, unknown> {
  return JSON.parse(kubectl("get", ...args, "-o", "json")) as Record<string, unknown>;
}

function exists(...args: string[]): boolean {
  return kubectl("get", ...args, "--ignore-not-found") !== "";
}

const namespace = (labels: Record<string, string>, name = "shop"): ResourceConfig => ({
  type: "core.v1.Namespace",
  name: "shop",
  args: { metadata: { name, labels } },
});
const policy = (port: number, namespaceName = "shop"): ResourceConfig => ({
  type: "networking.v1.NetworkPolicy",
  name: "policy",
  args: {
    metadata: { name: "web", namespace: namespaceName },
    spec: {
      podSelector: {},
      policyTypes: ["Ingress", "Egress"],
      ingress: [],
      egress: [
        { to: [{ ipBlock: { cidr: "192.0.2.0/24", except: [] } }], ports: [{ protocol: "TCP", port }] },
      ],
    },
  },
});
const patch = (labels: Record<string, string>, name = "adopted"): ResourceConfig => ({
  type: "core.v1.NamespacePatch",
  name: "patch",
  args: { metadata: { name, labels } },
});

describe("a stack in the sandbox", function () {
  this.timeout(180_000);

  before(async () => {
    await startControlPlane(instance);
    kubectl("create", "namespace", "adopted");
  });
  after(async () => {
    await removeInstance(instance);
  });

  it("creates what the program declares", async () => {
    const settings: ResourceConfig = {
      type: "core.v1.ConfigMap",
      name: "settings",
      args: { metadata: { namespace: "shop" }, data: { colour: "blue" } },
    };
    const stack = await open([namespace({ tier: "one" }), policy(443), settings]);
    const { exitCode, changes, outputs } = await stack.up();
    assert.deepEqual({ exitCode, changes }, { exitCode: 0, changes: { create: 4 } });
    const [shop, web, configMap] = outputs.ids as string[];
    assert.deepEqual([shop, web], ["shop", "shop/web"]);
    assert.match(configMap ?? "", /^shop\/settings-[0-9a-f]{8}$/);
    const { metadata } = live("configmap", "-n", "shop", (configMap ?? "").slice("shop/".length)) as {
      metadata: { annotations: unknown };
    };
    assert.deepEqual(metadata.annotations, { "pulumi.com/autonamed": "true" });
    assert.deepEqual((live("networkpolicy", "web", "-n", "shop") as { spec: unknown }).spec, {
      podSelector: {},
      policyTypes: ["Ingress", "Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "192.0.2.0/24" } }], ports: [{ protocol: "TCP", port: 443 }] }],
    });

    const again = await stack.up();
    assert.deepEqual([again.exitCode, again.changes], [0, { same: 4 }]);
  });

  it("updates in place only what changed", async () => {
    const stack = await open([namespace({ tier: "two" }), policy(443)]);
    const { exitCode, changes, steps } = await stack.up();
    assert.deepEqual({ exitCode, changes }, { exitCode: 0, changes: { update: 1, same: 2, delete: 1 } });
    assert.deepEqual(steps.find(({ operation }) => operation === "update")?.changedProperties, [
      "metadata.labels.tier",
    ]);
    assert.equal(kubectl("get", "ns", "shop", "-o", "jsonpath={.metadata.labels.tier}"), "two");
  });

  it("sees what kubectl changed, and mends it", async () => {
    const stack = await open([namespace({ tier: "two" }), policy(443)]);
    kubectl("label", "ns", "shop", "tier=drifted", "--overwrite");
    const port = [{ op: "replace", path: "/spec/egress/0/ports/0/port", value: 22 }];
    kubectl("patch", "networkpolicy", "web", "-n", "shop", "--type=json", "-p", JSON.stringify(port));
    const refreshed = await stack.refresh();
    assert.deepEqual([refreshed.exitCode, refreshed.changes], [0, { update: 2, same: 1 }]);
    const { exitCode, changes } = await stack.up();
    assert.deepEqual({ exitCode, changes }, { exitCode: 0, changes: { update: 2, same: 1 } });
    assert.equal(kubectl("get", "ns", "shop", "-o", "jsonpath={.metadata.labels.tier}"), "two");
    assert.equal(
      kubectl("get", "networkpolicy", "web", "-n", "shop", "-o", "jsonpath={.spec.egress[0].ports[0].port}"),
      "443",
    );
  });

  it("makes again what was deleted behind its back", async () => {
    const stack = await open([namespace({ tier: "two" }), policy(443)]);
    kubectl("delete", "networkpolicy", "web", "-n", "shop");
    const refreshed = await stack.refresh();
    assert.deepEqual(refreshed.changes, { delete: 1, same: 2 });
    assert.deepEqual((await stack.up()).changes, { create: 1, same: 2 });
  });

  it("replaces an object whose name or namespace changes", async () => {
    const stack = await open([namespace({ tier: "two" }, "store"), policy(443, "store")]);
    const { exitCode, steps } = await stack.up();
    assert.equal(exitCode, 0);
    const replaced = steps.find(
      ({ operation, urn }) => operation === "create-replacement" && urn.endsWith("::shop"),
    );
    assert.deepEqual(replaced?.changedProperties, ["metadata.name"]);
    assert.ok(exists("networkpolicy", "web", "-n", "store"));
    assert.ok(!exists("namespace", "shop"));
  });

  it("refuses to take over an object that exists", async () => {
    kubectl("create", "configmap", "theirs", "-n", "store");
    const theirs: ResourceConfig = {
      type: "core.v1.ConfigMap",
      name: "theirs",
      args: { metadata: { name: "theirs", namespace: "store" }, data: { mine: "yes" } },
    };
    const stack = await open([namespace({ tier: "two" }, "store"), policy(443, "store"), theirs]);
    const { exitCode, diagnostics } = await stack.up();
    assert.equal(exitCode, 1);
    const error = diagnostics.find(({ severity, urn }) => severity === "error" && urn?.endsWith("::theirs"));
    assert.equal(
      error?.message,
      'resource "store/theirs" was not successfully created by the Kubernetes API server: ' +
        'configmaps "theirs" already exists',
    );
    assert.equal((live("configmap", "theirs", "-n", "store") as { data?: unknown }).data, undefined);
  });

  it("adopts fields of a namespace with a patch, and gives them back", async () => {
    const { exitCode } = await (await open([patch({ zone: "dmz" })])).up();
    assert.equal(exitCode, 0);
    assert.equal(kubectl("get", "ns", "adopted", "-o", "jsonpath={.metadata.labels.zone}"), "dmz");
    kubectl("label", "--field-manager=another-team", "ns", "adopted", "owner=them");

    const taken = await (await open([patch({ zone: "dmz", owner: "us" })])).up();
    assert.equal(taken.exitCode, 1);
    const conflict = taken.diagnostics.map(({ message }) => message).join("\n");
    assert.match(conflict, /Server-Side Apply field conflict detected/);
    assert.match(conflict, /conflict with "another-team" using v1: \.metadata\.labels\.owner/);

    assert.equal((await (await open([])).up()).exitCode, 0);
    const { metadata } = live("namespace", "adopted") as { metadata: { labels: unknown } };
    assert.deepEqual(metadata.labels, { "kubernetes.io/metadata.name": "adopted", owner: "them" });
  });

  it("does not make what it was to patch", async () => {
    const { exitCode, diagnostics } = await (await open([patch({ zone: "dmz" }, "nowhere")])).up();
    assert.equal(exitCode, 1);
    assert.match(
      diagnostics.map(({ message }) => message).join("\n"),
      /Namespace "nowhere" does not exist, so it cannot be patched: create it first/,
    );
    assert.ok(!exists("namespace", "nowhere"));
    assert.equal((await (await open([])).up()).exitCode, 0);
  });

  it("serves the service meshes' kinds, validated by their schemas", async () => {
    const custom = (apiVersion: string, kind: string, spec: unknown): ResourceConfig => ({
      type: "apiextensions.CustomResource",
      name: kind.toLowerCase(),
      args: { apiVersion, kind, metadata: { name: "default", namespace: "adopted" }, spec },
    });
    const istio = custom("security.istio.io/v1", "PeerAuthentication", { mtls: { mode: "STRICT" } });
    const linkerd = [
      custom("policy.linkerd.io/v1beta3", "Server", { podSelector: {}, port: 5432, proxyProtocol: "opaque" }),
      custom("policy.linkerd.io/v1alpha1", "MeshTLSAuthentication", { identities: ["*"] }),
      custom("policy.linkerd.io/v1alpha1", "AuthorizationPolicy", {
        targetRef: { group: "policy.linkerd.io", kind: "Server", name: "default" },
        requiredAuthenticationRefs: [
          { group: "policy.linkerd.io", kind: "MeshTLSAuthentication", name: "default" },
        ],
      }),
    ];
    const stack = await open([istio, ...linkerd]);
    assert.equal((await stack.up()).exitCode, 0);
    assert.deepEqual((await stack.up()).changes, { same: 5 });

    const wrong = custom("security.istio.io/v1", "PeerAuthentication", { mtls: { mode: "SOMETIMES" } });
    const { exitCode, diagnostics } = await (await open([wrong, ...linkerd])).up();
    assert.equal(exitCode, 1);
    assert.match(
      diagnostics.map(({ message }) => message).join("\n"),
      /spec\.mtls\.mode: Unsupported value: "SOMETIMES"/,
    );
    assert.equal(
      kubectl("get", "peerauthentication", "default", "-n", "adopted", "-o", "jsonpath={.spec.mtls.mode}"),
      "STRICT",
    );
    assert.equal((await (await open([])).up()).exitCode, 0);
  });

  it("is stopped by a policy pack before anything is made", async () => {
    const policyPack = path.join(fixtures, "policypack");
    const resources = [namespace({ forbidden: "yes" }, "blocked")];
    const { exitCode, violations } = await (await open(resources, { policyPack })).up();
    assert.equal(exitCode, 1);
    assert.deepEqual(
      violations.map(({ policy: name, enforcement, urn }) => [name, enforcement, urn?.split("::").at(-1)]),
      [["no-forbidden-label", "mandatory", "shop"]],
    );
    assert.match(violations[0]?.message ?? "", /has the label forbidden/);
    assert.ok(!exists("namespace", "blocked"));

    const policyPackConfig = { "no-forbidden-label": { label: "other" } };
    assert.equal((await (await open(resources, { policyPack, policyPackConfig })).preview()).exitCode, 0);
  });

  it("goes on after a run that was killed while it made something", async () => {
    // Until its namespace exists the creation is tried again, so the engine is certain to be in the middle of it.
    const late: ResourceConfig = {
      type: "core.v1.ConfigMap",
      name: "late",
      args: { metadata: { name: "late", namespace: "later" }, data: { made: "once" } },
    };
    const resources = [namespace({ tier: "one" }), late];
    const killed = await (await open(resources, { env: { INTERRUPT: "late" } })).up();
    assert.equal(killed.exitCode, 1);
    // What the provider did before the end, and the state does not know.
    kubectl("create", "namespace", "later");
    kubectl("create", "configmap", "late", "-n", "later", "--from-literal=made=once");

    const stack = await open(resources);
    const { exitCode, diagnostics } = await stack.up();
    assert.equal(exitCode, 0, JSON.stringify(diagnostics));
    assert.deepEqual((await stack.up()).changes, { same: 3 });
  });

  it("keeps its objects while the control plane is stopped, and mends a half-dead one", async () => {
    assert.ok(await stopControlPlane(instance));
    await startControlPlane(instance);
    assert.ok(exists("namespace", "shop"));
    const pidFile = path.join(instanceFolder(instance), "kube-apiserver.pid");
    const pid = Number(readFileSync(pidFile, "utf8"));
    process.kill(pid, "SIGKILL");
    await startControlPlane(instance);
    assert.notEqual(Number(readFileSync(pidFile, "utf8")), pid);
    assert.ok(exists("namespace", "shop"));
  });

  it("runs beside another sandbox", async () => {
    const other = `${instance}-other`;
    try {
      const stacks = await Promise.all([
        open([namespace({ side: "left" })]),
        open([namespace({ side: "right" })], { instance: other }),
      ]);
      const results = await Promise.all(stacks.map((stack) => stack.up()));
      assert.deepEqual(
        results.map(({ exitCode }) => exitCode),
        [0, 0],
      );
      assert.equal(kubectl("get", "ns", "shop", "-o", "jsonpath={.metadata.labels.side}"), "left");
    } finally {
      await removeInstance(other);
    }
    assert.ok(!existsSync(instanceFolder(other)));
  });

  it("refuses a second run of the same stack meanwhile", async () => {
    const stack = await open([namespace({ side: "left" })]);
    const first = stack.preview();
    await assert.rejects(
      stack.preview(),
      new RegExp(`the stack "e2e" in the sandbox "${instance}" is being worked on by process ${process.pid}`),
    );
    assert.equal((await first).exitCode, 0);
  });

  it("destroys what it made, protected things only when told to", async () => {
    const stack = await open([{ ...namespace({ side: "left" }), protect: true }]);
    assert.equal((await stack.up()).exitCode, 0);
    const refused = await stack.destroy();
    assert.equal(refused.exitCode, 1);
    assert.ok(exists("namespace", "shop"));
    const { exitCode } = await stack.destroy({ unprotect: true });
    assert.equal(exitCode, 0);
    assert.ok(!exists("namespace", "shop"));
    assert.ok(exists("namespace", "adopted"));
    assert.deepEqual((await stack.export()).deployment.resources ?? [], []);
  });
});
