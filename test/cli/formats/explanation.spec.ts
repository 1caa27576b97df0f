import assert from "node:assert/strict";
import { explanationJson, explanationText } from "../../../cli/formats/explanation";
import { portSet } from "../../../policypack/port-set";
import { explain } from "../../../policypack/reachability/explanation";
import { remediesFor } from "../../../policypack/reachability/remedy";
import { clusterOf } from "../../helpers/cluster-of";

describe("explanations", () => {
  const cluster = clusterOf(
    "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}}",
    "{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: shop, labels: {app: db}}}",
    "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: db, namespace: shop}, spec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 5432}]}]}}",
  );
  const [web, db] = cluster.workloads;
  assert.ok(web && db);
  const at = (port: number) =>
    explain(cluster, web, db, portSet([{ protocol: "TCP", first: port, last: port }]));

  it("name what opens a connection", () => {
    assert.equal(
      explanationText(cluster, at(5432), []),
      `shop/web -> shop/db: open (TCP 5432)

Out of shop/web (egress): open
  not isolated: no NetworkPolicy selects it for egress

Into shop/db (ingress): open
  isolated by db
  opened by NetworkPolicy shop/db, spec.ingress[0].from[0]: TCP 5432
`,
    );
  });

  it("name what leaves it shut, and the lines to add", () => {
    const explanation = at(22);
    assert.equal(
      explanationText(cluster, explanation, remediesFor(explanation)),
      `shop/web -> shop/db: shut (TCP 22)

Out of shop/web (egress): open
  not isolated: no NetworkPolicy selects it for egress

Into shop/db (ingress): shut
  isolated by db
  no rule of these policies matches the other end and the ports

To open it, add to spec.ingress of NetworkPolicy shop/db:
  - from:
      - namespaceSelector:
          matchLabels:
            kubernetes.io/metadata.name: shop
        podSelector:
          matchLabels:
            app: web
    ports:
      - protocol: TCP
        port: 22
`,
    );
  });

  it("are JSON for scripts", () => {
    const explanation = at(22);
    const json = JSON.parse(explanationJson(explanation, remediesFor(explanation))) as Record<
      string,
      unknown
    >;
    assert.deepEqual(json.from, { workload: "shop/web[Pod]" });
    assert.deepEqual(json.open, []);
    assert.deepEqual(json.ingress, {
      state: "isolated",
      isolatedBy: ["shop/db"],
      decisions: [],
      open: [],
      shut: [{ protocol: "TCP", first: 22, last: 22 }],
    });
    assert.equal((json.remedies as { policy: string }[])[0]?.policy, "shop/db");
  });
});
