import type { ReportViolation, StackValidationPolicy } from "@pulumi/policy";
import { describeExpired, describeUnused, describeUse, isUnused, type ExceptionUse } from "./exceptions";
import type { Violation } from "./define-rule";

const toldDescription = "Exceptions from the pack's rules are told, and are needed.";

/** Names of the policies that look after the exceptions of all rules; in a configuration they have a level only. */
export const exceptionPolicyNames = { inDate: "exceptions-in-date", told: "exceptions" } as const;

/**
 * What the exceptions of all rules did. The engine asks about one resource at a time, so what an exception did in all is known only
 * when it asks about the stack, which it does last.
 */
export class ExceptionRegister {
  private readonly known = new Map<
    string,
    { readonly use: ExceptionUse; readonly covered: Map<string, Violation> }
  >();

  /** Adds what a rule's exceptions did. What one of them covered is added up, each finding once. */
  add(uses: readonly ExceptionUse[]): void {
    for (const use of uses) {
      const id = JSON.stringify([use.rule, use.key, use.exception]);
      const entry = this.known.get(id) ?? { use, covered: new Map<string, Violation>() };
      this.known.set(id, entry);
      for (const finding of use.covered) {
        entry.covered.set(JSON.stringify([finding.urn, finding.message]), finding);
      }
    }
  }

  /** What was added so far, by rule. */
  uses(): ExceptionUse[] {
    return [...this.known.values()]
      .map(({ use, covered }) => ({ ...use, covered: [...covered.values()] }))
      .sort((a, b) => (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0));
  }
}

/** What the exceptions of this process's rules did: the engine gives every run of a pack a process of its own. */
export const exceptionRegister = new ExceptionRegister();

/**
 * The policies that look after exceptions. They go last in a pack, since policies run in the order of the pack. What is used is a
 * violation, if an advisory one, because nothing else that a policy says is shown by its resource. It stays advisory where a
 * configuration makes all policies mandatory: otherwise no exception could be made there.
 */
export function exceptionPolicies(register = exceptionRegister): StackValidationPolicy[] {
  return [
    {
      name: exceptionPolicyNames.inDate,
      description: "Every exception from the pack's rules is in date.",
      enforcementLevel: "mandatory",
      severity: "high",
      remediationSteps:
        "1. Mend what the exception covered, and remove it.\n2. Where it is still needed, decide anew: give it another reason and date.",
      validateStack: (_stack, reportViolation) => {
        for (const use of register.uses()) if (use.expired) reportViolation(describeExpired(use));
      },
    },
    {
      name: exceptionPolicyNames.told,
      description: toldDescription,
      enforcementLevel: "advisory",
      severity: "low",
      remediationSteps:
        "1. Mend what an exception covers, and remove it.\n2. Remove exceptions that cover nothing, or correct their resource and at.",
      validateStack: (_stack, reportViolation) => {
        for (const use of register.uses()) {
          for (const finding of use.covered) advise(reportViolation, describeUse(use, finding), finding.urn);
          if (isUnused(use)) advise(reportViolation, describeUnused(use), undefined);
        }
      },
    },
  ];
}

function advise(report: ReportViolation, message: string, urn: string | undefined): void {
  // The one way in which a finding has a level of its own; the SDK takes it, but its types know only text.
  const own = { message: `${toldDescription}\n${message}`, urn, enforcementLevel: "advisory" };
  report(own as unknown as string);
}
