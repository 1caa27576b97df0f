import assert from "node:assert/strict";
import { adminPolicy, exposedAt, namespace, pod, policy, reached } from "./exposure-text";

describe("the ends that leave something open for a new pod", () => {
  const bank = namespace("bank", "team: a");
  const other = namespace("other");
  const cluster = [pod("shop/db", "app: db"), pod("shop/web", "app: web"), bank, other];
  const dbAccepts = (rules: string) =>
    policy("shop/db", `podSelector: {matchLabels: {app: db}}, ingress: [${rules}]`);
  const noIngress = policy("shop/deny", "podSelector: {}, policyTypes: [Ingress]");
  const opened = (name: string, ...policies: string[]) => reached(exposedAt([...cluster, ...policies], name));
  const teamA = "{namespaceSelector: {matchLabels: {team: a}}}";
  const db = ["shop/db all ports (any labels)"];

  it("are those whose rules select the namespace, or any", () => {
    assert.deepEqual(opened("bank", noIngress, dbAccepts(`{from: [${teamA}]}`)), db);
    assert.deepEqual(opened("other", noIngress, dbAccepts(`{from: [${teamA}]}`)), []);
    for (const peers of ["{namespaceSelector: {}}", `${teamA}, {namespaceSelector: {}}`]) {
      assert.deepEqual(opened("bank", noIngress, dbAccepts(`{from: [${peers}]}`)), db);
      assert.deepEqual(opened("other", noIngress, dbAccepts(`{from: [${peers}]}`)), db);
    }
    assert.deepEqual(opened("other", noIngress, dbAccepts("{ports: [{port: 80}]}")), [
      "shop/db TCP 80 (any labels)",
    ]);
    assert.deepEqual(opened("other", noIngress, dbAccepts("{from: [{podSelector: {}}]}")), []);
    assert.deepEqual(opened("shop", noIngress, dbAccepts("{from: [{podSelector: {}}]}")), db);
  });

  it("are all those of which a policy of their own selects the namespace", () => {
    const webAccepts = policy(
      "shop/web",
      `podSelector: {matchLabels: {app: web}}, ingress: [{from: [${teamA}], ports: [{port: 80}]}]`,
    );
    const both = [
      noIngress,
      dbAccepts(`{from: [${teamA}]}, {from: [${teamA}], ports: [{port: 443}]}`),
      webAccepts,
    ];
    assert.deepEqual(opened("bank", ...both).toSorted(), [...db, "shop/web TCP 80 (any labels)"]);
    assert.deepEqual(opened("other", ...both), []);
  });

  it("are those that a cluster policy opens, whatever isolates them", () => {
    const allow = adminPolicy(
      "bank",
      1,
      "subject: {pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: db}}}}, ingress: [{action: Allow, from: [{namespaces: {matchLabels: {team: a}}}]}]",
    );
    assert.deepEqual(opened("bank", noIngress, allow), db);
    assert.deepEqual(opened("other", noIngress, allow), []);
  });

  it("are those that nothing isolates", () => {
    assert.deepEqual(opened("other", dbAccepts(`{from: [${teamA}]}`)), ["shop/web all ports (any labels)"]);
  });
});
