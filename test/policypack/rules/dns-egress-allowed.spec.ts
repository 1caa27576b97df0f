import assert from "node:assert/strict";
import { dnsEgressAllowed as rule } from "../../../policypack/rules/dns-egress-allowed";
import { findingsOf, resource, runRule, unknown, type WireResource } from "../../helpers/run-rule";
import { stackNetwork, stacks } from "../../helpers/stack-network";
import { stackResources } from "../../helpers/stack-resources";

const web = (spec: object = {}, namespace: unknown = "shop"): WireResource =>
  resource(
    "kubernetes:apps/v1:Deployment",
    {
      metadata: { name: "web", namespace },
      spec: { template: { metadata: { labels: { app: "web" } }, spec } },
    },
    "web",
  );
const policy = (spec: unknown, name = "p", suffix = ""): WireResource =>
  resource(
    `kubernetes:networking.k8s.io/v1:NetworkPolicy${suffix}`,
    { metadata: { name, namespace: "shop" }, spec },
    `${name}${suffix}`,
  );
const egress = (...rules: unknown[]): WireResource =>
  policy({ podSelector: { matchLabels: { app: "web" } }, policyTypes: ["Egress"], egress: rules });
const deny = policy({ podSelector: {}, policyTypes: ["Ingress", "Egress"] }, "deny");

const kubeSystem = { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } };
const kubeDns = { namespaceSelector: kubeSystem, podSelector: { matchLabels: { "k8s-app": "kube-dns" } } };
const udp = [{ protocol: "UDP", port: 53 }];

const shut = (by: string): string =>
  `Deployment shop/web: spec.template.metadata.labels is isolated for egress by ${by}, and no policy lets it reach cluster DNS on UDP 53.`;

