import assert from "node:assert/strict";
import fc from "fast-check";
import { allPorts, hasNoPorts, intersectPorts } from "../../../policypack/port-set";
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
  });
});
