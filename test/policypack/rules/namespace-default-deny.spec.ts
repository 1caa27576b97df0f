import assert from "node:assert/strict";
import { namespaceDefaultDeny as rule } from "../../../policypack/rules/namespace-default-deny";
import {
  findingsOf,
  messagesOf,
  resource,
  runRule,
  unknown,
  type WireResource,
} from "../../helpers/run-rule";

const both = { podSelector: {}, policyTypes: ["Ingress", "Egress"] };

const namespace = (name: unknown): WireResource =>
  resource("kubernetes:core/v1:Namespace", { metadata: { name } }, "ns");
const policy = (spec: unknown, namespaceOf: unknown = "erlmcp", suffix = "", name = "deny"): WireResource =>
  resource(
    `kubernetes:networking.k8s.io/v1:NetworkPolicy${suffix}`,
    { metadata: { name, namespace: namespaceOf }, spec },
    name,
  );
const deployment = (namespaceOf: unknown): WireResource =>
  resource("kubernetes:apps/v1:Deployment", { metadata: { name: "web", namespace: namespaceOf } }, "web");

const missingBoth = "Namespace erlmcp: namespace erlmcp has no default-deny for ingress and egress.";

describe("namespace-default-deny", () => {
  it("accepts one policy for both directions, or one for each", async () => {
    assert.deepEqual(await findingsOf(rule, [namespace("erlmcp"), policy(both)]), []);
    const selector = { matchLabels: {}, matchExpressions: [] };
    const ingress = policy(
      { podSelector: selector, policyTypes: ["Ingress"], ingress: [] },
      "erlmcp",
      "",
      "in",
    );
    const egress = policy({ podSelector: {}, policyTypes: ["Egress"] }, "erlmcp", "", "out");
    assert.deepEqual(await findingsOf(rule, [namespace("erlmcp"), ingress, egress]), []);
  });

  it("names the missing directions and the policy to add, on the namespace's resource", async () => {
    const half = policy({ podSelector: {}, policyTypes: ["Ingress"] });
    const [found, ...more] = await runRule(rule, [half, namespace("erlmcp")]);
    assert.deepEqual(more, []);
    assert.equal(found?.urn, namespace("erlmcp").urn);
    assert.equal(found.enforcementLevel, "mandatory");
    assert.equal(
      found.message,
      `Namespace erlmcp: namespace erlmcp has no default-deny for egress.
Why it is dangerous: every pod that no other policy selects talks to everything and is reached by everything.
Write instead: add to the stack, before anything else in the namespace:
  apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata:
    name: default-deny-egress
    namespace: erlmcp
    annotations:
      zero-trust.erlmcp/purpose: Shuts all egress that no other policy opens
  spec:
    podSelector: {}
    policyTypes: [Egress]
See docs/rules.md#namespace-default-deny`,
    );
    const [message] = await messagesOf(rule, namespace("erlmcp"));
    assert.match(message ?? "", /^ {4}name: default-deny$/m);
    assert.match(message ?? "", /^ {4}policyTypes: \[Ingress, Egress\]$/m);
  });

  it("does not take for default-deny what is none", async () => {
    for (const spec of [
      { ...both, podSelector: { matchLabels: { app: "a" } } },
      { ...both, podSelector: undefined },
      { ...both, policyTypes: undefined },
      { ...both, ingress: [{}], egress: [{}] },
      undefined,
    ]) {
      assert.deepEqual(await findingsOf(rule, [namespace("erlmcp"), policy(spec)]), [missingBoth]);
    }
    assert.deepEqual(await findingsOf(rule, [namespace("erlmcp"), policy(both, "erlmcp", "Patch")]), [
      missingBoth,
    ]);
    assert.deepEqual(await findingsOf(rule, [namespace("erlmcp"), policy(both, "other")]), [missingBoth]);
  });

  it("has in scope what the stack creates, claims or deploys into, once each", async () => {
    const claim = (labels: unknown): WireResource =>
      resource("kubernetes:core/v1:NamespacePatch", { metadata: { name: "adopted", labels } }, "patch");
    assert.deepEqual(await findingsOf(rule, [claim({ "network-policy": "zero-trust" })]), [
      "NamespacePatch adopted: namespace adopted has no default-deny for ingress and egress.",
    ]);
    assert.equal((await findingsOf(rule, [claim(unknown)])).length, 1);
    assert.deepEqual(await findingsOf(rule, [claim({ team: "a" })]), []);
    assert.deepEqual(await findingsOf(rule, [deployment("apps"), deployment("apps")]), [
      "Deployment apps/web: namespace apps has no default-deny for ingress and egress.",
    ]);
    assert.deepEqual(
      await findingsOf(rule, [policy({ ...both, podSelector: { matchLabels: { a: "b" } } }, "apps")]),
      ["NetworkPolicy apps/deny: namespace apps has no default-deny for ingress and egress."],
    );
    assert.deepEqual(await findingsOf(rule, [policy(both, "apps", "Patch")]), []);
    const notKnown = { metadata: { name: "web", namespace: "apps" }, spec: unknown };
    assert.deepEqual(await findingsOf(rule, resource("kubernetes:apps/v1:Deployment", notKnown)), [
      "Deployment apps/web: namespace apps has no default-deny for ingress and egress.",
    ]);
    for (const type of [
      "batch/v1:CronJob",
      "apps/v1beta2:DaemonSet",
      "extensions/v1beta1:Deployment",
      "v1:Pod",
      "core/v1:ReplicationController",
      "apps.openshift.io/v1:DeploymentConfig",
      "argoproj.io/v1alpha1:Rollout",
    ]) {
      assert.equal(
        (await findingsOf(rule, resource(`kubernetes:${type}`, { metadata: { namespace: "apps" } }))).length,
        1,
        type,
      );
    }
  });

  describe("with a baseline", () => {
    const existing = (name: string, spec: unknown) => ({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name, namespace: "apps" },
      spec,
    });
    const ingress = existing("deny-in", { podSelector: {}, policyTypes: ["Ingress"] });
    const egress = existing("deny-out", { podSelector: {}, policyTypes: ["Egress"] });
    const found = (resources: WireResource[], ...baseline: unknown[]) =>
      findingsOf(rule, resources, { baseline });
    const open = "Deployment apps/web: namespace apps has no default-deny for egress.";

    it("counts the default-deny that other stacks deploy", async () => {
      assert.deepEqual(await found([deployment("apps")], { objects: [ingress] }, { objects: [egress] }), []);
      assert.deepEqual(await found([deployment("apps")], { objects: [ingress] }), [open]);
      assert.deepEqual(await found([namespace("erlmcp")], { objects: [ingress, egress] }), [missingBoth]);
    });

    it("does not count what the judged stack itself had", async () => {
      const objects = [ingress, egress];
      assert.deepEqual(await found([deployment("apps")], { stack: "project/other", objects }), []);
      assert.equal((await found([deployment("apps")], { stack: "project/test", objects })).length, 1);
    });

    it("counts a policy that the stack deploys or patches as what it makes of it", async () => {
      const objects = [ingress, egress];
      const some = { podSelector: { matchLabels: { app: "a" } }, policyTypes: ["Egress"] };
      for (const suffix of ["", "Patch"]) {
        const changed = [deployment("apps"), policy(some, "apps", suffix, "deny-out")];
        assert.deepEqual(await found(changed, { objects }), [open], suffix);
      }
      const annotated = resource("kubernetes:networking.k8s.io/v1:NetworkPolicyPatch", {
        metadata: { name: "deny-out", namespace: "apps", annotations: { owner: "a" } },
      });
      assert.deepEqual(await found([deployment("apps"), annotated], { objects }), []);
      const alike = policy({ policyTypes: ["Egress"] }, "apps", "Patch", "deny-out");
      assert.deepEqual(await found([deployment("apps"), alike], { objects }), []);
      const elsewhere = policy(some, "other", "Patch", "deny-out");
      assert.deepEqual(await found([deployment("apps"), elsewhere], { objects }), []);
      // What the stack deploys itself is all that there is: nothing of the baseline's spec stays.
      const whole = policy({ podSelector: {} }, "apps", "", "deny-out");
      assert.deepEqual(await found([deployment("apps"), whole], { objects }), [open]);
      const sameName = { metadata: { name: "deny-out", namespace: "apps" } };
      assert.deepEqual(await found([resource("kubernetes:apps/v1:Deployment", sameName)], { objects }), []);
    });

    it("has in scope what a patch of a default-deny changes, though the stack deploys nothing there", async () => {
      const objects = [ingress, egress, existing("web", { podSelector: { matchLabels: { app: "web" } } })];
      const patch = (spec: unknown, name = "deny-out") => policy(spec, "apps", "Patch", name);
      const some = { podSelector: { matchLabels: { app: "a" } } };
      assert.deepEqual(await found([patch(some)], { objects }), [
        "NetworkPolicyPatch apps/deny-out: namespace apps has no default-deny for egress.",
      ]);
      assert.deepEqual(await found([patch({ podSelector: {} })], { objects }), []);
      assert.deepEqual(await found([patch(some, "web")], { objects }), []);
      assert.deepEqual(await found([patch(some, "web")], { objects: objects.slice(2) }), []);
      const unsure =
        "NetworkPolicyPatch apps/deny-out cannot be verified: namespace apps has no default-deny for egress that is known as such: NetworkPolicy apps/deny-out of the baseline may be one, but namespace, podSelector, policyTypes or rules are not known.";
      assert.deepEqual(await found([patch(unknown)], { objects }), [unsure]);
      assert.deepEqual(await found([patch({ podSelector: unknown })], { objects }), [unsure]);
    });
  });

  it("does not judge namespaces that are only peers", async () => {
    const peer = { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } };
    const allow = policy(
      { podSelector: { matchLabels: { a: "b" } }, policyTypes: ["Ingress"], ingress: [{ from: [peer] }] },
      "erlmcp",
      "",
      "allow",
    );
    assert.deepEqual(await findingsOf(rule, [namespace("erlmcp"), policy(both), allow]), []);
  });

  it("leaves out the configured namespaces", async () => {
    assert.deepEqual(await findingsOf(rule, [deployment("kube-system"), deployment("default")]), []);
    assert.deepEqual(await findingsOf(rule, namespace("erlmcp"), { exclude: ["erlmcp"] }), []);
    const existing = [{ namespace: "erlmcp", reason: "platform stack" }];
    assert.deepEqual(await findingsOf(rule, namespace("erlmcp"), { existing }), []);
    await assert.rejects(
      runRule(rule, namespace("erlmcp"), { existing: [{ namespace: "erlmcp" }] }),
      /refuses/,
    );
    assert.deepEqual(
      await messagesOf(rule, namespace("erlmcp"), {
        existing: [
          { namespace: "erlmcp", reason: "x" },
          { namespace: "b", reason: "y" },
        ],
        exclude: [],
      }),
      [],
    );
  });

  it("tells what is not known from what is wrong", async () => {
    assert.deepEqual(await findingsOf(rule, namespace(unknown)), [
      "Namespace (Pulumi resource ns) cannot be verified: metadata.name is not known in the preview.",
    ]);
    for (const missing of [unknown, undefined, "", "ns-undefined"]) {
      assert.deepEqual(await findingsOf(rule, deployment(missing)), [
        "Deployment (namespace not known)/web cannot be verified: metadata.namespace is not known in the preview.",
      ]);
    }
    for (const spec of [
      unknown,
      { ...both, podSelector: unknown },
      { ...both, policyTypes: unknown },
      { ...both, ingress: unknown, egress: unknown },
      { ...both, policyTypes: [unknown] },
    ]) {
      assert.deepEqual(await findingsOf(rule, [namespace("erlmcp"), policy(spec)]), [
        "Namespace erlmcp cannot be verified: namespace erlmcp has no default-deny for ingress and egress that is known as such: NetworkPolicy erlmcp/deny may be one, but namespace, podSelector, policyTypes or rules are not known.",
      ]);
    }
    assert.deepEqual(await findingsOf(rule, [namespace("erlmcp"), policy(both, unknown)]), [
      "NetworkPolicy (namespace not known)/deny cannot be verified: metadata.namespace is not known in the preview.",
      "Namespace erlmcp cannot be verified: namespace erlmcp has no default-deny for ingress and egress that is known as such: NetworkPolicy (namespace not known)/deny may be one, but namespace, podSelector, policyTypes or rules are not known.",
    ]);
    const known = policy(both, "erlmcp", "", "known");
    assert.deepEqual(await findingsOf(rule, [namespace("erlmcp"), policy(unknown), known]), []);
  });

  it("sees namespaces and policies within Lists", async () => {
    const list = (items: unknown[]): WireResource => resource("kubernetes:core/v1:List", { items }, "all");
    const ns = { apiVersion: "v1", kind: "Namespace", metadata: { name: "a" } };
    const deny = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "d", namespace: "a" },
      spec: both,
    };
    assert.deepEqual(await findingsOf(rule, list([ns, deny])), []);
    assert.deepEqual(await findingsOf(rule, list([ns])), [
      "Namespace a: namespace a has no default-deny for ingress and egress.",
    ]);
  });

  it("reports in the same order, whatever the order of the resources", async () => {
    const resources = [deployment("b"), namespace("a"), policy(unknown, "c")];
    assert.deepEqual(await findingsOf(rule, resources), await findingsOf(rule, [...resources].reverse()));
  });
});
