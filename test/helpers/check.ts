import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkRules, type Check } from "../../cli/check/check-rules";
import { observe } from "../../cli/check/observed";
import { readPackConfig } from "../../cli/check/pack-config";
import { readInput } from "../../cli/inputs/read-input";
import { integer } from "../../policypack/config-field";
import { defineRule, type Rule } from "../../policypack/define-rule";
import { nistZeroTrust } from "../../policypack/frameworks";
import { namespaceKind, networkPolicyKind } from "../../policypack/kubernetes-object";
import { field, isList, isUnknown } from "../../policypack/plain-data";

const metadata = {
  severity: "high",
  enforcementLevel: "mandatory",
  frameworks: [nistZeroTrust],
  remediation: ["Name the ports.", "Preview again."],
  kinds: [networkPolicyKind],
  patches: "As everything else.",
  examples: { good: [], bad: [] },
} as const;

/** Two rules that are easy to predict, whatever the pack's own rules are. */
export const someRules: readonly Rule[] = [
  defineRule({
    ...metadata,
    name: "few-rules",
    description: "Policies have few rules.",
    config: { most: integer({ description: "The most.", default: 1, minimum: 0, maximum: 9 }) },
    validate: ({ body }, { most }, report) => {
      const rules = field(field(body, "spec"), "ingress");
      if (isUnknown(rules)) {
        report.unverifiable({ at: "spec.ingress", danger: "There may be many.", fix: "few" });
      }
      if (!isList(rules)) return;
      rules.slice(most).forEach((_rule, index) => {
        report.violation({
          at: `spec.ingress[${index + most}]`,
          found: "is one too many",
          danger: "Nobody reads them.",
          fix: "fewer:\n- one\n- two",
        });
      });
    },
  }),
  defineRule({
    ...metadata,
    name: "some-namespace",
    description: "There is a namespace.",
    enforcementLevel: "advisory",
    severity: "low",
    frameworks: [],
    config: {},
    kinds: [namespaceKind],
    validateStack: ({ objects }, _config, reportOn) => {
      if (objects.length > 0) return;
      reportOn({ title: "The stack", path: "", urn: undefined }).violation({
        at: "namespaces",
        found: "are missing",
        danger: "It is nowhere.",
        fix: "one",
      });
    },
  }),
];

export const manifest = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec:
  ingress:
    - from: []
    - from: []
    - from: []
`;

/** A folder that is there while the tests of a suite run, and is gone afterwards. */
export function temporaryFolder(): { readonly path: string; write(name: string, content: unknown): string } {
  const folder = { path: "" };
  beforeEach(() => {
    folder.path = mkdtempSync(join(tmpdir(), "check-"));
  });
  afterEach(() => {
    rmSync(folder.path, { recursive: true });
  });
  return {
    get path() {
      return folder.path;
    },
    write: (name, content) => {
      const file = join(folder.path, name);
      writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content, undefined, 2));
      return file;
    },
  };
}

/** Judges manifests, by the two rules and on 15 June 2026 where nothing else is asked for. */
export function checkManifests(
  files: readonly string[],
  configFile?: string,
  rules = someRules,
  today = "2026-06-15",
): Check {
  const config = readPackConfig(configFile, rules);
  const kinds = rules.flatMap((rule) => rule.kinds);
  const observed = observe(readInput({ manifests: files, cwd: "." }), kinds, "default");
  return checkRules(observed, rules, config, today);
}
