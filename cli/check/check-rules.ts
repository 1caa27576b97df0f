import type { EnforcementLevel } from "@pulumi/policy";
import type { Rule, Violation } from "../../policypack/define-rule";
import { exceptionPolicyNames } from "../../policypack/exception-policies";
import {
  exceptionsDocumentation,
  expiredProblem,
  isUnused,
  unusedProblem,
  type ExceptionProblem,
  type ExceptionUse,
} from "../../policypack/exceptions";
import type { Note } from "../../policypack/reachability/reachability";
import type { Observed, Place } from "./observed";
import type { PackConfig } from "./pack-config";

/** The level of what was found: nothing is found at the level disabled, and nothing is mended here. */
export type FindingLevel = Exclude<EnforcementLevel, "disabled" | "remediate">;

/** What a policy found at one place. */
export interface Finding {
  /** The policy: a rule, or one of those that look after exceptions. */
  readonly rule: string;
  readonly level: FindingLevel;
  /** Besides what a rule says: `expired`, an exception whose last day has passed; `unused`, one that covers nothing. */
  readonly kind: Violation["kind"] | "expired" | "unused";
  /** `NetworkPolicy erlmcp/erlmcp-egress` */
  readonly about: string;
  /** Path of the field; "" where it is about no field. */
  readonly at: string;
  /** Ends the sentence that `about` and `at` begin. */
  readonly found: string;
  readonly danger: string;
  readonly fix: string;
  /** Where the policy is described. */
  readonly documentation: string;
  /** Undefined where it is about the whole, or about an exception of a configuration that is in no file. */
  readonly place: Place | undefined;
}

/** A finding that does not count because of an exception. */
export interface ExceptedFinding extends Finding {
  readonly exception: ExceptionUse["exception"];
}

/** What the rules say of an input. */
export interface Check {
  /** In the order of the input; what is about the whole comes last. */
  readonly findings: readonly Finding[];
  /** What exceptions cover, at the level that it would have without them. */
  readonly excepted: readonly ExceptedFinding[];
  /** The rules that judged, by name; those that are disabled do not. */
  readonly rules: readonly { readonly rule: Rule; readonly level: FindingLevel }[];
  readonly objects: number;
  readonly notes: readonly Note[];
}

/** Whether nothing was found that is mandatory. */
export function isPassed({ findings }: Check): boolean {
  return !findings.some(({ level }) => level === "mandatory");
}

/**
 * Judges an input by the rules, each at its level and with its settings.
 *
 * @param today the day by which exceptions are in date
 */
export function checkRules(
  observed: Observed,
  rules: readonly Rule[],
  config: PackConfig,
  today: string,
): Check {
  const judging = rules.flatMap((rule) => {
    const level = levelOf(config, rule.name);
    return level === undefined ? [] : [{ rule, level }];
  });
  const inDate = levelOf(config, exceptionPolicyNames.inDate);
  const areTold = levelOf(config, exceptionPolicyNames.told) !== undefined;
  const findings: Finding[] = [];
  const excepted: ExceptedFinding[] = [];
  for (const { rule, level } of judging) {
    const resources = rule.scope === "stack" ? observed.outputs : observed.inputs;
    const { violations, exceptions } = rule.judge(resources, config.settings(rule.name), today);
    const findingOf = ({ kind, urn, about, at, found, danger, fix, mandatory }: Violation): Finding => ({
      ...{ rule: rule.name, level: mandatory === true ? "mandatory" : level },
      ...{ kind, about, at, found, danger, fix },
      documentation: rule.documentation,
      place: urn === undefined ? undefined : observed.placeOf(urn, at),
    });
    findings.push(...violations.map(findingOf));
    for (const use of exceptions) {
      excepted.push(
        ...use.covered.map((violation) => ({ ...findingOf(violation), exception: use.exception })),
      );
      const place = placeOfException(config, use);
      if (use.expired && inDate !== undefined) {
        findings.push({ ...exceptionFinding("expired", inDate, expiredProblem(use)), place });
      }
      if (isUnused(use) && areTold) {
        findings.push({ ...exceptionFinding("unused", "advisory", unusedProblem(use)), place });
      }
    }
  }
  return {
    findings: sorted(findings),
    excepted: sorted(excepted),
    rules: judging,
    objects: observed.objects,
    notes: [...observed.notes, ...config.notes],
  };
}

function levelOf(config: PackConfig, policy: string): FindingLevel | undefined {
  const level = config.level(policy);
  if (level === "disabled") return undefined;
  // What would be mended is not, so it counts, as what is left after mending does in the engine.
  return level === "advisory" ? "advisory" : "mandatory";
}

function exceptionFinding(
  kind: "expired" | "unused",
  level: FindingLevel,
  problem: ExceptionProblem,
): Omit<Finding, "place"> {
  const rule = kind === "expired" ? exceptionPolicyNames.inDate : exceptionPolicyNames.told;
  return { rule, level, kind, at: "", documentation: exceptionsDocumentation, ...problem };
}

function placeOfException(config: PackConfig, { rule, key }: ExceptionUse): Place | undefined {
  const position = config.lineOf(`${rule}.${key}`);
  if (position === undefined) return undefined;
  return { source: position.file, index: Infinity, position: { ...position, document: 1 } };
}

function sorted<F extends Finding>(findings: readonly F[]): F[] {
  // What is about the whole comes last; rules keep their order.
  const index = ({ place }: Finding): number => place?.index ?? Number.MAX_VALUE;
  return [...findings].sort((a, b) => {
    const [left, right] = [index(a), index(b)];
    if (left !== right) return left < right ? -1 : 1;
    return compare(a.about, b.about) || (a.place?.position?.line ?? 0) - (b.place?.position?.line ?? 0);
  });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
