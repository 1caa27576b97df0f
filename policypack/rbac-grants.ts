import { field, isList, isUnknown, type Plain, type PlainObject } from "./plain-data";

/** What whoever has a right that undoes network policies does with it. */
export const powers = {
  policies: "opens the network to itself: adds a policy that allows everything, or takes away default-deny",
  namespaces:
    "sets a namespace's labels: those that Pod Security and the mesh go by, and by which policies elsewhere let it in",
  endpoints:
    "decides where a Service's clients are sent, those that may talk to more than it does included (CVE-2021-25740)",
  rights: "gives itself, or takes from others, any right, that of writing policies included",
} as const;

export type Power = keyof typeof powers;

interface Target {
  readonly power: Power;
  readonly group: string;
  /** With its subresource, as RBAC writes it. */
  readonly resource: string;
  readonly verbs: readonly string[];
  /** Verbs that count in a ClusterRole only: what they ask for is in no namespace. */
  readonly clusterVerbs: readonly string[];
}

const write = ["create", "update", "patch", "delete", "deletecollection"];
const change = ["create", "update", "patch"];

function policies(
  group: string,
  namespaced: readonly string[],
  clusterScoped: readonly string[] = [],
): Target[] {
  return [
    ...namespaced.map((resource): Target => ({
      power: "policies",
      group,
      resource,
      verbs: write,
      clusterVerbs: [],
    })),
    ...clusterScoped.map((resource): Target => ({
      power: "policies",
      group,
      resource,
      verbs: [],
      clusterVerbs: write,
    })),
  ];
}

function namespaces(resource: string, clusterVerbs: readonly string[] = []): Target {
  // A request for one namespace counts as made in it, so a Role can grant it.
  return { power: "namespaces", group: "", resource, verbs: ["update", "patch"], clusterVerbs };
}

function calico(group: string): Target[] {
  return policies(
    group,
    ["networkpolicies", "tier.networkpolicies", "networksets"],
    ["globalnetworkpolicies", "tier.globalnetworkpolicies", "globalnetworksets", "tiers", "profiles"],
  );
}

/** Every right that undoes network policies, the plainest first. */
const targets: readonly Target[] = [
  ...policies("networking.k8s.io", ["networkpolicies"]),
  namespaces("namespaces", ["create"]),
  // Their updates change the labels as well: the API server resets the spec only.
  namespaces("namespaces/status"),
  namespaces("namespaces/finalize"),
  { power: "endpoints", group: "", resource: "endpoints", verbs: change, clusterVerbs: [] },
  {
    power: "endpoints",
    group: "discovery.k8s.io",
    resource: "endpointslices",
    verbs: change,
    clusterVerbs: [],
  },
  ...["roles", "clusterroles"].map((resource): Target => {
    return {
      power: "rights",
      group: "rbac.authorization.k8s.io",
      resource,
      verbs: ["escalate", "bind"],
      clusterVerbs: [],
    };
  }),
  { power: "rights", group: "", resource: "serviceaccounts", verbs: ["impersonate"], clusterVerbs: [] },
  ...["users", "groups"].map((resource): Target => {
    return { power: "rights", group: "", resource, verbs: [], clusterVerbs: ["impersonate"] };
  }),
  ...policies("extensions", ["networkpolicies"]),
  ...policies(
    "policy.networking.k8s.io",
    [],
    ["clusternetworkpolicies", "adminnetworkpolicies", "baselineadminnetworkpolicies"],
  ),
  ...policies(
    "networking.k8s.aws",
    ["applicationnetworkpolicies", "policyendpoints"],
    ["clusternetworkpolicies", "clusterpolicyendpoints"],
  ),
  ...policies("networking.gke.io", ["fqdnnetworkpolicies"]),
  ...calico("projectcalico.org"),
  ...calico("crd.projectcalico.org"),
  ...policies(
    "cilium.io",
    // By the second, the agents know which pod has which labels.
    ["ciliumnetworkpolicies", "ciliumendpoints"],
    ["ciliumclusterwidenetworkpolicies", "ciliumcidrgroups", "ciliumendpointslices", "ciliumidentities"],
  ),
  ...policies(
    "crd.antrea.io",
    ["networkpolicies", "groups"],
    ["clusternetworkpolicies", "clustergroups", "tiers"],
  ),
  ...policies("security.istio.io", [
    "peerauthentications",
    "authorizationpolicies",
    "requestauthentications",
  ]),
  ...policies("policy.linkerd.io", [
    "servers",
    "serverauthorizations",
    "authorizationpolicies",
    "meshtlsauthentications",
    "networkauthentications",
  ]),
];

