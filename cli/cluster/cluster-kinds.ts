import type { Kind } from "../../policypack/kubernetes-object";

/** A kind of objects that `zero-trust validate` lists in a cluster. */
export interface ClusterKind {
  /** API group; "" is the core group. */
  readonly group: string;
  readonly kind: string;
  /** How the API names it in paths, and RBAC in rules. */
  readonly plural: string;
  /** Versions in which it is understood, the best first. */
  readonly versions: readonly string[];
  /** Part of every cluster; others are listed only where the API serves them. */
  readonly builtIn: boolean;
  /** A group that holds the same objects: where the API serves the kind there, it is listed there and not here. */
  readonly sameAs?: string;
}

/** Every kind of policies there is. Those of other vendors are read too, since they may open what NetworkPolicies shut. */
export const policyKinds: readonly ClusterKind[] = [
  ...builtIn("networking.k8s.io", ["v1"], { NetworkPolicy: "networkpolicies" }),
  ...added("policy.networking.k8s.io", ["v1alpha2"], { ClusterNetworkPolicy: "clusternetworkpolicies" }),
  ...added("policy.networking.k8s.io", ["v1alpha1"], {
    AdminNetworkPolicy: "adminnetworkpolicies",
    BaselineAdminNetworkPolicy: "baselineadminnetworkpolicies",
  }),
  ...added("networking.k8s.aws", ["v1alpha1"], {
    ApplicationNetworkPolicy: "applicationnetworkpolicies",
    ClusterNetworkPolicy: "clusternetworkpolicies",
  }),
  ...added("networking.gke.io", ["v1alpha1", "v1alpha3"], { FQDNNetworkPolicy: "fqdnnetworkpolicies" }),
  ...added("crd.projectcalico.org", ["v1"], calicoPolicies()),
  ...added("projectcalico.org", ["v3"], calicoPolicies()).map((kind) => ({
    ...kind,
    sameAs: "crd.projectcalico.org",
  })),
  ...added("cilium.io", ["v2"], {
    CiliumNetworkPolicy: "ciliumnetworkpolicies",
    CiliumClusterwideNetworkPolicy: "ciliumclusterwidenetworkpolicies",
  }),
  ...added("crd.antrea.io", ["v1beta1", "v1alpha1"], {
    NetworkPolicy: "networkpolicies",
    ClusterNetworkPolicy: "clusternetworkpolicies",
  }),
  ...added("k8s.ovn.org", ["v1"], { EgressFirewall: "egressfirewalls" }),
  ...added("security.istio.io", ["v1", "v1beta1"], {
    PeerAuthentication: "peerauthentications",
    AuthorizationPolicy: "authorizationpolicies",
  }),
  ...added("networking.istio.io", ["v1", "v1beta1", "v1alpha3"], { DestinationRule: "destinationrules" }),
  ...added("policy.linkerd.io", ["v1beta3", "v1beta2", "v1beta1"], { Server: "servers" }),
  ...added("policy.linkerd.io", ["v1beta1", "v1alpha1"], { ServerAuthorization: "serverauthorizations" }),
  ...added("policy.linkerd.io", ["v1alpha1"], {
    AuthorizationPolicy: "authorizationpolicies",
    MeshTLSAuthentication: "meshtlsauthentications",
    NetworkAuthentication: "networkauthentications",
  }),
];

/**
 * All that is listed, and nothing else: namespaces, what runs pods, Services with the addresses behind them, and policies. Neither
 * Secrets nor ConfigMaps, and nothing is watched, fetched by name or written.
 */
export const clusterKinds: readonly ClusterKind[] = [
  ...builtIn("", ["v1"], {
    Namespace: "namespaces",
    Node: "nodes",
    Pod: "pods",
    ReplicationController: "replicationcontrollers",
    Service: "services",
    Endpoints: "endpoints",
  }),
  ...builtIn("apps", ["v1"], {
    Deployment: "deployments",
    StatefulSet: "statefulsets",
    DaemonSet: "daemonsets",
    ReplicaSet: "replicasets",
  }),
  ...builtIn("batch", ["v1"], { Job: "jobs", CronJob: "cronjobs" }),
  ...builtIn("discovery.k8s.io", ["v1"], { EndpointSlice: "endpointslices" }),
  ...policyKinds,
];

function calicoPolicies(): Record<string, string> {
  return { NetworkPolicy: "networkpolicies", GlobalNetworkPolicy: "globalnetworkpolicies" };
}

function builtIn(
  group: string,
  versions: readonly string[],
  plurals: Readonly<Record<string, string>>,
): ClusterKind[] {
  return Object.entries(plurals).map(([kind, plural]) => ({ group, kind, plural, versions, builtIn: true }));
}

function added(
  group: string,
  versions: readonly string[],
  plurals: Readonly<Record<string, string>>,
): ClusterKind[] {
  return builtIn(group, versions, plurals).map((kind) => ({ ...kind, builtIn: false }));
}

/** Whether objects of a kind are listed, of whichever of its groups. */
export function isListed({ groups, kind }: Kind): boolean {
  return clusterKinds.some((listed) => listed.kind === kind && groups.includes(listed.group));
}

/** A rule of a ClusterRole that lets an account list the kinds, one for each group. */
export function listRules(
  kinds: readonly Pick<ClusterKind, "group" | "plural">[],
): { apiGroups: [string]; resources: string[]; verbs: ["list"] }[] {
  const byGroup = new Map<string, string[]>();
  for (const { group, plural } of kinds) byGroup.set(group, [...(byGroup.get(group) ?? []), plural]);
  return [...byGroup].map(([group, resources]) => ({ apiGroups: [group], resources, verbs: ["list"] }));
}
