import { list, reason, record, text, type ConfigField, type ConfigValue } from "./config-field";
import type { Violation } from "./define-rule";

/** Findings of a rule that are accepted until a day, for a reason. */
export interface Exception {
  /**
   * What the findings are about, as the rule's messages name it: `NetworkPolicy erlmcp/erlmcp-egress`. `*` stands for any characters
   * but blanks and `/`, so that it never covers what is not known.
   */
  readonly resource: string;
  /**
   * The field that they are about, with all that is within it: `spec.egress[0]`. `*` stands for any characters but `.`, `[` and `]`.
   * Absent: any field.
   */
  readonly at?: string;
  readonly reason: string;
  /** The last day on which it holds, by UTC: `2026-12-31`. */
  readonly until: string;
}

/** What an exception did where a rule judged. */
export interface ExceptionUse {
  readonly rule: string;
  readonly exception: Exception;
  /** Where it stands in the rule's configuration: `exceptions[0]`. */
  readonly key: string;
  /** Whether its last day has passed. It then covers nothing, and is a violation of its own. */
  readonly expired: boolean;
  /** The findings that do not count because of it. */
  readonly covered: readonly Violation[];
}

const day: ConfigValue<string> = {
  schema: { type: "string", pattern: "^\\d{4}-\\d{2}-\\d{2}$" },
  allowed: "a day as year, month and day (2026-12-31), the last one on which the exception holds",
  example: "2026-12-31",
  read: (value, key, problems) => {
    if (typeof value === "string" && isDay(value)) return value;
    problems.push({
      key,
      found: JSON.stringify(value),
      allowed: day.allowed,
      fix: `write, for instance, ${key}: ${JSON.stringify(day.example)}`,
    });
    return undefined;
  },
};

/** The key `exceptions`, which every rule has. */
export const exceptionsField: ConfigField<readonly Exception[]> = list(
  record<Exception>({
    allowed: "an object with resource, reason and until, and with at for one field only",
    example: {
      resource: "NetworkPolicy erlmcp/erlmcp-egress",
      at: "spec.egress[0]",
      reason: "the partner's gateway moves in March",
      until: "2026-12-31",
    },
    values: {
      resource: text({
        pattern: /\S/,
        allowed:
          "what the rule's message names, kind first (NetworkPolicy erlmcp/erlmcp-egress), with * for any characters but blanks and /",
        example: "NetworkPolicy erlmcp/erlmcp-egress",
      }),
      at: text({
        pattern: /\S/,
        allowed:
          "the field that the rule's message names, or one around it, with * for any characters but ., [ and ]",
        example: "spec.egress[0]",
      }),
      reason,
      until: day,
    },
    optional: ["at"],
  }),
  {
    description:
      "Findings of this rule that are accepted for a while: what resource names (at: only in this field) does not block until that day has passed.",
    default: [],
  },
);

/** Whether it is a day of the calendar, as in `2026-12-31`. */
export function isDay(value: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const date = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value);
}

/** The current day by UTC. */
export function currentDay(): string {
  return new Date().toISOString().slice(0, 10);
}

/** The exceptions of one rule while it judges. */
export class Exceptions {
  private readonly uses: readonly (ExceptionUse & {
    readonly covered: Violation[];
    readonly covers: (finding: Violation, path: string) => boolean;
  })[];

  /** @param today the day that counts as the current one */
  constructor(rule: string, exceptions: readonly Exception[], today: string) {
    this.uses = exceptions.map((exception, index) => ({
      rule,
      exception,
      key: `exceptions[${index}]`,
      expired: exception.until < today,
      covered: [],
      covers: matcher(exception),
    }));
  }

  /**
   * Whether an exception covers the finding, so that it does not count; it is then part of what {@link result} says.
   *
   * @param path prefix of the finding's path; an exception may leave it out
   */
  accept(finding: Violation, path: string): boolean {
    const uses = this.uses.filter(({ expired, covers }) => !expired && covers(finding, path));
    for (const { covered } of uses) covered.push(finding);
    return uses.length > 0;
  }

