import assert from "node:assert/strict";
import type { Rule } from "../../policypack/define-rule";
import { findingsOf, resource, unknown, type WireResource } from "./run-rule";

/** Holds that a rule about peers lets every namespace ask the cluster's own DNS pods for names, and nothing more. */
export async function assertClusterDnsException(rule: Rule): Promise<void> {
  const dns = [
    { protocol: "UDP", port: 53 },
    { protocol: "TCP", port: 53 },
  ];
  const policy = (
    spec: object,
    {
      podSelector = { matchLabels: { "k8s-app": "kube-dns" } },
      namespace = "kube-system",
    }: { podSelector?: unknown; namespace?: unknown } = {},
  ): WireResource =>
    resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", {
      metadata: { name: "dns", namespace },
      spec: { podSelector, ...spec },
    });
  const everyone = [{ namespaceSelector: {} }];
  const asked = { ingress: [{ from: everyone, ports: dns }] };
  assert.deepEqual(await findingsOf(rule, policy(asked)), []);
  const blocked = [
    policy({ ingress: [{ from: everyone, ports: [...dns, { protocol: "TCP", port: 9153 }] }] }),
    policy({ ingress: [{ from: everyone, ports: [{ port: 53, endPort: 60 }] }] }),
    policy({ ingress: [{ from: everyone, ports: [{ port: "dns" }] }] }),
    policy({ ingress: [{ from: everyone }] }),
    policy({ egress: [{ to: everyone, ports: dns }] }),
    policy(asked, { podSelector: {} }),
    policy(asked, { podSelector: { matchLabels: { "k8s-app": "metrics-server" } } }),
    policy(asked, { podSelector: { matchExpressions: [{ key: "k8s-app", operator: "Exists" }] } }),
    policy(asked, { namespace: "shop" }),
  ];
  for (const one of blocked) {
    const [finding = "", ...others] = await findingsOf(rule, one);
    assert.match(finding, /namespaceSelector is \{\}, which (selects every|asks for no) namespace/);
    assert.doesNotMatch(finding, /cannot be verified/);
    assert.deepEqual(others, []);
  }
  for (const one of [policy(asked, { namespace: unknown }), policy(asked, { podSelector: unknown })]) {
    const [finding = ""] = await findingsOf(rule, one);
    assert.match(
      finding,
      /cannot be verified: .*, and whether this is a policy of the cluster's DNS pods is not known/,
    );
  }
  const clusterDns = [{ namespace: "shop", labels: { "k8s-app": "kube-dns" } }];
  assert.deepEqual(await findingsOf(rule, policy(asked, { namespace: "shop" }), { clusterDns }), []);
}
