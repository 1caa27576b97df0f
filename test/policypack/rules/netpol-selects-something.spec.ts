import assert from "node:assert/strict";
import { netpolSelectsSomething as rule } from "../../../policypack/rules/netpol-selects-something";
import { findingsOf, resource, runRule, unknown, type WireResource } from "../../helpers/run-rule";

const pod = (name: string, labels: unknown, namespace = "shop", spec: object = {}): WireResource =>
  resource("kubernetes:core/v1:Pod", { metadata: { name, namespace, labels }, spec }, name);
const policy = (spec: unknown, namespace = "shop", suffix = "", name = "p"): WireResource =>
  resource(
    `kubernetes:networking.k8s.io/v1:NetworkPolicy${suffix}`,
    { metadata: { name, namespace }, spec },
    `policy-${namespace}${suffix}`,
  );
const labelled = (labels: object) => ({ podSelector: { matchLabels: labels } });
const namespaceCalled = (name: string, more: object = {}) => ({
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name, ...more } },
});
const from = (...peers: object[]) => ({ ...labelled({ app: "web" }), ingress: [{ from: peers }] });
const namespace = (name: string, labels: object = {}): WireResource =>
  resource("kubernetes:core/v1:Namespace", { metadata: { name, labels } }, name);

const web = pod("web", { app: "web", tier: "front" });

const idle = (selector: string): string =>
  `NetworkPolicy shop/p: spec.podSelector is ${selector}, which selects no pod of namespace shop.`;

