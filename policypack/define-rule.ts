import type {
  EnforcementLevel,
  PolicyConfigSchema,
  ResourceValidationPolicy,
  Severity,
  StackValidationPolicy,
} from "@pulumi/policy";
import {
  describeConfigProblem,
  jsonSchemaOf,
  readConfig,
  type ConfigFields,
  type ConfigOf,
} from "./config-field";
import {
  readObjects,
  type Kind,
  type KubernetesObject,
  type ObservedResource,
  type UnreadableObject,
} from "./kubernetes-object";
import { snapshot, type Plain } from "./plain-data";

/** A section of a standard or guideline that a rule helps to meet. */
export interface FrameworkReference {
  readonly name: string;
  readonly version: string;
  /** The section, as its publisher names it. */
  readonly id: string;
  readonly url: string;
}

/** YAML documents that a rule accepts or blocks; they are shown in the catalogue and run as tests. */
export interface Example {
  readonly title: string;
  /** One document a resource, separated by `---`. */
  readonly yaml: string;
}

/** What a rule found at one place. The fields read as one message, so write each as the sentence it becomes. */
export interface Finding {
  /** Path of the field, as in `spec.egress[1].to[0].ipBlock.cidr`. */
  readonly at: string;
  /** Ends the sentence that `at` begins, with the value found: `is "10.0.0.0/8"`. */
  readonly found: string;
  readonly danger: string;
  /** What to write instead. */
  readonly fix: string;
}

/** Something a rule's verdict depends on and that cannot be known: blocked like a violation, but told apart from one. */
export interface UnverifiableFinding {
  readonly at: string;
  /** Default: `is not known in the preview`. */
  readonly found?: string;
  /** What could be wrong behind the unknown. */
  readonly danger: string;
  readonly fix: string;
}

export interface Reporter {
  violation(finding: Finding): void;
  unverifiable(finding: UnverifiableFinding): void;
}

/** What a finding is about: an object, or a part of the stack. */
export interface Subject {
  readonly title: string;
  /** Prefix of every path; "" outside Lists. */
  readonly path: string;
  /** Undefined for the stack as a whole. */
  readonly urn: string | undefined;
}

/** A resource of any provider, component resources with their registered outputs included. */
export interface StackResource extends Omit<ObservedResource, "props"> {
  /** The outputs in plain data; read when asked for. */
  props(): Plain;
}

/** All that a stack rule can see, ordered by URN. */
export interface Stack {
  /** The objects of the rule's kinds. */
  readonly objects: readonly KubernetesObject[];
  readonly resources: readonly StackResource[];
}

interface RuleSpec<F extends ConfigFields> {
  /** Policy name, equal to the file name. */
  readonly name: string;
  /** One sentence: what must hold. It is the first line of every message. */
  readonly description: string;
  readonly severity: Severity;
  /** The level where the pack's configuration names none. */
  readonly enforcementLevel: EnforcementLevel;
  /** Empty where no framework asks for it. The first one is the policy's framework in Pulumi Cloud. */
  readonly frameworks: readonly FrameworkReference[];
  readonly remediation: readonly string[];
  readonly config: F;
  /** The kinds that are judged, in all their versions and in Lists. */
  readonly kinds: readonly Kind[];
  /** How a `…Patch` twin is judged, whose missing fields are decided by the live object. */
  readonly patches: string;
  /** What the rule leaves to others, or cannot see. */
  readonly limits?: string;
  readonly examples: { readonly good: readonly Example[]; readonly bad: readonly Example[] };
}

export interface ResourceRuleSpec<F extends ConfigFields> extends RuleSpec<F> {
  /** Judges one object before it is created or updated. */
  readonly validate: (object: KubernetesObject, config: ConfigOf<F>, report: Reporter) => void;
}

export interface StackRuleSpec<F extends ConfigFields> extends RuleSpec<F> {
  /**
   * Judges all resources together, after registration: it stops an update in the preview before it, so what must never be
   * created belongs into a resource rule.
   */
  readonly validateStack: (
    stack: Stack,
    config: ConfigOf<F>,
    reportOn: (subject: Subject) => Reporter,
  ) => void;
}

