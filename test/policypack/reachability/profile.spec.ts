import assert from "node:assert/strict";
import { formatPorts, hasNoPorts, portSet } from "../../../policypack/port-set";
import type { NamedPort } from "../../../policypack/reachability/model";
import { PortTable } from "../../../policypack/reachability/port-table";
import { judge, type Action, type Profile, type Rule } from "../../../policypack/reachability/profile";

const table = new PortTable();

/** A rule for TCP ports, which matches the other end or does not. */
interface Given {
  readonly action: Action;
  readonly first: number;
  readonly last?: number;
  readonly matches?: boolean;
  readonly named?: string;
}

const rules = new Map<Rule, Given>();

function ruleOf(given: Given): Rule {
  const { action, first, last = first, named } = given;
  const rule: Rule = {
    id: rules.size,
    action,
    classes: undefined,
    addresses: undefined,
    ports: table.id(portSet([{ protocol: "TCP", first, last }])),
    namedPorts: named === undefined ? [] : [{ kind: "name", protocol: "TCP", name: named }],
  };
  rules.set(rule, given);
  return rule;
}

/** What is open of TCP 1 to 9, and which rule decided which ports. */
function judged(
  tiers: { admin?: readonly Given[]; allow?: readonly Given[]; baseline?: readonly Given[] },
  namedPorts: readonly NamedPort[] = [],
): readonly string[] {
  const profile: Profile = {
    id: 0,
    admin: (tiers.admin ?? []).map(ruleOf),
    allow: tiers.allow?.map(ruleOf),
    baseline: (tiers.baseline ?? []).map(ruleOf),
  };
  const decisions: string[] = [];
  const text = (id: number) => {
    const some = portSet([{ protocol: "TCP", first: 1, last: 9 }]);
    const ports = table.set(table.intersect(id, table.id(some)));
    return hasNoPorts(ports) ? "nothing" : formatPorts(ports).replace("TCP ", "");
  };
  const end = { matches: (rule: Rule) => rules.get(rule)?.matches !== false, namedPorts };
  const open = judge(profile, end, table, (tier, rule, ports) => {
    decisions.push(`${tier} ${rule.action} ${text(ports)}`);
  });
  return [text(open), ...decisions];
}

describe("the judgement of one connection", () => {
  it("leaves everything open where no rule is", () => {
    assert.deepEqual(judged({}), ["1-9"]);
    assert.deepEqual(judged({ allow: [] }), ["nothing"]);
  });

  it("lets the first rule of tier Admin that matches decide on each port", () => {
    const admin: Given[] = [
      { action: "Accept", first: 1, last: 3 },
      { action: "Deny", first: 3, last: 5 },
      { action: "Accept", first: 1, last: 5 },
      { action: "Deny", first: 6, matches: false },
    ];
    const decisions = ["Admin Accept 1-3", "Admin Deny 4-5"];
    assert.deepEqual(judged({ admin }), ["1-3, 6-9", ...decisions]);
    assert.deepEqual(judged({ admin, allow: [] }), ["1-3", ...decisions]);
    assert.deepEqual(judged({ admin, allow: [{ action: "Accept", first: 4, last: 6 }] }), [
      "1-3, 6",
      ...decisions,
      "NetworkPolicy Accept 6",
    ]);
  });

  it("asks NetworkPolicies together, of what tier Admin passes or leaves", () => {
    const admin: Given[] = [
      { action: "Pass", first: 1, last: 2 },
      { action: "Deny", first: 1, last: 5 },
    ];
    const allow: Given[] = [
      { action: "Accept", first: 2, last: 3 },
      { action: "Accept", first: 4 },
      { action: "Accept", first: 2, last: 7 },
      { action: "Accept", first: 9, matches: false },
    ];
    assert.deepEqual(judged({ admin, allow }), [
      "2, 6-7",
      "Admin Pass 1-2",
      "Admin Deny 3-5",
      "NetworkPolicy Accept 2",
      "NetworkPolicy Accept 2, 6-7",
    ]);
  });

  it("asks tier Baseline where no NetworkPolicy isolates, the first rule first", () => {
    const baseline: Given[] = [
      { action: "Accept", first: 1, last: 3 },
      { action: "Deny", first: 2, last: 5 },
      { action: "Pass", first: 4, last: 6 },
      { action: "Deny", first: 6, last: 7 },
      { action: "Deny", first: 1, last: 3 },
      { action: "Deny", first: 9, matches: false },
    ];
    const decisions = ["Baseline Accept 1-3", "Baseline Deny 4-5", "Baseline Pass 6", "Baseline Deny 7"];
    assert.deepEqual(judged({ baseline }), ["1-3, 6, 8-9", ...decisions]);
    assert.deepEqual(judged({ baseline, allow: [{ action: "Accept", first: 4 }] }), [
      "4",
      "NetworkPolicy Accept 4",
    ]);
    assert.deepEqual(judged({ admin: [{ action: "Accept", first: 4 }], baseline }), [
      "1-4, 6, 8-9",
      "Admin Accept 4",
      "Baseline Accept 1-3",
      "Baseline Deny 5",
      "Baseline Pass 6",
      "Baseline Deny 7",
    ]);
  });

  it("opens what a Pass that may match leaves to the next tier, or a rule after it accepts", () => {
    const may: Given = { action: "MayPass", first: 1, last: 6 };
    const admin: Given[] = [may, { action: "Accept", first: 1 }, { action: "Deny", first: 1, last: 9 }];
    const decisions = ["Admin MayPass 1-6", "Admin Accept 1", "Admin Deny 2-9"];
    assert.deepEqual(judged({ admin }), ["1-6", ...decisions]);
    assert.deepEqual(judged({ admin, allow: [] }), ["1", ...decisions]);
    assert.deepEqual(judged({ admin, allow: [{ action: "Accept", first: 2 }] }), [
      "1-2",
      ...decisions,
      "NetworkPolicy Accept 2",
    ]);
    assert.deepEqual(judged({ baseline: [may, { action: "Deny", first: 1, last: 9 }] }), [
      "1-6",
      "Baseline MayPass 1-6",
      "Baseline Deny 1-9",
    ]);
  });

  it("resolves names at the other end, beside the numbers of the rule", () => {
    const allow: Given[] = [{ action: "Accept", first: 1, named: "http" }];
    const http: NamedPort = { name: "http", protocol: "TCP", number: 8 };
    assert.deepEqual(judged({ allow }, [http]), ["1, 8", "NetworkPolicy Accept 1, 8"]);
    assert.deepEqual(judged({ allow }, [{ ...http, name: "web" }]), ["1", "NetworkPolicy Accept 1"]);
  });
});
