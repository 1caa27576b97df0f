import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Example, Rule } from "./define-rule";
import { exceptionPolicyNames } from "./exception-policies";
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

## Exceptions

What a rule found can be accepted for a while: every rule takes \`exceptions\` in its configuration, each with the reason and with
the last day on which it holds, by UTC.

\`\`\`json
{
  "netpol-ports-required": {
    "exceptions": [
      {
        "resource": "NetworkPolicy erlmcp/legacy-*",
        "at": "spec.ingress[0]",
        "reason": "the vendor opens ports at random until release 5",
        "until": "2026-12-31"
      }
    ]
  }
}
\`\`\`

- \`resource\` is what the rule's message begins with; \`*\` stands for any characters but blanks and \`/\`, so what is not known is never covered.
- \`at\` is the field that the message names, or one around it; \`*\` stands for any characters but \`.\`, \`[\` and \`]\`. Without it, every field is covered.
- A finding that is covered does not block, and neither does one that "cannot be verified". The policy \`${exceptionPolicyNames.told}\` (advisory) tells each
  one, and each exception that covers nothing.
- When its last day has passed, an exception covers nothing any more, and breaks the policy \`${exceptionPolicyNames.inDate}\` (mandatory).
- An exception without reason or day, or with a day that is none, is a wrong configuration, which blocks.
- The policy \`${exceptionPolicyNames.told}\` stays advisory where a configuration says otherwise, as \`"all": "mandatory"\` does. Both policies can be disabled.

## The rules

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
    ...(rule.additions === undefined ? [] : [`Added at the level \`remediate\`: ${rule.additions}`]),
    ...(rule.limits === undefined ? [] : [`Limits: ${rule.limits}`]),
    ...(rule.leavesUnreadTo === undefined
      ? []
      : [`What it cannot read is reported by ${rule.leavesUnreadTo.map(linkTo).join(", ")}.`]),
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
  if (fields.length === 0) return "None of its own, besides `exceptions` and `enforcementLevel`.";
  return fields
    .map(
      ([key, { description, allowed, default: fallback }]) =>
        `- \`${key}\`: ${description} Allowed: ${allowed}. Default: \`${JSON.stringify(fallback)}\`.`,
    )
    .join("\n");
}

function linkTo(name: string): string {
  return `[${name}](#${name})`;
}

function renderExample(verdict: string, { title, yaml, config, protect = false }: Example): string {
  const options = protect ? " (with Pulumi's `protect`)" : "";
  const objects = `${verdict}: ${title}${options}\n\n\`\`\`yaml\n${yaml}\`\`\``;
  if (config === undefined) return objects;
  return `${objects}\n\nwith the configuration\n\n\`\`\`json\n${formatJson(config)}\n\`\`\``;
}

/** JSON as Prettier writes it: lists of single values on one line. */
function formatJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2).replace(/\[\s+([^[\]{}]+?)\s+\]/g, (_, items: string) => {
    return `[${items.replace(/\s*\n\s*/g, " ")}]`;
  });
}

function describeKind({ groups, kind }: Kind): string {
  return `${kind} (${groups.map((group) => (group === "" ? "core" : group)).join(", ")})`;
}

if (require.main === module) {
  writeFileSync(join(__dirname, "../docs/rules.md"), renderCatalogue(rules));
}