  /** The exceptions that no longer cover the finding. */
  expiredFor(finding: Violation, path: string): Exception[] {
    return this.uses
      .filter(({ expired, covers }) => expired && covers(finding, path))
      .map(({ exception }) => exception);
  }

  /** What each of them did. */
  result(): ExceptionUse[] {
    return this.uses.map(({ rule, exception, key, expired, covered }) => ({
      rule,
      exception,
      key,
      expired,
      covered,
    }));
  }
}

function matcher({ resource, at }: Exception): (finding: Violation, path: string) => boolean {
  const isResource = glob(resource, "[^\\s/]*", "");
  const isField = at === undefined ? undefined : glob(at, "[^.[\\]]*", "(?:[.[].*)?");
  return (finding, path) => {
    if (!isResource.test(finding.about)) return false;
    return isField === undefined || isField.test(finding.at) || isField.test(finding.at.slice(path.length));
  };
}

function glob(pattern: string, wildcard: string, rest: string): RegExp {
  const parts = pattern.split("*").map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"));
  return new RegExp(`^${parts.join(wildcard)}${rest}$`, "s");
}

/** Whether it is in date and covers nothing. */
export function isUnused({ expired, covered }: ExceptionUse): boolean {
  return !expired && covered.length === 0;
}

/** Where exceptions are described. */
export const exceptionsDocumentation = "docs/rules.md#exceptions";

/** That a finding does not count, and why. */
export function describeUse({ rule, exception }: ExceptionUse, { about, at, found }: Violation): string {
  return [
    `exception used: ${rule} does not block ${[`${about}:`, at, found].filter((part) => part !== "").join(" ")}.`,
    `Reason: ${exception.reason}`,
    `Until: ${exception.until}`,
    `See ${exceptionsDocumentation}`,
  ].join("\n");
}

/** What is wrong with an exception itself. */
export interface ExceptionProblem {
  /** `exceptions[0] of netpol-ports-required` */
  readonly about: string;
  readonly found: string;
  readonly danger: string;
  readonly fix: string;
}

/** That the last day of an exception has passed. */
export function expiredProblem({ rule, exception, key }: ExceptionUse): ExceptionProblem {
  return {
    about: `${key} of ${rule}`,
    found: `was made for ${scopeOf(exception)} until ${exception.until} (${exception.reason}), and that day has passed`,
    danger:
      "what was to be accepted for a while would be accepted for good, without anybody deciding it. It covers nothing any more.",
    fix: `mend what it covered, and remove ${key} from the configuration of ${rule}; or decide anew, and give it another reason and date.`,
  };
}

/** That an exception covers nothing. */
export function unusedProblem({ rule, exception, key }: ExceptionUse): ExceptionProblem {
  return {
    about: `${key} of ${rule}`,
    found: `is for ${scopeOf(exception)}, where the rule finds nothing`,
    danger:
      "it would cover a finding to come that nobody has looked at; and if it is misspelt, what it is for still blocks.",
    fix: `remove ${key} from the configuration of ${rule}, or write resource and at as the rule's message names them.`,
  };
}

/** The problem as the engine's user reads it. */
export function describeExpired(use: ExceptionUse): string {
  return describe("exception expired", "Why it blocks", expiredProblem(use));
}

/** The problem as the engine's user reads it. */
export function describeUnused(use: ExceptionUse): string {
  return describe("exception not needed", "Why it matters", unusedProblem(use));
}

function describe(what: string, why: string, { about, found, danger, fix }: ExceptionProblem): string {
  return [
    `${what}: ${about} ${found}.`,
    `${why}: ${danger}`,
    `What to do: ${fix}`,
    `See ${exceptionsDocumentation}`,
  ].join("\n");
}

function scopeOf({ resource, at }: Exception): string {
  return at === undefined ? resource : `${resource} at ${at}`;
}
