import { createColors } from "picocolors";
import type { Finding } from "../validation/finding";
import type { Check, Validation } from "../validation/validate-cluster";
import { counted } from "./counted";
import { findingBlocks } from "./finding-blocks";
import { printable } from "./printable";
import { exceptionLines } from "./check";

export const validationFormats = ["text", "json"] as const;
export type ValidationFormat = (typeof validationFormats)[number];

/** Which cluster was judged, and against what. */
export interface ValidatedCluster {
  /** `https://10.0.0.1:6443` */
  readonly server: string;
  /** Of the kubeconfig. */
  readonly context: string;
  /** Undefined where it was compared with none. */
  readonly stack: string | undefined;
}

/** Findings of one check, namespaces and notes that the text has. */
const most = 20;

/** What was found in a cluster, ends with a newline. */
export function formatValidation(
  validation: Validation,
  cluster: ValidatedCluster,
  format: ValidationFormat,
  colour: boolean,
): string {
  return format === "json" ? json(validation, cluster) : text(validation, cluster, colour);
}

/** Whether no check failed. */
export function isPassed({ checks }: Validation): boolean {
  return checks.every(({ status }) => status !== "failed");
}

function text(validation: Validation, { server, context, stack }: ValidatedCluster, colour: boolean): string {
  const { bold, dim, green, red, yellow } = createColors(colour);
  const { namespaces, checks, excepted, notes } = validation;
  const marks = { passed: green("✓"), failed: red("✗"), advice: yellow("!"), skipped: dim("-") };
  const lines = [
    bold(`Cluster ${printable(context)} (${printable(server)})`),
    `${stack === undefined ? "Compared with no stack" : `Compared with the stack ${stack}`}; ${counted(namespaces.length, "namespace")}: ${some(namespaces)}`,
    "",
    ...checks.flatMap((check) => [
      `${marks[check.status]} ${check.title}${check.reason === undefined ? "" : dim(` (not judged: ${check.reason})`)}`,
      ...findingLines(check, colour).map((line) => `    ${line}`),
    ]),
    "",
    bold(summary(checks)),
  ];
  const used = exceptionLines(excepted, colour);
  if (used.length > 0) lines.push("", ...used);
  if (notes.length > 0) {
    lines.push("", yellow("Notes"));
    for (const { about, at, text: said } of notes.slice(0, most)) {
      lines.push(`  ${printable([about, at].filter((part) => part !== "").join(" "))}: ${printable(said)}`);
    }
    if (notes.length > most) {
      lines.push(`  and ${counted(notes.length - most, "more note")}; --format json has every one`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function some(names: readonly string[]): string {
  return names.length <= most
    ? names.join(", ")
    : `${names.slice(0, most).join(", ")} and ${names.length - most} more`;
}

function findingLines({ findings }: Check, colour: boolean): string[] {
  const lines = [...findingBlocks(findings.slice(0, most), colour)].flatMap((text) =>
    text.trimEnd().split("\n"),
  );
  return findings.length <= most
    ? lines
    : [...lines, `and ${counted(findings.length - most, "more finding")}; --format json has every one`];
}

function summary(checks: readonly Check[]): string {
  const counts = (
    [
      ["passed", "passed"],
      ["failed", "failed"],
      ["advice", "with advice only"],
      ["skipped", "not judged"],
    ] as const
  ).flatMap(([status, name]) => {
    const count = checks.filter((check) => check.status === status).length;
    return count === 0 ? [] : [`${count} ${name}`];
  });
  return `${counted(checks.length, "check")}: ${counts.join(", ")}.`;
}

function json(validation: Validation, { server, context, stack }: ValidatedCluster): string {
  const { namespaces, checks, excepted, notes } = validation;
  const whole = {
    version: 1,
    cluster: { server, context },
    stack: stack ?? null,
    namespaces,
    passed: isPassed(validation),
    checks: checks.map(({ id, title, status, reason, findings }) => ({
      id,
      title,
      status,
      ...(reason === undefined ? {} : { reason }),
      findings: findings.map(findingJson),
    })),
    excepted: excepted.map((finding) => {
      const { resource, at = null, reason, until } = finding.exception;
      return { ...findingJson(finding), exception: { resource, at, reason, until } };
    }),
    notes: notes.map(({ about, at, text: said }) => ({ about, at, text: said })),
  };
  return `${JSON.stringify(whole, undefined, 2)}\n`;
}

/** The fields of the same names in what `zero-trust check` prints. */
function findingJson(finding: Finding): object {
  const { rule = null, level, kind, about, at, found, danger, fix, documentation } = finding;
  return { rule, level, kind, about, at, found, danger, fix, documentation };
}
