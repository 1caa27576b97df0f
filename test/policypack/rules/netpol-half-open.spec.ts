import assert from "node:assert/strict";
import { netpolHalfOpen as rule } from "../../../policypack/rules/netpol-half-open";
import {
  findingsOf,
  fromManifest,
  resource,
  runRule,
  unknown,
  type WireResource,
} from "../../helpers/run-rule";
import { stackNetwork, stacks } from "../../helpers/stack-network";
import { stackResources } from "../../helpers/stack-resources";

const pod = (name: string, namespace = "shop", spec: object = {}, labels: object = {}): WireResource =>
  resource(
    "kubernetes:core/v1:Pod",
    { metadata: { name, namespace, labels: { app: name, ...labels } }, spec },
    name,
  );
const manifest = (name: string, spec: unknown, namespace = "shop") => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name, namespace },
  spec,
});
const policy = (name: string, spec: unknown, namespace = "shop"): WireResource =>
  resource(
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    manifest(name, spec, namespace),
    `${namespace}-${name}`,
  );
const of = (app: string) => ({ podSelector: { matchLabels: { app } } });
const tcp = (port: unknown, more: object = {}) => ({ protocol: "TCP", port, ...more });
const sends = (app: string, to: unknown, ports?: unknown) => ({
  ...of(app),
  policyTypes: ["Egress"],
  egress: [{ to, ports }],
});
const takes = (app: string, from: unknown, ports?: unknown) => ({
  ...of(app),
  policyTypes: ["Ingress"],
  ingress: [{ from, ports }],
});
const denied = { podSelector: {}, policyTypes: ["Ingress", "Egress"] };
const deny = policy("deny", denied);
const [web, api] = [pod("web"), pod("api")];

const opening = (at: string, what: string, by: string): string =>
  `NetworkPolicy shop/${at} opens what the other end shuts: ${what}, shut by ${by}.`;

