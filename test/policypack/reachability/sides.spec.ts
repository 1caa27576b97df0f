import assert from "node:assert/strict";
import fc from "fast-check";
import { allPorts, formatPorts, hasNoPorts, intersectPorts } from "../../../policypack/port-set";
import { analyse } from "../../../policypack/reachability/engine";
import { explain } from "../../../policypack/reachability/explanation";
import { isWorkload } from "../../../policypack/reachability/reachability";
import { sidesOf } from "../../../policypack/reachability/sides";
import { clusterOf } from "../../helpers/cluster-of";
import { arbitraryInput } from "./arbitrary-cluster";
import { propertyRuns } from "../property-runs";

const directions = ["ingress", "egress"] as const;

describe("the sides of a connection", () => {
  it("are what the explanation says of each end, and together what the analysis says", () => {
    fc.assert(
      fc.property(arbitraryInput, ({ cluster, options }) => {
        const sides = sidesOf(cluster, options);
        const whole = analyse(cluster, options);
        for (const [a, [from]] of sides.classes.entries()) {
          for (const [b, [to]] of sides.classes.entries()) {
            assert.ok(from !== undefined && to !== undefined);
            const [egress, ingress] = [sides.ports("egress", a, b), sides.ports("ingress", b, a)];
            const explanation = explain(cluster, from, to, allPorts, options);
            assert.deepEqual([egress, ingress], [explanation.egress.open, explanation.ingress.open]);
            assert.deepEqual(intersectPorts(egress, ingress), whole.ports(from, to));
          }
          for (const direction of directions) {
            const others = [...sides.classes.keys()].filter(
              (other) => !hasNoPorts(sides.ports(direction, a, other)),
            );
            assert.deepEqual([...sides.others(direction, a)], others);
          }
        }
      }),
      propertyRuns(300),
    );
  });

  it("say of the outside what the analysis says", () => {
    fc.assert(
      fc.property(arbitraryInput, ({ cluster, options }) => {
        const sides = sidesOf(cluster, options);
        const flows = [...analyse(cluster, options).flows()];
        for (const [number, workloads] of sides.classes.entries()) {
          const [subject] = workloads;
          const outward = flows.flatMap(({ from, to, ports }) =>
            from === subject && !isWorkload(to) ? [{ addresses: to.addresses, ports }] : [],
          );
          const inward = flows.flatMap(({ from, to, ports }) =>
            to === subject && !isWorkload(from) ? [{ addresses: from.addresses, ports }] : [],
          );
          assert.deepEqual(sides.outside("egress", number), outward);
          assert.deepEqual(sides.outside("ingress", number), inward);
        }
      }),
      propertyRuns(300),
    );
  });

  it("are open where no NetworkPolicy isolates, and no cluster policy denies what nobody knows", () => {
    const pods = ["web", "api"].map(
      (app) =>
        `{apiVersion: v1, kind: Pod, metadata: {name: ${app}, namespace: shop, labels: {app: ${app}}}}`,
    );
    const openOf = (...policies: string[]): string[] => {
      const sides = sidesOf(clusterOf(...pods, ...policies));
      return directions.flatMap((direction) =>
        sides.classes.flatMap(([first], number) =>
          sides.isOpen(direction, number) ? [`${first?.name ?? ""} ${direction}`] : [],
        ),
      );
    };
    const netpol = (spec: string): string =>
      `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: ${spec}}`;
    assert.deepEqual(openOf(), ["web ingress", "api ingress", "web egress", "api egress"]);
    assert.deepEqual(openOf(netpol("{podSelector: {matchLabels: {app: web}}, ingress: [{}]}")), [
      "api ingress",
      "web egress",
      "api egress",
    ]);
    const baseline = (peer: string): string =>
      `{apiVersion: policy.networking.k8s.io/v1alpha1, kind: BaselineAdminNetworkPolicy, metadata: {name: default}, spec: {subject: {namespaces: {}}, ingress: [{action: Deny, from: [${peer}]}]}}`;
    assert.deepEqual(openOf(baseline("{namespaces: {}}")), ["web egress", "api egress"]);
    assert.equal(
      openOf(baseline("{namespaces: {matchLabels: {kubernetes.io/metadata.name: shop}}}")).length,
      4,
    );
    // Every namespace has a name, those that nobody knows too.
    const named = (expression: string): string =>
      baseline(
        `{namespaces: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: ${expression}}]}}`,
      );
    assert.deepEqual(openOf(named("Exists")), ["web egress", "api egress"]);
    assert.deepEqual(openOf(named("NotIn, values: [kube-system]")), ["web egress", "api egress"]);
    assert.equal(openOf(named("In, values: [shop, kube-system]")).length, 4);
  });

  it("name the pods of their peers, or all where a rule is for any peer", () => {
    const pod = (name: string, rest = ""): string =>
      `{apiVersion: v1, kind: Pod, metadata: {name: ${name}, namespace: shop, labels: {app: ${name}}}, spec: {${rest}}}`;
    const http = (number: number): string =>
      `containers: [{name: c, image: i, ports: [{name: http, containerPort: ${number}}]}]`;
    const pods = [
      ...[pod("a", http(80)), pod("b", http(8080)), pod("c"), pod("d")],
      pod("agent", "hostNetwork: true, containers: []"),
    ];
    const sidesWith = (egress: string) => {
      const sides = sidesOf(
        clusterOf(
          ...pods,
          `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: {podSelector: {matchLabels: {app: d}}, policyTypes: [Egress], egress: [${egress}]}}`,
        ),
      );
      const nameOf = (number: number): string => sides.classes[number]?.[0]?.name ?? "";
      const numberOf = (name: string): number =>
        [...sides.classes.keys()].findIndex((n) => nameOf(n) === name);
      return {
        others: (name: string) => [...sides.others("egress", numberOf(name))].map(nameOf),
        ports: (name: string, other: string) =>
          formatPorts(sides.ports("egress", numberOf(name), numberOf(other))),
      };
    };
    const to = (...names: string[]): string =>
      `{to: [${names.map((name) => `{podSelector: {matchLabels: {app: ${name}}}}`).join()}]}`;
    assert.deepEqual(sidesWith([to("c"), to("a")].join()).others("d"), ["a", "c"]);
    assert.deepEqual(sidesWith("").others("d"), []);
    assert.deepEqual(sidesWith("{}").others("d"), ["a", "b", "c", "d", "agent"]);
    assert.deepEqual(sidesWith("").others("a"), ["a", "b", "c", "d", "agent"]);
    assert.deepEqual(sidesWith("").others("agent"), ["a", "b", "c", "d", "agent"]);
    const byName = sidesWith("{ports: [{port: http}]}");
    assert.deepEqual(byName.others("d"), ["a", "b"]);
    assert.equal(byName.ports("d", "a"), "TCP 80");
    assert.equal(byName.ports("d", "b"), "TCP 8080");
    assert.equal(byName.ports("a", "c"), "all ports");
  });
});
