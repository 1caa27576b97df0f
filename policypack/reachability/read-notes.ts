import type { Cluster, ClusterPolicy, NetworkPolicy, Peer, Selector } from "./model";
import type { Effect } from "./read-kinds";
import { isSetByControllers } from "./read-labels";
import type { Note } from "./reachability";

export const nameLabel = "kubernetes.io/metadata.name";

/** How many things there are, and the names of the first of them. */
export class Sample {
  private static readonly most = 3;
  private readonly names: string[] = [];
  private count = 0;

  add(name: () => string): void {
    this.count++;
    if (this.names.length < Sample.most) this.names.push(name());
  }

  /** `a`, `a and b`, or `a, b, c and 4 more`. */
  toString(): string {
    const more = this.count - this.names.length;
    const parts = more > 0 ? [...this.names, `${more} more`] : this.names;
    const last = parts.at(-1) ?? "";
    return parts.length < 2 ? last : `${parts.slice(0, -1).join(", ")} and ${last}`;
  }
}

/** Counts objects that this answer does not know, one note for each kind. */
export class OtherKinds {
  private readonly kinds = new Map<string, { readonly effect: Effect; readonly sample: Sample }>();

  /** @param about the kind, with its group. */
  add(about: string, effect: Effect, name: () => string): void {
    let kind = this.kinds.get(about);
    if (kind === undefined) this.kinds.set(about, (kind = { effect, sample: new Sample() }));
    kind.sample.add(name);
  }

  notes(): readonly Note[] {
    return Array.from(this.kinds, ([about, { effect, sample }]) => ({
      about,
      at: "",
      text:
        effect === "makes objects"
          ? `${sample.toString()}: makes objects that are not in this answer`
          : `${sample.toString()}: changes what is allowed, in a way that is not in this answer`,
    }));
  }
}

/** One note for each label that controllers set and policies select pods by: few pods in the input are seen to have it. */
export function controllerLabelNotes(cluster: Cluster): readonly Note[] {
  const byKey = new Map<string, Sample>();
  const see = (selector: Selector | undefined, policy: Policy, at: string): void => {
    for (const { key } of selector?.requirements ?? []) {
      if (!isSetByControllers(key)) continue;
      let sample = byKey.get(key);
      if (sample === undefined) byKey.set(key, (sample = new Sample()));
      sample.add(() => `${titleOfPolicy(policy)} ${at}`);
    }
  };
  for (const policy of cluster.networkPolicies) see(policy.podSelector, policy, "spec.podSelector");
  for (const policy of cluster.clusterPolicies)
    see(policy.subject.pods, policy, "spec.subject.pods.podSelector");
  eachPeer(cluster, (peer, policy) => {
    if (peer.kind === "pods") see(peer.pods, policy, peer.at);
  });
  return Array.from(byKey, ([key, sample]) => ({
    about: `label ${key}`,
    at: "",
    text: `selected by in ${sample.toString()}: controllers set it on the pods they make, so pods that are not in the input themselves are taken not to have it`,
  }));
}

/** A note where policies select namespaces by labels, and some namespaces are only known by their name. */
export function namespaceLabelNotes(
  cluster: Cluster,
  isDeclared: (namespace: string) => boolean,
): readonly Note[] {
  const undeclared = cluster.namespaces.filter(({ name }) => !isDeclared(name));
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
  const sample = new Sample();
  for (const { name } of undeclared) sample.add(() => name);
  return [
    {
      about: `namespace label ${label}`,
      at: "",
      text: `policies select namespaces by it, and these are not in the input: ${sample.toString()}. They are taken to have no labels but their name`,
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
