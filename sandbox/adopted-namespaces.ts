import { readStackNetwork } from "../cli/stack-network";
import { ApiError, ClusterClient } from "./kubernetes-provider/cluster-client";
import { projectRoot } from "./paths";

/** The namespaces that a stack's config says it adopts. */
export function adoptedNamespaces(stack: string): string[] {
  return readStackNetwork(projectRoot(), stack)
    .namespaces.filter(({ mode }) => mode === "adopt")
    .map(({ name }) => name);
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
