import type { CompiledNetwork } from "../../matrix";
import type { Rule } from "../../policypack/define-rule";
import type { ObservedResource } from "../../policypack/kubernetes-object";
import type { ReadProblem } from "../../policypack/reachability/read-problem";
import { selectsEverything } from "../../policypack/reachability/selector";
import type { Note } from "../../policypack/reachability/reachability";
import { checkRules, type ExceptedFinding, type Finding as RuleFinding } from "../check/check-rules";
import type { PackConfig } from "../check/pack-config";
import type { LiveObject } from "../cluster/live-objects";
import { networkComponent } from "../inputs/stack-matrix";
import { UsageError } from "../usage-error";
import { checkDefinitions, type CheckDefinition, type CheckId } from "./checks";
import { ownFinding, type Finding } from "./finding";
import { readLiveCluster, titleOf, type LiveCluster } from "./live-cluster";
import { opensFor, stackDrift } from "./stack-drift";

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
export interface Validation {
  /** The namespaces that were judged, sorted. */
  readonly namespaces: readonly string[];
  readonly checks: readonly Check[];
  /** What exceptions of the configuration cover. */
  readonly excepted: readonly ExceptedFinding[];
  /** What the answer rests on. */
  readonly notes: readonly Note[];
}

export interface ValidationOptions {
  /** Names of namespaces; absent means those that the stack creates or adopts, or without a stack all but Kubernetes' own. */
  readonly namespaces?: readonly string[];
  /** Absent means that the cluster is compared with no stack. */
  readonly network?: CompiledNetwork;
  readonly rules: readonly Rule[];
  readonly config: PackConfig;
  /** The day by which exceptions are in date, as in `2026-12-31`. */
  readonly today: string;
}

/** Namespaces that Kubernetes makes itself. */
const ownNamespaces: readonly string[] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/** Judges what is in a cluster. Throws {@link UsageError} for namespaces that are neither in the cluster nor in the stack. */
export function validateCluster(objects: readonly LiveObject[], options: ValidationOptions): Validation {
  const { network } = options;
  const live = readLiveCluster(objects);
  const scope = scopeOf(live, options);
  const drift = network === undefined ? undefined : stackDrift(network, live, scope);
  const { byRule, excepted } = judgeRules(live, scope, options);
  const own: Partial<Record<CheckId, readonly Finding[]>> = {
    ...(drift === undefined
      ? {}
      : {
          "default-deny": drift.defaultDeny,
          "service-policies": drift.policies,
          namespaces: drift.namespaces,
          surroundings: drift.meshObjects,
          strays: drift.strays,
        }),
    pods: unservedPods(live, scope),
    readable: unreadable(live, scope),
  };
  const mapped = new Set<string>(checkDefinitions.flatMap((check) => check.rules));
  const others = [...byRule.keys()].filter((name) => !mapped.has(name));
  const definitions: readonly CheckDefinition[] = [
    ...checkDefinitions,
    { id: "other-rules", title: "The policy pack's other rules hold", rules: others },
  ].filter(({ id, rules }) => id !== "other-rules" || rules.length > 0);
  return {
    namespaces: [...scope].sort(),
    checks: definitions.map((definition) => {
      const known = definition.rules.filter((name) => byRule.has(name));
      const ownFindings = own[definition.id as CheckId];
      const findings = [...(ownFindings ?? []), ...known.flatMap((name) => byRule.get(name) ?? [])];
      return answer(
        definition,
        findings,
        known.length > 0 || ownFindings !== undefined,
        network === undefined,
      );
    }),
    excepted,
    notes: [...live.notes, ...options.config.notes, ...(drift?.notes ?? []), ...unreadElsewhere(live, scope)],
  };
}

/** Checks that need a stack to compare with. */
const stackChecks: readonly string[] = ["strays", "matrix"];

function answer(
  { id, title }: CheckDefinition,
  findings: readonly Finding[],
  judged: boolean,
  withoutStack: boolean,
): Check {
  const status = findings.some(({ level }) => level === "mandatory")
    ? "failed"
    : findings.length > 0
      ? "advice"
      : "passed";
  if (status !== "passed") return { id, title, status, findings };
  if (withoutStack && stackChecks.includes(id)) {
    return {
      id,
      title,
      status: "skipped",
      reason: "there is no stack to compare with: name it with --stack",
      findings,
    };
  }
  if (!judged)
    return { id, title, status: "skipped", reason: "no rule of the policy pack answers it", findings };
  return { id, title, status, findings };
}

function scopeOf({ cluster, objects }: LiveCluster, { namespaces, network }: ValidationOptions): Set<string> {
  const live = objects.filter(({ kind }) => kind === "Namespace").map(({ name }) => name);
  const managed = network?.namespaces.map(({ name }) => name);
  if (namespaces === undefined) {
    const inUse = cluster.namespaces.map(({ name }) => name);
    const all = managed ?? [...live, ...inUse].filter((name) => !ownNamespaces.includes(name));
    if (all.length > 0) return new Set(all);
    throw new UsageError(
      `${managed === undefined ? "the cluster has no namespaces but Kubernetes' own" : "the stack manages no namespace"}, so there is nothing to judge\n` +
        `  allowed: ${[...live].sort().join(", ")}\n` +
        "  fix:     name namespaces with --namespace, or another cluster with --kubeconfig or --context",
    );
  }
  const known = managed ?? live;
  const unknown = namespaces.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    const where = managed === undefined ? "the cluster has no namespace" : "the stack manages no namespace";
    throw new UsageError(
      `${where} ${unknown.join(", ")}\n` +
        `  allowed: ${known.length === 0 ? "none is there" : [...known].sort().join(", ")}\n` +
        "  fix:     correct --namespace",
    );
  }
  return new Set(namespaces);
}

