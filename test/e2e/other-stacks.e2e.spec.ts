import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { dump } from "js-yaml";
import type { PolicyPackConfig } from "../../matrix";
import { removeInstance } from "../../sandbox/control-plane";
import { inSandbox, instanceFolder } from "../../sandbox/paths";
import { openStack } from "../../sandbox/stack";
import type { StackResult } from "../../sandbox/stack-job";
import { resolveTools } from "../../sandbox/tools";
import { root } from "../helpers/stack-network";

type Manifest = Readonly<Record<string, unknown>>;

const labels = (name: string) => ({ "app.kubernetes.io/name": name });

const deployment = (name: string, namespace = "erlmcp"): Manifest => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace },
  spec: {
    selector: { matchLabels: labels(name) },
    template: {
      metadata: { labels: labels(name) },
      spec: { containers: [{ name, image: `registry.example/${name}:1` }] },
    },
  },
});

const policy = (name: string, spec: Manifest, namespace = "erlmcp"): Manifest => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name, namespace, annotations: { "zero-trust.erlmcp/purpose": "Monthly reports" } },
  spec,
});

const peer = (name: string, namespace = "erlmcp") => ({
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
  podSelector: { matchLabels: labels(name) },
});
const dns = {
  to: [
    {
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
      podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
    },
  ],
  ports: ["UDP", "TCP"].map((protocol) => ({ protocol, port: 53 })),
};
const postgresPort = [{ protocol: "TCP", port: 5432 }];

/** Pods of services that the network's matrix knows. */
const services = [deployment("erlmcp"), deployment("postgres")];

/** A team's own namespace, with all that the pack asks of one. */
const ownNamespace = [
  {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: "orders",
      labels: {
        "network-policy": "zero-trust",
        "security-level": "medium",
        ...Object.fromEntries(
          ["enforce", "audit", "warn"].map((mode) => [`pod-security.kubernetes.io/${mode}`, "restricted"]),
        ),
      },
    },
  },
  policy("default-deny", { podSelector: {}, policyTypes: ["Ingress", "Egress"] }, "orders"),
  policy(
    "orders-egress",
    { podSelector: { matchLabels: labels("orders") }, policyTypes: ["Egress"], egress: [dns] },
    "orders",
  ),
  deployment("orders", "orders"),
];

