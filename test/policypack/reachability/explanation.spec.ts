import assert from "node:assert/strict";
import fc from "fast-check";
import { dump } from "js-yaml";
import { manifestsOf } from "../../../matrix";
import { fromCidr } from "../../../policypack/address-set";
import { allPorts, formatPorts, hasNoPorts, portSet, type PortSet } from "../../../policypack/port-set";
import { analyse } from "../../../policypack/reachability/engine";
import { explain, type EndExplanation, type SingleEnd } from "../../../policypack/reachability/explanation";
import type { Cluster } from "../../../policypack/reachability/model";
import { remediesFor } from "../../../policypack/reachability/remedy";
import { clusterOf } from "../../helpers/cluster-of";
import { stackNetwork } from "../../helpers/stack-network";
import { arbitraryInput } from "./arbitrary-cluster";
import { propertyRuns } from "../property-runs";

const network = manifestsOf(stackNetwork("staging")).map((manifest) => dump(manifest));
const pods = ["erlmcp", "postgres", "redis", "otel-collector"]
  .map(
    (name) =>
      `{apiVersion: v1, kind: Pod, metadata: {name: ${name}, namespace: erlmcp, labels: {app.kubernetes.io/name: ${name}}}}`,
  )
  .concat(
    "{apiVersion: v1, kind: Pod, metadata: {name: agent, namespace: erlmcp}, spec: {hostNetwork: true}}",
    "{apiVersion: v1, kind: Pod, metadata: {name: plain, namespace: elsewhere, labels: {app: plain}}}",
  );
const cluster = clusterOf(...network, ...pods);

function pod(name: string, of: Cluster = cluster): SingleEnd {
  const found = of.workloads.find((workload) => workload.name === name);
  assert.ok(found, name);
  return found;
}

function tcp(port: number): PortSet {
  return portSet([{ protocol: "TCP", first: port, last: port }]);
}

function told({ state, isolatedBy, decisions, open }: EndExplanation): object {
  return {
    state,
    isolatedBy: isolatedBy.map(({ name }) => name),
    decisions: decisions.map(({ title, at, action }) => `${action} ${title} ${at}`),
    open: hasNoPorts(open) ? "" : formatPorts(open),
  };
}

