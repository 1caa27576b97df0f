import {
  field,
  isList,
  isObject,
  isUnknown,
  peek,
  snapshot,
  type Plain,
  type PlainObject,
} from "./plain-data";

/** A Kubernetes kind, whatever its version: a rule for a kind judges every version that is or was served. */
export interface Kind {
  /** API groups that serve or served the kind; "" is the core group. */
  readonly groups: readonly string[];
  readonly kind: string;
  /** Whether its objects are in no namespace; default: they are in one. */
  readonly clusterScoped?: boolean;
}

export const networkPolicyKind: Kind = { groups: ["networking.k8s.io", "extensions"], kind: "NetworkPolicy" };

export const namespaceKind: Kind = { groups: [""], kind: "Namespace", clusterScoped: true };

/** The kinds that run pods. */
export const workloadKinds: readonly Kind[] = [
  { groups: [""], kind: "Pod" },
  { groups: [""], kind: "ReplicationController" },
  { groups: ["apps", "extensions"], kind: "DaemonSet" },
  { groups: ["apps", "extensions"], kind: "Deployment" },
  { groups: ["apps", "extensions"], kind: "ReplicaSet" },
  { groups: ["apps"], kind: "StatefulSet" },
  { groups: ["batch"], kind: "CronJob" },
  { groups: ["batch", "extensions"], kind: "Job" },
];

/** Kinds that others than Kubernetes make pods from, by a template in the same place as a Deployment's. */
export const addedWorkloadKinds: readonly Kind[] = [
  { groups: ["apps.openshift.io"], kind: "DeploymentConfig" },
  { groups: ["argoproj.io"], kind: "Rollout" },
];

/** A template that controllers of custom resources may make pods from; it runs none itself. */
export const podTemplateKind: Kind = { groups: [""], kind: "PodTemplate" };

/** A chart that the provider installs; no Kubernetes object, and its name and namespace stand at the top of its properties. */
export const helmReleaseKind: Kind = { groups: ["helm.sh"], kind: "Release" };

/** A resource as a rule's caller sees it: the policy SDK's, or one made from a manifest. */
export interface ObservedResource {
  /** Pulumi type token, such as `kubernetes:networking.k8s.io/v1:NetworkPolicy`. */
  readonly type: string;
  readonly urn: string;
  /** The Pulumi resource name. */
  readonly name: string;
  /** How messages name it where the object's own name is not known. Absent: `Pulumi resource <name>`. */
  readonly source?: string;
  /** The properties, in plain data or behind the policy SDK's proxy: inputs for resource rules, outputs for stack rules. */
  readonly props: unknown;
  /** How Pulumi treats it; undefined for what Pulumi does not deploy, such as a manifest. */
  readonly opts?: { readonly protect: boolean };
}

/** One Kubernetes object in plain data; a List resource holds several. */
export interface KubernetesObject {
  /** API group; "" is the core group. */
  readonly group: string;
  readonly kind: string;
  /** Whether it is the `…Patch` twin: server-side apply of some fields onto an object whose other fields are not seen here. */
  readonly patch: boolean;
  /** Path of the object within its resource: "" or, in a List, `items[2].`; goes before every field path in a message. */
  readonly path: string;
  readonly body: PlainObject;
  /** `metadata.name`: text, unknown, or undefined when the object has none. */
  readonly name: string | undefined;
  /**
   * `metadata.namespace`; undefined when it is missing or not known. The official provider fills in the default namespace
   * before policies run, so a missing namespace is one that is not known yet, and never means `default`.
   */
  readonly namespace: string | undefined;
  /** How messages name it: `NetworkPolicy erlmcp/erlmcp-egress`. */
  readonly title: string;
  readonly urn: string;
  /** Whether Pulumi refuses to delete it (the option `protect`); undefined for what Pulumi does not deploy. */
  readonly protect: boolean | undefined;
}

/** A part of a List, or a whole resource's properties, whose kind or content cannot be told. */
export interface UnreadableObject {
  readonly path: string;
  readonly title: string;
  readonly urn: string;
  /** What cannot be read, as in `items is not known in the preview`. */
  readonly problem: string;
}

/** What a resource holds of the kinds asked for. */
export interface ReadObjects {
  readonly objects: readonly KubernetesObject[];
  readonly unreadable: readonly UnreadableObject[];
}

/**
 * The objects of the given kinds in a resource: itself, its `…Patch` twin, or the items of its `…List` or of a core `List`
 * (whose items name their own kind). A resource of another kind holds none. The core group is known in both spellings: typed classes
 * write `core/v1` in the type token, CustomResource `v1`.
 */
export function readObjects(resource: ObservedResource, kinds: readonly Kind[]): ReadObjects {
  const applied = appliedKind(resource);
  if (applied === undefined) return none;
  if (applied === "unknown") {
    const problem = "kind or apiVersion is not known in the preview, so it cannot be told what it is";
    const title = `${resource.type} (${sourceOf(resource)})`;
    return unreadable({ path: "", title, urn: resource.urn, problem });
  }
  const { group, kind: appliedName } = applied;
  const isAnyList = group === "" && appliedName === "List";
  const kind = kinds.find(
    (candidate) =>
      candidate.groups.includes(group) &&
      ["", "Patch", "List"].some((suffix) => appliedName === `${candidate.kind}${suffix}`),
  );
  if (kind === undefined && !isAnyList) return none;
  const props = snapshot(resource.props);
  if (!isObject(props)) {
    const title = `${appliedName} (${sourceOf(resource)})`;
    return unreadable({
      path: "",
      title,
      urn: resource.urn,
      problem: "its properties are not known in the preview",
    });
  }
  if (isAnyList || appliedName === `${kind?.kind ?? ""}List`) {
    return readItems(resource, props, "", isAnyList ? kinds : [], group, kind);
  }
  // It is no List of any kinds, so its name is that of one of the rule's.
  if (kind === undefined) return none;
  const object = describe(resource, group, kind, props, "", appliedName !== kind.kind);
  return { objects: [object], unreadable: [] };
}

