import type { Reporter } from "./define-rule";
import {
  addedWorkloadKinds,
  podTemplateKind,
  workloadKinds,
  type Kind,
  type KubernetesObject,
} from "./kubernetes-object";
import { literalValueFix, notReadable, readItems, type Item } from "./network-policy";
import { field, isObject } from "./plain-data";

/** The kinds that hold a pod spec. */
export const podKinds: readonly Kind[] = [...workloadKinds, ...addedWorkloadKinds, podTemplateKind];

/** What all rules on pod specs leave out. */
export const podLimits =
  "Pods that other kinds hold or make, such as a Knative Service, a virtual machine or an operator's own resource, are not seen.";

/**
 * The pod spec of an object of {@link podKinds}. Undefined where it holds none, as a patch of other fields does, or where it cannot be
 * read, which is reported as unverifiable with `danger` saying what may be behind it.
 */
export function readPodSpec(object: KubernetesObject, danger: string, report: Reporter): Item | undefined {
  const template = readPodTemplate(object, danger, report);
  return template === undefined ? undefined : readPart(template, "spec", danger, report);
}

/** What an object of {@link podKinds} makes its pods from, with their metadata and spec: a Pod itself; as {@link readPodSpec}. */
export function readPodTemplate(
  { kind, body }: KubernetesObject,
  danger: string,
  report: Reporter,
): Item | undefined {
  let part: Item | undefined = { at: "", body };
  for (const key of templatePathOf(kind)) {
    if (part === undefined) return undefined;
    part = readPart(part, key, danger, report);
  }
  return part;
}

/** The containers of a pod spec, of all three lists; those that cannot be read are reported and left out. */
export function readContainers(spec: Item, danger: string, report: Reporter): Item[] {
  return ["containers", "initContainers", "ephemeralContainers"].flatMap((key) =>
    readItems(field(spec.body, key), `${spec.at}.${key}`, danger, report),
  );
}

/** An object within another; undefined where it is missing, or where it cannot be read, which is reported as unverifiable. */
export function readPart(
  { at, body }: Item,
  key: string,
  danger: string,
  report: Reporter,
): Item | undefined {
  const part = field(body, key);
  if (part === undefined) return undefined;
  const partAt = at === "" ? key : `${at}.${key}`;
  if (isObject(part)) return { at: partAt, body: part };
  report.unverifiable({ at: partAt, ...notReadable(part, "an object"), danger, fix: literalValueFix });
  return undefined;
}

function templatePathOf(kind: string): readonly string[] {
  if (kind === "Pod") return [];
  if (kind === "CronJob") return ["spec", "jobTemplate", "spec", "template"];
  return kind === podTemplateKind.kind ? ["template"] : ["spec", "template"];
}