describe("another stack, judged together with the network's", function () {
  this.timeout(180_000);

  const instance = `test-other-stacks-${process.pid}`;
  const folder = mkdtempSync(join(tmpdir(), "other-stacks-"));
  const baselineFile = join(folder, "baseline.json");
  let baseline: PolicyPackConfig;

  before(async () => {
    const network = await openStack({ stack: "staging", instance });
    const { exitCode, stdout } = await network.up();
    assert.equal(exitCode, 0, stdout);
    const stack = join(instanceFolder(instance), "stacks", "staging");
    const { pulumi } = await resolveTools();
    const text = execFileSync(
      pulumi.path,
      ["stack", "output", "policyPackConfig", "--json", "--stack", "staging"],
      {
        cwd: join(stack, "project"),
        encoding: "utf8",
        env: {
          ...process.env,
          PULUMI_HOME: inSandbox("pulumi-home"),
          PULUMI_BACKEND_URL: pathToFileURL(join(stack, "state")).href,
          PULUMI_CONFIG_PASSPHRASE: "sandbox",
          PULUMI_SKIP_UPDATE_CHECK: "true",
        },
      },
    );
    writeFileSync(baselineFile, text);
    baseline = JSON.parse(text) as PolicyPackConfig;
  });
  after(async () => {
    await removeInstance(instance);
    rmSync(folder, { recursive: true });
  });

  const write = (manifests: readonly Manifest[]): string => {
    const file = join(folder, "manifest.yaml");
    writeFileSync(file, manifests.map((manifest) => dump(manifest)).join("---\n"));
    return file;
  };
  const preview = async (
    manifests: readonly Manifest[],
    policyPackConfig: Partial<PolicyPackConfig>,
  ): Promise<StackResult> => {
    const stack = await openStack({
      stack: "production",
      project: "orders",
      instance,
      program: join(root, "test", "fixtures", "deploy-manifest.ts"),
      env: { MANIFEST: write(manifests) },
      policyPackConfig,
    });
    return stack.preview();
  };
  const found = ({ violations }: StackResult): string[] =>
    violations
      .map(
        ({ policy: rule, enforcement, urn = "" }) => `${enforcement} ${rule} ${urn.split("::").at(-1) ?? ""}`,
      )
      .sort();

  it("may run the network's services in the network's namespaces", async () => {
    const result = await preview(services, baseline);
    assert.equal(result.exitCode, 0, result.stdout);
    assert.deepEqual(found(result), []);
  });

  it("would be blocked for them without the baseline, which knows the default-deny", async () => {
    const result = await preview(services, {});
    assert.equal(result.exitCode, 1, result.stdout);
    assert.deepEqual(found(result), [
      "mandatory namespace-default-deny erlmcp",
      "mandatory protected-services postgres",
      "mandatory workload-isolated erlmcp",
      "mandatory workload-isolated postgres",
    ]);
  });

  it("may not open a protected service to pods that the matrix does not let in", async () => {
    const result = await preview(
      [
        ...services,
        deployment("reports"),
        policy("reports-egress", {
          podSelector: { matchLabels: labels("reports") },
          policyTypes: ["Egress"],
          egress: [dns, { to: [peer("postgres")], ports: postgresPort }],
        }),
        policy("postgres-reports", {
          podSelector: { matchLabels: labels("postgres") },
          policyTypes: ["Ingress"],
          ingress: [{ from: [peer("reports")], ports: postgresPort }],
        }),
      ],
      baseline,
    );
    assert.equal(result.exitCode, 1, result.stdout);
    assert.deepEqual([...new Set(result.violations.map(({ policy: rule }) => rule))].sort(), [
      "matrix-conformance",
      "protected-services",
    ]);
    const undeclared = result.violations.filter(({ policy: rule }) => rule === "matrix-conformance");
    const opens = (name: string, at: string, flow: string) =>
      `NetworkPolicy erlmcp/${name}: ${at} opens what the communication matrix does not declare: erlmcp/reports to ${flow}.`;
    const [first] = undeclared;
    assert.equal(
      first?.message,
      `What the policies let pods do is what the communication matrix declares, no more and no less.
${opens("postgres-reports", "spec.ingress[0].from[0]", "erlmcp/postgres (TCP 5432)")}
Why it is dangerous: nobody has decided that this may talk, and whoever takes over one end gets to the other unnoticed.
Write instead: the peers and ports that the matrix declares. If the flow is wanted, declare it first, with its purpose, in the matrix of the namespace's owner.
See docs/rules.md#matrix-conformance`,
    );
    assert.deepEqual(undeclared.map(({ message }) => message.split("\n")[1]).sort(), [
      opens("postgres-reports", "spec.ingress[0].from[0]", "erlmcp/postgres (TCP 5432)"),
      opens("reports-egress", "spec.egress[0].to[0]", "kube-system/kube-dns (TCP 53; UDP 53)"),
      opens("reports-egress", "spec.egress[1].to[0]", "erlmcp/postgres (TCP 5432)"),
    ]);
    for (const { enforcement } of undeclared) assert.equal(enforcement, "mandatory");
  });

  it("may have namespaces of its own, with a default-deny of its own", async () => {
    const result = await preview(ownNamespace, baseline);
    assert.equal(result.exitCode, 0, result.stdout);
    // The fixture deploys it without Pulumi's protect, of which the rule advises at this security level.
    assert.deepEqual(found(result), ["advisory default-deny-protected default-deny"]);
  });

  it("is judged in the same way as manifests, by zero-trust check", () => {
    const check = (...args: string[]) =>
      spawnSync(
        process.execPath,
        [join(root, "dist", "cli", "main.js"), "check", "--manifests", write(services), ...args],
        { encoding: "utf8" },
      );
    const withBaseline = check("--config", baselineFile);
    assert.equal(withBaseline.status, 0, withBaseline.stdout + withBaseline.stderr);
    assert.equal(check().status, 1);
  });

  it("is no measure of the network's own stack, which may change what it had", async () => {
    const network = await openStack({
      stack: "staging",
      instance,
      config: { disabledFlows: ["app-redis"] },
      policyPackConfig: baseline,
    });
    const result = await network.preview();
    assert.equal(result.exitCode, 0, result.stdout);
    assert.deepEqual(
      found(result).filter((violation) => !violation.startsWith("advisory ")),
      [],
    );
  });
});
