import assert from "node:assert/strict";
import { workloadIsolated as rule } from "../../../policypack/rules/workload-isolated";
import {
  findingsOf,
  fromManifest,
  resource,
  runRule,
  unknown,
  type WireResource,
} from "../../helpers/run-rule";

const deployment = (labels: unknown, namespace: unknown = "shop", spec: object = {}): WireResource =>
  resource(
    "kubernetes:apps/v1:Deployment",
    { metadata: { name: "web", namespace }, spec: { template: { metadata: { labels }, spec } } },
    "web",
  );
const policy = (spec: unknown, namespace: unknown = "shop", name: unknown = "p", suffix = ""): WireResource =>
  resource(
    `kubernetes:networking.k8s.io/v1:NetworkPolicy${suffix}`,
    { metadata: { name, namespace }, spec },
    `policy-${JSON.stringify([spec, namespace, name, suffix]).length}`,
  );
const web = deployment({ app: "web" });
const ofWeb = { podSelector: { matchLabels: { app: "web" } } };
const both = { podSelector: {}, policyTypes: ["Ingress", "Egress"] };

const openIn = (direction: string): string =>
  `Deployment shop/web: spec.template.metadata.labels is {"app":"web"}, which no policy of namespace shop selects for ${direction}.`;

describe("workload-isolated", () => {
  it("asks for a policy in each direction", async () => {
    assert.deepEqual(await findingsOf(rule, web), [openIn("ingress and egress")]);
    assert.deepEqual(await findingsOf(rule, [web, policy({ ...ofWeb, policyTypes: ["Ingress"] })]), [
      openIn("egress"),
    ]);
    assert.deepEqual(await findingsOf(rule, [web, policy({ ...ofWeb, policyTypes: ["Egress"] })]), [
      openIn("ingress"),
    ]);
    assert.deepEqual(await findingsOf(rule, [web, policy(both)]), []);
    assert.deepEqual(await findingsOf(rule, [web, policy({ ...ofWeb, ingress: [{}], egress: [{}] })]), []);
  });

  it("says what is open, why that is dangerous and what to add, on the workload's resource", async () => {
    const [found, ...more] = await runRule(rule, [web, policy({ ...ofWeb, policyTypes: ["Ingress"] })]);
    assert.deepEqual(more, []);
    assert.equal(found?.urn, web.urn);
    assert.equal(found.enforcementLevel, "mandatory");
    assert.equal(
      found.message,
      `${openIn("egress")}
Why it is dangerous: its pods reach everything.
Write instead: a NetworkPolicy in namespace shop with podSelector {}, policyTypes [Egress] and no rules, and others that open what is needed. Where another stack deploys them, add them to the baseline (key baseline).
See docs/rules.md#workload-isolated`,
    );
  });

  it("says of each direction what its lack means", async () => {
    const openIngress = await runRule(rule, [web, policy({ ...ofWeb, policyTypes: ["Egress"] })]);
    assert.match(openIngress[0]?.message ?? "", /^Why it is dangerous: everything reaches its pods\.$/m);
    assert.match(openIngress[0]?.message ?? "", / policyTypes \[Ingress\] and no rules,/);
    const [openBoth] = await runRule(rule, web);
    assert.match(
      openBoth?.message ?? "",
      /^Why it is dangerous: everything reaches its pods\. And its pods reach everything\.$/m,
    );
    assert.match(openBoth?.message ?? "", / policyTypes \[Ingress, Egress\] and no rules,/);
  });

  it("takes no policy for one that does not select the pods", async () => {
    for (const other of [
      policy({ podSelector: { matchLabels: { app: "api" } }, policyTypes: ["Ingress", "Egress"] }),
      policy(both, "other"),
      policy({ podSelector: { matchExpressions: [{ key: "app", operator: "NotIn", values: ["web"] }] } }),
    ]) {
      assert.deepEqual(await findingsOf(rule, [web, other]), [openIn("ingress and egress")]);
    }
  });

  it("judges every kind that runs pods, in every version, in Lists, and by the labels of the pods", async () => {
    const kinds: readonly [string, string][] = [
      ["apps/v1:DaemonSet", "spec.template.metadata.labels"],
      ["apps/v1beta1:Deployment", "spec.template.metadata.labels"],
      ["extensions/v1beta1:ReplicaSet", "spec.template.metadata.labels"],
      ["apps/v1:StatefulSet", "spec.template.metadata.labels"],
      ["batch/v1:Job", "spec.template.metadata.labels"],
      ["core/v1:ReplicationController", "spec.template.metadata.labels"],
    ];
    for (const [type, at] of kinds) {
      const props = {
        ...(web.props as object),
        metadata: { name: "it", namespace: "shop", labels: { app: "x" } },
      };
      const [finding = "", ...more] = await findingsOf(rule, resource(`kubernetes:${type}`, props));
      assert.deepEqual(more, []);
      assert.ok(finding.includes(`shop/it: ${at} is {"app":"web"}, which no policy`), finding);
    }
    const template = { spec: { template: { metadata: { labels: { app: "web" } } } } };
    const cronJob = { metadata: { name: "it", namespace: "shop" }, spec: { jobTemplate: template } };
    assert.match(
      (await findingsOf(rule, resource("kubernetes:batch/v1beta1:CronJob", cronJob)))[0] ?? "",
      /^CronJob shop\/it: spec\.jobTemplate\.spec\.template\.metadata\.labels is/,
    );
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "it", namespace: "shop" } };
    const without =
      "Pod shop/it: metadata.labels is selected by no policy of namespace shop for ingress and egress.";
    assert.deepEqual(await findingsOf(rule, fromManifest(pod)), [without]);
    assert.deepEqual(await findingsOf(rule, resource("kubernetes:core/v1:List", { items: [pod] }, "all")), [
      without.replace("metadata.labels", "items[0].metadata.labels"),
    ]);
  });

  it("leaves out patches, pods on their node's network, and Kubernetes' own namespaces", async () => {
    assert.deepEqual(await findingsOf(rule, { ...web, type: `${web.type}Patch` }), []);
    assert.deepEqual(await findingsOf(rule, deployment({ app: "web" }, "shop", { hostNetwork: true })), []);
    assert.deepEqual(await findingsOf(rule, deployment({ app: "web" }, "kube-system")), []);
    assert.equal((await findingsOf(rule, deployment({ app: "web" }, "default"))).length, 1);
    assert.deepEqual(await findingsOf(rule, web, { exclude: ["shop"] }), []);
    assert.equal((await findingsOf(rule, deployment({}, "kube-system"), { exclude: [] })).length, 1);
  });

  it("counts what the baseline holds, but for the stack's own", async () => {
    const deny = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "p", namespace: "shop" },
      spec: both,
    };
    assert.deepEqual(await findingsOf(rule, web, { baseline: [{ objects: [deny] }] }), []);
    const own = { baseline: [{ stack: "project/test", objects: [deny] }] };
    assert.deepEqual(await findingsOf(rule, web, own), [openIn("ingress and egress")]);
    assert.deepEqual(
      await findingsOf(rule, web, { baseline: [{ stack: "project/other", objects: [deny] }] }),
      [],
    );
    // The stack's policy of the same name takes the place of the baseline's.
    const narrower = policy({ ...ofWeb, policyTypes: ["Ingress"] });
    assert.deepEqual(await findingsOf(rule, [web, narrower], { baseline: [{ objects: [deny] }] }), [
      openIn("egress"),
    ]);
  });

  it("does not judge the pods of the baseline", async () => {
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "it", namespace: "shop" } };
    assert.deepEqual(await findingsOf(rule, policy(both, "other"), { baseline: [{ objects: [pod] }] }), []);
  });

  it("puts a patch of a policy together with the policy", async () => {
    const patch = policy({ policyTypes: ["Ingress", "Egress"] }, "shop", "p", "Patch");
    const half = policy({ ...ofWeb, policyTypes: ["Ingress"] });
    assert.deepEqual(await findingsOf(rule, [web, half, patch]), []);
    const away = policy({ podSelector: { matchLabels: { app: "api" } } }, "shop", "p", "Patch");
    assert.deepEqual(await findingsOf(rule, [web, policy(both), away]), [openIn("ingress and egress")]);
  });

  it("counts a cluster policy that denies by default, and not one that denies some", async () => {
    const baseline = (rules: object): WireResource =>
      resource("kubernetes:policy.networking.k8s.io/v1alpha1:BaselineAdminNetworkPolicy", {
        metadata: { name: "default" },
        spec: { subject: { namespaces: {} }, ...rules },
      });
    const any = [{ namespaces: {} }];
    const deny = baseline({
      ingress: [{ action: "Deny", from: any }],
      egress: [{ action: "Deny", to: any }],
    });
    assert.deepEqual(await findingsOf(rule, [web, deny]), []);
    const some = baseline({
      ingress: [{ action: "Deny", from: [{ namespaces: { matchLabels: { team: "x" } } }] }],
      egress: [{ action: "Deny", to: any }],
    });
    assert.deepEqual(await findingsOf(rule, [web, some]), [openIn("ingress")]);
  });

  it("leaves to others what it cannot know: policies, labels and namespaces that are not known", async () => {
    for (const strange of [
      policy(unknown),
      policy({ podSelector: unknown, policyTypes: ["Ingress"] }),
      policy(both, unknown),
      policy({ policyTypes: ["Ingress", "Egress"] }, "shop", "elsewhere", "Patch"),
      resource("kubernetes:networking.k8s.io/v1:NetworkPolicyList", { items: unknown }, "list"),
    ]) {
      assert.deepEqual(await findingsOf(rule, [web, strange]), [], JSON.stringify(strange));
    }
    assert.deepEqual(await findingsOf(rule, [web, policy(unknown, "other")]), [openIn("ingress and egress")]);
    const ofApi = policy({
      podSelector: { matchLabels: { app: "api" } },
      policyTypes: ["Ingress", "Egress"],
    });
    assert.deepEqual(await findingsOf(rule, [deployment({ app: unknown }), ofApi]), []);
    assert.deepEqual(await findingsOf(rule, deployment({ app: unknown })), [
      "Deployment shop/web: spec.template.metadata.labels is selected by no policy of namespace shop for ingress and egress.",
    ]);
    assert.deepEqual(await findingsOf(rule, deployment({ app: "web" }, unknown)), []);
    assert.deepEqual(await findingsOf(rule, deployment({ app: "web" }, null)), []);
  });

  it("does not mind names that are not known", async () => {
    const named = (name: unknown): WireResource =>
      resource(
        "kubernetes:apps/v1:Deployment",
        { ...(web.props as object), metadata: { name, namespace: "shop" } },
        "web",
      );
    for (const name of [unknown, undefined]) {
      assert.deepEqual(await findingsOf(rule, [named(name), policy(both, "shop", name)]), []);
      assert.deepEqual(await findingsOf(rule, named(name)), [
        openIn("ingress and egress").replace("shop/web", "shop/(Pulumi resource web)"),
      ]);
    }
  });
});
