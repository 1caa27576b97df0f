import { helmReleaseKind, type Kind, type ObservedResource } from "../../policypack/kubernetes-object";
import { field, isList, isObject, type Plain, type PlainObject } from "../../policypack/plain-data";
import { childPath, type SourceObject } from "../../policypack/reachability/read-problem";
import type { Note } from "../../policypack/reachability/reachability";
import { locate, positionOf, type FilePosition } from "../inputs/manifests";
import type { Input } from "../inputs/read-input";
import { resourceName, type ResourceState } from "../inputs/resource-state";
import type { StackResources } from "../inputs/stack-resources";
import { UsageError } from "../usage-error";

/** Where something stands that a rule judged. */
export interface Place {
  /** `manifests/app.yaml, document 2`, or `Pulumi resource web`. */
  readonly source: string;
  /** Its number in the input, from 0. */
  readonly index: number;
  /** Absent where it is of a stack. */
  readonly position?: FilePosition;
  /** Of the Pulumi resource; absent where it is of a manifest. */
  readonly urn?: string;
}

/** An input as rules judge it. */
export interface Observed {
  /** What resource rules judge: what is asked for. */
  readonly inputs: readonly ObservedResource[];
  /** What stack rules judge: what is there afterwards, as far as that is known. */
  readonly outputs: readonly ObservedResource[];
  /** How many Kubernetes objects there are; a List is one. */
  readonly objects: number;
  /** What the verdict does not rest on, and what is not certain. */
  readonly notes: readonly Note[];
  /** Where a field of a resource stands. */
  readonly placeOf: (urn: string, at: string) => Place | undefined;
}

/**
 * What the rules judge of an input. Throws {@link UsageError} where an object of a manifest does not say what it is.
 *
 * @param kinds the kinds that rules judge
 * @param namespace for objects of manifests that name none: to a rule, a missing namespace is one that is not known
 */
export function observe(input: Input, kinds: readonly Kind[], namespace: string): Observed {
  return input.resources === undefined
    ? observeManifests(input, kinds, namespace)
    : observeStack(input.resources);
}

function observeManifests({ objects, notes }: Input, kinds: readonly Kind[], namespace: string): Observed {
  const namespaced = namespaceFiller(kinds, namespace);
  const byUrn = new Map<string, { readonly object: SourceObject; readonly index: number }>();
  const resources = objects.map((object, index): ObservedResource => {
    checkKinds(object, object.body, "");
    const { apiVersion, kind } = object.body as { apiVersion: string; kind: string };
    // Rules go through resources by URN, which is to be the order in which they are written.
    const urn = `manifest ${String(index).padStart(9, "0")}`;
    byUrn.set(urn, { object, index });
    const { source } = object;
    const type = `kubernetes:${apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`}:${kind}`;
    return { type, urn, name: source, source, props: namespaced(object.body) };
  });
  return {
    inputs: resources,
    outputs: resources,
    objects: resources.length,
    notes,
    placeOf: (urn, at) => {
      const found = byUrn.get(urn);
      if (found === undefined) return undefined;
      const { object, index } = found;
      const position = positionOf({ object, at });
      return { source: object.source, index, ...(position === undefined ? {} : { position }) };
    },
  };
}

/** Throws where it is not said what an object, or one in a List, is: no rule could be asked about it. */
function checkKinds(object: SourceObject, body: Plain, at: string): void {
  for (const key of ["apiVersion", "kind"]) {
    const value = field(body, key);
    if (typeof value === "string" && value !== "") continue;
    const path = childPath(at, key);
    throw new UsageError(
      `${locate({ object, at: path })}: ${path} ${value === undefined ? "is missing" : `is ${JSON.stringify(value)}`}, so it is not said what the object is\n` +
        "  allowed: Kubernetes objects, each with apiVersion and kind\n" +
        "  fix:     write it, or leave the file out",
    );
  }
  const items = field(body, "items");
  if (field(body, "kind") !== "List" || !isList(items)) return;
  items.forEach((item, index) => {
    checkKinds(object, item, `${at === "" ? "" : `${at}.`}items[${index}]`);
  });
}

/** Gives objects that name no namespace the one that kubectl would, the items of Lists included. */
function namespaceFiller(kinds: readonly Kind[], namespace: string): (body: Plain) => Plain {
  const isNamespaced = (group: string, kind: string): boolean =>
    kinds.some(
      (known) =>
        known.kind === kind &&
        known.groups.includes(group) &&
        known.clusterScoped !== true &&
        known.kind !== helmReleaseKind.kind,
    );
  const fill = (body: Plain, apiVersion: string, kind: string): Plain => {
    if (!isObject(body)) return body;
    const [group = "", version] = apiVersion.split("/");
    const items = field(body, "items");
    if (kind.endsWith("List") && isList(items)) {
      const itemKind = kind.slice(0, -"List".length);
      const filled = items.map((item) =>
        itemKind === ""
          ? fill(item, text(item, "apiVersion"), text(item, "kind"))
          : fill(item, apiVersion, itemKind),
      );
      return { ...body, items: filled };
    }
    const metadata = field(body, "metadata") ?? {};
    const given = field(metadata, "namespace") ?? "";
    if (given !== "" || !isObject(metadata)) return body;
    if (!isNamespaced(version === undefined ? "" : group, kind)) return body;
    return { ...body, metadata: { ...metadata, namespace } };
  };
  return (body) => fill(body, text(body, "apiVersion"), text(body, "kind"));
}

function text(body: Plain, key: string): string {
  const value = field(body, key);
  return typeof value === "string" ? value : "";
}

/**
 * As the engine does: resource rules judge inputs, of what the stack manages; stack rules judge outputs, also of what it only reads.
 * What the stack lets go of is not judged.
 */
function observeStack({ resources, notes }: StackResources): Observed {
  const own: Note[] = [...notes];
  const judged = resources.filter((resource) => {
    if (resource.pendingReplacement) return false;
    const why = whyNotJudged(resource);
    if (why !== undefined) own.push({ about: sourceOf(resource), at: "", text: `${why}: it is not judged` });
    return why === undefined;
  });
  const observed = (resource: ResourceState, props: PlainObject): ObservedResource => ({
    type: resource.type,
    urn: resource.urn,
    name: resourceName(resource),
    props,
    opts: { protect: resource.protect },
  });
  const byUrn = new Map(judged.map((resource, index) => [resource.urn, { resource, index }]));
  return {
    inputs: judged.filter(({ external }) => !external).map((one) => observed(one, one.inputs)),
    // What is not there yet has no outputs.
    outputs: judged.map((one) => observed(one, isEmpty(one.outputs) ? one.inputs : one.outputs)),
    objects: judged.filter(({ type, custom }) => custom && type.startsWith("kubernetes:")).length,
    notes: own,
    placeOf: (urn) => {
      const found = byUrn.get(urn);
      if (found === undefined) return undefined;
      return { source: sourceOf(found.resource), index: found.index, urn };
    },
  };
}

function whyNotJudged({ leftover, external, inputs, outputs }: ResourceState): string | undefined {
  if (leftover !== undefined) return `it is ${leftover}`;
  if (!external || !isEmpty(inputs) || !isEmpty(outputs)) return undefined;
  return "it is read from the cluster, and the input does not say what is in it";
}

function sourceOf(resource: ResourceState): string {
  return `Pulumi resource ${resourceName(resource)}`;
}

function isEmpty(properties: PlainObject): boolean {
  return Object.keys(properties).length === 0;
}
