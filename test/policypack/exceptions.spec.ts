import assert from "node:assert/strict";
import type { StackValidationArgs } from "@pulumi/policy";
import { boolean, describeConfigProblem } from "../../policypack/config-field";
import { defineRule, type ResourceRuleSpec, type StackRuleSpec } from "../../policypack/define-rule";
import { exceptionPolicies, ExceptionRegister } from "../../policypack/exception-policies";
import { currentDay, describeUse, isDay, type Exception } from "../../policypack/exceptions";
import { networkPolicyKind } from "../../policypack/kubernetes-object";
import { messagesOf, resource, runRule, unknown } from "../helpers/run-rule";
import { networkPolicy } from "./network-policy";

const metadata = {
  name: "some-rule",
  description: "Things are so.",
  severity: "low",
  enforcementLevel: "mandatory",
  frameworks: [],
  remediation: [],
  config: { strict: boolean({ description: "Whether.", default: false }) },
  kinds: [networkPolicyKind],
  patches: "As everything else.",
  examples: { good: [], bad: [] },
} as const;
const resourceRule = (validate: ResourceRuleSpec<typeof metadata.config>["validate"]) =>
  defineRule({ ...metadata, validate });
const stackRule = (validateStack: StackRuleSpec<typeof metadata.config>["validateStack"]) =>
  defineRule({ ...metadata, validateStack });

const danger = "It hurts.";
const fix = "2";
/** Finds fault with the same fields of every policy. */
const rule = resourceRule((_object, _config, report) => {
  report.violation({ at: "spec.egress[0].ports", found: "is missing", danger, fix });
  report.unverifiable({ at: "spec.egress[1].ports", danger, fix });
});
const policy = networkPolicy({});

const exception = (one: Partial<Exception> = {}): Exception => ({
  resource: "NetworkPolicy erlmcp/web",
  reason: "the vendor says so",
  until: "2026-12-31",
  ...one,
});
const today = "2026-06-15";
/** The fields that still count, with these exceptions. */
const counted = (exceptions: readonly Exception[], on = policy): string[] =>
  rule.judge([on], { exceptions }, today).violations.map(({ at }) => at);

const both = ["spec.egress[0].ports", "spec.egress[1].ports"];

