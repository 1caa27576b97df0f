import { isObject, listAt, textAt } from "./kube-object";
import type { KubeObject } from "./kube-object";

/*
 * Server-side apply keeps, per field manager and kind of operation, which fields it set. An object made by a plain create
 * or edited with kubectl has them under another entry than later applies, which would conflict with it. Like the official
 * provider, an update first takes those entries over.
 */
const takenOver: readonly { prefix: string; operation: string }[] = [
  { prefix: "kubectl", operation: "Apply" },
  { prefix: "kubectl", operation: "Update" },
  { prefix: "before-first-apply", operation: "Update" },
  { prefix: "pulumi-kubernetes", operation: "Update" },
  { prefix: "pulumi-resource-kubernetes", operation: "Update" },
];

function isTakenOver(entry: KubeObject): boolean {
  return (
    textAt(entry, "subresource") === "" &&
    takenOver.some(
      ({ prefix, operation }) => textAt(entry, "manager").startsWith(prefix) && entry.operation === operation,
    )
  );
}

/**
 * The JSON patch that gives an object's fields to the manager, where they are kubectl's or a plain create's; undefined when
 * there are none to give. It holds only for the object's `resourceVersion`.
 */
export function takeOverPatch(live: KubeObject, manager: string): KubeObject[] | undefined {
  const entries = listAt(live, "metadata", "managedFields").filter(isObject);
  const isOwn = (entry: KubeObject): boolean =>
    entry.manager === manager && entry.operation === "Apply" && textAt(entry, "subresource") === "";
  const foreign = entries.filter((entry) => isTakenOver(entry) && !isOwn(entry));
  const first = foreign[0];
  if (first === undefined) return undefined;
  const own = entries.find(isOwn) ?? first;
  const merged = {
    ...own,
    manager,
    operation: "Apply",
    fieldsV1: foreign.reduce<unknown>((fields, entry) => mergeFields(fields, entry.fieldsV1), own.fieldsV1),
  };
  const kept = entries.filter((entry) => !foreign.includes(entry) && !isOwn(entry));
  return [
    { op: "replace", path: "/metadata/managedFields", value: [...kept, merged] },
    { op: "replace", path: "/metadata/resourceVersion", value: textAt(live, "metadata", "resourceVersion") },
  ];
}

function mergeFields(a: unknown, b: unknown): unknown {
  if (!isObject(a)) return b;
  if (!isObject(b)) return a;
  const result: KubeObject = { ...a };
  for (const [key, value] of Object.entries(b)) result[key] = mergeFields(result[key], value);
  return result;
}

/**
 * Whether a conflict is only with managers that an update takes over. A preview cannot take them over, so it must not
 * report what the update would not meet.
 *
 * @param causes the causes of the API server's conflict, such as `conflict with "kubectl-edit" using v1`.
 */
export function isConflictWithTakenOver(causes: readonly string[]): boolean {
  const managers = causes.map((cause) => /^conflict with "([^"]*)"/.exec(cause)?.[1]);
  return (
    managers.length > 0 &&
    managers.every(
      (manager) => manager !== undefined && takenOver.some(({ prefix }) => manager.startsWith(prefix)),
    )
  );
}
