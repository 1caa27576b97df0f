import type {
  EnforcementLevel,
  PolicyConfigSchema,
  ReportViolation,
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
  type ConfigProblem,
} from "./config-field";
import { exceptionRegister } from "./exception-policies";
import { currentDay, Exceptions, exceptionsField, type Exception, type ExceptionUse } from "./exceptions";
import {
  readObjects,
  sourceOf,
  type Kind,
  type KubernetesObject,
  type ObservedResource,
  type UnreadableObject,
} from "./kubernetes-object";
import { type Plain } from "./plain-data";
import { sharedBaseline } from "./shared-baseline";
import { StackViews, viewStack } from "./stack-view";

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
  /** Whether they are deployed with Pulumi's option `protect`; absent means no. */
  readonly protect?: boolean;
  /** The rule's configuration that it is judged with; absent means the defaults. */
  readonly config?: Readonly<Record<string, unknown>>;
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
  /** Set where it blocks even at the rule's level `advisory`. */
  readonly mandatory?: true;
  /** What mends it, where that can be added without overruling anything the author wrote. */
  readonly addition?: Addition;
}

/** A field to add to an object, at the enforcement level `remediate`. */
export interface Addition {
  /** Where: `["metadata", "labels", "network-policy"]`; what is missing on the way is made. */
  readonly keys: readonly string[];
  readonly value: string;
}

/** Something a rule's verdict depends on and that cannot be known: blocked like a violation, but told apart from one. */
export interface UnverifiableFinding {
  readonly at: string;
  /** Default: `is not known in the preview`. */
  readonly found?: string;
  /** What could be wrong behind the unknown. */
  readonly danger: string;
  readonly fix: string;
  /** Set where it blocks even at the rule's level `advisory`. */
  readonly mandatory?: true;
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
  /** What may hold objects of the rule's kinds and cannot be read. */
  readonly unreadable: readonly UnreadableObject[];
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
  /** The rule's own keys; every rule also has `exceptions`. */
  readonly config: F;
  /** The kinds that are judged, in all their versions and in Lists. */
  readonly kinds: readonly Kind[];
  /** How a `…Patch` twin is judged, whose missing fields are decided by the live object. */
  readonly patches: string;
  /** What the rule leaves to others, or cannot see. */
  readonly limits?: string;
  /**
   * The rules that report what this one cannot read, so that one cause is not reported by every rule that meets it. Absent: it
   * reports that itself.
   */
  readonly leavesUnreadTo?: readonly string[];
  readonly examples: { readonly good: readonly Example[]; readonly bad: readonly Example[] };
}

export interface ResourceRuleSpec<F extends ConfigFields> extends RuleSpec<F> {
  /** Judges one object before it is created or updated. */
  readonly validate: (object: KubernetesObject, config: ConfigOf<F>, report: Reporter) => void;
  /** What the enforcement level `remediate` adds, and what it leaves alone; only for rules whose findings have additions. */
  readonly additions?: string;
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
  /** What it is about, as the message names it: `NetworkPolicy erlmcp/erlmcp-egress`. */
  readonly about: string;
  /** Path of the field within the resource, as in `items[2].spec.egress[1]`; "" where it is about no field. */
  readonly at: string;
  /** Ends the sentence that `about` and `at` begin. */
  readonly found: string;
  /** Why it is dangerous, or why it blocks. */
  readonly danger: string;
  /** What to write instead, or what to do. */
  readonly fix: string;
  /** All of it, with the place of the documentation. */
  readonly message: string;
  /** Set where it blocks even at the rule's level `advisory`. */
  readonly mandatory?: true;
  /** What mends it; its keys begin at the resource's properties. */
  readonly addition?: Addition;
}

/** What a rule says of resources. */
export interface Judgement {
  /** What counts against them. */
  readonly violations: readonly Violation[];
  /** What each of the configured exceptions did, in their order; empty where the configuration was wrong. */
  readonly exceptions: readonly ExceptionUse[];
}

