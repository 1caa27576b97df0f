import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { load } from "js-yaml";
import { rules } from "../../policypack/rules";
import { removeInstance } from "../../sandbox/control-plane";
import { openStack, type SandboxStack } from "../../sandbox/stack";
import type { PolicyViolation, StackResult } from "../../sandbox/stack-job";
import { kubectl, liveObjects } from "../helpers/cluster";
import { installExample } from "../helpers/install-example";
import { root } from "../helpers/stack-network";
import { violatingFindings } from "../examples/team-shop-findings";

/** Settings of the pack, as far as they are read here. */
type PackConfig = Record<string, { readonly exceptions?: readonly { readonly until: string }[] }>;

describe("the team-shop example, judged by the policy pack in the engine", function () {
  this.timeout(180_000);

  const instance = `test-team-shop-${process.pid}`;
  let example: string;
  let packConfig: PackConfig;
  before(() => {
    example = installExample("team-shop");
    packConfig = inDate(read("pack-config.json") as PackConfig);
  });
  after(async () => {
    await removeInstance(instance);
    rmSync(dirname(example), { recursive: true });
  });

  const read = (file: string): unknown => load(readFileSync(join(example, file), "utf8"));
  const open = async (form: string, policyPackConfig: PackConfig | null): Promise<SandboxStack> => {
    const { config } = read(`Pulumi.${form}.yaml`) as { config: Record<string, unknown> };
    const program = join(example, "index.ts");
    const pack = policyPackConfig === null ? { policyPack: null } : { policyPackConfig };
    return openStack({ stack: form, instance, program, config, ...pack });
  };

  describe("violating", () => {
    let stack: SandboxStack;
    let result: StackResult;
    before(async () => {
      stack = await open("violating", packConfig);
      result = await stack.up();
    });

    it("stops the update in its preview, and deploys nothing", () => {
      assert.equal(result.exitCode, 1, result.stdout);
      assert.ok(result.stdout.includes("error: preview failed"), result.stdout);
      assert.ok(!result.stdout.includes("Updating (violating)"), result.stdout);
      assert.deepEqual(liveObjects(stack.kubeconfig), {});
    });

    it("finds every mistake, each at its resource, and nothing else", () => {
      const findings = result.violations.filter(({ policy }) => policy !== "exceptions");
      assert.deepEqual(findings.map(sentence).sort(), violatingFindings);
      for (const { message, urn } of findings) {
        const [, about = ""] = message.split("\n");
        const [, name] = /^\w+ (?:shop\/)?([a-z-]+)/.exec(about) ?? [];
        assert.equal(urn?.split("::").at(-1), name, message);
      }
    });

    it("says why it is dangerous and what to write instead", () => {
      const message = (policy: string, resource: string): string | undefined =>
        result.violations.find(({ policy: name, urn }) => name === policy && urn?.endsWith(`::${resource}`))
          ?.message;
      assert.equal(
        message("namespace-default-deny", "shop"),
        `Every namespace that the stack creates or deploys into denies ingress and egress by default.
Namespace shop: namespace shop has no default-deny for egress.
Why it is dangerous: every pod that no other policy selects talks to everything and is reached by everything.
Write instead: add to the stack, before anything else in the namespace:
  apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata:
    name: default-deny-egress
    namespace: shop
    annotations:
      zero-trust.erlmcp/purpose: Shuts all egress that no other policy opens
  spec:
    podSelector: {}
    policyTypes: [Egress]
See docs/rules.md#namespace-default-deny`,
      );
      assert.equal(
        message("netpol-peer-and-not-or", "web"),
        `A namespaceSelector and a podSelector that belong together are one peer (AND), not two (OR) by one dash too many.
NetworkPolicy shop/web: spec.ingress[0].from[1] selects pods of the policy's own namespace, right after spec.ingress[0].from[0] with a namespaceSelector only, as if one peer had got a second dash.
Why it is dangerous: two peers are alternatives (OR): spec.ingress[0].from[0] allows every pod of the namespaces it selects, whatever else the list says.
Write instead: one peer, {namespaceSelector: {"matchLabels":{"name":"ingress-nginx"}}, podSelector: {"matchLabels":{"app.kubernetes.io/name":"ingress-nginx"}}}; where both are meant, a rule for each.
See docs/rules.md#netpol-peer-and-not-or`,
      );
      assert.equal(
        message("netpol-no-private-ranges-in-external-egress", "worker"),
        `Egress to address blocks reaches no private, local or cluster range, except the private endpoints declared with a reason.
NetworkPolicy shop/worker: spec.egress[0].to[0].ipBlock reaches 172.16.0.0/12 (private, RFC 1918), 192.168.0.0/16 (private, RFC 1918), 100.64.0.0/10 (shared address space, RFC 6598), 169.254.0.0/16 (link-local, RFC 3927) on TCP 443.
Why it is dangerous: egress meant for the outside then also opens the internal networks: databases, control planes and metadata services that trust whoever can connect.
Write instead: except these ranges from the block: 100.64.0.0/10, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16.
Or, if the private network is meant, declare it, in the pack's configuration (privateEndpoints) or in the annotation:
  zero-trust.erlmcp/private-endpoints: '[{"cidr":"100.64.0.0/10","ports":["TCP 443"],"reason":"why it is reached"}]'
See docs/rules.md#netpol-no-private-ranges-in-external-egress`,
      );
      assert.equal(
        message("service-no-exposure", "partners-test"),
        `A Service is reached within the cluster only, and leads to the pods that its own selector names.
Service shop/partners-test: spec.type is "LoadBalancer".
Why it is dangerous: it is reached from outside the cluster, around the ingress controller and what is checked there; and, unless allocateLoadBalancerNodePorts is false, by a port of every node.
Write instead: type: ClusterIP, and an Ingress or a route of the gateway. Where it is meant to be, an entry with the reason under this rule's allow, with LoadBalancer among its ways.
See docs/rules.md#service-no-exposure`,
      );
    });

    it("says which exceptions are not needed here", () => {
      const advice = result.violations.filter(({ policy }) => policy === "exceptions");
      assert.deepEqual(advice.map(sentence).sort(), [
        "advisory exceptions: exception not needed: exceptions[0] of namespace-zero-trust-labels is for Namespace shop-node-agent at metadata.labels, where the rule finds nothing.",
        "advisory exceptions: exception not needed: exceptions[0] of workload-no-host-network is for DaemonSet shop-node-agent/node-agent, where the rule finds nothing.",
      ]);
    });

    it("would be deployed in full without the pack", async () => {
      const bare = await open("violating", null);
      const { exitCode, stdout } = await bare.up();
      assert.equal(exitCode, 0, stdout);
      assert.ok("NetworkPolicy shop api-egress" in liveObjects(bare.kubeconfig));
      assert.equal((await bare.destroy()).exitCode, 0);
    });
  });

  describe("compliant", () => {
    let stack: SandboxStack;
    let result: StackResult;
    before(async () => {
      stack = await open("compliant", packConfig);
      result = await stack.up();
    });

    it("comes up without a violation, and tells the exceptions that it uses", () => {
      assert.equal(result.exitCode, 0, result.stdout);
      assert.deepEqual(
        result.violations
          .map(({ policy, enforcement, urn, message }) => [
            `${policy} (${enforcement}): ${urn?.split("::").at(-1) ?? ""}`,
            message,
          ])
          .sort(),
        [
          [
            "exceptions (advisory): node-agent",
            `Exceptions from the pack's rules are told, and are needed.
exception used: workload-no-host-network does not block DaemonSet shop-node-agent/node-agent: spec.template.spec.hostNetwork is true.
Reason: it reads the connections of its node, until the agent that does so by eBPF replaces it
Until: 9999-12-31
See docs/rules.md#exceptions`,
          ],
          [
            "exceptions (advisory): shop-node-agent",
            `Exceptions from the pack's rules are told, and are needed.
exception used: namespace-zero-trust-labels does not block Namespace shop-node-agent: metadata.labels["pod-security.kubernetes.io/enforce"] is "privileged".
Reason: the node agent needs its node's network, which Pod Security admits at the level privileged only
Until: 9999-12-31
See docs/rules.md#exceptions`,
          ],
        ],
      );
      for (const rule of ["namespace-zero-trust-labels", "workload-no-host-network"]) {
        assert.ok(result.stdout.includes(`exception used: ${rule} does not block`), result.stdout);
      }
    });

    it("is in the cluster in full, and changes nothing when it is previewed again", async () => {
      const kinds =
        "networkpolicies,deployments,statefulsets,daemonsets,cronjobs,services,roles,rolebindings";
      const objects = ["shop", "shop-node-agent"].flatMap((namespace) =>
        kubectl(stack.kubeconfig, "get", kinds, "--namespace", namespace, "--output", "name")
          .trim()
          .split("\n"),
      );
      assert.deepEqual(objects.map((name) => name.replace(/\.[a-z0-9.]+/, "")).sort(), [
        "cronjob/report",
        "daemonset/node-agent",
        "deployment/api",
        "deployment/web",
        "deployment/worker",
        "networkpolicy/agent-default-deny",
        "networkpolicy/api",
        "networkpolicy/db",
        "networkpolicy/default-deny",
        "networkpolicy/dns",
        "networkpolicy/report",
        "networkpolicy/web",
        "networkpolicy/worker",
        "role/developers",
        "rolebinding/developers",
        "service/api",
        "service/db",
        "service/partners",
        "service/web",
        "statefulset/db",
      ]);
      assert.deepEqual((await stack.preview()).changes, { same: 23 });
    });

    it("passes zero-trust check too, from its state", async () => {
      const state = join(dirname(example), "state.json");
      writeFileSync(state, JSON.stringify({ version: 3, deployment: (await stack.export()).deployment }));
      const { status, stdout } = zeroTrust(
        ...["check", "--state", state, "--config", join(example, "pack-config.json")],
        ...["--today", "2026-06-15"],
      );
      assert.equal(status, 0, stdout);
      assert.equal(
        stdout,
        `Exceptions used
  namespace-zero-trust-labels: Namespace shop-node-agent: metadata.labels["pod-security.kubernetes.io/enforce"] is "privileged"
    until 2030-12-31: the node agent needs its node's network, which Pod Security admits at the level privileged only
  workload-no-host-network: DaemonSet shop-node-agent/node-agent: spec.template.spec.hostNetwork is true
    until 2030-12-31: it reads the connections of its node, until the agent that does so by eBPF replaces it

Passed: no finding in 22 objects, by ${rules.length} rules; 2 findings are excepted.
`,
      );
    });

    it("does not pass without what pack-config.json accepts", async () => {
      const { exitCode, violations, stdout } = await (await open("compliant", {})).preview();
      assert.equal(exitCode, 1, stdout);
      assert.deepEqual(violations.map(sentence).sort(), [
        'mandatory namespace-zero-trust-labels: Namespace shop-node-agent: metadata.labels["pod-security.kubernetes.io/enforce"] is "privileged".',
        'mandatory service-no-exposure: Service shop/partners: spec.type is "LoadBalancer".',
        "mandatory workload-no-host-network: DaemonSet shop-node-agent/node-agent: spec.template.spec.hostNetwork is true.",
      ]);
    });

    it("goes down once its default-deny is unprotected", async () => {
      assert.equal((await stack.destroy()).exitCode, 1, "default-deny is protected");
      const { exitCode, stdout } = await stack.destroy({ unprotect: true });
      assert.equal(exitCode, 0, stdout);
      assert.deepEqual(liveObjects(stack.kubeconfig), {});
    });
  });
});

function zeroTrust(...args: readonly string[]): { status: number | null; stdout: string } {
  const main = join(root, "dist", "cli", "main.js");
  const { status, stdout } = spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });
  return { status, stdout };
}

/** The settings with exceptions that hold on whatever day the test runs. */
function inDate(config: PackConfig): PackConfig {
  return Object.fromEntries(
    Object.entries(config).map(([rule, settings]) => [
      rule,
      settings.exceptions === undefined
        ? settings
        : { ...settings, exceptions: settings.exceptions.map((item) => ({ ...item, until: "9999-12-31" })) },
    ]),
  );
}

/** The sentence of a violation that says where it is and what. */
function sentence({ enforcement, policy, message }: PolicyViolation): string {
  return `${enforcement} ${policy}: ${message.split("\n")[1] ?? ""}`;
}
