import type { EnforcementLevel } from "@pulumi/policy";
import { readConfig, type ConfigProblem } from "../../policypack/config-field";
import type { Rule } from "../../policypack/define-rule";
import { baselineField } from "../../policypack/baseline";
import { exceptionPolicyNames } from "../../policypack/exception-policies";
import { isObject, type Plain, type PlainObject } from "../../policypack/plain-data";
import { either, nearest } from "../../policypack/reachability/read-problem";
import type { Note } from "../../policypack/reachability/reachability";
import { baselinePolicyName, withSharedBaseline } from "../../policypack/shared-baseline";
import { readJson } from "../inputs/read-json";
import { displayName, readText } from "../inputs/read-text";
import { UsageError } from "../usage-error";

/** What the configuration of a policy pack says of each of its policies. */
export interface PackConfig {
  /** The level at which a policy counts, its own where the configuration names none. */
  level(policy: string): EnforcementLevel;
  /** The rule's settings, as the user wrote them, with the baseline of all rules; undefined where there are none. */
  settings(rule: string): unknown;
  /** The line of the file, from 1, and the file where something is configured; undefined without a file. */
  lineOf(path: string): { readonly file: string; readonly line: number } | undefined;
  readonly notes: readonly Note[];
}

/** What the engine takes (`apitype.EnforcementLevel`). */
const levels: readonly EnforcementLevel[] = ["advisory", "mandatory", "disabled", "remediate"];

/** Applies to every policy that has no level of its own in the configuration. */
const all = "all";
/** Names environments of Pulumi ESC, which the engine opens for the pack. */
const environments = "environments";

/**
 * Reads the configuration of the pack in the form of `pulumi --policy-pack-config`: by policy a level, or an object with
 * `enforcementLevel` and the rule's own keys.
 *
 * Throws {@link UsageError} with every problem at its line. Unlike the engine, it takes no policy that does not exist.
 *
 * @param file undefined for none: every rule then has its defaults
 */
export function readPackConfig(file: string | undefined, rules: readonly Rule[]): PackConfig {
  const source = file === undefined ? undefined : { name: displayName(file), text: readText(file) };
  const config = source === undefined ? {} : parse(source);
  const lines = source === undefined ? undefined : lazily(() => fieldLocator().fieldLines(source.text));
  const lineOf = (path: string) =>
    source === undefined || lines === undefined ? undefined : { file: source.name, line: lines()(path) + 1 };
  const problems = [...problemsOf(config, rules)];
  if (problems.length > 0) {
    const texts = problems.map(({ key, found, allowed, fix }) => {
      const { file: name = "", line = 1 } = lineOf(key) ?? {};
      return `${name}:${line}: ${key === "" ? "the configuration" : key} is ${found}\n  allowed: ${allowed}\n  fix:     ${fix}`;
    });
    throw new UsageError(texts.join("\nerror: "));
  }
  const defaults = new Map<string, EnforcementLevel>([
    ...rules.map(({ name, enforcementLevel }): [string, EnforcementLevel] => [name, enforcementLevel]),
    [exceptionPolicyNames.inDate, "mandatory"],
    [exceptionPolicyNames.told, "advisory"],
  ]);
  const ofAll = readEntry(config[all]).level;
  const takesBaseline = new Set(rules.filter((rule) => "baseline" in rule.config).map(({ name }) => name));
  const shared = readEntry(config[baselinePolicyName]);
  const baseline = (shared.level ?? ofAll) === "disabled" ? undefined : shared.settings?.baseline;
  return {
    level: (policy) => readEntry(config[policy]).level ?? ofAll ?? defaults.get(policy) ?? "advisory",
    settings: (rule) => {
      const { settings } = readEntry(config[rule]);
      return takesBaseline.has(rule) ? withSharedBaseline(settings, baseline) : settings;
    },
    lineOf,
    notes:
      config[environments] === undefined
        ? []
        : [
            {
              about: source?.name ?? "",
              at: environments,
              text: "environments of Pulumi ESC are not opened here; rules read none",
            },
          ],
  };
}

function parse({ name, text }: { name: string; text: string }): PlainObject {
  // As the engine has it.
  if (text.trim() === "") return {};
  const value = readJson(text);
  if (value === undefined) {
    let problem = "has a key twice in one object";
    try {
      JSON.parse(text);
    } catch (error) {
      problem = `is not JSON: ${error instanceof Error ? error.message : String(error)}`;
    }
    throw new UsageError(`${name} ${problem}\n${remedy}`);
  }
  if (!isObject(value)) throw new UsageError(`${name} is no object\n${remedy}`);
  return value;
}

const remedy =
  '  allowed: what pulumi --policy-pack-config takes: an object by rule, as in {"netpol-ports-required": {"maxRangePorts": 60}}\n' +
  "  fix:     correct it";

function* problemsOf(config: PlainObject, rules: readonly Rule[]): Iterable<ConfigProblem> {
  const withoutSettings = [all, ...Object.values(exceptionPolicyNames)];
  const known = [...rules.map(({ name }) => name), baselinePolicyName, ...withoutSettings];
  for (const [policy, value] of Object.entries(config)) {
    if (policy === environments) continue;
    const rule = rules.find(({ name }) => name === policy);
    if (!known.includes(policy)) {
      const meant = nearest(policy, known);
      yield {
        key: policy,
        found: "no rule of the pack",
        allowed: [...known].sort().join(", "),
        fix: meant === undefined ? "remove it, or write the name of a rule" : `write ${meant}`,
      };
      continue;
    }
    const level = isObject(value) ? value.enforcementLevel : value;
    if (level !== undefined && !levels.some((name) => name === level)) {
      yield {
        key: isObject(value) ? `${policy}.enforcementLevel` : policy,
        found: JSON.stringify(level),
        allowed: isObject(value)
          ? either(levels)
          : `${either(levels)}, or an object with enforcementLevel and the rule's keys`,
        fix: "write one of them, or leave it out",
      };
    }
    const { settings } = readEntry(value);
    if (rule !== undefined) {
      for (const problem of rule.configProblems(settings)) {
        yield { ...problem, key: `${policy}.${problem.key}` };
      }
    } else if (policy === baselinePolicyName) {
      for (const problem of readConfig(baselineField, settings).problems) {
        yield { ...problem, key: `${policy}.${problem.key}` };
      }
    } else if (settings !== undefined) {
      for (const [key, found] of Object.entries(settings)) {
        yield {
          key: `${policy}.${key}`,
          found: JSON.stringify(found),
          allowed: `enforcementLevel alone: ${policy} has no settings`,
          fix: `remove ${key}`,
        };
      }
    }
  }
}

function readEntry(value: Plain | undefined): {
  readonly level?: EnforcementLevel | undefined;
  readonly settings?: PlainObject;
} {
  if (!isObject(value)) return { level: value as EnforcementLevel | undefined };
  const { enforcementLevel, ...settings } = value;
  return {
    level: enforcementLevel as EnforcementLevel | undefined,
    ...(Object.keys(settings).length === 0 ? {} : { settings }),
  };
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function fieldLocator(): typeof import("../inputs/locate-field") {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- it is needed only where something is wrong
  return require("../inputs/locate-field") as typeof import("../inputs/locate-field");
}