describe("explain", () => {
  it("names the policy, rule and peer that open each end", () => {
    const { open, egress, ingress } = explain(cluster, pod("erlmcp"), pod("postgres"), tcp(5432));
    assert.equal(formatPorts(open), "TCP 5432");
    assert.deepEqual(told(egress), {
      state: "isolated",
      isolatedBy: ["erlmcp-deny-all-egress", "erlmcp-egress"],
      decisions: ["Accept NetworkPolicy erlmcp/erlmcp-egress spec.egress[0].to[0]"],
      open: "TCP 5432",
    });
    assert.deepEqual(told(ingress), {
      state: "isolated",
      isolatedBy: ["erlmcp-deny-all-ingress", "postgres-ingress"],
      decisions: ["Accept NetworkPolicy erlmcp/postgres-ingress spec.ingress[0].from[0]"],
      open: "TCP 5432",
    });
  });

  it("says what to add, and where, for each end that is shut", () => {
    const explanation = explain(cluster, pod("postgres"), pod("redis"), tcp(6379));
    assert.ok(hasNoPorts(explanation.open));
    const remedies = remediesFor(explanation).map((remedy) =>
      remedy.kind === "add-rule" ? [remedy.policy.name, remedy.at, remedy.rule] : remedy,
    );
    const peer = (name: string) => ({
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "erlmcp" } },
      podSelector: { matchLabels: { "app.kubernetes.io/name": name } },
    });
    const ports = [{ protocol: "TCP", port: 6379 }];
    assert.deepEqual(remedies, [
      ["postgres-egress", "spec.egress", { to: [peer("redis")], ports }],
      ["redis-ingress", "spec.ingress", { from: [peer("postgres")], ports }],
    ]);
  });

  it("asks for a new policy where only default-deny isolates, rather than for a hole in it", () => {
    const shop = clusterOf(
      "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny, namespace: shop}, spec: {podSelector: {}, policyTypes: [Ingress]}}",
      "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}}",
    );
    const explanation = explain(shop, { address: "203.0.113.7" }, pod("web", shop), tcp(443));
    assert.deepEqual(remediesFor(explanation), [
      {
        kind: "add-policy",
        manifest: {
          apiVersion: "networking.k8s.io/v1",
          kind: "NetworkPolicy",
          metadata: { name: "web-ingress", namespace: "shop" },
          spec: {
            podSelector: { matchLabels: { app: "web" } },
            policyTypes: ["Ingress"],
            ingress: [
              { from: [{ ipBlock: { cidr: "203.0.113.7/32" } }], ports: [{ protocol: "TCP", port: 443 }] },
            ],
          },
        },
      },
    ]);
  });

  it("names the cluster policy that denies, which no NetworkPolicy can overrule", () => {
    const guarded = clusterOf(
      ...network,
      ...pods,
      `{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {name: guard}, spec: {
         tier: Admin, priority: 5, subject: {namespaces: {}},
         egress: [{action: Deny, to: [{namespaces: {matchLabels: {kubernetes.io/metadata.name: erlmcp}}}]}]}}`,
    );
    const explanation = explain(guarded, pod("erlmcp", guarded), pod("postgres", guarded), tcp(5432));
    assert.ok(hasNoPorts(explanation.open));
    assert.deepEqual(told(explanation.egress), {
      state: "isolated",
      isolatedBy: ["erlmcp-deny-all-egress", "erlmcp-egress"],
      decisions: ["Deny ClusterNetworkPolicy guard spec.egress[0].to[0]"],
      open: "",
    });
    assert.deepEqual(
      remediesFor(explanation).map((remedy) => remedy.kind === "denied" && remedy.by.title),
      ["ClusterNetworkPolicy guard"],
    );
  });

  it("tells ends that no policy protects apart", () => {
    const states = (from: SingleEnd, to: SingleEnd) => {
      const { egress, ingress } = explain(cluster, from, to, allPorts);
      return [egress.state, ingress.state];
    };
    assert.deepEqual(states(pod("plain"), { address: "2001:db8::1" }), ["not-isolated", "outside"]);
    assert.deepEqual(states(pod("agent"), pod("redis")), ["host-network", "isolated"]);
  });

  it("agrees with the analysis on every pair", () => {
    const reachability = analyse(cluster);
    for (const from of cluster.workloads) {
      for (const to of cluster.workloads) {
        assert.deepEqual(
          explain(cluster, from, to, allPorts).open,
          reachability.ports(from, to),
          `${from.name} -> ${to.name}`,
        );
      }
    }
  });

  it("agrees with the analysis of drawn clusters, and says of every shut end what opens it", function () {
    this.timeout(120_000);
    fc.assert(
      fc.property(arbitraryInput, ({ cluster: drawn, options }) => {
        const reachability = analyse(drawn, options);
        for (const from of drawn.workloads) {
          for (const to of drawn.workloads) {
            const explanation = explain(drawn, from, to, allPorts, options);
            assert.deepEqual(explanation.open, reachability.ports(from, to), `${from.name} -> ${to.name}`);
            for (const end of [explanation.egress, explanation.ingress]) {
              const told = remediesFor(explanation).length > 0 || hasNoPorts(end.shut);
              assert.ok(told, `${from.name} -> ${to.name}: nothing is said of ${end.direction}`);
            }
          }
          for (const address of ["10.0.0.1", "203.0.113.1", "2001:db8::1"]) {
            const set = { addresses: fromCidr(`${address}/${address.includes(":") ? 128 : 32}`) };
            assert.deepEqual(
              explain(drawn, from, { address }, allPorts, options).open,
              reachability.ports(from, set),
            );
            assert.deepEqual(
              explain(drawn, { address }, from, allPorts, options).open,
              reachability.ports(set, from),
            );
          }
        }
      }),
      propertyRuns(1000, 20_240_229),
    );
  });
});
