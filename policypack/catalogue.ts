import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Example, Rule } from "./define-rule";
import type { Kind } from "./kubernetes-object";
import { rules } from "./rules";

/** The catalogue of rules, as Markdown in the form that Prettier leaves alone. */
export function renderCatalogue(all: readonly Rule[]): string {
  return `# Rules of the policy pack

Generated from the rules by \`npm run docs:rules\`; every example is also a test. How to run and configure the pack is in
[policypack/README.md](../policypack/README.md).

Resource rules judge a resource before it is created or updated. Stack rules judge all resources together: they stop an
update in the preview that precedes it. A value that is not known in a preview, and that a verdict depends on, is reported
as "cannot be verified" at the rule's own level.

${all.map((rule) => `- [${rule.name}](#${rule.name}): ${rule.description}`).join("\n")}

${all.map(renderRule).join("\n")}`;
}

function renderRule(rule: Rule): string {
  const sections = [
    `## ${rule.name}`,
    rule.description,
    [
      `- Judges: ${rule.scope === "stack" ? "the stack as a whole" : "each resource"}; ${rule.kinds.map(describeKind).join(", ")}`,
      `- Severity: ${rule.severity}`,
      `- Default level: ${rule.enforcementLevel}`,
      ...rule.frameworks.map(
        ({ name, version, id, url }) => `- Framework: [${name} ${version}](${url}), ${id}`,
      ),
    ].join("\n"),
    `Patches: ${rule.patches}`,
    ...(rule.limits === undefined ? [] : [`Limits: ${rule.limits}`]),
    `### Configuration of ${rule.name}`,
    renderConfig(rule),
    `### How to mend ${rule.name}`,
    rule.remediation.map((step, index) => `${index + 1}. ${step}`).join("\n"),
    `### Examples of ${rule.name}`,
    ...rule.examples.good.map((example) => renderExample("Passes", example)),
    ...rule.examples.bad.map((example) => renderExample("Blocked", example)),
  ];
  return `${sections.join("\n\n")}\n`;
}

function renderConfig({ config }: Rule): string {
  const fields = Object.entries(config);
  if (fields.length === 0) return "None, besides `enforcementLevel`.";
  return fields
    .map(
      ([key, { description, allowed, default: fallback }]) =>
        `- \`${key}\`: ${description} Allowed: ${allowed}. Default: \`${JSON.stringify(fallback)}\`.`,
    )
    .join("\n");
}

function renderExample(verdict: string, { title, yaml }: Example): string {
  return `${verdict}: ${title}\n\n\`\`\`yaml\n${yaml}\`\`\``;
}

function describeKind({ groups, kind }: Kind): string {
  return `${kind} (${groups.map((group) => (group === "" ? "core" : group)).join(", ")})`;
}

if (require.main === module) {
  writeFileSync(join(__dirname, "../docs/rules.md"), renderCatalogue(rules));
}
