import assert from "node:assert/strict";
import { formatValidation, isPassed } from "../../../cli/formats/validation";
import type { Finding } from "../../../cli/validation/finding";
import type { Validation } from "../../../cli/validation/validate-cluster";

const finding = (message: string, fails = true): Finding => ({
  kind: "violation",
  rule: "netpol-ports-required",
  fails,
  about: "NetworkPolicy shop/web",
  at: "spec.ingress[0].ports",
  message,
});

const validation: Validation = {
  namespaces: ["erlmcp", "shop"],
  checks: [
    { id: "default-deny", title: "Default-deny is there", status: "passed", findings: [] },
    {
      id: "ports",
      title: "Ports are restricted",
      status: "failed",
      findings: [finding("NetworkPolicy shop/web: is wrong.\nWhy: \u001b[2Jit opens."), finding("Another.")],
    },
    {
      id: "permissive",
      title: "Nothing is too wide",
      status: "advice",
      findings: [finding("Think.", false)],
    },
    { id: "strays", title: "Nothing is stray", status: "skipped", reason: "there is no stack", findings: [] },
  ],
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
    NetworkPolicy shop/web: is wrong.
    Why: \\u{1b}[2Jit opens.

    Another.
! Nothing is too wide
    Think.
- Nothing is stray (not judged: there is no stack)

4 checks: 1 passed, 1 failed, 1 with advice only, 1 not judged.

Notes
  NetworkPolicy shop/web spec.egress[0]: covers pods
`,
    );
  });

  it("has colours where they are wanted", () => {
    assert.ok(formatValidation(validation, cluster, "text", true).includes("\u001b[31m✗\u001b[39m Ports"));
  });

  it("leaves the rest of many findings and notes to JSON, and says so", () => {
    const many = Array.from({ length: 23 }, (_, index) => finding(`Finding ${index}.`));
    const notes = Array.from({ length: 21 }, (_, index) => ({ about: "it", at: "", text: `note ${index}` }));
    const check = { id: "ports", title: "Ports", status: "failed" as const, findings: many };
    const full = { namespaces: ["a"], checks: [check], notes };
    const text = formatValidation(full, { ...cluster, stack: undefined }, "text", false);
    assert.match(text, /^Compared with no stack; 1 namespace: a$/m);
    assert.match(
      text,
      /Finding 19\.\n\n {4}and 3 more findings; --format json has every one\n\n1 check: 1 failed\.\n/,
    );
    assert.match(text, /note 19\n {2}and 1 more note; --format json has every one\n$/);
    const { checks } = JSON.parse(formatValidation(full, cluster, "json", false)) as Validation;
    assert.equal(checks[0]?.findings.length, 23);
  });

  it("is one object for scripts", () => {
    const { findings } = validation.checks[1] ?? { findings: [] };
    assert.deepEqual(JSON.parse(formatValidation(validation, cluster, "json", true)), {
      version: 1,
      cluster: { server: "https://10.0.0.1:6443", context: "prod" },
      stack: "prod",
      namespaces: ["erlmcp", "shop"],
      passed: false,
      checks: validation.checks,
      notes: validation.notes,
    });
    assert.equal(findings[0]?.at, "spec.ingress[0].ports");
  });

  it("passes where no check failed", () => {
    assert.equal(isPassed(validation), false);
    assert.equal(
      isPassed({ ...validation, checks: validation.checks.filter(({ status }) => status !== "failed") }),
      true,
    );
  });
});
