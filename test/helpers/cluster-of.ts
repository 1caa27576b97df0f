import { loadAll } from "js-yaml";
import { snapshot } from "../../policypack/plain-data";
import type { Cluster } from "../../policypack/reachability/model";
import { describeReadProblem, readCluster } from "../../policypack/reachability/read-cluster";

/** The cluster of some manifests in YAML. Throws when one of them has a problem. */
export function clusterOf(...manifests: string[]): Cluster {
  const objects = manifests
    .flatMap((text) => loadAll(text))
    .map((body, index) => ({ body: snapshot(body), source: `document ${index + 1}` }));
  const { cluster, problems } = readCluster(objects);
  if (problems.length > 0) throw new Error(problems.map(describeReadProblem).join("\n"));
  return cluster;
}
