import assert from "node:assert/strict";
import { namespaceMatches } from "../../../policypack/reachability/namespace-matches";
import { selectorKey } from "../../../policypack/reachability/selector";
import type { Selector } from "../../../policypack/reachability/model";
import { clusterOf } from "../../helpers/cluster-of";

const by = (key: string, value: string): Selector => ({
  requirements: [{ key, operator: "In", values: [value] }],
});
const asked = (label: string): string => `{namespaceSelector: {matchLabels: {${label}}}}`;

describe("the selectors that select a namespace", () => {
  it("are those of subjects and peers in either direction, each once, without those for every namespace", () => {
    const cluster = clusterOf(
      "{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: a, tier: x}}}",
      "{apiVersion: v1, kind: Namespace, metadata: {name: bank, labels: {team: b, tier: x}}}",
      "{apiVersion: v1, kind: Namespace, metadata: {name: plain}}",
      `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: plain}, spec: {podSelector: {}, policyTypes: [Ingress, Egress],
        ingress: [{}, {from: [${asked("team: a")}, {podSelector: {}}, {namespaceSelector: {}}, {ipBlock: {cidr: 10.0.0.0/8}}]}],
        egress: [{to: [${asked("team: a")}, ${asked("tier: x")}, ${asked("tier: nowhere")}]}]}}`,
      "{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {name: guard}, spec: {priority: 1, subject: {namespaces: {matchLabels: {team: b}}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}}",
      "{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {name: all}, spec: {priority: 2, subject: {namespaces: {}}}}",
    );
    const matches = namespaceMatches(cluster);
    const found = Object.fromEntries(
      cluster.namespaces.map((namespace) => [namespace.name, [...matches(namespace)].sort()]),
    );
    const keys = (...selectors: Selector[]): string[] => selectors.map(selectorKey).sort();
    assert.deepEqual(found, {
      shop: keys(by("team", "a"), by("tier", "x")),
      bank: keys(by("team", "b"), by("tier", "x")),
      plain: [],
    });
  });
});
