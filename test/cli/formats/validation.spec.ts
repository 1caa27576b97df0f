import assert from "node:assert/strict";
import { formatValidation, isPassed } from "../../../cli/formats/validation";
import type { Finding } from "../../../cli/validation/finding";
import type { Validation } from "../../../cli/validation/validate-cluster";

const finding = (changes: Partial<Finding>): Finding => ({
  rule: "netpol-ports-required",
  level: "mandatory",
  kind: "violation",
  about: "NetworkPolicy shop/web",
  at: "spec.ingress[0].ports",
  found: "is missing",
  danger: "it opens\n  every port.",
  fix: "ports.",
  documentation: "docs/rules.md#netpol-ports-required",
  ...changes,
});

const covered = { about: "NetworkPolicy shop/old", level: "advisory" } as const;
const exception = { resource: "NetworkPolicy shop/old", reason: "moves", until: "2026-03-31" };
const excepted = {
  ...finding(covered),
  rule: "netpol-ports-required",
  kind: "violation" as const,
  place: undefined,
  exception,
};

const validation: Validation = {
  namespaces: ["erlmcp", "shop"],
  checks: [
    { id: "default-deny", title: "Default-deny is there", status: "passed", findings: [] },
    {
      id: "ports",
      title: "Ports are restricted",
      status: "failed",
      findings: [
        finding({}),
        finding({ at: "spec.ingress[1].ports" }),
        finding({
          about: "Pod shop/\u001b[2Jweb",
          rule: undefined,
          kind: "stray",
          at: "",
          found: "is nobody's",
        }),
      ],
    },
    {
      id: "permissive",
      title: "Nothing is too wide",
      status: "advice",
      findings: [finding({ level: "advisory" })],
    },
    { id: "strays", title: "Nothing is stray", status: "skipped", reason: "there is no stack", findings: [] },
  ],
  excepted: [excepted],
  notes: [{ about: "NetworkPolicy shop/web", at: "spec.egress[0]", text: "covers pods" }],
};
const cluster = { server: "https://10.0.0.1:6443", context: "prod", stack: "prod" };

describe("what a validation found, in print", () => {
  it("is a list of checks, each with its findings", () => {
    assert.equal(
      formatValidation(validation, cluster, "text", false),
      `Cluster prod (https://10.0.0.1:6443)
Compared with the stack prod; 2 namespaces: erlmcp, shop

✓ Default-deny is there
✗ Ports are restricted
    NetworkPolicy shop/web
      mandatory  netpol-ports-required
        spec.ingress[0].ports is missing
        spec.ingress[1].ports is missing
        Why it is dangerous: it opens
            every port.
        Write instead: ports.
    Pod shop/\\u{1b}[2Jweb
      mandatory  stray
        is nobody's
        Why it is dangerous: it opens
            every port.
        What to do: ports.
! Nothing is too wide
    NetworkPolicy shop/web
      advisory  netpol-ports-required
        spec.ingress[0].ports is missing
        Why it is dangerous: it opens
            every port.
        Write instead: ports.
- Nothing is stray (not judged: there is no stack)

4 checks: 1 passed, 1 failed, 1 with advice only, 1 not judged.

Exceptions used
  netpol-ports-required: NetworkPolicy shop/old: spec.ingress[0].ports is missing
    until 2026-03-31: moves

Notes
  NetworkPolicy shop/web spec.egress[0]: covers pods
`,
    );
  });

  it("has colours where they are wanted", () => {
    assert.ok(formatValidation(validation, cluster, "text", true).includes("\u001b[31m✗\u001b[39m Ports"));
  });

  it("leaves the rest of many findings and notes to JSON, and says so", () => {
    const many = Array.from({ length: 23 }, (_, index) => finding({ about: `Pod shop/web-${index}` }));
    const notes = Array.from({ length: 21 }, (_, index) => ({ about: "it", at: "", text: `note ${index}` }));
    const check = { id: "ports", title: "Ports", status: "failed" as const, findings: many };
    const namespaces = Array.from({ length: 22 }, (_, index) => `n${index}`);
    const full = { namespaces, checks: [check], excepted: [], notes };
    const text = formatValidation(full, { ...cluster, stack: undefined }, "text", false);
    assert.match(text, /^Compared with no stack; 22 namespaces: n0, .*, n19 and 2 more$/m);
    assert.match(text, /^ {4}Pod shop\/web-19$/m);
    assert.match(text, /^ {4}and 3 more findings; --format json has every one\n\n1 check: 1 failed\.$/m);
    assert.match(text, /note 19\n {2}and 1 more note; --format json has every one\n$/);
    const { checks } = JSON.parse(formatValidation(full, cluster, "json", false)) as Validation;
    assert.equal(checks[0]?.findings.length, 23);
  });

  it("is one object for scripts", () => {
    assert.deepEqual(JSON.parse(formatValidation(validation, cluster, "json", true)), {
      version: 1,
      cluster: { server: "https://10.0.0.1:6443", context: "prod" },
      stack: "prod",
      namespaces: ["erlmcp", "shop"],
      passed: false,
      checks: validation.checks.map((check) => ({
        ...check,
        findings: check.findings.map((one) => ({ ...one, rule: one.rule ?? null })),
      })),
      excepted: [{ ...finding(covered), exception: { ...exception, at: null } }],
      notes: validation.notes,
    });
  });

  it("passes where no check failed", () => {
    assert.equal(isPassed(validation), false);
    assert.equal(
      isPassed({ ...validation, checks: validation.checks.filter(({ status }) => status !== "failed") }),
      true,
    );
  });
});
