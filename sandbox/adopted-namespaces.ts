import { load } from "js-yaml";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { ApiError, ClusterClient } from "./kubernetes-provider/cluster-client";
import { isObject, valueAt } from "./kubernetes-provider/kube-object";
import { projectRoot } from "./paths";

/** The namespaces that a stack's config says it adopts. */
export function adoptedNamespaces(stack: string): string[] {
  const file = load(readFileSync(path.join(projectRoot(), `Pulumi.${stack}.yaml`), "utf8"));
  const project = load(readFileSync(path.join(projectRoot(), "Pulumi.yaml"), "utf8"));
  if (!isObject(file) || !isObject(project)) return [];
  const namespaces = valueAt(file, "config", `${String(project.name)}:namespaces`);
  return Object.entries(isObject(namespaces) ? namespaces : {})
    .filter(([, settings]) => isObject(settings) && settings.mode === "adopt")
    .map(([name]) => name);
}

/**
 * Makes namespaces that do not exist, as another team would have before the stack adopts them.
 *
 * @returns the names of those it made.
 */
export async function makeNamespaces(kubeconfig: string, names: readonly string[]): Promise<string[]> {
  const client = await ClusterClient.connect({ kubeconfig, context: "", cluster: "" });
  const made: string[] = [];
  for (const name of names) {
    try {
      const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
      await client.create(namespace, { fieldManager: "another-team", dryRun: false });
      made.push(name);
    } catch (error) {
      if (!(error instanceof ApiError && error.reason === "AlreadyExists")) throw error;
    }
  }
  return made;
}
