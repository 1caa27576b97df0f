import pc from "picocolors";
import { parseUrn } from "./kubernetes-provider/kube-object";
import type { Deployment } from "./stack";
import type { PolicyViolation, StackResult } from "./stack-job";
import type { Tool } from "./tools";

type Resource = NonNullable<Deployment["resources"]>[number];

const outcomes: Record<string, string> = {
  create: "created",
  update: "updated",
  same: "unchanged",
  delete: "deleted",
  refresh: "read",
  replace: "replaced",
  "create-replacement": "replaced",
  "delete-replaced": "replaced",
};

/** The resources by parent, each with its type and what became of it. */
export function resourceTree(deployment: Deployment, result: StackResult): string {
  const resources = (deployment.resources ?? []).filter(({ type }) => !type.startsWith("pulumi:providers:"));
  const outcome = new Map(
    result.steps
      .filter(({ operation }) => operation in outcomes)
      .map(({ urn, operation }) => [urn, outcomes[operation]]),
  );
  // The state has them in the order in which they were finished, which changes from run to run.
  const children = (urn: string): Resource[] =>
    resources.filter(({ parent }) => parent === urn).sort((a, b) => a.urn.localeCompare(b.urn, "en"));
  const lines = (resource: Resource, stem: string, branch: string): string[] => {
    const { type, name } = parseUrn(resource.urn);
    const marks = [outcome.get(resource.urn) ?? "", resource.protect ? "protected" : ""].filter(
      (text) => text !== "",
    );
    const below = stem + (branch === "├─ " ? "│  " : branch === "" ? "" : "   ");
    return [
      `${stem}${branch}${name}  ${pc.dim(type)}  ${marks.join(", ")}`.trimEnd(),
      ...children(resource.urn).flatMap((child, index, all) =>
        lines(child, below, index === all.length - 1 ? "└─ " : "├─ "),
      ),
    ];
  };
  return resources
    .filter(({ parent }) => parent === undefined)
    .flatMap((resource) => lines(resource, "", ""))
    .join("\n");
}

/** How many resources had which outcome: `3 created, 29 unchanged`. */
export function changeSummary(result: StackResult): string {
  const counts = Object.entries(result.changes).map(
    ([operation, count]) => `${count} ${outcomes[operation] ?? operation}`,
  );
  return counts.join(", ") || "no resources";
}

/** Why an operation failed: violated policies with their resources, and what the engine, program or provider reported. */
export function failureReport(result: StackResult): string {
  const violations = result.violations.map(
    (violation) =>
      `${violation.policy} (${violation.enforcement}): ${resourceOf(violation)}\n${indent(violation.message)}`,
  );
  const errors = result.diagnostics
    // That the engine gave up says nothing beside the reasons.
    .filter(({ severity, message }) => severity === "error" && !/^(preview|update) failed$/.test(message))
    .map(({ urn, message }) => (urn === undefined ? message : `${parseUrn(urn).name}: ${message}`));
  return [...violations, ...errors].join("\n\n") || result.stderr.trim() || result.stdout.trim();
}

function resourceOf({ urn }: PolicyViolation): string {
  if (urn === undefined) return "the stack";
  const { type, name } = parseUrn(urn);
  return `${name} [${type}]`;
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");
}

/** Which parts of the machinery are their publishers' own, which are built here, and which stand in. */
export function toolReport(tools: readonly Tool[]): string {
  const words = {
    official: "official",
    built: "official code, built here",
    "stand-in": "STAND-IN of this project",
  };
  return tools
    .map(({ name, origin, version, reason }) => {
      const why = reason === undefined ? "" : ` (${reason})`;
      return `${name.padEnd(26)} ${version.padEnd(12)} ${words[origin]}${why}`;
    })
    .join("\n");
}
