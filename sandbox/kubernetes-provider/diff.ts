import { isDeepStrictEqual } from "node:util";
import { autonamedAnnotation } from "./check";
import type { Checkpoint } from "./checkpoint";
import {
  annotation,
  isObject,
  isPatchResource,
  objectId,
  textAt,
  valueAt,
  withValueAt,
  withoutMetadata,
} from "./kube-object";
import type { KubeObject } from "./kube-object";
import { normalizeInputs, pruneToInputs } from "./normalize";
import { isUnknown } from "./property-struct";
import { replacementFields } from "./replacement-fields";
import type { Mutability } from "./replacement-fields";

/** One property that a new program changes. */
export interface PropertyChange {
  /** As Pulumi writes paths: `metadata.labels["app.kubernetes.io/name"]`, `spec.ingress[0].from`. */
  readonly path: string;
  readonly kind: "add" | "delete" | "update";
  /** Whether this change cannot be made in place. */
  readonly replaces: boolean;
}

export interface Difference {
  readonly changes: readonly PropertyChange[];
  /** Whether the old object must go before the new one is made, because both have the same name. */
  readonly deleteBeforeReplace: boolean;
}

export interface DiffRequest {
  readonly urn: string;
  readonly checkpoint: Checkpoint;
  readonly newInputs: KubeObject;
  /** Whether objects of this kind live in a namespace: those that name none are then in `default`. */
  readonly namespaced: boolean;
  /** Paths that `ignoreChanges` names; a change at or below one does not count. */
  readonly ignoreChanges: readonly string[];
  readonly mutability: Mutability;
}

/**
 * What the new inputs change of the live object, as last read, in the fields that the old inputs managed. Fields that only
 * the API server or others set never show.
 */
export function diffInputs(request: DiffRequest): Difference {
  const { live, inputs: rawInputs } = request.checkpoint;
  const oldInputs = normalizeInputs(rawInputs);
  let before = pruneToInputs(live, oldInputs);
  let after = normalizeInputs(request.newInputs);
  const name = textAt(live, "metadata", "name");
  if (textAt(after, "metadata", "name") !== "") before = withValueAt(before, ["metadata", "name"], name);
  // apiVersion and kind are part of the resource's type: state read without inputs (an import) may lack them.
  for (const key of ["apiVersion", "kind"]) if (!(key in before) && key in after) before[key] = after[key];
  before = withNamespace(before, request.namespaced);
  after = withNamespace(after, request.namespaced);

  const isPatch = isPatchResource(request.urn, textAt(after, "kind"));
  const frozen = replacementFields(after, isPatch, request.mutability).map((field) => field.split("."));
  const changes = changesBetween(before, after, [])
    .filter(({ path }) => !request.ignoreChanges.some((ignored) => isAtOrBelow(pathText(path), ignored)))
    .map((change): PropertyChange => ({
      path: pathText(change.path),
      kind: change.kind,
      replaces: frozen.some((field) => touches(change, field)),
    }));
  const deleteBeforeReplace =
    changes.some(({ replaces }) => replaces) &&
    annotation(after, autonamedAnnotation) !== "true" &&
    objectId(after) === objectId(withNamespace(live, request.namespaced));
  return { changes, deleteBeforeReplace };
}

function withNamespace(object: KubeObject, namespaced: boolean): KubeObject {
  const namespace = valueAt(object, "metadata", "namespace");
  if (namespaced) return withValueAt(object, ["metadata", "namespace"], namespace ?? "default");
  return withoutMetadata(object, ["namespace"]);
}

interface Change {
  readonly path: readonly (string | number)[];
  readonly kind: "add" | "delete" | "update";
  readonly before?: unknown;
  readonly after?: unknown;
}

function changesBetween(before: unknown, after: unknown, path: readonly (string | number)[]): Change[] {
  if (isUnknown(after)) return [{ path, kind: "update", before, after }];
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) =>
      changeOfElement(key in before, before[key], key in after, after[key], [...path, key]),
    );
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const positions = Array.from({ length: Math.max(before.length, after.length) }, (_, index) => index);
    return positions.flatMap((index) =>
      changeOfElement(index < before.length, before[index], index < after.length, after[index], [
        ...path,
        index,
      ]),
    );
  }
  return isDeepStrictEqual(before, after) ? [] : [{ path, kind: "update", before, after }];
}

function changeOfElement(
  isBefore: boolean,
  before: unknown,
  isAfter: boolean,
  after: unknown,
  path: readonly (string | number)[],
): Change[] {
  if (!isAfter) return [{ path, kind: "delete", before }];
  if (!isBefore) return [{ path, kind: "add", after }];
  return changesBetween(before, after, path);
}

/** Whether the change is in the field, or in something that holds the field. */
function touches({ path, before, after }: Change, field: readonly string[]): boolean {
  const keys = path.map(String);
  if (field.every((key, index) => keys[index] === key)) return true;
  if (!keys.every((key, index) => field[index] === key)) return false;
  const rest = field.slice(keys.length);
  return [before, after].some((value) => isObject(value) && valueAt(value, ...rest) !== undefined);
}

function pathText(path: readonly (string | number)[]): string {
  let text = "";
  for (const key of path) {
    if (typeof key === "number") text += `[${String(key)}]`;
    else if (/[."[\]]/.test(key)) text += `["${key.replaceAll('"', '\\"')}"]`;
    else text += text === "" ? key : `.${key}`;
  }
  return text;
}

function isAtOrBelow(path: string, ignored: string): boolean {
  const pattern = ignored.replace(/\[\*\]/g, "\0");
  const source = pattern.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("\0", "\\[\\d+\\]");
  return new RegExp(`^${source}($|[.[])`).test(path);
}
