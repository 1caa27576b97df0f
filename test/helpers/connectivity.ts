import ipaddr from "ipaddr.js";
import type { LabelSelector, NetworkPolicyPeer, NetworkPolicyRule } from "../../matrix/kubernetes";
import type { NetworkPolicy, Protocol } from "../../matrix";

/** A pod, or an address outside the cluster. */
export type Party =
  { readonly namespace: string; readonly labels: Record<string, string> } | { readonly address: string };

/**
 * Whether the policies let a connection through, read off the API documentation one pod, one peer and one port at a time:
 * a pod that some policy selects for a direction is isolated in it, and then only what a rule names gets through. Both ends
 * must agree.
 */
export function connects(
  policies: readonly NetworkPolicy[],
  from: Party,
  to: Party,
  protocol: Protocol,
  port: number,
): boolean {
  return (
    passes(policies, from, to, "Egress", protocol, port) &&
    passes(policies, to, from, "Ingress", protocol, port)
  );
}

function passes(
  policies: readonly NetworkPolicy[],
  subject: Party,
  other: Party,
  direction: "Ingress" | "Egress",
  protocol: Protocol,
  port: number,
): boolean {
  if ("address" in subject) return true;
  const isolating = policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === subject.namespace &&
      spec.policyTypes.includes(direction) &&
      selects(spec.podSelector, subject.labels),
  );
  if (isolating.length === 0) return true;
  return isolating.some(({ spec }) =>
    ((direction === "Ingress" ? spec.ingress : spec.egress) ?? []).some(
      (rule) => admitsPeer(rule, direction, other) && admitsPort(rule, protocol, port),
    ),
  );
}

function admitsPeer(rule: NetworkPolicyRule, direction: "Ingress" | "Egress", other: Party): boolean {
  const peers = direction === "Ingress" ? rule.from : rule.to;
  return peers === undefined || peers.length === 0 || peers.some((peer) => matches(peer, other));
}

function matches(peer: NetworkPolicyPeer, other: Party): boolean {
  if ("address" in other) {
    return (
      peer.ipBlock !== undefined &&
      within(other.address, peer.ipBlock.cidr) &&
      !(peer.ipBlock.except ?? []).some((cidr) => within(other.address, cidr))
    );
  }
  return (
    peer.ipBlock === undefined &&
    selects(peer.namespaceSelector ?? {}, { "kubernetes.io/metadata.name": other.namespace }) &&
    selects(peer.podSelector ?? {}, other.labels)
  );
}

function within(address: string, cidr: string): boolean {
  const parsed = ipaddr.parse(address);
  const [network, prefix] = ipaddr.parseCIDR(cidr);
  return parsed.kind() === network.kind() && parsed.match(network, prefix);
}

function admitsPort(rule: NetworkPolicyRule, protocol: Protocol, port: number): boolean {
  return (
    rule.ports === undefined ||
    rule.ports.length === 0 ||
    rule.ports.some(
      (open) => open.protocol === protocol && port >= open.port && port <= (open.endPort ?? open.port),
    )
  );
}

function selects(
  { matchLabels = {}, matchExpressions = [] }: LabelSelector,
  labels: Record<string, string>,
): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case "In":
          return value !== undefined && values.includes(value);
        case "NotIn":
          return value === undefined || !values.includes(value);
        case "Exists":
          return value !== undefined;
        case "DoesNotExist":
          return value === undefined;
      }
    })
  );
}