function isInScope({ kind, namespace, name }: LiveObject, scope: ReadonlySet<string>): boolean {
  if (kind === "Namespace") return scope.has(name);
  // What is of the whole cluster reaches into every namespace.
  return namespace === undefined || scope.has(namespace);
}

/** What the rules of the pack say of a cluster, by rule; those that are disabled say nothing and are left out. */
function judgeRules(
  live: LiveCluster,
  scope: ReadonlySet<string>,
  { network, rules, config, today }: ValidationOptions,
): {
  readonly byRule: ReadonlyMap<string, readonly Finding[]>;
  readonly excepted: readonly ExceptedFinding[];
} {
  const others = new Set(
    live.resources.filter(({ object }) => !isInScope(object, scope)).map(({ urn }) => urn),
  );
  const outside = ({ place }: RuleFinding): boolean => place?.urn !== undefined && others.has(place.urn);
  const check = checkRules(
    {
      inputs: live.resources.filter(({ urn }) => !others.has(urn)),
      // A stack rule sees the whole cluster, since whoever talks to a namespace may be anywhere; what it says of others is left out.
      outputs: [...live.resources, ...stackResources(network)],
      objects: live.objects.length,
      notes: [],
      placeOf: (urn) => ({ source: "the cluster", index: 0, urn }),
    },
    rules,
    withScope(config, rules),
    today,
  );
  const byRule = new Map<string, Finding[]>(check.rules.map(({ rule }) => [rule.name, []]));
  for (const finding of check.findings) {
    // A configuration serves many clusters and namespaces: what one exception is for may be in another.
    if (outside(finding) || finding.kind === "unused") continue;
    const { rule, level, kind, about, at, found, danger, fix, documentation } = finding;
    const kept = { rule, level, kind, about, at, found, danger, fix, documentation };
    byRule.set(rule, [...(byRule.get(rule) ?? []), kept]);
  }
  return { byRule, excepted: check.excepted.filter((finding) => !outside(finding)) };
}

/** The namespaces are chosen already, so rules that except some by default except none. */
function withScope(config: PackConfig, rules: readonly Rule[]): PackConfig {
  const excluding = new Set(
    rules.filter((rule) => Object.hasOwn(rule.config, "exclude")).map(({ name }) => name),
  );
  return {
    ...config,
    settings: (rule) => {
      const given = config.settings(rule);
      if (!excluding.has(rule)) return given;
      return { exclude: [], ...(typeof given === "object" ? given : {}) };
    },
  };
}

/** The stack's network as its component puts it out, where rules find the matrix. */
function stackResources(network: CompiledNetwork | undefined): ObservedResource[] {
  if (network === undefined) return [];
  const { services, flows } = network.definition;
  return [
    {
      type: networkComponent,
      urn: "the stack's network",
      name: "network",
      props: {
        namespaces: network.namespaces.map(({ name }) => name),
        policies: Object.fromEntries(
          network.namespaces.map(({ name, defaultDeny, policies }) => [
            name,
            [...defaultDeny, ...policies].map(({ metadata }) => metadata.name),
          ]),
        ),
        matrix: { services, flows },
      },
    },
  ];
}

/** Pods that a default-deny shuts off, and no policy opens anything for. That no policy selects a pod at all is said by a rule. */
function unservedPods({ cluster }: LiveCluster, scope: ReadonlySet<string>): Finding[] {
  const { workloads, networkPolicies } = cluster;
  return workloads
    .filter(({ namespace, hostNetwork }) => scope.has(namespace) && !hostNetwork)
    .filter((workload) => {
      const own = networkPolicies.filter(({ namespace }) => namespace === workload.namespace);
      const shut = (direction: "ingress" | "egress"): boolean =>
        own.some((policy) => policy[direction] !== undefined && selectsEverything(policy.podSelector));
      return shut("ingress") && shut("egress") && !own.some((policy) => opensFor(policy, workload));
    })
    .map((workload) =>
      ownFinding({
        kind: "stray",
        about: titleOf(workload),
        found: `has the labels ${JSON.stringify(workload.labels)}, which no policy but default-deny selects`,
        danger:
          "it reaches nothing, not even DNS, and nothing reaches it; whoever makes it work in a hurry opens too much.",
        fix: "give it the labels of the service it belongs to, add a policy for it, or remove it.",
      }),
    );
}

function unreadable({ problems }: LiveCluster, scope: ReadonlySet<string>): Finding[] {
  return problems
    .filter(({ object }) => concerns(object, scope))
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

function unreadElsewhere({ problems }: LiveCluster, scope: ReadonlySet<string>): Note[] {
  return problems
    .filter(({ object }) => !concerns(object, scope))
    .map(({ title, at, problem }) => ({ about: title, at, text: `${problem}, so it is not in this answer` }));
}

function concerns(source: ReadProblem["object"], scope: ReadonlySet<string>): boolean {
  return !("object" in source) || isInScope(source.object as LiveObject, scope);
}
