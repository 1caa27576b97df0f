/** A Kubernetes object as plain JSON: what the API server sends and takes. */
export type KubeObject = Record<string, unknown>;

/** Tells a JSON object from lists, null and plain values. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at a path of keys, undefined where any part of the path is missing. */
export function valueAt(object: KubeObject, ...path: string[]): unknown {
  let value: unknown = object;
  for (const key of path) {
    if (!isObject(value)) return undefined;
    value = value[key];
  }
  return value;
}

/** The text at a path of keys; empty where it is missing or no text. */
export function textAt(object: KubeObject, ...path: string[]): string {
  const value = valueAt(object, ...path);
  return typeof value === "string" ? value : "";
}

/** The list at a path of keys; empty where it is missing or no list. */
export function listAt(object: KubeObject, ...path: string[]): unknown[] {
  const value = valueAt(object, ...path);
  return Array.isArray(value) ? (value as unknown[]) : [];
}

/** A copy of the object with the value at the path of keys set, making what is missing on the way. */
export function withValueAt(object: KubeObject, path: string[], value: unknown): KubeObject {
  const [key, ...rest] = path;
  if (key === undefined) return object;
  const child = object[key];
  return {
    ...object,
    [key]: rest.length === 0 ? value : withValueAt(isObject(child) ? child : {}, rest, value),
  };
}

/** A copy of the object without the keys named. */
export function without(object: KubeObject, keys: readonly string[]): KubeObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

/** A copy of the object without the keys named under `metadata`. */
export function withoutMetadata(object: KubeObject, keys: readonly string[]): KubeObject {
  return isObject(object.metadata) ? { ...object, metadata: without(object.metadata, keys) } : object;
}

/** `metadata.annotations[key]`, empty when it is not set. */
export function annotation(object: KubeObject, key: string): string {
  return textAt(object, "metadata", "annotations", key);
}

/** `namespace/name`, or the name alone for what lives in no namespace: the ID of the object's Pulumi resource. */
export function objectId(object: KubeObject): string {
  const namespace = textAt(object, "metadata", "namespace");
  const name = textAt(object, "metadata", "name");
  return namespace === "" ? name : `${namespace}/${name}`;
}

/** The parts of an ID as {@link objectId} makes it. */
export function parseObjectId(id: string): { namespace: string; name: string } {
  const [first = "", second] = id.split("/");
  return second === undefined ? { namespace: "", name: first } : { namespace: first, name: second };
}

/** `apiVersion` split in two; the core group is the empty string. */
export function groupVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.lastIndexOf("/");
  const group = slash < 0 ? "" : apiVersion.slice(0, slash);
  return { group: group === "core" ? "" : group, version: apiVersion.slice(slash + 1) };
}

/**
 * The resource type and name that a URN holds (`urn:pulumi:stack::project::parent$type::name`).
 *
 * @throws Error when the text is no URN.
 */
export function parseUrn(urn: string): { type: string; name: string } {
  const [, , qualifiedType, ...name] = urn.split("::");
  if (qualifiedType === undefined || name.length === 0) {
    throw new Error(`"${urn}" is not the URN of a resource`);
  }
  return { type: qualifiedType.split("$").at(-1) ?? "", name: name.join("::") };
}

/**
 * The `apiVersion` and `kind` that a resource type stands for: `kubernetes:core/v1:Namespace` is `v1` `Namespace`.
 *
 * @throws Error when the type belongs to another provider or names no group and version.
 */
export function typeIdentity(type: string): { apiVersion: string; kind: string } {
  const [provider, module = "", kind = ""] = type.split(":");
  const [group, version] = module.split("/");
  if (provider !== "kubernetes" || version === undefined || kind === "") {
    throw new Error(
      `resource type "${type}" is not one of this provider: it serves kubernetes:<group>/<version>:<Kind>`,
    );
  }
  return { apiVersion: group === "core" ? version : module, kind };
}

/** Whether the resource is a `…Patch`: one that owns fields of an object which it neither creates nor deletes. */
export function isPatchResource(urn: string, kind: string): boolean {
  return parseUrn(urn).type.endsWith(`:${kind}Patch`);
}