describe("dns-egress-allowed", () => {
  it("asks for DNS where a policy isolates the pods for egress, and says how to open it", async () => {
    const [found, ...more] = await runRule(rule, [web(), deny]);
    assert.deepEqual(more, []);
    assert.equal(found?.urn, web().urn);
    assert.equal(
      found.message,
      `${shut("NetworkPolicy shop/deny")}
Why it is dangerous: its pods can resolve no names, and whoever makes them work in a hurry opens more than DNS, or writes addresses that change into their configuration.
Write instead: in a policy that selects them: {"egress":[{"to":[{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"kube-system"}},"podSelector":{"matchLabels":{"k8s-app":"kube-dns"}}}],"ports":[{"protocol":"UDP","port":53},{"protocol":"TCP","port":53}]}]}
See docs/rules.md#dns-egress-allowed`,
    );
    assert.deepEqual(await findingsOf(rule, web()), []);
    assert.deepEqual(
      await findingsOf(rule, [web(), policy({ podSelector: {}, policyTypes: ["Ingress"] })]),
      [],
    );
  });

  it("takes every way in which policies open it", async () => {
    for (const one of [
      { to: [kubeDns], ports: udp },
      {
        to: [{ ...kubeDns, podSelector: { matchLabels: { "app.kubernetes.io/name": "coredns" } } }],
        ports: udp,
      },
      { to: [kubeDns], ports: [{ protocol: "UDP", port: "dns" }] },
      { to: [kubeDns] },
      { to: [{ namespaceSelector: kubeSystem }], ports: udp },
      { to: [{ namespaceSelector: {} }], ports: [{ protocol: "UDP", port: 1, endPort: 1000 }] },
      { ports: udp },
      { to: [{ ipBlock: { cidr: "169.254.20.10/32" } }], ports: udp },
      {},
    ]) {
      assert.deepEqual(await findingsOf(rule, [web(), deny, egress(one)]), [], JSON.stringify(one));
    }
    const forAll = policy({
      podSelector: {},
      policyTypes: ["Egress"],
      egress: [{ to: [kubeDns], ports: udp }],
    });
    assert.deepEqual(await findingsOf(rule, [web(), forAll]), []);
  });

  it("takes nothing else for it", async () => {
    for (const one of [
      { to: [kubeDns], ports: [{ protocol: "TCP", port: 53 }] },
      { to: [kubeDns], ports: [{ protocol: "UDP", port: 5353 }] },
      { to: [{ podSelector: kubeDns.podSelector }], ports: udp },
      { to: [{ ...kubeDns, podSelector: { matchLabels: { app: "dns" } } }], ports: udp },
      { to: [{ ipBlock: { cidr: "8.8.8.8/32" } }], ports: udp },
    ]) {
      assert.deepEqual(await findingsOf(rule, [web(), egress(one)]), [shut("NetworkPolicy shop/p")]);
    }
  });

  it("looks for DNS where the configuration says it is, and at deployed DNS pods as they are", async () => {
    const openshift = {
      clusterDns: [{ namespace: "openshift-dns", labels: { dns: "default" } }],
      dnsPort: 5353,
    };
    const named = { matchLabels: { "kubernetes.io/metadata.name": "openshift-dns" } };
    const there = egress({ to: [{ namespaceSelector: named }], ports: [{ protocol: "UDP", port: 5353 }] });
    assert.deepEqual(await findingsOf(rule, [web(), there], openshift), []);
    assert.equal((await findingsOf(rule, [web(), there])).length, 1);
    const service = { clusterDns: [], clusterDnsAddresses: ["10.96.0.10/32"] };
    const address = egress({ to: [{ ipBlock: { cidr: "10.96.0.0/12" } }], ports: udp });
    assert.deepEqual(await findingsOf(rule, [web(), address], service), []);
    const pod = resource("kubernetes:core/v1:Pod", {
      metadata: { name: "dns", namespace: "kube-system", labels: { "k8s-app": "kube-dns", tier: "gold" } },
    });
    const gold = { ...kubeDns, podSelector: { matchLabels: { tier: "gold" } } };
    assert.deepEqual(await findingsOf(rule, [web(), egress({ to: [gold], ports: udp }), pod]), []);
  });

  it("takes caches on their node's network for no pods that a selector reaches", async () => {
    const cache = (spec: object): WireResource =>
      resource("kubernetes:apps/v1:DaemonSet", {
        metadata: { name: "node-local-dns", namespace: "kube-system" },
        spec: { template: { metadata: { labels: { "k8s-app": "node-local-dns" } }, spec } },
      });
    const toDns = egress({ to: [kubeDns], ports: udp });
    assert.deepEqual(await findingsOf(rule, [web(), toDns, cache({ hostNetwork: true })]), []);
    const toCache = { ...kubeDns, podSelector: { matchLabels: { "k8s-app": "node-local-dns" } } };
    for (const peers of [[toCache], [kubeDns, toCache]]) {
      assert.deepEqual(await findingsOf(rule, [web(), egress({ to: peers, ports: udp }), cache({})]), []);
    }
  });

  it("does not take other pods for cluster DNS, whatever their labels or their namespace", async () => {
    const pod = (namespace: string, labels: object): WireResource =>
      resource("kubernetes:core/v1:Pod", { metadata: { name: "other", namespace, labels } }, "other");
    const toPods = (peer: object): WireResource => egress({ to: [peer], ports: udp });
    const labels = { app: "db" };
    const other = [shut("NetworkPolicy shop/p")];
    const beside = [web(), toPods({ podSelector: { matchLabels: labels } }), pod("shop", labels)];
    assert.deepEqual(await findingsOf(rule, beside), other);
    const alike = [
      web(),
      toPods({ podSelector: kubeDns.podSelector }),
      pod("shop", { "k8s-app": "kube-dns" }),
    ];
    assert.deepEqual(await findingsOf(rule, alike), other);
    const neighbour = { namespaceSelector: kubeSystem, podSelector: { matchLabels: labels } };
    const there = [web(), toPods(neighbour), pod("kube-system", labels)];
    assert.deepEqual(await findingsOf(rule, there), other);
  });

  it("knows the namespace of cluster DNS by the labels that it is deployed with", async () => {
    const kubeSystem = resource(
      "kubernetes:core/v1:Namespace",
      { metadata: { name: "kube-system", labels: { tier: "infra" } } },
      "kube-system",
    );
    const infra = egress({ to: [{ namespaceSelector: { matchLabels: { tier: "infra" } } }], ports: udp });
    assert.deepEqual(await findingsOf(rule, [web(), infra, kubeSystem]), []);
    assert.deepEqual(await findingsOf(rule, [web(), infra]), [shut("NetworkPolicy shop/p")]);
  });

  it("names the policies that isolate these pods, and no others", async () => {
    const ingress = policy({ podSelector: {}, policyTypes: ["Ingress"] }, "ingress");
    const ofOthers = policy({ podSelector: { matchLabels: { app: "db" } }, policyTypes: ["Egress"] }, "db");
    const elsewhere = resource(
      "kubernetes:networking.k8s.io/v1:NetworkPolicy",
      {
        metadata: { name: "deny", namespace: "other" },
        spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
      },
      "elsewhere",
    );
    assert.deepEqual(await findingsOf(rule, [web(), deny, ingress, ofOthers, elsewhere]), [
      shut("NetworkPolicy shop/deny"),
    ]);
  });

  it("offers the address where cluster DNS has no pods", async () => {
    const service = { clusterDns: [], clusterDnsAddresses: ["10.96.0.10/32"] };
    const [found] = await runRule(rule, [web(), deny], service);
    assert.match(
      found?.message ?? "",
      /^Write instead: in a policy that selects them: \{"egress":\[\{"to":\[\{"ipBlock":\{"cidr":"10\.96\.0\.10\/32"\}\}\],"ports":\[/m,
    );
  });

  it("leaves out pods that do not ask cluster DNS, and excluded namespaces", async () => {
    assert.deepEqual(await findingsOf(rule, [web({ dnsPolicy: "None" }), deny]), []);
    assert.deepEqual(await findingsOf(rule, [web({ dnsPolicy: "Default" }), deny]), []);
    assert.deepEqual(await findingsOf(rule, [web({ hostNetwork: true }), deny]), []);
    assert.deepEqual(await findingsOf(rule, [web(), deny], { exclude: ["shop"] }), []);
    for (const dnsPolicy of ["ClusterFirst", "ClusterFirstWithHostNet", unknown]) {
      assert.equal((await findingsOf(rule, [web({ dnsPolicy }), deny])).length, 1);
    }
  });

  it("counts what the baseline holds, and patches of policies", async () => {
    const spec = { podSelector: {}, policyTypes: ["Egress"] };
    const metadata = { name: "p", namespace: "shop" };
    const existing = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec };
    const baseline = [{ objects: [existing] }];
    assert.deepEqual(await findingsOf(rule, web(), { baseline }), [shut("NetworkPolicy shop/p")]);
    const patch = policy({ egress: [{ to: [kubeDns], ports: udp }] }, "p", "Patch");
    assert.deepEqual(await findingsOf(rule, [web(), patch], { baseline }), []);
  });

  it("leaves to others what it cannot know", async () => {
    assert.deepEqual(await findingsOf(rule, [web(), deny, policy(unknown)]), []);
    assert.deepEqual(await findingsOf(rule, [web({}, unknown), deny]), []);
    assert.deepEqual(await findingsOf(rule, [{ ...web(), type: `${web().type}Patch` }, deny]), []);
  });

  for (const stack of stacks) {
    it(`finds DNS open to every service of ${stack}`, async () => {
      const network = stackNetwork(stack);
      const managed = new Set(network.namespaces.map(({ name }) => name));
      const pods = network.definition.services
        .filter(({ namespace }) => managed.has(namespace))
        .map(({ name, namespace, podSelector }) =>
          resource(
            "kubernetes:core/v1:Pod",
            { metadata: { name, namespace, labels: podSelector.matchLabels } },
            name,
          ),
        );
      assert.ok(pods.length > 6);
      assert.deepEqual(await findingsOf(rule, [...stackResources(network), ...pods]), []);
    });
  }
});
