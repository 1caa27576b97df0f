import assert from "node:assert/strict";
import { toCidrs } from "../../../policypack/address-set";
import { formatPorts, hasNoPorts } from "../../../policypack/port-set";
import { analyse } from "../../../policypack/reachability/engine";
import { isWorkload, type End } from "../../../policypack/reachability/reachability";
import { clusterOf } from "../../helpers/cluster-of";
import { adminPolicy, pod, policy } from "./exposure-text";

const nameOf = (end: End) => (isWorkload(end) ? end.name : toCidrs(end.addresses).join());

/** What each workload may send to others, however many classes the engine looks at one by one. */
function sent(manifests: readonly string[], from: string): string[] {
  const cluster = clusterOf(...manifests);
  const source = cluster.workloads.find(({ name }) => name === from);
  assert.ok(source);
  const [first, ...others] = [0, 1, 2, 3, undefined].map((few) => {
    const reachability = analyse(cluster, {}, few);
    const byPair = cluster.workloads.flatMap((to) => {
      const ports = reachability.ports(source, to);
      return hasNoPorts(ports) ? [] : [`${to.name} ${formatPorts(ports)}`];
    });
    const flows = [...reachability.flows()].flatMap(({ from: of, to, ports }) =>
      of === source && isWorkload(to) ? [`${to.name} ${formatPorts(ports)}`] : [],
    );
    assert.deepEqual(flows.sort(), [...byPair].sort());
    return byPair;
  });
  assert.ok(first);
  for (const other of others) assert.deepEqual(other, first);
  return first;
}

const http = (port: number) => `{name: http, containerPort: ${port}}`;
const [a, b, c, d] = [
  pod("shop/a", "app: a", http(80)),
  pod("shop/b", "app: b", http(8080)),
  pod("shop/c", "app: c"),
  pod("shop/d", "app: d"),
];
const pods = [a, b, c, d];
const to = (...names: string[]) =>
  `to: [{pods: {namespaceSelector: {}, podSelector: {matchExpressions: [{key: app, operator: In, values: [${names.join()}]}]}}}]`;
const port = (number: number) => `ports: [{portNumber: {protocol: TCP, port: ${number}}}]`;
const fromD = "subject: {pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: d}}}}";

describe("what policies leave open with each class of pods", () => {
  it("has for a name the port of each, where a rule is for any peer", () => {
    const named = policy(
      "shop/d",
      "podSelector: {matchLabels: {app: d}}, policyTypes: [Egress], egress: [{ports: [{port: http}]}]",
    );
    assert.deepEqual(sent([...pods, named], "d"), ["a TCP 80", "b TCP 8080"]);
    const numbers = policy(
      "shop/all",
      "podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 53}, {port: http}]}]",
    );
    for (const name of ["a", "d"]) {
      assert.deepEqual(sent([...pods, numbers], name), [
        "a TCP 53, 80",
        "b TCP 53, 8080",
        "c TCP 53",
        "d TCP 53",
      ]);
    }
  });

  it("keeps the order of a rule for few pods and one for many", () => {
    const rules = (...list: string[]) => adminPolicy("d", 1, `${fromD}, egress: [${list.join()}]`);
    const denied = `{action: Deny, ${to("a", "b", "c")}, ${port(80)}}`;
    const accepted = `{action: Allow, ${to("a")}, ${port(80)}}`;
    const without = "TCP 1-79, 81-65535; UDP 1-65535; SCTP 1-65535";
    const allBut = (...names: string[]) =>
      ["a", "b", "c", "d"].map((name) => `${name} ${names.includes(name) ? without : "all ports"}`);
    assert.deepEqual(sent([...pods, rules(accepted, denied)], "d"), allBut("b", "c"));
    assert.deepEqual(sent([...pods, rules(denied, accepted)], "d"), allBut("a", "b", "c"));
  });

  it("joins what rules for few pods, for many and for any open", () => {
    const rule = (peer: string, number: number) => `{${peer}ports: [{port: ${number}}]}`;
    const peer = (...names: string[]) =>
      `to: [{podSelector: {matchExpressions: [{key: app, operator: In, values: [${names.join()}]}]}}], `;
    const own = policy(
      "shop/d",
      `podSelector: {matchLabels: {app: d}}, policyTypes: [Egress], egress: [${rule("", 1)}, ${rule(peer("a"), 3)}, ${rule(peer("a", "b", "c"), 5)}]`,
    );
    assert.deepEqual(sent([...pods, own], "d"), ["a TCP 1, 3, 5", "b TCP 1, 5", "c TCP 1, 5", "d TCP 1"]);
  });
});

describe("what policies leave open with the outside", () => {
  const outside = (egress: string) => {
    const own = policy("shop/d", `podSelector: {}, policyTypes: [Ingress, Egress], egress: [${egress}]`);
    return [...analyse(clusterOf(d, own)).flows()].map(
      ({ from, to: other, ports }) => `${nameOf(from)} → ${nameOf(other)} ${formatPorts(ports)}`,
    );
  };
  const block = (cidr: string, port: number, except = "") =>
    `{to: [{ipBlock: {cidr: ${cidr}, except: [${except}]}}], ports: [{port: ${port}}]}`;

  it("has each address once, with the ports of all rules for it", () => {
    assert.deepEqual(outside([block("10.0.0.0/8", 80), block("192.168.0.0/16", 443)].join()), [
      "d → 10.0.0.0/8 TCP 80",
      "d → 192.168.0.0/16 TCP 443",
    ]);
    assert.deepEqual(outside([block("10.0.0.0/8", 80), block("10.0.0.0/9", 443)].join()), [
      "d → 10.0.0.0/9 TCP 80, 443",
      "d → 10.128.0.0/9 TCP 80",
    ]);
  });

  it("has addresses with the same ports together", () => {
    assert.deepEqual(outside([block("10.0.0.0/8", 80), block("192.168.0.0/16", 80)].join()), [
      "d → 10.0.0.0/8,192.168.0.0/16 TCP 80",
    ]);
    assert.deepEqual(
      outside(
        [block("10.0.0.0/8", 80, "10.0.0.0/9"), block("10.0.0.0/9", 80), block("2001:db8::/32", 80)].join(),
      ),
      ["d → 10.0.0.0/8,2001:db8::/32 TCP 80"],
    );
  });

  it("has nothing where no rule opens anything", () => {
    assert.deepEqual(outside(""), []);
    assert.deepEqual(outside("{to: [{podSelector: {matchLabels: {app: a}}}]}"), []);
    assert.deepEqual(outside("{ports: [{port: 53}]}"), ["d → 0.0.0.0/0,::/0 TCP 53"]);
  });
});
