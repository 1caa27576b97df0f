import assert from "node:assert/strict";
import { fromCidr, union } from "../../../policypack/address-set";
import { analyse } from "../../../policypack/reachability/engine";
import type { AnalysisOptions } from "../../../policypack/reachability/reachability";
import { clusterOf } from "../../helpers/cluster-of";

const options = {
  podRanges: fromCidr("10.244.0.0/16"),
  serviceRanges: fromCidr("10.96.0.0/12"),
} satisfies AnalysisOptions;

function networkPolicy(spec: string): string {
  return `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: {podSelector: {}, ${spec}}}`;
}

function clusterPolicy(name: string, priority: number, rest = "", tier = "Admin"): string {
  return `{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {name: ${name}}, spec: {tier: ${tier}, priority: ${priority}, subject: {namespaces: {}}, ${rest}}}`;
}

function notes(manifests: readonly string[], given: AnalysisOptions = options): string[] {
  return analyse(clusterOf(...manifests), given).notes.map(
    ({ about, at, text }) => `${about}, ${at}: ${text}`,
  );
}

const toPods = networkPolicy("egress: [{to: [{podSelector: {}}, {ipBlock: {cidr: 10.244.0.0/15}}]}]");
const coversPods =
  "NetworkPolicy shop/p, spec.egress[0].to[1]: 10.244.0.0/15 covers pod addresses (10.244.0.0/16): whether it lets pods through depends on the network plugin, and this answer says it does not";
const fromServices = networkPolicy("ingress: [{}, {from: [{ipBlock: {cidr: 10.100.0.0/16}}]}]");
const coversServices =
  "NetworkPolicy shop/p, spec.ingress[1].from[0]: 10.100.0.0/16 covers Service addresses (10.100.0.0/16): most network plugins judge the pods behind a Service and never its address";

describe("the notes of the reachability engine", () => {
  it("name blocks that cover pods, unless the network plugin is known to match them", () => {
    assert.deepEqual(notes([toPods]), [coversPods]);
    assert.deepEqual(notes([toPods], { ...options, ipBlocksMatchPods: false }), [coversPods]);
    assert.deepEqual(notes([toPods], { ...options, ipBlocksMatchPods: true }), []);
    assert.deepEqual(notes([toPods], {}), []);
  });

  it("name blocks that cover Services, whatever the network plugin does", () => {
    assert.deepEqual(notes([fromServices]), [coversServices]);
    assert.deepEqual(notes([fromServices], { ...options, ipBlocksMatchPods: true }), [coversServices]);
    assert.deepEqual(notes([fromServices], { podRanges: options.podRanges }), []);
  });

  it("say of one block both what it covers, and nothing of others", () => {
    const both = networkPolicy("egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]");
    assert.deepEqual(
      notes([both]).map((note) => note.replace(/: (whether|most) .*/, "")),
      [
        "NetworkPolicy shop/p, spec.egress[0].to[0]: 10.0.0.0/8 covers pod addresses (10.244.0.0/16)",
        "NetworkPolicy shop/p, spec.egress[0].to[0]: 10.0.0.0/8 covers Service addresses (10.96.0.0/12)",
      ],
    );
    assert.deepEqual(notes([networkPolicy("egress: [{to: [{ipBlock: {cidr: 192.0.2.0/24}}]}, {}]")]), []);
  });

  it("show the first four of many networks", () => {
    const podRanges = union(...[1, 3, 5, 7, 9].map((index) => fromCidr(`10.${index}.0.0/16`)));
    const all = networkPolicy("egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]");
    assert.match(
      notes([all], { podRanges }).join(),
      / \(10\.1\.0\.0\/16, 10\.3\.0\.0\/16, 10\.5\.0\.0\/16, 10\.7\.0\.0\/16\): /,
    );
  });

  it("name what only DNS knows, and take the networks of a cluster policy for what they match", () => {
    const peers =
      "[{networks: [10.244.0.0/16, 10.100.0.0/16]}, {domainNames: [example.org, '*.example.com']}]";
    const policy = clusterPolicy("out", 7, `egress: [{action: Accept, to: ${peers}}]`);
    assert.deepEqual(notes([policy]), [
      "ClusterNetworkPolicy out, spec.egress[0].to[0]: 10.244.0.0/16, 10.100.0.0/16 covers Service addresses (10.100.0.0/16): most network plugins judge the pods behind a Service and never its address",
      "ClusterNetworkPolicy out, spec.egress[0].to[1]: accepts traffic to example.org, *.example.com: only DNS knows which addresses these are, so they are not in this answer",
    ]);
  });

  it("name cluster policies of one tier with the same priority", () => {
    const policies = [clusterPolicy("b", 7), clusterPolicy("a", 7), clusterPolicy("c", 8)];
    assert.deepEqual(notes([...policies, clusterPolicy("d", 7, "", "Baseline")]), [
      "ClusterNetworkPolicy b, spec.priority: has priority 7 like ClusterNetworkPolicy a: where both match, the API leaves open which one decides; this answer takes them in the order of their names",
    ]);
  });
});
