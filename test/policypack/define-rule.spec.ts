import assert from "node:assert/strict";
import {
  boolean,
  cidr,
  integer,
  list,
  mapping,
  namespaceName,
  reason,
  record,
} from "../../policypack/config-field";
import { defineRule, type ResourceRuleSpec, type StackRuleSpec } from "../../policypack/define-rule";
import { namespaceKind } from "../../policypack/kubernetes-object";
import { field, isUnknown } from "../../policypack/plain-data";
import { messagesOf, resource, runRule, unknown } from "../helpers/run-rule";

const config = {
  max: integer({ description: "The most.", default: 3, minimum: 1, maximum: 9 }),
  strict: boolean({ description: "Whether.", default: false }),
  networks: list(cidr, { description: "Networks.", default: [] }),
  labels: mapping(reason, { description: "Labels.", keys: "label names", default: { a: "b" } }),
  existing: list(
    record<{ namespace: string; reason: string }>({
      allowed: "an object with namespace and reason",
      example: { namespace: "a", reason: "b" },
      values: { namespace: namespaceName, reason },
    }),
    { description: "Exceptions.", default: [] },
  ),
};

const metadata = {
  name: "some-rule",
  description: "Things are so.",
  severity: "low",
  enforcementLevel: "mandatory",
  frameworks: [],
  remediation: ["First.", "Second."],
  config,
  kinds: [namespaceKind],
  patches: "As everything else.",
  examples: { good: [], bad: [] },
} as const;

const resourceRule = (validate: ResourceRuleSpec<typeof config>["validate"]) =>
  defineRule({ ...metadata, validate });
const stackRule = (validateStack: StackRuleSpec<typeof config>["validateStack"]) =>
  defineRule({ ...metadata, validateStack });
const namespace = resource("kubernetes:core/v1:Namespace", {
  metadata: { name: "a", labels: { secret: unknown } },
});

