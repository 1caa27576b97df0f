import type { Rule } from "../../policypack/define-rule";
import { either } from "../../policypack/reachability/read-problem";
import type { Note } from "../../policypack/reachability/reachability";
import { checkRules, type ExceptedFinding, type Finding as RuleFinding } from "../check/check-rules";
import type { PackConfig } from "../check/pack-config";
import { isListed } from "../cluster/cluster-kinds";
import type { Finding } from "./finding";
import type { LiveCluster } from "./live-cluster";
import { isInScope, type Scope } from "./scope";
import { networkResource, type ExpectedStack } from "./stack";

/** The rules, and how they are to judge. */
export interface Pack {
  readonly rules: readonly Rule[];
  readonly config: PackConfig;
  /** The day by which exceptions are in date, as in `2026-12-31`. */
  readonly today: string;
}

/** What the rules say of a cluster. */
export interface RuleFindings {
  /** By rule; those that are disabled, and those on kinds that are not read from clusters, judge nothing and are not in it. */
  readonly byRule: ReadonlyMap<string, readonly Finding[]>;
  /** Which rules judge nothing because of their kinds. */
  readonly notes: readonly Note[];
  /** What exceptions of the configuration cover. */
  readonly excepted: readonly ExceptedFinding[];
}

/**
 * Judges a cluster by the rules. A rule on single objects sees those in scope. A stack rule sees the whole cluster, since whoever talks
 * to a namespace may be anywhere; what it says of objects that are not in scope is left out.
 */
export function judgeRules(
  live: LiveCluster,
  scope: Scope,
  stack: ExpectedStack | undefined,
  { rules: all, config, today }: Pack,
): RuleFindings {
  const rules = all.filter(({ kinds }) => kinds.some(isListed));
  const outside = new Set(
    live.resources.filter(({ object }) => !isInScope(object, scope)).map(({ urn }) => urn),
  );
  const check = checkRules(
    {
      inputs: live.resources.filter(({ urn }) => !outside.has(urn)),
      outputs: [...live.resources, ...(stack === undefined ? [] : [networkResource(stack)])],
      objects: live.objects.length,
      notes: [],
      placeOf: (urn) => ({ source: "the cluster", index: 0, urn }),
    },
    rules,
    forLiveCluster(config, rules),
    today,
  );
  const isInside = ({ place }: RuleFinding): boolean => place?.urn === undefined || !outside.has(place.urn);
  const byRule = new Map<string, Finding[]>(check.rules.map(({ rule }) => [rule.name, []]));
  for (const finding of check.findings) {
    // A configuration serves many clusters: what an exception is for may be in another.
    if (!isInside(finding) || finding.kind === "unused") continue;
    const { rule, level, kind, about, at, found, danger, fix, documentation } = finding;
    const kept = { rule, level, kind, about, at, found, danger, fix, documentation };
    byRule.set(rule, [...(byRule.get(rule) ?? []), kept]);
  }
  const notes = all
    .filter((rule) => !rules.includes(rule))
    .map(({ name, kinds }) => ({
      about: `The rule ${name}`,
      at: "",
      text: `it judges nothing here: objects of kind ${either(kinds.map(({ kind }) => kind))} are not read from clusters`,
    }));
  return { byRule, notes, excepted: check.excepted.filter(isInside) };
}

/**
 * The configuration as it holds where the cluster itself is there to be seen: the namespaces are chosen already, so rules that except
 * some by default except none; and of a baseline only what is declared counts, since what it says to exist may be gone.
 */
function forLiveCluster(config: PackConfig, rules: readonly Rule[]): PackConfig {
  const excluding = new Set(
    rules.filter((rule) => Object.hasOwn(rule.config, "exclude")).map(({ name }) => name),
  );
  return {
    ...config,
    settings: (rule) => {
      const given = config.settings(rule);
      const settings = isRecord(given) ? given : {};
      const { baseline } = settings;
      const changes = {
        ...(excluding.has(rule) && settings.exclude === undefined ? { exclude: [] } : {}),
        ...(Array.isArray(baseline) ? { baseline: baseline.map(withoutObjects) } : {}),
      };
      return Object.keys(changes).length === 0 ? given : { ...settings, ...changes };
    },
  };
}

function withoutObjects(item: unknown): unknown {
  return isRecord(item) ? { ...item, objects: [] } : item;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
