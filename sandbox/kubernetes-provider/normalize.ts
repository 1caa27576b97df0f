import { groupVersion, isObject, textAt, withoutMetadata } from "./kube-object";
import type { KubeObject } from "./kube-object";
import { isUnknown } from "./property-struct";

const serverSetMetadata = [
  "creationTimestamp",
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "uid",
];

// The groups that Kubernetes itself serves. Objects of any other come from a CRD and are left as they are.
const builtInGroups = new Set([
  "",
  "apps",
  "autoscaling",
  "batch",
  "extensions",
  "policy",
  ..."admissionregistration apiextensions apiregistration authentication authorization certificates coordination discovery"
    .split(" ")
    .map((name) => `${name}.k8s.io`),
  ..."events flowcontrol.apiserver internal.apiserver networking node rbac.authorization resource scheduling storage"
    .split(" ")
    .map((name) => `${name}.k8s.io`),
]);

// Maps, as against structs: an empty map means the same as none, while an empty struct ({} as a selector) does not.
const mapFields = new Set([
  "annotations",
  "binaryData",
  "data",
  "labels",
  "matchLabels",
  "nodeSelector",
  "stringData",
]);

/**
 * Inputs without what the API server sets, and, for Kubernetes' own kinds, without empty lists and maps: the server drops
 * those (`omitempty`), so that keeping them would show a change in every preview.
 */
export function normalizeInputs(inputs: KubeObject): KubeObject {
  const cleaned = withoutMetadata(inputs, serverSetMetadata);
  if (!builtInGroups.has(groupVersion(textAt(inputs, "apiVersion")).group)) return cleaned;
  return dropEmpty(cleaned);
}

function dropEmpty(object: KubeObject): KubeObject {
  const result: KubeObject = {};
  for (const [key, value] of Object.entries(object)) {
    const cleaned = Array.isArray(value)
      ? value.map((element: unknown) => (isObject(element) ? dropEmpty(element) : element))
      : isObject(value) && !mapFields.has(key)
        ? dropEmpty(value)
        : value;
    if (!isEmptyList(cleaned) && !(mapFields.has(key) && isEmptyMap(cleaned))) result[key] = cleaned;
  }
  return result;
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function isEmptyMap(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 0;
}

/**
 * The live object cut down to the shape of the inputs that made it: the fields this resource manages, with their live
 * values. Of lists it keeps as many elements as the inputs have, as the official provider does, since controllers append to
 * many of them. Only people append to the lists of a NetworkPolicy, and there each element opens something: so they are
 * kept whole, and a refresh shows what was added. The official provider's does not.
 */
export function pruneToInputs(live: KubeObject, inputs: KubeObject): KubeObject {
  return pruneObject(live, inputs, textAt(inputs, "kind") === "NetworkPolicy");
}

function pruneObject(live: KubeObject, inputs: KubeObject, wholeLists: boolean): KubeObject {
  const result: KubeObject = {};
  for (const [key, target] of Object.entries(inputs)) {
    if (key in live) result[key] = pruneValue(live[key], target, wholeLists);
  }
  return result;
}

function pruneValue(live: unknown, target: unknown, wholeLists: boolean): unknown {
  if (isUnknown(target)) return live;
  if (isObject(live) && isObject(target)) return pruneObject(live, target, wholeLists);
  if (Array.isArray(live) && Array.isArray(target)) {
    const seen: unknown[] = wholeLists ? live : live.slice(0, target.length);
    return seen.map((element, index) =>
      index < target.length ? pruneValue(element, target[index], wholeLists) : element,
    );
  }
  return live;
}