describe("a rule", () => {
  it("becomes a policy with everything it says of itself", () => {
    const { policy } = resourceRule(() => undefined);
    assert.equal(policy.name, "some-rule");
    assert.equal(policy.description, "Things are so.");
    assert.equal(policy.severity, "low");
    assert.equal(policy.enforcementLevel, "mandatory");
    assert.equal(policy.remediationSteps, "1. First.\n2. Second.");
    assert.deepEqual(policy.configSchema?.properties.max, {
      type: "integer",
      minimum: 1,
      maximum: 9,
      description: "The most.",
      default: 3,
    });
    const { configSchema } = defineRule({ ...metadata, config: {}, validate: () => undefined });
    assert.deepEqual(Object.keys(configSchema.properties), ["exceptions"]);
  });

  it("gets plain data in which unknowns are explicit, and its configuration with defaults", async () => {
    const seen: unknown[] = [];
    const rule = resourceRule(({ name, body }, { max, strict, networks, labels }) => {
      const secret = field(field(field(body, "metadata"), "labels"), "secret");
      seen.push(name, isUnknown(secret), max, strict, networks, labels);
    });
    assert.deepEqual(await runRule(rule, namespace, { max: 5 }), []);
    assert.deepEqual(seen, ["a", true, 5, false, [], { a: "b" }]);
    assert.deepEqual(rule.judge([namespace]), { violations: [], exceptions: [] });
    assert.equal(seen[8], 3);
  });

  it("tells violations, unverifiable findings and their places apart", async () => {
    const rule = resourceRule((_object, _config, report) => {
      report.violation({ at: "spec.a", found: "is 1", danger: "It hurts.", fix: "2" });
      report.unverifiable({ at: "spec.b", danger: "It may hurt.", fix: "2" });
    });
    assert.deepEqual(await messagesOf(rule, namespace), [
      "Namespace a: spec.a is 1.\nWhy it is dangerous: It hurts.\nWrite instead: 2\nSee docs/rules.md#some-rule",
      "Namespace a cannot be verified: spec.b is not known in the preview.\nWhy it blocks: It may hurt. What cannot be verified is not compliant.\nWrite instead: 2\nSee docs/rules.md#some-rule",
    ]);
    assert.deepEqual(
      rule.judge([namespace]).violations.map(({ rule: name, kind, urn }) => [name, kind, urn]),
      [
        ["some-rule", "violation", namespace.urn],
        ["some-rule", "unverifiable", namespace.urn],
      ],
    );
  });

  it("names an object without a known name by where it comes from", () => {
    const rule = resourceRule((_object, _config, report) => {
      report.violation({ at: "spec.a", found: "is 1", danger: "It hurts.", fix: "2" });
    });
    const unnamed = resource("kubernetes:core/v1:Namespace", { metadata: {} });
    const about = (source?: string): (string | undefined)[] =>
      rule
        .judge([{ ...unnamed, ...(source === undefined ? {} : { source }) }])
        .violations.map((one) => one.about);
    assert.deepEqual(about(), ["Namespace (Pulumi resource it)"]);
    assert.deepEqual(about("app.yaml, document 2"), ["Namespace (app.yaml, document 2)"]);
  });

  it("that throws blocks the resource, and keeps what it had found", async () => {
    const rule = resourceRule((_object, _config, report) => {
      report.violation({ at: "spec.a", found: "is 1", danger: "It hurts.", fix: "2" });
      throw new TypeError("oops");
    });
    const [first, second, ...more] = await messagesOf(rule, namespace);
    assert.match(first ?? "", /^Namespace a: spec\.a is 1\./);
    assert.equal(
      second,
      [
        'Namespace a could not be judged: the rule some-rule failed with "oops".',
        "Why it blocks: a resource that was not judged may break the rule.",
        `What to do: report this with the resource's definition. Until it is mended, set the rule's enforcementLevel to "advisory" and review the resource by hand.`,
        "See docs/rules.md#some-rule",
      ].join("\n"),
    );
    assert.deepEqual(more, []);
    const [onStack] = await messagesOf(
      stackRule(() => {
        throw new Error("oops");
      }),
      namespace,
    );
    assert.match(onStack ?? "", /^The stack could not be judged: the rule some-rule failed with "oops"\./);
  });

  it("does not judge by a wrong configuration, and names everything wrong with it", () => {
    const rule = resourceRule(() => {
      assert.fail("judged");
    });
    const wrong = {
      max: 12,
      strict: "yes",
      networks: ["10.0.0.1/8", 7],
      labels: [],
      existing: [{ namespace: "A", extra: 1 }],
      maximum: 4,
    };
    const [violation, ...more] = rule.judge([namespace], wrong).violations;
    assert.equal(violation?.kind, "misconfigured");
    assert.deepEqual(more, []);
    assert.deepEqual(violation.message.split("\n"), [
      "Namespace a was not judged: the configuration of the rule some-rule in the policy pack is wrong.",
      "- maximum is 4; allowed: the keys max, strict, networks, labels, existing, exceptions. Fix: remove maximum or correct its spelling.",
      "- max is 12; allowed: a whole number from 1 to 9. Fix: write, for instance, max: 3.",
      '- strict is "yes"; allowed: true or false. Fix: write, for instance, strict: false.',
      '- networks[0] is "10.0.0.1/8"; allowed: a network in CIDR notation with no bits set beyond its prefix. Fix: write, for instance, networks[0]: "10.0.0.0/8".',
      '- networks[1] is 7; allowed: a network in CIDR notation with no bits set beyond its prefix. Fix: write, for instance, networks[1]: "10.20.0.0/16".',
      '- labels is []; allowed: an object from label names to a text that says why. Fix: write, for instance, labels: {"a":"b"}.',
      '- existing[0].extra is 1; allowed: only the keys namespace, reason. Fix: write, for instance, existing[0]: {"namespace":"a","reason":"b"}.',
      '- existing[0].reason is missing; allowed: a text that says why. Fix: write, for instance, existing[0].reason: "payment provider over the VPN".',
      '- existing[0].namespace is "A"; allowed: a namespace name (lower-case letters, digits and hyphens, at most 63). Fix: write, for instance, existing[0].namespace: "monitoring".',
      "See docs/rules.md#some-rule",
    ]);
    assert.equal(rule.judge([namespace], "strict").violations[0]?.kind, "misconfigured");
    assert.deepEqual(rule.judge([resource("kubernetes:core/v1:ConfigMap", {})], wrong).violations, []);
    assert.equal(stackRule(() => undefined).judge([], wrong).violations[0]?.kind, "misconfigured");
  });

  it("is refused by the engine when its configuration does not fit the schema", async () => {
    const rule = resourceRule(() => undefined);
    for (const wrong of [
      { max: 12 },
      { strict: "yes" },
      { networks: [7] },
      { labels: [] },
      { existing: [{ namespace: "a" }] },
    ]) {
      await assert.rejects(
        runRule(rule, namespace, wrong),
        /the engine refuses the configuration of some-rule/,
      );
    }
  });
});

describe("a stack rule", () => {
  it("sees all objects of its kinds in the order of their URNs, and every resource's outputs", async () => {
    const component = resource("erlmcp:network:Network", { matrix: [{ port: 1 }, unknown] }, "component");
    const seen: unknown[] = [];
    const rule = stackRule(({ objects, resources }, _config, reportOn) => {
      seen.push(objects.map(({ title }) => title));
      const matrix = resources.find(({ type }) => type === "erlmcp:network:Network");
      seen.push(field(field(matrix?.props(), "matrix"), "0"), matrix?.name);
      assert.ok(isUnknown((field(matrix?.props(), "matrix") as readonly never[])[1]));
      reportOn({ title: "The stack", path: "", urn: undefined }).violation({
        at: "all",
        found: "is bad",
        danger: "-",
        fix: "-",
      });
    });
    const other = resource("kubernetes:core/v1:Namespace", { metadata: { name: "b" } }, "an earlier name");
    const found = await runRule(rule, [namespace, component, other]);
    assert.deepEqual(seen, [["Namespace b", "Namespace a"], undefined, "component"]);
    assert.deepEqual(
      found.map(({ urn, message }) => [urn, message.split("\n")[0]]),
      [["", "The stack: all is bad."]],
    );
  });

  it("reports the parts of a List that it cannot read", async () => {
    const [found] = await messagesOf(
      stackRule(() => undefined),
      resource("kubernetes:core/v1:NamespaceList", { items: "all" }),
    );
    assert.match(
      found ?? "",
      /^NamespaceList \(Pulumi resource it\) cannot be verified: items is not a list\./,
    );
  });
});