/** A ClusterRole that every cluster has. */
export interface OwnClusterRole {
  readonly name: string;
  /** The power that it gives before all. */
  readonly power: Power;
  /** By which an aggregated role takes it in. */
  readonly labels: Readonly<Record<string, string>>;
}

/** @param aggregatesTo the role that takes it in by a label for it */
function own(name: string, power: Power, aggregatesTo?: string): OwnClusterRole {
  const label = aggregatesTo && { [`rbac.authorization.k8s.io/aggregate-to-${aggregatesTo}`]: "true" };
  return { name, power, labels: { "kubernetes.io/bootstrapping": "rbac-defaults", ...label } };
}

/** The cluster's own ClusterRoles that have such rights. */
export const ownClusterRoles: readonly OwnClusterRole[] = [
  own("cluster-admin", "policies"),
  own("admin", "policies"),
  own("edit", "policies", "admin"),
  own("system:aggregate-to-edit", "policies", "edit"),
  // These two may change or delete whatever there is.
  own("system:controller:generic-garbage-collector", "policies"),
  own("system:controller:namespace-controller", "policies"),
  own("system:controller:clusterrole-aggregation-controller", "rights"),
  own("system:controller:endpoint-controller", "endpoints"),
  own("system:controller:endpointslice-controller", "endpoints"),
  own("system:controller:endpointslicemirroring-controller", "endpoints"),
];

/** A right that undoes network policies. */
export interface Grant {
  readonly power: Power;
  /** `networkpolicies.networking.k8s.io`, as kubectl writes it. */
  readonly resource: string;
  readonly verbs: readonly string[];
}

/**
 * Which of these rights a rule of a Role or ClusterRole grants (`rbac.authorization.k8s.io/v1` PolicyRule), wildcards included; of those
 * that depend on what is not known, whether there are any.
 */
export function grantsOf(
  rule: PlainObject,
  { clusterScoped }: { readonly clusterScoped: boolean },
): { readonly grants: readonly Grant[]; readonly maybeMore: boolean } {
  const grants: Grant[] = [];
  let maybeMore = false;
  for (const target of targets) {
    const place = [
      includesAny(field(rule, "apiGroups"), [target.group]),
      includesAny(field(rule, "resources"), resourceNotations(target.resource)),
    ];
    if (place.includes(false)) continue;
    const asked = clusterScoped ? [...target.clusterVerbs, ...target.verbs] : target.verbs;
    const verdicts = asked.map((verb) => ({
      verb,
      granted: all([
        ...place,
        includesAny(field(rule, "verbs"), [verb]),
        namesAnyOf(field(rule, "resourceNames"), verb),
      ]),
    }));
    const verbs = verdicts.filter(({ granted }) => granted === true).map(({ verb }) => verb);
    if (verdicts.some(({ granted }) => granted === undefined)) maybeMore = true;
    if (verbs.length === 0) continue;
    const { power, resource, group } = target;
    grants.push({ power, resource: group === "" ? resource : `${resource}.${group}`, verbs });
  }
  return { grants, maybeMore };
}

/** How RBAC rules may name a resource, but for the wildcard. */
function resourceNotations(resource: string): string[] {
  const [, subresource] = resource.split("/");
  return subresource === undefined ? [resource] : [resource, `*/${subresource}`];
}

/** Whether a list has one of the texts, or the wildcard; undefined when that is not known. */
function includesAny(list: Plain | undefined, texts: readonly string[]): boolean | undefined {
  if (list === undefined) return false;
  if (!isList(list)) return undefined;
  if (list.some((item: Plain) => item === "*" || texts.some((text) => text === item))) return true;
  return list.some((item: Plain) => isUnknown(item)) ? undefined : false;
}

/**
 * Whether a verb can be granted on some object to which resourceNames restrict the rule: never to create or to delete a collection, which
 * name none; and to bind only roles that are worth it.
 */
function namesAnyOf(names: Plain | undefined, verb: string): boolean | undefined {
  if (names === undefined || (isList(names) && names.length === 0)) return true;
  const isNamed = !["create", "deletecollection"].includes(verb);
  if (!isList(names)) return isNamed && verb !== "bind" ? true : undefined;
  if (verb === "bind") {
    return includesAny(
      names.filter((name: Plain) => name !== "*"),
      ownClusterRoles.map(({ name }) => name),
    );
  }
  return isNamed;
}

function all(verdicts: readonly (boolean | undefined)[]): boolean | undefined {
  if (verdicts.includes(false)) return false;
  return verdicts.includes(undefined) ? undefined : true;
}
