import type { Stack } from "./define-rule";
import { field, isList, isUnknown, type Plain } from "./plain-data";
import { fewestLabels } from "./reachability/fewest-labels";
import type { Namespace, Selector, Workload } from "./reachability/model";
import { nameLabel } from "./reachability/read-notes";
import { OutOfSteps, SearchSteps } from "./reachability/search-steps";
import { selects } from "./reachability/selector";
import type { StackCluster } from "./stack-cluster";

/** Which pods there are, and of which namespaces that is known. */
export interface KnownPods {
  /** The deployed pods of a namespace. */
  in(namespace: string): readonly Workload[];
  /** Whether the pods of a namespace are known: it has some, and nothing is seen that makes others. */
  areKnownIn(namespace: string): boolean;
  /** Whether a selector matches deployed pods of a namespace, or those of a service of a matrix. */
  areSelectedIn(namespace: string, pods: Selector | undefined): boolean;
  /**
   * The namespaces that a selector can match; undefined where others than those of the stack and the baseline may be among them.
   */
  namespacesOf(selector: Selector): readonly string[] | undefined;
}

/** Groups whose kinds make no pods, though they are none of Kubernetes' own. */
const groupsWithoutPods = new Set([
  "cert-manager.io",
  "cilium.io",
  "crd.projectcalico.org",
  "external-secrets.io",
  "networking.istio.io",
  "policy.linkerd.io",
  "projectcalico.org",
  "security.istio.io",
]);

/** More than any selector takes that people write. */
const mostSteps = 10_000;

/**
 * What is known of the pods of the stack, of its baseline and of the matrices.
 *
 * @param exclude namespaces whose pods nobody's stack deploys as a whole, as Kubernetes' own
 */
export function knownPods(
  stack: Stack,
  { cluster, matrices, unread, hasKnownLabels }: StackCluster,
  exclude: readonly string[],
): KnownPods {
  const workloads = new Map<string, Workload[]>();
  for (const workload of cluster.workloads) {
    const list = workloads.get(workload.namespace);
    if (list === undefined) workloads.set(workload.namespace, [workload]);
    else list.push(workload);
  }
  const services = matrices.flatMap(({ matrix }) => matrix.services);
  const decided = new Set(matrices.flatMap(({ matrix }) => matrix.namespaces));
  const ends = matrices.flatMap(({ matrix }) => matrix.flows.flatMap(({ from, to }) => [from, to]));
  /** Where pods may be that are not seen; undefined among them: anywhere. */
  const unseen = new Set<string | undefined>([
    ...exclude,
    ...ends.flatMap((end) => end.namespaces),
    ...unread.map(({ subject }) =>
      "namespace" in subject ? (subject.namespace as string | undefined) : undefined,
    ),
    ...(stack.unreadable.length > 0 ? [undefined] : []),
    ...stack.resources.flatMap((resource) => placesOfPods(resource)),
  ]);
  const namespaces = new Map<string, Namespace>(cluster.namespaces.map((one) => [one.name, one]));

  return {
    in: (namespace) => workloads.get(namespace) ?? [],
    areKnownIn: (namespace) =>
      (workloads.has(namespace) || decided.has(namespace)) &&
      !unseen.has(namespace) &&
      !unseen.has(undefined),
    areSelectedIn: (namespace, pods = { requirements: [] }) =>
      (workloads.get(namespace) ?? []).some(
        ({ labels, hostNetwork }) => !hostNetwork && selects(pods, labels),
      ) || services.some((service) => service.namespace === namespace && agree(service.pods, pods)),
    namespacesOf: (selector) => {
      const pin = selector.requirements.find(({ key, operator }) => key === nameLabel && operator === "In");
      return pin?.values.filter((name) => {
        const labels = namespaces.get(name)?.labels ?? { [nameLabel]: name };
        const requirements = hasKnownLabels(name)
          ? selector.requirements
          : selector.requirements.filter(({ key }) => key === nameLabel);
        return selects({ requirements }, labels);
      });
    },
  };
}

/** The namespaces in which a resource may lead to pods that are not seen; undefined is any. */
function placesOfPods(resource: Stack["resources"][number]): (string | undefined)[] {
  const [, apiVersion = "", kind = ""] = /^kubernetes:([^:]+):([^:]+)$/.exec(resource.type) ?? [];
  const [group = "", version] = apiVersion.split("/");
  const isRelease = group === "helm.sh" && kind === "Release";
  const isRole = group === "rbac.authorization.k8s.io" && /^(Cluster)?Role(Patch)?$/.test(kind);
  if (!isRelease && !isRole && (version === undefined || !mayMakePods(group, kind))) return [];
  const body = resource.props();
  if (isRole && !grantsPods(field(body, "rules"))) return [];
  const namespace = field(isRelease ? body : field(body, "metadata"), "namespace");
  return [typeof namespace === "string" ? namespace : undefined];
}

/** Whether a controller may make pods for a resource of a custom kind. */
function mayMakePods(group: string, kind: string): boolean {
  if (group === "gateway.networking.k8s.io") return kind === "Gateway";
  return group.includes(".") && !group.endsWith(".k8s.io") && !groupsWithoutPods.has(group);
}

const runningPods = [
  "cronjobs",
  "daemonsets",
  "deployments",
  "jobs",
  "pods",
  "replicasets",
  "replicationcontrollers",
  "statefulsets",
];

/** Whether the rules of a role let somebody make pods, with whatever labels. */
function grantsPods(rules: Plain | undefined): boolean {
  const has = (list: Plain | undefined, wanted: readonly string[]): boolean =>
    isUnknown(list) ||
    (isList(list) &&
      list.some((item) => isUnknown(item) || (typeof item === "string" && [...wanted, "*"].includes(item))));
  return (
    isUnknown(rules) ||
    (isList(rules) &&
      rules.some(
        (rule) =>
          isUnknown(rule) ||
          (has(field(rule, "verbs"), ["create"]) && has(field(rule, "resources"), runningPods)),
      ))
  );
}

/** Whether pods could be selected by both. */
function agree(a: Selector, b: Selector): boolean {
  try {
    return fewestLabels([a, b], [], new SearchSteps(mostSteps)) !== undefined;
  } catch (error) {
    if (error instanceof OutOfSteps) return true;
    throw error;
  }
}
