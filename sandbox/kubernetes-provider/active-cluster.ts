import { load } from "js-yaml";
import { isDeepStrictEqual } from "node:util";
import { readKubeconfig } from "./cluster-client";
import { isObject, textAt } from "./kube-object";
import type { KubeObject } from "./kube-object";

/**
 * Whether the provider's new configuration means another cluster than the old one. Kubernetes gives clusters no identity, so
 * this compares address and certificates, as the official provider does; `clusterIdentifier` overrules it. What cannot be
 * read counts as the same cluster: replacing everything because a file has moved would do harm.
 */
export function isOtherCluster(before: KubeObject, after: KubeObject): boolean {
  const [oldIdentifier, newIdentifier] = [before, after].map((config) => textAt(config, "clusterIdentifier"));
  if (oldIdentifier && newIdentifier) return oldIdentifier !== newIdentifier;
  const [oldCluster, newCluster] = [activeCluster(before), activeCluster(after)];
  return oldCluster !== undefined && newCluster !== undefined && !isDeepStrictEqual(oldCluster, newCluster);
}

/** The cluster that a provider configuration means, as its kubeconfig describes it; undefined when it cannot be read. */
export function activeCluster(config: KubeObject): unknown {
  let kubeconfig: unknown;
  try {
    const setting = config.kubeconfig;
    kubeconfig = isObject(setting) ? setting : load(readKubeconfig(textAt(config, "kubeconfig")));
  } catch {
    return undefined;
  }
  if (!isObject(kubeconfig)) return undefined;
  const contextName = textAt(config, "context") || textAt(kubeconfig, "current-context");
  const context = named(kubeconfig.contexts, contextName, "context");
  const clusterName = textAt(config, "cluster") || textAt(context ?? {}, "cluster");
  return named(kubeconfig.clusters, clusterName, "cluster");
}

function named(list: unknown, name: string, key: string): KubeObject | undefined {
  const entry = (Array.isArray(list) ? list : []).filter(isObject).find((item) => item.name === name);
  return isObject(entry?.[key]) ? entry[key] : undefined;
}
