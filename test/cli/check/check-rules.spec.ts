import assert from "node:assert/strict";
import { isPassed, type Check } from "../../../cli/check/check-rules";
import { defineRule } from "../../../policypack/define-rule";
import { networkPolicyKind } from "../../../policypack/kubernetes-object";
import { checkManifests, manifest, temporaryFolder } from "../../helpers/check";

const shown = ({ findings }: Check): string[] =>
  findings.map(({ rule, level, kind, about, at, place }) =>
    [rule, level, kind, about, at, place?.position?.line ?? "-"].join(" | "),
  );
const namespaces = "some-namespace | advisory | violation | The stack | namespaces | -";

describe("the pack's rules on an input", () => {
  const folder = temporaryFolder();
  const check = (config?: unknown): Check =>
    checkManifests(
      [folder.write("a.yaml", manifest)],
      config === undefined ? undefined : folder.write("pack.json", config),
    );

  it("say what they find, each with its level and line, and of the stack as a whole last", () => {
    const found = check();
    assert.deepEqual(shown(found), [
      "few-rules | mandatory | violation | NetworkPolicy default/web | spec.ingress[1] | 7",
      "few-rules | mandatory | violation | NetworkPolicy default/web | spec.ingress[2] | 8",
      namespaces,
    ]);
    assert.equal(isPassed(found), false);
    assert.deepEqual([found.objects, found.rules.length], [1, 2]);
  });

  it("follow their configuration", () => {
    assert.deepEqual(shown(check({ "few-rules": { most: 2 } })).slice(0, 1), [
      "few-rules | mandatory | violation | NetworkPolicy default/web | spec.ingress[2] | 8",
    ]);
    const advisory = check({ "few-rules": { enforcementLevel: "advisory", most: 2 } });
    assert.equal(isPassed(advisory), true);
    assert.equal(advisory.findings.length, 2);
    const remediate = check({ "few-rules": "remediate", "some-namespace": "disabled" });
    assert.deepEqual(
      [isPassed(remediate), remediate.rules.map(({ rule, level }) => [rule.name, level])],
      [false, [["few-rules", "mandatory"]]],
    );
    assert.deepEqual(shown(check({ all: "disabled" })), []);
  });

  const exception = {
    resource: "NetworkPolicy default/web",
    at: "spec.ingress[1]",
    reason: "a merge on Friday",
    until: "2026-06-15",
  };

  it("let pass what is excepted, and tell it", () => {
    const found = check({ "few-rules": { most: 1, exceptions: [exception] } });
    assert.deepEqual(shown(found), [
      "few-rules | mandatory | violation | NetworkPolicy default/web | spec.ingress[2] | 8",
      namespaces,
    ]);
    assert.deepEqual(
      found.excepted.map(({ rule, level, at, exception: { reason } }) => [rule, level, at, reason]),
      [["few-rules", "mandatory", "spec.ingress[1]", "a merge on Friday"]],
    );
    const passed = check({ "few-rules": { exceptions: [{ ...exception, at: "spec" }] } });
    assert.equal(isPassed(passed), true);
    assert.equal(passed.excepted.length, 2);
  });

  it("let it pass, and tell it, whatever level the policy has that tells it in the engine", () => {
    const exceptions = [
      { ...exception, at: "spec" },
      { ...exception, at: "none" },
    ];
    for (const config of [{ all: "mandatory" }, { exceptions: "mandatory" }, { exceptions: "disabled" }]) {
      const found = check({ ...config, "some-namespace": "disabled", "few-rules": { exceptions } });
      assert.deepEqual([isPassed(found), found.excepted.length], [true, 2], JSON.stringify(config));
    }
  });

  it("insist on what is mandatory in itself, whatever the rule's level", () => {
    const insisting = defineRule({
      name: "insisting",
      description: "It insists.",
      severity: "low",
      enforcementLevel: "advisory",
      frameworks: [],
      remediation: [],
      config: {},
      kinds: [networkPolicyKind],
      patches: "",
      examples: { good: [], bad: [] },
      validate: (_object, _config, report) => {
        report.violation({ at: "spec", found: "is bad", danger: "-", fix: "-", mandatory: true });
        report.violation({ at: "spec", found: "is not nice", danger: "-", fix: "-" });
      },
    });
    const found = checkManifests([folder.write("a.yaml", manifest)], undefined, [insisting]);
    assert.deepEqual(
      found.findings.map(({ level }) => level),
      ["mandatory", "advisory"],
    );
  });

  it("are broken by an exception whose day has passed, at its line, and told of one that covers nothing", () => {
    const config = {
      "some-namespace": "disabled",
      "few-rules": {
        most: 3,
        exceptions: [
          { ...exception, until: "2026-06-14" },
          { ...exception, until: "2026-06-15" },
        ],
      },
    };
    const found = check(config);
    assert.deepEqual(shown(found), [
      "exceptions-in-date | mandatory | expired | exceptions[0] of few-rules |  | 6",
      "exceptions | advisory | unused | exceptions[1] of few-rules |  | 12",
    ]);
    assert.equal(isPassed(found), false);
    assert.deepEqual(shown(check({ ...config, "exceptions-in-date": "advisory", exceptions: "disabled" })), [
      "exceptions-in-date | advisory | expired | exceptions[0] of few-rules |  | 6",
    ]);
    assert.deepEqual(shown(check({ ...config, "few-rules": "disabled" })), []);
  });
});