/** A violation as the user reads it. */
export interface Violation {
  readonly rule: string;
  /**
   * `violation`: the rule is broken. `unverifiable`: it may be. `misconfigured`: the rule's configuration is wrong, nothing was
   * judged. `failed`: the rule itself broke. All of them count against the resource: what was not judged is not compliant.
   */
  readonly kind: "violation" | "unverifiable" | "misconfigured" | "failed";
  /** The resource it is about; undefined for the stack as a whole. */
  readonly urn: string | undefined;
  readonly message: string;
}

/** A rule: everything about it that the pack, the catalogue, the command line and the tests use. */
export interface Rule extends RuleSpec<ConfigFields> {
  readonly scope: "resource" | "stack";
  /** Where the catalogue describes it. */
  readonly documentation: string;
  readonly configSchema: PolicyConfigSchema | undefined;
  /**
   * Judges resources, without Pulumi: a resource rule each for itself, a stack rule all together. Never throws.
   * @param config The rule's configuration as the user wrote it; undefined or a missing key means the default.
   */
  judge(resources: readonly ObservedResource[], config?: unknown): Violation[];
  /** The rule as a CrossGuard policy. */
  readonly policy: ResourceValidationPolicy | StackValidationPolicy;
}

const catalogue = "docs/rules.md";

/** Makes a rule from its specification; the only way to make one. */
export function defineRule<F extends ConfigFields>(spec: ResourceRuleSpec<F> | StackRuleSpec<F>): Rule {
  const documentation = `${catalogue}#${spec.name}`;
  const configSchema =
    Object.keys(spec.config).length > 0 ? { properties: jsonSchemaOf(spec.config) } : undefined;

  const judge = (resources: readonly ObservedResource[], config?: unknown): Violation[] =>
    "validateStack" in spec
      ? judgeStack(spec, documentation, resources, config)
      : resources.flatMap((resource) => judgeResource(spec, documentation, resource, config));

  const [framework] = spec.frameworks;
  const metadata = {
    name: spec.name,
    description: spec.description,
    enforcementLevel: spec.enforcementLevel,
    severity: spec.severity,
    remediationSteps: spec.remediation.map((step, index) => `${index + 1}. ${step}`).join("\n"),
    ...(framework === undefined
      ? {}
      : {
          framework: {
            name: framework.name,
            version: framework.version,
            reference: framework.id,
            specification: framework.url,
          },
        }),
    ...(configSchema === undefined ? {} : { configSchema }),
  };
  const policy: ResourceValidationPolicy | StackValidationPolicy =
    "validateStack" in spec
      ? {
          ...metadata,
          validateStack: (args, reportViolation) => {
            for (const { message, urn } of judge(args.resources, args.getConfig()))
              reportViolation(message, urn);
          },
        }
      : {
          ...metadata,
          validateResource: (args, reportViolation) => {
            for (const { message } of judge([args], args.getConfig())) reportViolation(message);
          },
        };
  const scope = "validateStack" in spec ? "stack" : "resource";
  return { ...spec, scope, documentation, configSchema, judge, policy };
}

function judgeResource<F extends ConfigFields>(
  spec: ResourceRuleSpec<F>,
  documentation: string,
  resource: ObservedResource,
  config: unknown,
): Violation[] {
  const violations: Violation[] = [];
  const reportOn = reporters(spec, documentation, violations);
  let subject: Subject = {
    title: `${resource.type} (Pulumi resource ${resource.name})`,
    path: "",
    urn: resource.urn,
  };
  guard(
    spec,
    documentation,
    violations,
    () => subject,
    () => {
      const { objects, unreadable } = readObjects(resource, spec.kinds);
      if (objects.length === 0 && unreadable.length === 0) return;
      const { config: read, problems } = readConfig(spec.config, config);
      if (problems.length > 0) {
        violations.push(misconfigured(spec, documentation, objects[0] ?? subject, problems));
        return;
      }
      unreadable.forEach((part) => {
        reportUnreadable(part, reportOn);
      });
      for (const object of objects) {
        subject = object;
        spec.validate(object, read, reportOn(object));
      }
    },
  );
  return violations;
}