describe("an exception", () => {
  it("covers what a rule finds about its resource, unverifiable values included", () => {
    const { violations, exceptions } = rule.judge([policy], { exceptions: [exception()] }, today);
    assert.deepEqual(violations, []);
    assert.deepEqual(
      exceptions.map(({ covered, ...use }) => ({ ...use, covered: covered.map(({ at }) => at) })),
      [
        {
          rule: "some-rule",
          exception: exception(),
          key: "exceptions[0]",
          expired: false,
          covered: both,
        },
      ],
    );
  });

  it("covers one field with all that is within it, and no other that begins like it", () => {
    assert.deepEqual(counted([exception({ at: "spec.egress[0]" })]), [both[1]]);
    assert.deepEqual(counted([exception({ at: "spec.egress[0].ports" })]), [both[1]]);
    assert.deepEqual(counted([exception({ at: "spec.egress[*].ports" })]), []);
    assert.deepEqual(counted([exception({ at: "spec.*[1]" })]), [both[0]]);
    assert.deepEqual(counted([exception({ at: "*" })]), []);
    for (const at of ["spec.egress[0].port", "spec.egress[0].ports[0]", "egress[0]", "spec.egr"]) {
      assert.deepEqual(counted([exception({ at })]), both, at);
    }
  });

  it("names its resource by the whole of its title, with * for any name", () => {
    for (const covering of ["NetworkPolicy erlmcp/*", "* erlmcp/web", "NetworkPolicy */w*b"]) {
      assert.deepEqual(counted([exception({ resource: covering })]), [], covering);
    }
    for (const other of [
      "NetworkPolicy erlmcp/we",
      "web",
      "*",
      "NetworkPolicy *",
      "networkpolicy erlmcp/web",
      "NetworkPolicy erlmcp.web",
    ]) {
      assert.deepEqual(counted([exception({ resource: other })]), both, other);
    }
  });

  it("covers what is not known by its literal name only", () => {
    const unnamed = resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", {
      metadata: { name: "web", namespace: unknown },
    });
    assert.deepEqual(counted([exception({ resource: "NetworkPolicy */web" })], unnamed), both);
    assert.deepEqual(
      counted([exception({ resource: "NetworkPolicy (namespace not known)/web" })], unnamed),
      [],
    );
  });

  it("names a field of an item of a List with or without the item's own path", () => {
    const list = resource("kubernetes:networking.k8s.io/v1:NetworkPolicyList", { items: [policy.props] });
    for (const at of ["spec.egress[0]", "items[0].spec.egress[0]"]) {
      assert.deepEqual(counted([exception({ at })], list), ["items[0].spec.egress[1].ports"], at);
    }
  });

  it("never covers a rule that failed, or that is configured wrongly", () => {
    const failing = resourceRule(() => {
      throw new Error("oops");
    });
    const exceptions = [exception()];
    assert.deepEqual(
      failing.judge([policy], { exceptions }, today).violations.map(({ kind }) => kind),
      ["failed"],
    );
    const misconfigured = rule.judge([policy], { exceptions, strict: 1 }, today);
    assert.deepEqual(
      misconfigured.violations.map(({ kind }) => kind),
      ["misconfigured"],
    );
    assert.deepEqual(misconfigured.exceptions, []);
  });

  it("holds to the end of its last day, and covers nothing afterwards", () => {
    const config = { exceptions: [exception({ at: "spec.egress[0]" })] };
    assert.equal(rule.judge([policy], config, "2026-12-31").violations.length, 1);
    const { violations, exceptions } = rule.judge([policy], config, "2027-01-01");
    assert.deepEqual(
      violations.map(({ message }) => message.split("\n").slice(2)),
      [
        [
          "Write instead: 2",
          "An exception covered it until 2026-12-31: the vendor says so",
          "See docs/rules.md#some-rule",
        ],
        ["Write instead: 2", "See docs/rules.md#some-rule"],
      ],
    );
    assert.deepEqual(
      exceptions.map(({ expired, covered }) => ({ expired, covered })),
      [{ expired: true, covered: [] }],
    );
  });

  it("is told also where nothing of the rule's kinds is judged", () => {
    const { exceptions } = rule.judge([], { exceptions: [exception()] }, today);
    assert.equal(exceptions.length, 1);
  });

  it("needs a resource, a reason and a day of the calendar", () => {
    const problems = (given: unknown): string[] =>
      rule.configProblems({ exceptions: given }).map(describeConfigProblem);
    assert.deepEqual(problems([exception()]), []);
    assert.deepEqual(problems([{ resource: "NetworkPolicy a/b" }]), [
      'exceptions[0].reason is missing; allowed: a text that says why. Fix: write, for instance, exceptions[0].reason: "payment provider over the VPN".',
      'exceptions[0].until is missing; allowed: a day as year, month and day (2026-12-31), the last one on which the exception holds. Fix: write, for instance, exceptions[0].until: "2026-12-31".',
    ]);
    for (const until of [
      "2026-02-29",
      "2026-13-01",
      "2026-1-1",
      "31.12.2026",
      "never",
      "2026-12-31T00:00:00Z",
      "",
      2026,
      null,
    ]) {
      assert.equal(problems([{ ...exception(), until }]).length, 1, String(until));
    }
    for (const wrong of [{ reason: " " }, { resource: "" }, { at: "" }, { rule: "x" }]) {
      assert.equal(problems([{ ...exception(), ...wrong }]).length, 1, JSON.stringify(wrong));
    }
    assert.equal(problems("all").length, 1);
    const [violation] = rule.judge(
      [policy],
      { exceptions: [exception({ until: "2026-02-30" })] },
      today,
    ).violations;
    assert.equal(violation?.kind, "misconfigured");
  });

  it("is refused by the engine without reason or day", async () => {
    for (const key of ["resource", "reason", "until"] as const) {
      const lacking = { ...exception(), [key]: undefined };
      await assert.rejects(
        runRule(rule, policy, { exceptions: [lacking] }),
        /the engine refuses the configuration of some-rule/,
        key,
      );
    }
  });

  it("is no key that a rule may have for something else", () => {
    const config = { exceptions: metadata.config.strict };
    assert.throws(
      () => defineRule({ ...metadata, config, validate: () => undefined }),
      /^Error: the rule some-rule has a key exceptions of its own: every rule has it already$/,
    );
  });

  it("holds in the engine, by the current day", async () => {
    const until = (day: string) => ({ exceptions: [exception({ until: day })] });
    assert.deepEqual(await messagesOf(rule, policy, until("9999-12-31")), []);
    assert.equal((await messagesOf(rule, policy, until("2000-01-01"))).length, 2);
    assert.ok(isDay(currentDay()));
  });

  it("holds for stack rules, and for what they say of the stack as a whole", () => {
    const onStack = stackRule(({ objects }, _config, reportOn) => {
      for (const object of objects) reportOn(object).violation({ at: "spec", found: "is bad", danger, fix });
      reportOn({ title: "The stack", path: "", urn: undefined }).violation({
        at: "flow app-db",
        found: "is shut",
        danger,
        fix,
      });
    });
    const exceptions = [exception({ resource: "The stack", at: "flow app-db" })];
    const { violations } = onStack.judge([policy], { exceptions }, today);
    assert.deepEqual(
      violations.map(({ about }) => about),
      ["NetworkPolicy erlmcp/web"],
    );
  });
});

