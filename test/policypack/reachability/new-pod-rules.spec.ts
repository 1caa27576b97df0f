import assert from "node:assert/strict";
import { fromCidr } from "../../../policypack/address-set";
import {
  baselinePolicy,
  clusterPolicy,
  exposedAt,
  namespace,
  pod,
  policy,
  reached,
  reaching,
} from "./exposure-text";

const db = pod("bank/db", "app: db", "{name: sql, containerPort: 5432}");
const shop = namespace("shop");
const webEgress = (rules: string) =>
  policy("shop/web", `podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [${rules}]`);
const isolated = policy("shop/deny", "podSelector: {}, policyTypes: [Ingress, Egress]");
const dbPolicy = (rest: string) => policy("bank/db", `podSelector: {}, ${rest}`);

describe("the rules for a new pod", () => {
  it("of tier Baseline are for the pods that no NetworkPolicy isolates", () => {
    const deny = baselinePolicy(
      "subject: {namespaces: {}}, egress: [{action: Deny, to: [{namespaces: {}}], ports: [{portNumber: {protocol: TCP, port: 5432}}]}]",
    );
    const allow = webEgress("{to: [{namespaceSelector: {}}], ports: [{port: 5432}, {port: 80}]}");
    const at = (...policies: string[]) => reached(exposedAt([db, shop, ...policies], "shop"));
    assert.deepEqual(at(deny), ["bank/db TCP 1-5431, 5433-65535; UDP 1-65535; SCTP 1-65535 (any labels)"]);
    assert.deepEqual(at(deny, allow), [
      "bank/db TCP 1-5431, 5433-65535; UDP 1-65535; SCTP 1-65535 (any labels)",
      "bank/db TCP 5432 (app=web)",
    ]);
    assert.deepEqual(at(deny, allow, isolated), ["bank/db TCP 80, 5432 (app=web)"]);
  });

  it("mean in egress the ports that the other end calls so, and in ingress those that the pod does", () => {
    const toSql = webEgress("{to: [{namespaceSelector: {}}], ports: [{port: sql}, {port: 80}]}");
    assert.deepEqual(reached(exposedAt([db, shop, isolated, toSql], "shop")), [
      "bank/db TCP 80, 5432 (app=web)",
    ]);
    const fromDb = policy(
      "shop/in",
      "podSelector: {}, ingress: [{from: [{namespaceSelector: {}}], ports: [{port: sql}, {port: 80}, {port: 443}]}]",
    );
    assert.deepEqual(reaching(exposedAt([db, shop, isolated, fromDb], "shop")), [
      "bank/db TCP 80, 443 (any labels)",
      "bank/db TCP 1-79, 81-442, 444-65535 (any labels, named TCP sql)",
    ]);
  });

  it("of the other end are for any pod where they are for any peer, and for none of nodes and domains", () => {
    const fromAny = dbPolicy("ingress: [{ports: [{port: sql}, {port: 80}]}]");
    assert.deepEqual(reached(exposedAt([db, shop, fromAny], "shop")), ["bank/db TCP 80, 5432 (any labels)"]);
    const toAny = dbPolicy("policyTypes: [Egress], egress: [{ports: [{port: 80}]}, {ports: [{port: http}]}]");
    assert.deepEqual(reaching(exposedAt([db, shop, toAny], "shop")), [
      "bank/db TCP 80 (any labels)",
      "bank/db TCP 1-79, 81-65535 (any labels, named TCP http)",
    ]);
    const others = clusterPolicy(
      "others",
      "Admin",
      "egress: [{action: Accept, to: [{nodes: {}}, {domainNames: [example.org]}]}, {action: Deny, to: [{namespaces: {}}]}]",
    );
    assert.deepEqual(reaching(exposedAt([db, shop, others], "shop")), []);
  });

  it("of the other end, where they name networks, match a pod that may be there, or surely is", () => {
    const rules = (...actions: string[]) =>
      clusterPolicy(
        "networks",
        "Admin",
        `egress: [${actions.map((action) => `{action: ${action}, to: [{networks: [10.0.0.0/9]}]}`).join()}, {action: Deny, to: [{namespaces: {}}]}]`,
      );
    const at = (manifest: string, podRanges?: string) =>
      reaching(
        exposedAt(
          [db, shop, manifest],
          "shop",
          podRanges === undefined ? {} : { podRanges: fromCidr(podRanges) },
        ),
      );
    const open = ["bank/db all ports (any labels)"];
    assert.deepEqual(at(rules("Accept")), open);
    assert.deepEqual(at(rules("Accept"), "10.128.0.0/9"), []);
    assert.deepEqual(at(rules("Pass")), open);
    assert.deepEqual(at(rules("Pass"), "10.128.0.0/9"), []);
    const denied = clusterPolicy(
      "denied",
      "Admin",
      "egress: [{action: Deny, to: [{networks: [10.0.0.0/9]}]}]",
    );
    assert.deepEqual(at(denied), open);
    assert.deepEqual(at(denied, "10.1.0.0/16"), []);
  });

  it("of the other end name addresses in a NetworkPolicy for what is outside, unless the plugin has it otherwise", () => {
    // The second rule lets pods of the namespace in, so that the end is looked at.
    const toBlock = dbPolicy(
      "policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 80}]}, {to: [{namespaceSelector: {}}], ports: [{port: 443}]}]",
    );
    const podRanges = fromCidr("10.4.0.0/16");
    assert.deepEqual(reaching(exposedAt([db, shop, toBlock], "shop", { podRanges })), [
      "bank/db TCP 443 (any labels)",
    ]);
    assert.deepEqual(
      reaching(exposedAt([db, shop, toBlock], "shop", { podRanges, ipBlocksMatchPods: true })),
      ["bank/db TCP 80, 443 (any labels)"],
    );
  });
});