/** A rule: everything about it that the pack, the catalogue, the command line and the tests use. */
export interface Rule extends RuleSpec<ConfigFields> {
  readonly scope: "resource" | "stack";
  /** What the enforcement level `remediate` adds; undefined for rules that it leaves mandatory. */
  readonly additions: string | undefined;
  /** Where the catalogue describes it. */
  readonly documentation: string;
  readonly configSchema: PolicyConfigSchema;
  /** What is wrong with the rule's configuration as the user wrote it. */
  configProblems(config: unknown): readonly ConfigProblem[];
  /**
   * Judges resources, without Pulumi: a resource rule each for itself, a stack rule all together. Never throws.
   * @param config The rule's configuration as the user wrote it; undefined or a missing key means the default.
   * @param today The day by which exceptions are in date (`2026-12-31`); default: the current one by UTC.
   */
  judge(resources: readonly ObservedResource[], config?: unknown, today?: string): Judgement;
  /** The rule as a CrossGuard policy. */
  readonly policy: ResourceValidationPolicy | StackValidationPolicy;
}

const catalogue = "docs/rules.md";
const exceptionsKey = "exceptions";

/** Makes a rule from its specification; the only way to make one. */
export function defineRule<F extends ConfigFields>(spec: ResourceRuleSpec<F> | StackRuleSpec<F>): Rule {
  const documentation = `${catalogue}#${spec.name}`;
  if (Object.hasOwn(spec.config, exceptionsKey)) {
    throw new Error(`the rule ${spec.name} has a key ${exceptionsKey} of its own: every rule has it already`);
  }
  const fields = { ...spec.config, [exceptionsKey]: exceptionsField };
  const configSchema = { properties: jsonSchemaOf(fields) };

  const readSettings = (config: unknown): Settings<F> => {
    const { config: read, problems } = readConfig(fields, config);
    const { [exceptionsKey]: exceptions, ...own } = read as ConfigOf<{
      [exceptionsKey]: typeof exceptionsField;
    }>;
    return { config: own as ConfigOf<F>, exceptions, problems };
  };
  const judgeBy = (
    reading: Reading<F>,
    resources: readonly ObservedResource[],
    config: unknown,
    today?: string,
  ): Judgement => {
    const judging = new Judging(spec, documentation, config, reading.settings, today);
    if ("validateStack" in spec) judging.judgeStack(spec, (kinds) => reading.view(resources, kinds));
    else for (const resource of resources) judging.judgeResource(spec, resource);
    return judging.result();
  };
  const inEngine: Reading<F> = {
    settings: rememberLast(readSettings),
    view: (resources, kinds) => stackViews.of(resources, kinds),
  };
  const judgeForEngine = (resources: readonly ObservedResource[], config: unknown): readonly Violation[] => {
    const settings = "baseline" in spec.config ? sharedBaseline.addTo(config) : config;
    const { violations, exceptions } = judgeBy(inEngine, resources, settings);
    exceptionRegister.add(exceptions);
    return violations;
  };

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
    configSchema,
  };
  const policy: ResourceValidationPolicy | StackValidationPolicy =
    "validateStack" in spec
      ? {
          ...metadata,
          validateStack: (args, reportViolation) => {
            for (const violation of judgeForEngine(args.resources, args.getConfig()))
              tell(reportViolation, spec.description, violation);
          },
        }
      : {
          ...metadata,
          validateResource: (args, reportViolation) => {
            for (const violation of judgeForEngine([args], args.getConfig()))
              tell(reportViolation, spec.description, violation);
          },
          ...(spec.additions === undefined
            ? {}
            : {
                // It is judged anew after this, with what was added, so exceptions are not counted here.
                remediateResource: (args) =>
                  withAdditions(args.props, judgeBy(inEngine, [args], args.getConfig()).violations),
              }),
        };
  const scope = "validateStack" in spec ? "stack" : "resource";
  const configProblems = (config: unknown): readonly ConfigProblem[] => readConfig(fields, config).problems;
  const additions = "validateStack" in spec ? undefined : spec.additions;
  return {
    ...spec,
    scope,
    additions,
    documentation,
    configSchema,
    configProblems,
    policy,
    judge: (resources, config, today) =>
      judgeBy({ settings: readSettings, view: viewStack }, resources, config, today),
  };
}

/** How a rule reads what it is given. The engine gives it the same again and again: for every resource, to every rule. */
interface Reading<F extends ConfigFields> {
  readonly settings: (config: unknown) => Settings<F>;
  readonly view: typeof viewStack;
}

/** The views of this process's rules: the engine gives every run of a pack a process of its own. */
const stackViews = new StackViews();