/** What the SDK also takes in place of a message. */
interface Advice {
  readonly message: string;
  readonly urn: string | undefined;
  readonly enforcementLevel: string;
}

describe("the policies that look after exceptions", () => {
  const told = (...judged: (readonly Exception[])[]) => {
    const register = new ExceptionRegister();
    for (const exceptions of judged) {
      register.add(rule.judge([policy], { exceptions }, today).exceptions);
    }
    return exceptionPolicies(register).map(({ name, enforcementLevel, validateStack }) => {
      const messages: (readonly [string, string | undefined])[] = [];
      void validateStack({} as StackValidationArgs, (told: string | Advice, urn?: string) => {
        if (typeof told === "string") messages.push([told, urn]);
        else {
          assert.equal(told.enforcementLevel, "advisory");
          messages.push([told.message.replace(/^.*\n/, ""), told.urn]);
        }
      });
      return { name, enforcementLevel, messages };
    });
  };

  it("tell every finding that is covered, at its resource, once", () => {
    const used = [exception({ at: "spec.egress[1]" })];
    const message = [
      "exception used: some-rule does not block NetworkPolicy erlmcp/web: spec.egress[1].ports is not known in the preview.",
      "Reason: the vendor says so",
      "Until: 2026-12-31",
      "See docs/rules.md#exceptions",
    ].join("\n");
    assert.deepEqual(told(used, used), [
      { name: "exceptions-in-date", enforcementLevel: "mandatory", messages: [] },
      { name: "exceptions", enforcementLevel: "advisory", messages: [[message, policy.urn]] },
    ]);
  });

  it("tell what a finding is about where that is no field", () => {
    const [use] = rule.judge([policy], { exceptions: [exception()] }, today).exceptions;
    const [violation] = rule.judge([policy], {}, today).violations;
    assert.match(
      describeUse(use!, { ...violation!, about: "The stack", at: "", found: "is open" }),
      /^exception used: some-rule does not block The stack: is open\.\n/,
    );
  });

  it("block exceptions whose day has passed, whether there is something to cover or not", () => {
    const old = exception({ until: "2026-06-14" });
    const [inDate, others] = told([old, { ...old, resource: "NetworkPolicy erlmcp/gone" }]);
    assert.deepEqual(
      inDate?.messages.map(([message]) => message.split("\n")[0]),
      [
        "exception expired: exceptions[0] of some-rule was made for NetworkPolicy erlmcp/web until 2026-06-14 (the vendor says so), and that day has passed.",
        "exception expired: exceptions[1] of some-rule was made for NetworkPolicy erlmcp/gone until 2026-06-14 (the vendor says so), and that day has passed.",
      ],
    );
    assert.deepEqual(others?.messages, []);
  });

  it("tell exceptions that cover nothing, but none that covers something elsewhere", () => {
    const elsewhere = exception({ at: "spec.ingress" });
    const [, others] = told([elsewhere], []);
    assert.deepEqual(others?.messages, [
      [
        [
          "exception not needed: exceptions[0] of some-rule is for NetworkPolicy erlmcp/web at spec.ingress, where the rule finds nothing.",
          "Why it matters: it would cover a finding to come that nobody has looked at; and if it is misspelt, what it is for still blocks.",
          "What to do: remove exceptions[0] from the configuration of some-rule, or write resource and at as the rule's message names them.",
          "See docs/rules.md#exceptions",
        ].join("\n"),
        undefined,
      ],
    ]);
    const register = new ExceptionRegister();
    const config = { exceptions: [exception()] };
    register.add(rule.judge([policy], config, today).exceptions);
    const other = { ...policy, urn: `${policy.urn}-other` };
    register.add(rule.judge([other], config, today).exceptions);
    assert.equal(register.uses().length, 1);
    assert.equal(register.uses()[0]?.covered.length, 4);
  });
});
