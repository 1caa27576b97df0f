import { createHash } from "node:crypto";
import { isAbsolute, relative } from "node:path";
import { pathToFileURL } from "node:url";
import type { Rule } from "../../policypack/define-rule";
import { exceptionPolicyNames } from "../../policypack/exception-policies";
import { exceptionsDocumentation } from "../../policypack/exceptions";
import {
  isPassed,
  type Check,
  type ExceptedFinding,
  type Finding,
  type FindingLevel,
} from "../check/check-rules";
import { headings, sentence } from "./finding-words";

export interface SarifOptions {
  /** Where `docs/rules.md` is to be read, without the fragment: an absolute URL. */
  readonly rulesUrl: string;
  /** The file that findings without a place are shown at, such as that of a stack's state; undefined for none. */
  readonly file: string | undefined;
  /** Of this package. */
  readonly version: string;
  /** Folder that file names are relative to. */
  readonly folder: string;
}

/** Severities as numbers from 0 to 10, as code scanning sorts by them (9.0 and above: critical, 7.0: high, 4.0: medium). */
const severities = { critical: "9.5", high: "8.0", medium: "5.5", low: "3.0" } as const;

/**
 * What rules say of an input as SARIF 2.1.0, for code scanning. Findings are errors at the level mandatory, warnings at the level
 * advisory; what is excepted is a note that is suppressed.
 */
export function sarif(check: Check, options: SarifOptions): string {
  const reporting = [
    ...check.rules.map(({ rule, level }) => ruleDescriptor(rule, level, options)),
    ...exceptionDescriptors(options),
  ];
  const indexOf = new Map(reporting.map(({ id }, index) => [id, index]));
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "zero-trust", version: options.version, rules: reporting } },
        invocations: [
          {
            executionSuccessful: true,
            exitCode: isPassed(check) ? 0 : 1,
            toolExecutionNotifications: check.notes.map(({ about, at, text }) => ({
              level: "note",
              message: { text: `${[about, at].filter((part) => part !== "").join(" ")}: ${text}` },
            })),
          },
        ],
        results: [
          ...check.findings.map((finding) => result(finding, levels[finding.level], indexOf, options)),
          ...check.excepted.map((finding) => exceptedResult(finding, indexOf, options)),
        ],
      },
    ],
  };
  return `${JSON.stringify(log, undefined, 2)}\n`;
}

const levels: Readonly<Record<FindingLevel, "error" | "warning">> = {
  mandatory: "error",
  advisory: "warning",
};

function ruleDescriptor(rule: Rule, level: FindingLevel, options: SarifOptions) {
  const { name, description, severity, remediation, frameworks, documentation } = rule;
  const steps = remediation.map((step, index) => `${index + 1}. ${step}`);
  const references = frameworks.map((one) => ({
    title: `${one.name} ${one.version}, ${one.id}`,
    url: one.url,
  }));
  return descriptor(name, description, documentation, options, {
    text: [...steps, ...references.map(({ title, url }) => `${title}: ${url}`)],
    markdown: [...steps, "", ...references.map(({ title, url }) => `- [${title}](${url})`)],
    level: levels[level],
    severity: severities[severity],
  });
}

function exceptionDescriptors(options: SarifOptions) {
  const { inDate, told } = exceptionPolicyNames;
  const help = ["Mend what the exception covers, and remove it, or decide anew."];
  const rest = { text: help, markdown: help, level: "error", severity: severities.high };
  return [
    descriptor(
      inDate,
      "Exceptions from the pack's rules are in date.",
      exceptionsDocumentation,
      options,
      rest,
    ),
    descriptor(told, "Exceptions from the pack's rules are needed.", exceptionsDocumentation, options, {
      ...rest,
      level: "warning",
      severity: severities.low,
    }),
  ];
}

function descriptor(
  id: string,
  description: string,
  documentation: string,
  { rulesUrl }: SarifOptions,
  rest: {
    readonly text: readonly string[];
    readonly markdown: readonly string[];
    readonly level: string;
    readonly severity: string;
  },
) {
  const [, fragment = ""] = documentation.split("#");
  return {
    id,
    shortDescription: { text: description },
    fullDescription: { text: description },
    helpUri: `${rulesUrl}#${fragment}`,
    help: {
      text: [description, ...rest.text].join("\n"),
      markdown: [description, "", ...rest.markdown].join("\n").trimEnd(),
    },
    defaultConfiguration: { level: rest.level },
    properties: {
      tags: ["security", "kubernetes", "network"],
      precision: "very-high",
      "security-severity": rest.severity,
    },
  };
}

function result(
  finding: Finding,
  level: "error" | "warning" | "note",
  indexOf: ReadonlyMap<string, number>,
  options: SarifOptions,
) {
  const { rule, kind, about, at, found, danger, fix, place } = finding;
  const words = headings(finding);
  const verdict = kind === "unverifiable" ? " This cannot be verified." : "";
  return {
    ruleId: rule,
    ruleIndex: indexOf.get(rule),
    level,
    message: {
      text: `${sentence(finding)}.${verdict}\n${words.danger}: ${danger}\n${words.fix}: ${fix}`,
    },
    locations: [
      {
        ...physicalLocation(finding, options),
        logicalLocations: [
          {
            fullyQualifiedName: at === "" ? about : `${about}: ${at}`,
            ...(place?.urn === undefined ? {} : { decoratedName: place.urn }),
            kind: "resource",
          },
        ],
      },
    ],
    // Lines move when something is written above them; what is found about which field of an object does not.
    partialFingerprints: { "findingOfField/v1": hash([rule, kind, place?.source ?? "", about, at, found]) },
  };
}

function exceptedResult(
  finding: ExceptedFinding,
  indexOf: ReadonlyMap<string, number>,
  options: SarifOptions,
) {
  const { reason, until } = finding.exception;
  return {
    ...result(finding, "note", indexOf, options),
    suppressions: [{ kind: "external", status: "accepted", justification: `${reason} (until ${until})` }],
  };
}

function physicalLocation({ place }: Finding, { file, folder }: SarifOptions) {
  const position = place?.position ?? (file === undefined ? undefined : { file, line: 1 });
  if (position === undefined || position.file === "stdin") return {};
  return {
    physicalLocation: {
      artifactLocation: artifact(position.file, folder),
      region: { startLine: position.line },
    },
  };
}

/** Relative to the folder where it is within, which is to be the root of the repository. */
function artifact(file: string, folder: string): { uri: string; uriBaseId?: string } {
  const path = relative(folder, file);
  if (isAbsolute(path) || path.split(/[\\/]/)[0] === "..") return { uri: pathToFileURL(file).href };
  return { uri: path.split(/[\\/]/).map(encodeURIComponent).join("/"), uriBaseId: "%SRCROOT%" };
}

function hash(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