/** A rule's configuration, read. */
interface Settings<F extends ConfigFields> {
  readonly config: ConfigOf<F>;
  readonly exceptions: readonly Exception[];
  readonly problems: readonly ConfigProblem[];
}

/** A function of JSON data that has its last answer ready where it is asked the same again. */
function rememberLast<T>(answer: (question: unknown) => T): (question: unknown) => T {
  let last: { readonly question: string | undefined; readonly answer: T } | undefined;
  return (question) => {
    const text = JSON.stringify(question) as string | undefined;
    if (last === undefined || last.question !== text) last = { question: text, answer: answer(question) };
    return last.answer;
  };
}

/** Reports a violation to the engine. */
function tell(report: ReportViolation, description: string, { message, urn, mandatory }: Violation): void {
  if (mandatory !== true) {
    report(message, urn);
    return;
  }
  // The one way in which a finding has a level of its own; the SDK takes it, but its types know only text.
  const own = { message: `${description}\n${message}`, urn, enforcementLevel: "mandatory" };
  report(own as unknown as string);
}

/**
 * The properties, as the policy SDK hands them out, with what mends the violations; undefined where nothing does. They are changed in
 * place, through the SDK's proxies, which keep secrets secret and leave what is not known as it is.
 */
function withAdditions(
  props: Record<string, unknown>,
  violations: readonly Violation[],
): Record<string, unknown> | undefined {
  const additions = violations.flatMap(({ addition }) => addition ?? []);
  for (const { keys, value } of additions) addAt(props, keys, value);
  return additions.length === 0 ? undefined : props;
}

function addAt(parent: Record<string, unknown>, [key = "", ...rest]: readonly string[], value: string): void {
  if (rest.length === 0) {
    parent[key] = value;
    return;
  }
  parent[key] ??= {};
  // A rule adds only where it has read objects, or nothing.
  addAt(parent[key] as Record<string, unknown>, rest, value);
}

/** The keys of the path of an object within a List: `items[2].` is items and 2. */
function keysOf(path: string): readonly string[] {
  return path.match(/[^.[\]]+/g) ?? [];
}

function hasExceptions(config: unknown): boolean {
  if (typeof config !== "object" || config === null || !(exceptionsKey in config)) return false;
  return !Array.isArray(config[exceptionsKey]) || config[exceptionsKey].length > 0;
}

/** One run of a rule. */
class Judging<F extends ConfigFields> {
  private readonly violations: Violation[] = [];
  /** Undefined until it is needed: most resources are of no kind that the rule judges. */
  private settings: (Omit<Settings<F>, "exceptions"> & { readonly exceptions: Exceptions }) | undefined;

  constructor(
    private readonly spec: RuleSpec<F>,
    private readonly documentation: string,
    private readonly given: unknown,
    private readonly readSettings: (given: unknown) => Settings<F>,
    private readonly today: string | undefined,
  ) {}

  result(): Judgement {
    // Exceptions count also where no resource is judged: they may be out of date, or not needed.
    const { exceptions } = hasExceptions(this.given) ? this.read() : (this.settings ?? {});
    return { violations: this.violations, exceptions: exceptions?.result() ?? [] };
  }

  judgeResource({ validate }: Pick<ResourceRuleSpec<F>, "validate">, resource: ObservedResource): void {
    let subject: Subject = {
      title: `${resource.type} (${sourceOf(resource)})`,
      path: "",
      urn: resource.urn,
    };
    this.guard(
      () => subject,
      () => {
        const { objects, unreadable } = readObjects(resource, this.spec.kinds);
        if (objects.length === 0 && unreadable.length === 0) return;
        const { config, problems } = this.read();
        if (problems.length > 0) {
          this.misconfigured(objects[0] ?? subject, problems);
          return;
        }
        unreadable.forEach(this.reportUnreadable);
        for (const object of objects) {
          subject = object;
          validate(object, config, this.reportOn(object));
        }
      },
    );
  }

  judgeStack(
    { validateStack }: Pick<StackRuleSpec<F>, "validateStack">,
    viewOf: (kinds: readonly Kind[]) => Stack,
  ): void {
    const stack: Subject = { title: "The stack", path: "", urn: undefined };
    this.guard(
      () => stack,
      () => {
        const { config, problems } = this.read();
        if (problems.length > 0) {
          this.misconfigured(stack, problems);
          return;
        }
        const view = viewOf(this.spec.kinds);
        if (this.spec.leavesUnreadTo === undefined) view.unreadable.forEach(this.reportUnreadable);
        validateStack(view, config, this.reportOn);
      },
    );
  }

