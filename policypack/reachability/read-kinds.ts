import type { ClusterPolicy } from "./model";
import { either, nearest } from "./read-problem";

/** A kind that the engine reads. */
export type KnownKind = KindAndRole & {
  readonly namespaced: boolean;
  /** Every apiVersion in which it is or was served. */
  readonly apiVersions: readonly string[];
  /** Where the pod template stands in a workload; empty for a Pod, which is its own. */
  readonly template: readonly string[];
};

type KindAndRole =
  | { readonly role: "cluster policy"; readonly kind: ClusterPolicy["kind"] }
  | { readonly role: "namespace" | "node" | "network policy" | "workload"; readonly kind: string };

const apps = ["apps/v1", "apps/v1beta2", "apps/v1beta1"];
const appsSinceBeta2 = ["apps/v1", "apps/v1beta2", "extensions/v1beta1"];

export const knownKinds: readonly KnownKind[] = [
  { kind: "Namespace", role: "namespace", ...clusterScoped("v1") },
  { kind: "Node", role: "node", ...clusterScoped("v1") },
  {
    kind: "ClusterNetworkPolicy",
    role: "cluster policy",
    ...clusterScoped("policy.networking.k8s.io/v1alpha2"),
  },
  {
    kind: "AdminNetworkPolicy",
    role: "cluster policy",
    ...clusterScoped("policy.networking.k8s.io/v1alpha1"),
  },
  {
    kind: "BaselineAdminNetworkPolicy",
    role: "cluster policy",
    ...clusterScoped("policy.networking.k8s.io/v1alpha1"),
  },
  {
    kind: "NetworkPolicy",
    role: "network policy",
    namespaced: true,
    apiVersions: ["networking.k8s.io/v1", "extensions/v1beta1"],
    template: [],
  },
  workload("Pod", ["v1"], []),
  workload("ReplicationController", ["v1"]),
  workload("Deployment", [...apps, "extensions/v1beta1"]),
  workload("StatefulSet", apps),
  workload("DaemonSet", appsSinceBeta2),
  workload("ReplicaSet", appsSinceBeta2),
  workload("Job", ["batch/v1", "batch/v2alpha1", "extensions/v1beta1"]),
  workload(
    "CronJob",
    ["batch/v1", "batch/v1beta1", "batch/v2alpha1"],
    ["spec", "jobTemplate", "spec", "template"],
  ),
];

function clusterScoped(apiVersion: string): Omit<KnownKind, "kind" | "role"> {
  return { namespaced: false, apiVersions: [apiVersion], template: [] };
}

function workload(
  kind: string,
  apiVersions: readonly string[],
  template: readonly string[] = ["spec", "template"],
): KnownKind {
  return { kind, role: "workload", namespaced: true, apiVersions, template };
}

/** What is done with the objects of a kind. */
export type Handling =
  | { readonly use: "read"; readonly kind: KnownKind }
  /** A List: its items are read. `of` is the kind of those that name none; undefined where they have to. */
  | { readonly use: "items"; readonly of: { readonly apiVersion: string; readonly kind: string } | undefined }
  /** It changes what is allowed, or makes pods or policies, in a way that is not known here. */
  | { readonly use: "note"; readonly about: string; readonly effect: Effect }
  /** Almost certainly meant for a kind that the engine reads, and refused by the API server. */
  | {
      readonly use: "refuse";
      readonly at: "apiVersion" | "kind";
      readonly allowed: string;
      readonly fix: string;
    }
  | { readonly use: "ignore" };

export type Effect = "changes what is allowed" | "makes objects";

/** Kinds of other vendors that change what is allowed, or make objects that are not in the input, by group. */
const otherKinds: ReadonlyMap<string, { readonly effect: Effect; readonly kinds: readonly string[] }> =
  new Map([
    ["projectcalico.org", policies("NetworkPolicy", "GlobalNetworkPolicy")],
    ["crd.projectcalico.org", policies("NetworkPolicy", "GlobalNetworkPolicy")],
    ["cilium.io", policies("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy")],
    ["crd.antrea.io", policies("NetworkPolicy", "ClusterNetworkPolicy")],
    ["security.istio.io", policies("AuthorizationPolicy")],
    ["policy.linkerd.io", policies("AuthorizationPolicy", "Server", "ServerAuthorization")],
    ["k8s.ovn.org", policies("EgressFirewall")],
    ["helm.toolkit.fluxcd.io", makers("HelmRelease")],
    ["helm.fluxcd.io", makers("HelmRelease")],
    ["kustomize.toolkit.fluxcd.io", makers("Kustomization")],
    ["helm.cattle.io", makers("HelmChart")],
    ["argoproj.io", makers("Application", "ApplicationSet")],
  ]);

function policies(...kinds: readonly string[]): { effect: Effect; kinds: readonly string[] } {
  return { effect: "changes what is allowed", kinds };
}

function makers(...kinds: readonly string[]): { effect: Effect; kinds: readonly string[] } {
  return { effect: "makes objects", kinds };
}

/** Finds out what is done with the objects of a kind; each answer is computed once. */
export class KindTable {
  private readonly byVersion = new Map<string, Map<string, Handling>>();

  handling(apiVersion: string, kind: string): Handling {
    let byKind = this.byVersion.get(apiVersion);
    if (byKind === undefined) this.byVersion.set(apiVersion, (byKind = new Map<string, Handling>()));
    let handling = byKind.get(kind);
    if (handling === undefined) byKind.set(kind, (handling = handlingOf(apiVersion, kind)));
    return handling;
  }
}

function handlingOf(apiVersion: string, kind: string): Handling {
  const sameName = knownKinds.find((known) => known.kind === kind);
  if (sameName?.apiVersions.includes(apiVersion) === true) return { use: "read", kind: sameName };
  // The second is what functions of kustomize pass on.
  if (kind === "List" || kind === "ResourceList") return { use: "items", of: undefined };
  if (kind.endsWith("List")) {
    const of = { apiVersion, kind: kind.slice(0, -"List".length) };
    return handlingOf(of.apiVersion, of.kind).use === "ignore" ? { use: "ignore" } : { use: "items", of };
  }
  const group = groupOf(apiVersion);
  const other = otherKinds.get(group);
  if (other?.kinds.includes(kind) === true) {
    return { use: "note", about: `${group} ${kind}`, effect: other.effect };
  }
  if (!isKubernetesGroup(group)) {
    // Most vendors name their policies so. Calico's staged ones are not enforced.
    if (!kind.endsWith("NetworkPolicy") || kind.startsWith("Staged")) return { use: "ignore" };
    return { use: "note", about: `${group} ${kind}`, effect: "changes what is allowed" };
  }
  if (sameName !== undefined) {
    const allowed = `${either(sameName.apiVersions)} for the kind ${kind}`;
    return { use: "refuse", at: "apiVersion", allowed, fix: `write ${sameName.apiVersions[0] ?? ""}` };
  }
  const inGroup = knownKinds
    .filter(({ apiVersions }) => apiVersions.some((version) => groupOf(version) === group))
    .map((known) => known.kind);
  const meant = nearest(kind, inGroup);
  if (meant === undefined) return { use: "ignore" };
  return { use: "refuse", at: "kind", allowed: `a kind that ${apiVersion} has`, fix: `write ${meant}` };
}

/** The API group of an apiVersion; "" is the core group. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf("/");
  return slash < 0 ? "" : apiVersion.slice(0, slash);
}

/** Groups of CustomResourceDefinitions have a dot, and `.k8s.io` is kept for Kubernetes. */
function isKubernetesGroup(group: string): boolean {
  return !group.includes(".") || group.endsWith(".k8s.io");
}
