import type { ReadProblem } from "../../policypack/reachability/read-problem";
import type { Note } from "../../policypack/reachability/reachability";
import type { PackConfig } from "../check/pack-config";
import type { LiveObject } from "../cluster/live-objects";
import { checkDefinitions, type CheckDefinition, type CheckId } from "./checks";
import { ownFinding, type Finding } from "./finding";
import { judgeRules, type Pack, type RuleFindings } from "./judge-rules";
import { readLiveCluster, type LiveCluster } from "./live-cluster";
import { isInScope, scopeOf, type Scope } from "./scope";
import type { ExpectedStack } from "./stack";
import { stackDrift } from "./stack-drift";
import { unservedPods } from "./unserved-pods";

/** The answer to one check. */
export interface Check {
  readonly id: string;
  readonly title: string;
  /** `advice`: what was found does not fail it. `skipped`: nothing was judged, for the reason given. */
  readonly status: "passed" | "failed" | "advice" | "skipped";
  readonly reason?: string;
  readonly findings: readonly Finding[];
}

/** What was found in a cluster. */
export interface Validation extends Pick<RuleFindings, "excepted"> {
  /** The namespaces that were judged, sorted. */
  readonly namespaces: readonly string[];
  readonly checks: readonly Check[];
  /** What the answer rests on. */
  readonly notes: readonly Note[];
}

export interface ValidationOptions extends Pack {
  /** Names of namespaces; absent means those that the stack creates or adopts, or without a stack all but Kubernetes' own. */
  readonly namespaces?: readonly string[];
  /** Absent means that the cluster is compared with no stack. */
  readonly stack?: ExpectedStack;
}

/** Judges what is in a cluster. Throws `UsageError` for namespaces that are neither in the cluster nor in the stack. */
export function validateCluster(objects: readonly LiveObject[], options: ValidationOptions): Validation {
  const { stack, config } = options;
  const live = readLiveCluster(objects);
  const managed = stack?.network.namespaces.map(({ name }) => name);
  const scope = scopeOf(objects, { asked: options.namespaces, managed });
  const drift = stack === undefined ? undefined : stackDrift(stack.network, live, scope);
  const { byRule, excepted, notes } = judgeRules(live, scope, stack, options);
  const own: Partial<Record<CheckId, readonly Finding[]>> = {
    ...drift?.findings,
    ...(stack !== undefined || hasBaseline(config) ? { matrix: [] } : {}),
    pods: unservedPods(live.cluster, scope),
    readable: unreadable(live, scope, byRule),
  };
  const mapped = new Set<string>(checkDefinitions.flatMap(({ rules }) => rules));
  const others = [...byRule.keys()].filter((name) => !mapped.has(name));
  const definitions: readonly CheckDefinition[] = [
    ...checkDefinitions,
    ...(others.length === 0
      ? []
      : [{ id: "other-rules", title: "The policy pack's other rules hold", rules: others }]),
  ];
  return {
    namespaces: [...scope].sort(),
    checks: definitions.map((definition) => answer(definition, own[definition.id as CheckId], byRule)),
    excepted,
    notes: [
      ...live.notes,
      ...config.notes,
      ...notes,
      ...(drift?.notes ?? []),
      ...unreadElsewhere(live, scope),
    ],
  };
}

/** Whether the configuration declares what may be open, as a stack does. */
function hasBaseline(config: PackConfig): boolean {
  const settings = config.settings("matrix-conformance") as { readonly baseline?: unknown } | undefined;
  return Array.isArray(settings?.baseline) && settings.baseline.length > 0;
}

function answer(
  { id, title, rules, needsStack = false }: CheckDefinition,
  own: readonly Finding[] | undefined,
  byRule: RuleFindings["byRule"],
): Check {
  const judging = rules.filter((name) => byRule.has(name));
  const findings = [...(own ?? []), ...judging.flatMap((name) => byRule.get(name) ?? [])];
  const check = { id, title, findings };
  if (findings.some(({ level }) => level === "mandatory")) return { ...check, status: "failed" };
  if (findings.length > 0) return { ...check, status: "advice" };
  if (own === undefined && needsStack) {
    return { ...check, status: "skipped", reason: "there is no stack to compare with: name it with --stack" };
  }
  if (own !== undefined || judging.length > 0) return { ...check, status: "passed" };
  return { ...check, status: "skipped", reason: "no rule of the policy pack answers it" };
}

/** What no rule has reported already. */
function unreadable({ problems }: LiveCluster, scope: Scope, byRule: RuleFindings["byRule"]): Finding[] {
  const reported = new Set(
    ["netpol-valid", "reachability-known"].flatMap((rule) =>
      (byRule.get(rule) ?? []).map(({ about, at }) => `${about}: ${at}`),
    ),
  );
  return problems
    .filter(({ object }) => concerns(object, scope))
    .filter(({ title, at }) => !reported.has(`${title}: ${at}`))
    .map(({ title, at, problem, allowed, fix }) =>
      ownFinding({
        kind: "unreadable",
        about: title,
        at,
        found: problem,
        danger: "what depends on it was not judged, and may be wrong.",
        fix: `${fix}; allowed: ${allowed}.`,
      }),
    );
}

function unreadElsewhere({ problems }: LiveCluster, scope: Scope): Note[] {
  return problems
    .filter(({ object }) => !concerns(object, scope))
    .map(({ title, at, problem }) => ({ about: title, at, text: `${problem}, so it is not in this answer` }));
}

function concerns(source: ReadProblem["object"], scope: Scope): boolean {
  return !("object" in source) || isInScope(source.object as LiveObject, scope);
}