  private read(): NonNullable<typeof this.settings> {
    if (this.settings !== undefined) return this.settings;
    const { config, exceptions, problems } = this.readSettings(this.given);
    return (this.settings = {
      config,
      // Where there are problems, an item may lack what its type promises.
      exceptions: new Exceptions(
        this.spec.name,
        problems.length > 0 ? [] : exceptions,
        this.today ?? currentDay(),
      ),
      problems,
    });
  }

  /** An error in a rule must neither end the run without a word of what was judged, nor let the resource pass. */
  private guard(subject: () => Subject, judge: () => void): void {
    try {
      judge();
    } catch (error) {
      const { title, urn } = subject();
      const cause = error instanceof Error ? error.message : String(error);
      const found = `could not be judged: the rule ${this.spec.name} failed with "${cause}".`;
      const danger = "a resource that was not judged may break the rule.";
      const fix = `report this with the resource's definition. Until it is mended, set the rule's enforcementLevel to "advisory" and review the resource by hand.`;
      this.violations.push({
        ...{ rule: this.spec.name, kind: "failed", urn, about: title, at: "", found, danger, fix },
        message: this.message(`${title} ${found}`, `Why it blocks: ${danger}`, `What to do: ${fix}`),
      });
    }
  }

  private readonly reportOn = ({ title, path, urn }: Subject): Reporter => ({
    violation: ({ at, found, danger, fix, addition, ...level }) => {
      const mend =
        addition === undefined
          ? {}
          : { addition: { ...addition, keys: [...keysOf(path), ...addition.keys] } };
      this.report(
        { kind: "violation", urn, about: title, at: `${path}${at}`, found, danger, fix, ...level, ...mend },
        path,
        `${title}: ${path}${at} ${found}.`,
        `Why it is dangerous: ${danger}`,
      );
    },
    unverifiable: ({ at, found = "is not known in the preview", danger, fix, ...level }) => {
      const why = `${danger} What cannot be verified is not compliant.`;
      this.report(
        { kind: "unverifiable", urn, about: title, at: `${path}${at}`, found, danger: why, fix, ...level },
        path,
        `${title} cannot be verified: ${path}${at} ${found}.`,
        `Why it blocks: ${why}`,
      );
    },
  });

  private report(
    finding: Omit<Violation, "rule" | "message">,
    path: string,
    ...[what, why]: readonly [string, string]
  ): void {
    const { exceptions } = this.read();
    const lines = [what, why, `Write instead: ${finding.fix}`];
    const violation = { ...finding, rule: this.spec.name, message: this.message(...lines) };
    if (exceptions.accept(violation, path)) return;
    const expired = exceptions
      .expiredFor(violation, path)
      .map(({ reason, until }) => `An exception covered it until ${until}: ${reason}`);
    this.violations.push(
      expired.length === 0 ? violation : { ...violation, message: this.message(...lines, ...expired) },
    );
  }

  private readonly reportUnreadable = (part: UnreadableObject): void => {
    const [at = "", ...rest] = part.problem.split(" ");
    this.reportOn({ ...part, path: "" }).unverifiable({
      at,
      found: rest.join(" "),
      danger: "the objects behind it cannot be checked before they are deployed.",
      fix: "a definition that does not depend on values another resource only has after the update.",
    });
  };

  private misconfigured({ title, urn }: Subject, problems: readonly ConfigProblem[]): void {
    const what = `was not judged: the configuration of the rule ${this.spec.name} in the policy pack is wrong.`;
    const list = problems.map((problem) => `- ${describeConfigProblem(problem)}`);
    this.violations.push({
      rule: this.spec.name,
      kind: "misconfigured",
      urn,
      about: title,
      at: "",
      found: [what, ...list].join("\n"),
      danger: "a resource that was not judged may break the rule.",
      fix: "correct the configuration of the policy pack.",
      message: this.message(`${title} ${what}`, ...list),
    });
  }

  private message(...lines: readonly string[]): string {
    return [...lines, `See ${this.documentation}`].join("\n");
  }
}