/**
 * What the provider makes of a resource, with the suffix `Patch` where it is one; undefined where the provider is not that of Kubernetes.
 * The provider applies the properties' own apiVersion and kind, whatever the type token says, and a typed class writes both alike. The
 * token counts where the properties have none, as those of components, and of a Release, which it knows by the token alone.
 */
function appliedKind({
  type,
  props,
}: ObservedResource): { readonly group: string; readonly kind: string } | "unknown" | undefined {
  const [, apiVersion, tokenKind] = /^kubernetes:([^:]+):([^:]+)$/.exec(type) ?? [];
  if (apiVersion === undefined || tokenKind === undefined) return undefined;
  const token = { group: groupOf(apiVersion), kind: tokenKind };
  if (helmReleaseKind.groups.includes(token.group)) return token;
  const [ownVersion, ownKind] = [peek(props, "apiVersion"), peek(props, "kind")];
  if (isUnknown(ownVersion) || isUnknown(ownKind)) return "unknown";
  if (typeof ownVersion !== "string" || typeof ownKind !== "string") return token;
  const isPatch = tokenKind === `${ownKind}Patch`;
  return { group: groupOf(ownVersion), kind: isPatch ? tokenKind : ownKind };
}

const none: ReadObjects = { objects: [], unreadable: [] };

function unreadable(part: UnreadableObject): ReadObjects {
  return { objects: [], unreadable: [part] };
}

function readItems(
  resource: ObservedResource,
  list: PlainObject,
  path: string,
  anyOf: readonly Kind[],
  group: string,
  itemKind: Kind | undefined,
): ReadObjects {
  const title = `${itemKind?.kind ?? ""}List (${sourceOf(resource)})`;
  const items = field(list, "items");
  if (items === undefined) return none;
  if (!isList(items)) {
    const problem = isUnknown(items)
      ? `${path}items is not known in the preview`
      : `${path}items is not a list`;
    return unreadable({ path, title, urn: resource.urn, problem });
  }
  const parts = items.map((item, index): ReadObjects => {
    const itemPath = `${path}items[${index}].`;
    if (!isObject(item)) {
      const problem = `${path}items[${index}] ${isUnknown(item) ? "is not known in the preview" : "is not an object"}`;
      return unreadable({ path: itemPath, title, urn: resource.urn, problem });
    }
    if (itemKind !== undefined) {
      return { objects: [describe(resource, group, itemKind, item, itemPath, false)], unreadable: [] };
    }
    return readListItem(resource, item, itemPath, title, anyOf);
  });
  return {
    objects: parts.flatMap((part) => part.objects),
    unreadable: parts.flatMap((part) => part.unreadable),
  };
}

function readListItem(
  resource: ObservedResource,
  item: PlainObject,
  path: string,
  title: string,
  kinds: readonly Kind[],
): ReadObjects {
  const apiVersion = field(item, "apiVersion");
  const kindName = field(item, "kind");
  if (typeof apiVersion !== "string" || typeof kindName !== "string") {
    const problem = `${path}apiVersion and ${path}kind are not known, so its kind cannot be told`;
    return unreadable({ path, title, urn: resource.urn, problem });
  }
  const group = groupOf(apiVersion);
  if (group === "" && kindName === "List") return readItems(resource, item, path, kinds, group, undefined);
  const inGroup = kinds.filter((kind) => kind.groups.includes(group));
  const listKind = inGroup.find((kind) => kindName === `${kind.kind}List`);
  if (listKind !== undefined) return readItems(resource, item, path, [], group, listKind);
  const kind = inGroup.find((candidate) => candidate.kind === kindName);
  if (kind === undefined) return none;
  return { objects: [describe(resource, group, kind, item, path, false)], unreadable: [] };
}

function describe(
  resource: ObservedResource,
  group: string,
  { kind, clusterScoped = false }: Kind,
  body: PlainObject,
  path: string,
  patch: boolean,
): KubernetesObject {
  const metadata = kind === helmReleaseKind.kind ? body : field(body, "metadata");
  const name = text(field(metadata, "name"));
  const namespace = text(field(metadata, "namespace"));
  const shownName = name ?? `(${sourceOf(resource)})`;
  const scope = clusterScoped ? "" : `${namespace ?? "(namespace not known)"}/`;
  const title = `${kind}${patch ? "Patch" : ""} ${scope}${shownName}`;
  const protect = resource.opts?.protect;
  return { group, kind, patch, path, body, name, namespace, title, urn: resource.urn, protect };
}

/** How messages name a resource where the object's own name is not known. */
export function sourceOf({ source, name }: Pick<ObservedResource, "source" | "name">): string {
  return source ?? `Pulumi resource ${name}`;
}

function text(value: Plain | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function groupOf(apiVersion: string): string {
  const [group, version] = apiVersion.split("/");
  return version === undefined || group === "core" ? "" : (group ?? "");
}