function judgeStack<F extends ConfigFields>(
  spec: StackRuleSpec<F>,
  documentation: string,
  resources: readonly ObservedResource[],
  config: unknown,
): Violation[] {
  const violations: Violation[] = [];
  const reportOn = reporters(spec, documentation, violations);
  const stack: Subject = { title: "The stack", path: "", urn: undefined };
  guard(
    spec,
    documentation,
    violations,
    () => stack,
    () => {
      const { config: read, problems } = readConfig(spec.config, config);
      if (problems.length > 0) {
        violations.push(misconfigured(spec, documentation, stack, problems));
        return;
      }
      // The engine hands resources over in no particular order.
      const sorted = [...resources].sort((a, b) => (a.urn < b.urn ? -1 : a.urn > b.urn ? 1 : 0));
      const parts = sorted.map((resource) => readObjects(resource, spec.kinds));
      parts
        .flatMap((part) => part.unreadable)
        .forEach((part) => {
          reportUnreadable(part, reportOn);
        });
      const view: Stack = {
        objects: parts.flatMap((part) => part.objects),
        resources: sorted.map(({ type, urn, name, props }) => ({
          type,
          urn,
          name,
          props: () => snapshot(props),
        })),
      };
      spec.validateStack(view, read, reportOn);
    },
  );
  return violations;
}

/** An error in a rule must neither end the run without a word of what was judged, nor let the resource pass. */
function guard(
  spec: RuleSpec<ConfigFields>,
  documentation: string,
  violations: Violation[],
  subject: () => Subject,
  judge: () => void,
): void {
  try {
    judge();
  } catch (error) {
    const { title, urn } = subject();
    const cause = error instanceof Error ? error.message : String(error);
    violations.push({
      rule: spec.name,
      kind: "failed",
      urn,
      message: [
        `${title} could not be judged: the rule ${spec.name} failed with "${cause}".`,
        "Why it blocks: a resource that was not judged may break the rule.",
        `What to do: report this with the resource's definition. Until it is mended, set the rule's enforcementLevel to "advisory" and review the resource by hand.`,
        `See ${documentation}`,
      ].join("\n"),
    });
  }
}

function reporters(
  spec: RuleSpec<ConfigFields>,
  documentation: string,
  violations: Violation[],
): (subject: Subject) => Reporter {
  return ({ title, path, urn }) => ({
    violation: ({ at, found, danger, fix }) => {
      const message = [
        `${title}: ${path}${at} ${found}.`,
        `Why it is dangerous: ${danger}`,
        `Write instead: ${fix}`,
        `See ${documentation}`,
      ].join("\n");
      violations.push({ rule: spec.name, kind: "violation", urn, message });
    },
    unverifiable: ({ at, found = "is not known in the preview", danger, fix }) => {
      const message = [
        `${title} cannot be verified: ${path}${at} ${found}.`,
        `Why it blocks: ${danger} What cannot be verified is not compliant.`,
        `Write instead: ${fix}`,
        `See ${documentation}`,
      ].join("\n");
      violations.push({ rule: spec.name, kind: "unverifiable", urn, message });
    },
  });
}

function reportUnreadable(part: UnreadableObject, reportOn: (subject: Subject) => Reporter): void {
  const [at = "", ...rest] = part.problem.split(" ");
  reportOn({ ...part, path: "" }).unverifiable({
    at,
    found: rest.join(" "),
    danger: "the objects behind it cannot be checked before they are deployed.",
    fix: "a definition that does not depend on values another resource only has after the update.",
  });
}

function misconfigured(
  spec: RuleSpec<ConfigFields>,
  documentation: string,
  { title, urn }: Subject,
  problems: readonly Parameters<typeof describeConfigProblem>[0][],
): Violation {
  const message = [
    `${title} was not judged: the configuration of the rule ${spec.name} in the policy pack is wrong.`,
    ...problems.map((problem) => `- ${describeConfigProblem(problem)}`),
    `See ${documentation}`,
  ].join("\n");
  return { rule: spec.name, kind: "misconfigured", urn, message };
}