describe("netpol-half-open", () => {
  it("finds what the sender opens and the receiver shuts, and the other way round", async () => {
    const egress = policy("out", sends("web", [of("api")], [tcp(8443)]));
    const ingress = policy("in", takes("api", [of("web")], [tcp(8443)]));
    assert.deepEqual(await findingsOf(rule, [web, api, deny, egress, ingress]), []);
    assert.deepEqual(await findingsOf(rule, [web, api, deny, egress]), [
      opening(
        "out: spec.egress[0].to[0]",
        "shop/web to shop/api (TCP 8443)",
        "NetworkPolicy shop/deny for ingress",
      ),
    ]);
    assert.deepEqual(await findingsOf(rule, [web, api, deny, ingress]), [
      opening(
        "in: spec.ingress[0].from[0]",
        "shop/web to shop/api (TCP 8443)",
        "NetworkPolicy shop/deny for egress",
      ),
    ]);
    // An end that nothing isolates is open.
    assert.deepEqual(await findingsOf(rule, [web, api, egress]), []);
    assert.deepEqual(await findingsOf(rule, [web, api, ingress]), []);
  });

  it("names the policies at both ends and what opens the other one, at the level advisory", async () => {
    const egress = policy("out", sends("web", [of("api")], [tcp(8443)]));
    const ingress = policy("in", takes("api", [of("worker")], [tcp(8443)]));
    const [found, ...more] = await runRule(rule, [web, api, pod("worker"), ingress, egress]);
    assert.deepEqual(more, []);
    assert.equal(found?.urn, egress.urn);
    assert.equal(found.enforcementLevel, "advisory");
    assert.equal(
      found.message,
      `NetworkPolicy shop/out: spec.egress[0].to[0] opens what the other end shuts: shop/web to shop/api (TCP 8443), shut by NetworkPolicy shop/in for ingress.
Why it is dangerous: if it is wanted it does not work, and whoever mends that in a hurry opens more than is needed; if not, it is open as soon as the other end is.
Write instead: in spec.ingress of NetworkPolicy shop/in: {"from":[{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"shop"}},"podSelector":{"matchLabels":{"app":"web"}}}],"ports":[{"protocol":"TCP","port":8443}]}. If it is not wanted, remove spec.egress[0].to[0] of NetworkPolicy shop/out.
See docs/rules.md#netpol-half-open`,
    );
  });

  it("tells ports apart, by number, range and name", async () => {
    const ingress = policy("in", takes("api", [of("web")], [tcp(8443), tcp(9000, { endPort: 9010 })]));
    const finds = (ports: unknown, receiver = api) =>
      findingsOf(rule, [web, receiver, deny, ingress, policy("out", sends("web", [of("api")], ports))]);
    const both = [tcp(8443), tcp(9005)];
    assert.deepEqual(await finds(both), []);
    const [finding = "", ...more] = await finds([...both, tcp(8444), { protocol: "UDP", port: 8443 }]);
    assert.deepEqual(more, []);
    assert.match(finding, /shop\/web to shop\/api \(TCP 8444; UDP 8443\), shut by/);
    // What is wider than the other end is for netpol-ports-required.
    assert.deepEqual(await finds(undefined), []);
    assert.deepEqual(await finds([tcp(8000, { endPort: 9000 })]), []);
    const naming = (containerPort: number): WireResource =>
      pod("api", "shop", { containers: [{ ports: [{ name: "https", containerPort }] }] });
    assert.deepEqual(await finds([tcp("https"), tcp(9000)], naming(8443)), []);
    assert.match((await finds([tcp("https"), ...both], naming(8444))).join(), /\(TCP 8444\)/);
  });

  it("asks of a peer for many pods only that one of them is open", async () => {
    const ingress = policy("in", takes("api", [{ podSelector: {} }], [tcp(8443)]));
    const egress = policy("out", sends("web", [of("api")], [tcp(8443)]));
    const worker = pod("worker");
    assert.deepEqual(await findingsOf(rule, [web, worker, api, deny, ingress, egress]), []);
    assert.equal((await findingsOf(rule, [web, worker, api, deny, ingress])).length, 1);
  });

  it("says nothing where pods or policies of an end are not known", async () => {
    const to = [
      { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "data" } }, ...of("db") },
    ];
    const egress = policy("out", sends("web", to, [tcp(5432)]));
    const shut = policy("deny", denied, "data");
    const db = pod("db", "data");
    assert.deepEqual(await findingsOf(rule, [web, deny, egress]), []);
    assert.deepEqual(await findingsOf(rule, [web, deny, egress, shut]), []);
    assert.equal((await findingsOf(rule, [web, deny, egress, shut, db])).length, 1);
    assert.deepEqual(await findingsOf(rule, [deny, egress, shut, db]), []);
    const any = policy("out", sends("web", [{ namespaceSelector: {}, ...of("db") }], [tcp(5432)]));
    assert.deepEqual(await findingsOf(rule, [web, deny, any, shut, db]), []);
    const maker = resource("kubernetes:postgresql.cnpg.io/v1:Cluster", { metadata: { namespace: "data" } });
    assert.deepEqual(await findingsOf(rule, [web, deny, egress, shut, db, maker]), []);
    const strange = policy("in", takes("db", unknown), "data");
    assert.deepEqual(await findingsOf(rule, [web, deny, egress, shut, db, strange]), []);
    for (const peers of [[{ ipBlock: { cidr: "10.0.0.0/24" } }], [], undefined]) {
      const other = policy("out", sends("web", peers, [tcp(5432)]));
      assert.deepEqual(await findingsOf(rule, [web, api, deny, other]), []);
    }
    const onNode = pod("api", "shop", { hostNetwork: true });
    const agent = policy("out", sends("web", [of("api")], [tcp(8443)]));
    assert.deepEqual(await findingsOf(rule, [web, onNode, deny, agent]), []);
  });

  it("counts the baseline, and reports what the stack has a part in", async () => {
    const ingress = manifest("in", takes("api", [of("web")], [tcp(8443)]));
    const base = [web, api].map(({ props }) => ({ apiVersion: "v1", kind: "Pod", ...(props as object) }));
    const objects = [...base, manifest("deny", denied), ingress];
    const config = { baseline: [{ objects }] };
    const other = pod("other", "elsewhere");
    assert.deepEqual(await findingsOf(rule, other, config), []);
    const egress = policy("out", sends("web", [of("api")], [tcp(8443), tcp(8444)]));
    assert.match((await findingsOf(rule, egress, config)).join(), /^NetworkPolicy shop\/out: .*\(TCP 8444\)/);
    // The stack's own policy is what shuts it.
    const only = { baseline: [{ objects: [...base, ingress] }] };
    assert.deepEqual(await findingsOf(rule, deny, only), [
      "NetworkPolicy shop/deny: spec.egress shuts what the other end opens: shop/web to shop/api (TCP 8443), opened by NetworkPolicy shop/in (spec.ingress[0].from[0]).",
    ]);
  });

  it("names the cluster policy that denies", async () => {
    const egress = policy("out", sends("web", [of("api")], [tcp(8443)]));
    const admin = resource("kubernetes:policy.networking.k8s.io/v1alpha1:AdminNetworkPolicy", {
      metadata: { name: "a" },
      spec: {
        priority: 1,
        subject: { namespaces: {} },
        ingress: [{ action: "Deny", from: [{ namespaces: {} }] }],
      },
    });
    const [found] = await runRule(rule, [web, api, egress, admin]);
    assert.match(found?.message ?? "", /shut by AdminNetworkPolicy a for ingress\./);
    assert.match(
      found?.message ?? "",
      /a rule before spec\.ingress\[0\]\.from\[0\] of AdminNetworkPolicy a that accepts it\./,
    );
  });

  for (const stack of stacks) {
    it(`accepts ${stack}, where flows are meant to be open at the receiver only, with and without its pods`, async () => {
      const network = stackNetwork(stack);
      const resources = stackResources(network);
      const pods = network.definition.services.map(({ name, namespace, podSelector }) =>
        fromManifest({
          apiVersion: "v1",
          kind: "Pod",
          metadata: { name, namespace, labels: podSelector.matchLabels },
        }),
      );
      assert.deepEqual(await findingsOf(rule, resources), []);
      assert.deepEqual(await findingsOf(rule, [...resources, ...pods]), []);
    });
  }
});
