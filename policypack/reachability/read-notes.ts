import type { Cluster, ClusterPolicy, NetworkPolicy, Peer, Selector } from "./model";
import type { Effect } from "./read-kinds";
import { isSetByControllers } from "./read-labels";
import type { Note } from "./reachability";

export const nameLabel = "kubernetes.io/metadata.name";

/** Objects of one kind that this answer does not know. */
export interface OtherObjects {
  readonly effect: Effect;
  count: number;
  /** Some of their names. */
  readonly names: string[];
}

/** How many names a note has at most. */
export const mostNames = 3;

/** One note for each kind that changes what is allowed, or makes objects, in a way that is not known here. */
export function otherKindNotes(kinds: ReadonlyMap<string, OtherObjects>): readonly Note[] {
  return [...kinds].map(([about, { effect, count, names }]) => {
    const text =
      effect === "makes objects"
        ? `${some(count, names)}: the objects it makes are not in this answer`
        : `${some(count, names)}: it changes what is allowed, and this answer does not know how`;
    return { about, at: "", text };
  });
}

/** One note for each label that controllers set and policies select pods by: few pods in the input are seen to have it. */
export function controllerLabelNotes(cluster: Cluster): readonly Note[] {
  const byKey = new Map<string, OtherObjects>();
  const see = (selector: Selector | undefined, policy: Policy, at: string): void => {
    for (const { key } of selector?.requirements ?? []) {
      if (isSetByControllers(key))
        addTo(byKey, key, "changes what is allowed", () => `${titleOfPolicy(policy)} ${at}`);
    }
  };
  for (const policy of cluster.networkPolicies) see(policy.podSelector, policy, "spec.podSelector");
  for (const policy of cluster.clusterPolicies)
    see(policy.subject.pods, policy, "spec.subject.pods.podSelector");
  eachPeer(cluster, (peer, policy) => {
    if (peer.kind === "pods") see(peer.pods, policy, peer.at);
  });
  return Array.from(byKey, ([key, { count, names }]) => ({
    about: `label ${key}`,
    at: "",
    text: `selected by in ${some(count, names)}: controllers set it on the pods they make, so pods that are not in the input themselves are taken not to have it`,
  }));
}

/** A note where policies select namespaces by labels, and some namespaces are only known by their name. */
export function namespaceLabelNotes(
  cluster: Cluster,
  isDeclared: (namespace: string) => boolean,
): readonly Note[] {
  const undeclared = cluster.namespaces.filter(({ name }) => !isDeclared(name)).map(({ name }) => name);
  if (undeclared.length === 0) return [];
  let label: string | undefined;
  const see = (selector: Selector | undefined): void => {
    label ??= selector?.requirements.find(({ key }) => key !== nameLabel)?.key;
  };
  for (const policy of cluster.clusterPolicies) see(policy.subject.namespaces);
  eachPeer(cluster, (peer) => {
    if (peer.kind === "pods") see(peer.namespaces);
  });
  if (label === undefined) return [];
  const names = some(undeclared.length, undeclared.slice(0, mostNames));
  return [
    {
      about: `namespace label ${label}`,
      at: "",
      text: `policies select namespaces by it, and these are not in the input: ${names}. They are taken to have no labels but their name`,
    },
  ];
}

type Policy = NetworkPolicy | ClusterPolicy;

function eachPeer(cluster: Cluster, see: (peer: Peer, policy: Policy) => void): void {
  for (const policies of [cluster.networkPolicies, cluster.clusterPolicies]) {
    for (const policy of policies) {
      for (const rules of [policy.ingress, policy.egress]) {
        for (const rule of rules ?? []) for (const peer of rule.peers ?? []) see(peer, policy);
      }
    }
  }
}

function titleOfPolicy(policy: Policy): string {
  return "kind" in policy
    ? `${policy.kind} ${policy.name}`
    : `NetworkPolicy ${policy.namespace}/${policy.name}`;
}

/** Counts an object under its kind, and keeps its name while there are few. */
export function addTo(
  kinds: Map<string, OtherObjects>,
  about: string,
  effect: Effect,
  name: () => string,
): void {
  let objects = kinds.get(about);
  if (objects === undefined) kinds.set(about, (objects = { effect, count: 0, names: [] }));
  objects.count++;
  if (objects.names.length < mostNames) objects.names.push(name());
}

/** `a`, `a and b`, or `a, b, c and 4 more`. */
function some(count: number, names: readonly string[]): string {
  const parts = count > names.length ? [...names, `${count - names.length} more`] : names;
  const last = parts.at(-1) ?? "";
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(", ")} and ${last}`;
}
