import { indexLabels } from "./label-index";
import type { Cluster, Namespace, Selector } from "./model";
import { rulesIn } from "./notes";
import { selectorKey, selectsEverything } from "./selector";

/**
 * For each namespace the keys of the selectors of namespaces that select it, among all that the policies of a cluster have, but
 * for those that select every namespace. Namespaces with equal keys look alike to every policy that does not name its own.
 */
export function namespaceMatches(cluster: Cluster): (namespace: Namespace) => readonly string[] {
  const selectors = new Map<string, Selector>();
  const add = (selector: Selector) => {
    if (!selectsEverything(selector)) selectors.set(selectorKey(selector), selector);
  };
  for (const policy of cluster.clusterPolicies) add(policy.subject.namespaces);
  for (const policy of [...cluster.networkPolicies, ...cluster.clusterPolicies]) {
    for (const peer of rulesIn(policy).flatMap(({ peers }) => peers ?? [])) {
      if (peer.kind === "pods" && peer.namespaces !== undefined) add(peer.namespaces);
    }
  }
  const { namespaces } = cluster;
  const index = indexLabels([...namespaces.keys()], (number) => namespaces[number]?.labels ?? {});
  const matches = new Map<string, string[]>();
  for (const [key, selector] of selectors) {
    for (const number of index.select(selector)) {
      const name = namespaces[number]?.name ?? "";
      const keys = matches.get(name);
      if (keys === undefined) matches.set(name, [key]);
      else keys.push(key);
    }
  }
  return ({ name }) => matches.get(name) ?? [];
}
