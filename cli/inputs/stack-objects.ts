import { field, isObject, type Plain, type PlainObject } from "../../policypack/plain-data";
import { knownKinds } from "../../policypack/reachability/read-kinds";
import type { SourceObject } from "../../policypack/reachability/read-problem";
import type { Note } from "../../policypack/reachability/reachability";
import { resourceName, type ResourceState } from "./resource-state";
import type { StackResources } from "./stack-resources";

/** The Kubernetes objects of a stack, and what is not seen of them. */
export interface StackObjects {
  readonly objects: readonly SourceObject[];
  readonly notes: readonly Note[];
}

/**
 * The Kubernetes objects that a stack's resources stand for, as the provider answered them or, before it was asked, as the program
 * asks for them. Lists stay Lists.
 *
 * An object that the stack lets go of counts while it is in the cluster, unless another one has its kind, namespace and name. A NamespacePatch adds its
 * labels to the namespace. Of other patches, and of Helm releases, the objects are not seen; notes say so.
 */
export function stackObjects({ resources, notes }: StackResources): StackObjects {
  const reading = new ObjectReading();
  const present = resources.filter(({ pendingReplacement }) => !pendingReplacement);
  // These last: they give way to those that the stack has.
  for (const resource of present) if (resource.leftover === undefined) reading.add(resource);
  for (const resource of present) if (resource.leftover !== undefined) reading.add(resource);
  return { objects: reading.finish(), notes: [...notes, ...reading.notes] };
}

interface KubernetesResource {
  readonly resource: ResourceState;
  readonly name: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly body: PlainObject;
}

class ObjectReading {
  readonly notes: Note[] = [];
  private readonly objects: { body: Plain; readonly source: string }[] = [];
  private readonly live = new Set<string>();
  private readonly namespaces = new Map<string, { body: Plain }>();
  private readonly namespacePatches = new Map<string, KubernetesResource[]>();
  private readonly providers = new Set<string>();

  add(resource: ResourceState): void {
    const found = kubernetesResource(resource);
    if (found === undefined) return;
    const { name, kind, body } = found;
    if (resource.provider !== undefined) this.providers.add(resource.provider);
    if (found.apiVersion.startsWith("helm.sh/")) {
      this.note(
        `Helm ${kind} ${name}`,
        "the objects that it makes are not in the stack's state, so they are not in this answer",
      );
      return;
    }
    if (Object.keys(body).length === 0) {
      this.note(
        `${kind} ${name}`,
        "it is read from the cluster, and the input does not say what is in it: it is not in this answer",
      );
      return;
    }
    const patched = patchedKind(found);
    if (patched === "Namespace") {
      const namespace = field(field(body, "metadata"), "name");
      if (typeof namespace === "string") {
        const patches = this.namespacePatches.get(namespace);
        if (patches === undefined) this.namespacePatches.set(namespace, [found]);
        else patches.push(found);
        return;
      }
    } else if (patched !== undefined) {
      if (knownKinds.some((known) => known.kind === patched)) {
        this.note(
          `${kind} ${name}`,
          `it changes ${titleOf(patched, body)}, which cannot be seen whole: what it changes is not in this answer`,
        );
      }
      return;
    }
    const identity = identityOf(found);
    const { leftover } = resource;
    if (leftover !== undefined && identity !== undefined && this.live.has(identity)) return;
    if (leftover !== undefined) this.note(titleOf(kind, body), leftoverText[leftover]);
    else if (identity !== undefined) this.live.add(identity);
    const object = { body, source: sourceOf(found) };
    this.objects.push(object);
    const objectName = field(field(body, "metadata"), "name");
    if (kind === "Namespace" && typeof objectName === "string") this.namespaces.set(objectName, object);
  }

  finish(): readonly SourceObject[] {
    for (const [name, patches] of this.namespacePatches) {
      const [first] = patches;
      if (first === undefined) continue;
      let object = this.namespaces.get(name);
      if (object === undefined) {
        this.note(
          `Namespace ${name}`,
          "the stack adds labels to it and does not hold it whole: labels that others give it may be missing in this answer",
        );
        const body = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
        const added = { body, source: sourceOf(first) };
        this.objects.push(added);
        object = added;
      }
      for (const { body } of patches) object.body = withLabels(object.body, body);
    }
    if (this.providers.size > 1) {
      this.note(
        "the stack",
        `it deploys Kubernetes objects by ${this.providers.size} providers: they are taken to be one and the same cluster`,
      );
    }
    return this.objects;
  }

  private note(about: string, text: string): void {
    this.notes.push({ about, at: "", text });
  }
}

const leftoverText = {
  "to be deleted": "it waits to be deleted, is still there, and so is in this answer",
  "left to others": "Pulumi lets go of it and leaves it in the cluster, so it stays in this answer",
} as const;

/** Undefined where the resource is no object of the Kubernetes API. */
function kubernetesResource(resource: ResourceState): KubernetesResource | undefined {
  const [, token, kind] = /^kubernetes:([^:]+):([^:]+)$/.exec(resource.type) ?? [];
  if (token === undefined || kind === undefined || !resource.custom) return undefined;
  const apiVersion = token.replace(/^core\//, "");
  const { inputs, outputs } = resource;
  const properties = Object.entries(Object.keys(outputs).length > 0 ? outputs : inputs).filter(
    ([key]) => key !== "id" && key !== "urn",
  );
  const given = Object.fromEntries(properties);
  // Patches say the kind that they patch.
  const body = properties.length === 0 ? given : { apiVersion, kind: kind.replace(/Patch$/, ""), ...given };
  return { resource, name: resourceName(resource), apiVersion, kind, body };
}

/** The kind that a patch changes; undefined where it is none. */
function patchedKind({ kind, body }: KubernetesResource): string | undefined {
  return typeof body.kind === "string" && kind === `${body.kind}Patch` ? body.kind : undefined;
}

/** What no two objects of a cluster have in common; undefined where it is not known. */
function identityOf({ kind, apiVersion, body }: KubernetesResource): string | undefined {
  const metadata = field(body, "metadata");
  const name = field(metadata, "name");
  const namespace = field(metadata, "namespace") ?? "";
  if (typeof name !== "string" || typeof namespace !== "string") return undefined;
  return `${apiVersion.replace(/\/?[^/]*$/, "")}/${kind}/${namespace}/${name}`;
}

function sourceOf({ name }: KubernetesResource): string {
  return `Pulumi resource ${name}`;
}

function titleOf(kind: string, body: PlainObject): string {
  const metadata = field(body, "metadata");
  const [namespace, name] = [field(metadata, "namespace"), field(metadata, "name")];
  const scope = typeof namespace === "string" ? `${namespace}/` : "";
  return `${kind} ${scope}${typeof name === "string" ? name : "(name not known)"}`;
}

/** A namespace with the labels of a patch; those that are not known, or none, take the place of the others. */
function withLabels(namespace: Plain, patch: Plain): Plain {
  const added = field(field(patch, "metadata"), "labels");
  if (added === undefined || !isObject(namespace)) return namespace;
  const metadata = field(namespace, "metadata");
  const labels = field(metadata, "labels") ?? {};
  const merged =
    isObject(labels) && isObject(added) ? { ...labels, ...added } : isObject(labels) ? added : labels;
  return { ...namespace, metadata: { ...(isObject(metadata) ? metadata : {}), labels: merged } };
}
