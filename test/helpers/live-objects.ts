import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadAll } from "js-yaml";
import type { LiveObject } from "../../cli/cluster/live-objects";
import { titleOf } from "../../cli/validation/live-cluster";
import type { PlainObject } from "../../policypack/plain-data";
import { groupOf } from "../../policypack/reachability/read-kinds";
import { root } from "./stack-network";

interface Manifest extends PlainObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** The objects of YAML documents, as a cluster would hand them out. */
export function liveObjectsOf(...manifests: string[]): LiveObject[] {
  return manifests
    .flatMap((text) => loadAll(text) as Manifest[])
    .map((body) => {
      const { apiVersion, kind, metadata } = body;
      const { namespace, name } = metadata;
      return { group: groupOf(apiVersion), apiVersion, kind, namespace, name, body };
    });
}

/** What a cluster holds after one of the project's stacks was deployed into it. */
export function deployedStack(stack: "staging" | "prod"): LiveObject[] {
  const folder = join(root, "test", "golden", stack);
  const files = readdirSync(folder).filter((file) => file !== "kustomization.yaml");
  return liveObjectsOf(...files.map((file) => readFileSync(join(folder, file), "utf8")));
}

/** The objects with one of them changed. Fails the test where there is none of that kind and name, and where nothing changes. */
export function changed(
  objects: readonly LiveObject[],
  title: string,
  change: (json: string) => string,
): LiveObject[] {
  const rest = removed(objects, title);
  return objects.map((object) => {
    if (rest.includes(object)) return object;
    const before = JSON.stringify(object.body);
    const after = change(before);
    if (after === before) throw new Error(`${title} was not changed`);
    return { ...object, body: JSON.parse(after) as PlainObject };
  });
}

/** The objects without one of them. Fails the test where there is none of that kind and name. */
export function removed(objects: readonly LiveObject[], title: string): LiveObject[] {
  const kept = objects.filter((object) => titleOf(object) !== title);
  if (kept.length !== objects.length - 1) throw new Error(`${title} is not among the objects`);
  return kept;
}