describe("netpol-selects-something", () => {
  it("finds a policy that selects no pod", async () => {
    assert.deepEqual(await findingsOf(rule, [web, policy(labelled({ app: "webb" }))]), [idle("app=webb")]);
    const both = labelled({ app: "web", tier: "back" });
    assert.deepEqual(await findingsOf(rule, [web, policy(both)]), [idle("app=web,tier=back")]);
    const none = { podSelector: { matchExpressions: [{ key: "app", operator: "DoesNotExist" }] } };
    assert.deepEqual(await findingsOf(rule, [web, policy(none)]), [idle("!app")]);
    for (const spec of [
      labelled({ app: "web" }),
      { podSelector: {} },
      { podSelector: { matchExpressions: [{ key: "app", operator: "In", values: ["web", "webb"] }] } },
      { podSelector: { matchExpressions: [{ key: "app", operator: "NotIn", values: ["api"] }] } },
    ]) {
      assert.deepEqual(await findingsOf(rule, [web, policy(spec)]), []);
    }
  });

  it("finds peers that no pod has, in the policy's namespace and in those that are known", async () => {
    const db = pod("db", { app: "db" }, "data");
    const resources = (peer: object): WireResource[] => [
      web,
      db,
      policy(from(labelled({ tier: "front" }), peer)),
    ];
    const found = (what: string): string[] => [`NetworkPolicy shop/p: spec.ingress[0].from[1] ${what}.`];
    assert.deepEqual(
      await findingsOf(rule, resources(labelled({ app: "api" }))),
      found("is app=api, which selects no pod of namespace shop"),
    );
    assert.deepEqual(
      await findingsOf(rule, resources({ ...namespaceCalled("data"), ...labelled({ app: "dbs" }) })),
      found("is app=dbs, which selects no pod of namespace data"),
    );
    assert.deepEqual(
      await findingsOf(rule, resources({ ...namespaceCalled("data"), ...labelled({ app: "db" }) })),
      [],
    );
    assert.deepEqual(await findingsOf(rule, resources(namespaceCalled("data"))), []);
    assert.deepEqual(await findingsOf(rule, resources({ podSelector: {} })), []);
    const egress = { ...labelled({ app: "web" }), egress: [{ to: [labelled({ app: "api" })] }] };
    assert.match(
      (await findingsOf(rule, [web, policy(egress)])).join(),
      /spec\.egress\[0\]\.to\[0\] is app=api/,
    );
  });

  it("finds namespaces that have not the labels which a peer asks for, where these are known", async () => {
    const peer = from(namespaceCalled("data", { team: "a" }));
    const db = pod("db", { app: "db" }, "data");
    assert.deepEqual(await findingsOf(rule, [web, db, policy(peer)]), []);
    assert.deepEqual(await findingsOf(rule, [web, db, namespace("data", { team: "a" }), policy(peer)]), []);
    assert.deepEqual(await findingsOf(rule, [web, namespace("data", { team: "b" }), policy(peer)]), [
      "NetworkPolicy shop/p: spec.ingress[0].from[0] names a namespace with labels that it does not have: kubernetes.io/metadata.name=data,team=a.",
    ]);
  });

  it("says why, and which pods are there, at the level advisory", async () => {
    const wrong = policy(labelled({ app: "webb" }));
    const [found] = await runRule(rule, [web, wrong]);
    assert.equal(found?.urn, wrong.urn);
    assert.equal(found.enforcementLevel, "advisory");
    assert.equal(
      found.message,
      `${idle("app=webb")}
Why it is dangerous: the policy shuts and opens nothing, so the pods that it is meant for have only what other policies give them.
Write instead: labels of pods that are there: shop/web {"app":"web","tier":"front"}. Where another stack deploys the pods, add them to the baseline (key baseline).
See docs/rules.md#netpol-selects-something`,
    );
    const deciding = { baseline: [{ matrix: { namespaces: ["shop"], services: [], flows: [] } }] };
    const [nobody] = await runRule(rule, wrong, deciding);
    assert.match(
      nobody?.message ?? "",
      /^Write instead: labels of pods that are there, or of a service of the communication matrix\. Where another stack deploys them, /m,
    );
  });

  it("says that no selector matches pods on their node's network, where it would match these", async () => {
    const onNode = pod("agent", { app: "agent" }, "shop", { hostNetwork: true });
    const fixes = async (app: string): Promise<unknown[]> => {
      const wrong = [policy(labelled({ app })), policy(from(labelled({ app })), "shop", "", "q")];
      return (await runRule(rule, [web, onNode, ...wrong])).map(
        ({ message }) => /^Write instead: (an ipBlock|labels)/m.exec(message)?.[1],
      );
    };
    assert.deepEqual(await fixes("agent"), ["an ipBlock", "an ipBlock"]);
    assert.deepEqual(await fixes("api"), ["labels", "labels"]);
  });

  it("takes a peer for every pod of the policy's own namespace for those that come as well", async () => {
    const deciding = { baseline: [{ matrix: { namespaces: ["shop"], services: [], flows: [] } }] };
    const every = (peer: object): WireResource => policy({ podSelector: {}, ingress: [{ from: [peer] }] });
    assert.deepEqual(await findingsOf(rule, every({ podSelector: {} }), deciding), []);
    assert.deepEqual(await findingsOf(rule, every({ ipBlock: { cidr: "10.0.0.0/24" } }), deciding), []);
    assert.deepEqual(await findingsOf(rule, every(labelled({ app: "web" })), deciding), [
      "NetworkPolicy shop/p: spec.ingress[0].from[0] is app=web, which selects no pod of namespace shop.",
    ]);
  });

  it("says nothing of namespaces whose pods it cannot know", async () => {
    const wrong = policy(labelled({ app: "webb" }));
    assert.deepEqual(await findingsOf(rule, [wrong]), []);
    assert.deepEqual(await findingsOf(rule, [pod("db", {}, "data"), wrong]), []);
    assert.deepEqual(await findingsOf(rule, [web, policy(from(namespaceCalled("data")))]), []);
    for (const peer of [
      { namespaceSelector: { matchLabels: { team: "a" } }, ...labelled({ app: "x" }) },
      { namespaceSelector: {}, ...labelled({ app: "x" }) },
      { ipBlock: { cidr: "10.0.0.0/24" } },
    ]) {
      assert.deepEqual(await findingsOf(rule, [web, policy(from(peer))]), []);
    }
    // Kubernetes' own namespaces have pods that no stack holds.
    const cache = pod("node-local-dns", { "k8s-app": "node-local-dns" }, "kube-system");
    const dns = from({ ...namespaceCalled("kube-system"), ...labelled({ "k8s-app": "kube-dns" }) });
    assert.deepEqual(await findingsOf(rule, [web, cache, policy(dns)]), []);
    assert.equal((await findingsOf(rule, [web, cache, policy(dns)], { exclude: [] })).length, 1);
  });

  it("says nothing where something makes pods that are not seen", async () => {
    const wrong = policy(labelled({ app: "webb" }));
    const at = (type: string, props: unknown): WireResource => resource(`kubernetes:${type}`, props, "maker");
    const here = { metadata: { namespace: "shop" } };
    const grants = { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "create"] }] };
    for (const maker of [
      at("helm.sh/v3:Release", { namespace: "shop", chart: "web" }),
      at("helm.sh/v3:Release", { namespace: unknown, chart: "web" }),
      at("postgresql.cnpg.io/v1:Cluster", here),
      at("gateway.networking.k8s.io/v1:Gateway", here),
      at("rbac.authorization.k8s.io/v1:Role", { ...here, ...grants }),
      at("rbac.authorization.k8s.io/v1:ClusterRole", grants),
      at("rbac.authorization.k8s.io/v1:Role", { ...here, rules: unknown }),
      at("core/v1:PodList", { items: unknown }),
      pod("other", { app: unknown }),
    ]) {
      assert.deepEqual(await findingsOf(rule, [web, maker, wrong]), [], maker.type);
    }
    for (const other of [
      at("helm.sh/v3:Release", { namespace: "data", chart: "web" }),
      at("postgresql.cnpg.io/v1:Cluster", { metadata: { namespace: "data" } }),
      at("security.istio.io/v1:PeerAuthentication", here),
      at("gateway.networking.k8s.io/v1:HTTPRoute", here),
      at("rbac.authorization.k8s.io/v1:Role", {
        ...here,
        rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }],
      }),
      pod("other", { team: unknown }),
    ]) {
      assert.deepEqual(await findingsOf(rule, [web, other, wrong]), [idle("app=webb")], other.type);
    }
  });

  it("counts the baseline's pods and the services of a matrix", async () => {
    const wrong = policy(labelled({ app: "webb" }));
    const webb = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "a", namespace: "shop", labels: { app: "webb" } },
    };
    assert.deepEqual(await findingsOf(rule, [web, wrong], { baseline: [{ objects: [webb] }] }), []);
    const other = { ...webb, metadata: { ...webb.metadata, labels: { app: "api" } } };
    assert.equal((await findingsOf(rule, wrong, { baseline: [{ objects: [other] }] })).length, 1);
    const service = { name: "webb", namespace: "shop", podSelector: { matchLabels: { app: "webb" } } };
    const matrix = { namespaces: [], services: [service], flows: [] };
    assert.deepEqual(await findingsOf(rule, [web, wrong], { baseline: [{ matrix }] }), []);
    const strict = policy(labelled({ app: "webb", mtls: "strict" }));
    assert.deepEqual(await findingsOf(rule, [web, strict], { baseline: [{ matrix }] }), []);
    // A matrix knows the services of the namespaces about which it decides.
    const deciding = { baseline: [{ matrix: { ...matrix, namespaces: ["shop"] } }] };
    assert.deepEqual(await findingsOf(rule, policy(labelled({ app: "web" })), deciding), [idle("app=web")]);
    assert.deepEqual(await findingsOf(rule, wrong, deciding), []);
  });

  it("judges the stack's policies, Lists and old versions and with what a patch changes", async () => {
    const spec = labelled({ app: "webb" });
    const body = {
      apiVersion: "extensions/v1beta1",
      kind: "NetworkPolicy",
      metadata: { name: "p", namespace: "shop" },
    };
    const items = [{ ...body, spec }];
    assert.deepEqual(await findingsOf(rule, [web, resource("kubernetes:core/v1:List", { items }, "all")]), [
      idle("app=webb").replace("spec.", "items[0].spec."),
    ]);
    const theirs = { ...body, apiVersion: "networking.k8s.io/v1", spec };
    assert.deepEqual(await findingsOf(rule, web, { baseline: [{ objects: [theirs] }] }), []);
    const patched = [web, policy(labelled({ app: "web" })), policy(spec, "shop", "Patch")];
    assert.deepEqual(await findingsOf(rule, patched), [
      idle("app=webb").replace("NetworkPolicy", "NetworkPolicyPatch"),
    ]);
  });
});
