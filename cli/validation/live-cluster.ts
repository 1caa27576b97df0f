import { servesSelector } from "./service-addresses";
import type { ObservedResource } from "../../policypack/kubernetes-object";
import type { Cluster } from "../../policypack/reachability/model";
import { workloadKey } from "../../policypack/reachability/pod-classes";
import { readCluster, type ReadProblem, type SourceObject } from "../../policypack/reachability/read-cluster";
import { knownKinds } from "../../policypack/reachability/read-kinds";
import type { Note } from "../../policypack/reachability/reachability";
import type { LiveObject } from "../cluster/live-objects";

/** What a cluster holds, as the reachability engine and the rules take it. */
export interface LiveCluster {
  readonly objects: readonly LiveObject[];
  readonly cluster: Cluster;
  /** What of policies and workloads cannot be read; what depends on it is not judged. */
  readonly problems: readonly ReadProblem[];
  readonly notes: readonly Note[];
  /**
   * The objects that people answer for: without what controllers made of them, such as the pods of a Deployment and the addresses
   * behind a Service.
   */
  readonly resources: readonly LiveResource[];
}

/** An object as a rule of the policy pack takes it. */
export interface LiveResource extends ObservedResource {
  readonly object: LiveObject;
}

const workloadKinds = new Set(knownKinds.filter(({ role }) => role === "workload").map(({ kind }) => kind));

export function readLiveCluster(objects: readonly LiveObject[]): LiveCluster {
  const sources = objects.map((object): SourceObject & { object: LiveObject } => ({
    body: object.body,
    source: "the cluster",
    object,
  }));
  const { cluster, problems, notes } = readCluster(sources);
  const standing = new Set(cluster.workloads.map(workloadKey));
  const unread = new Set(problems.map(({ object }) => object));
  const isControllers = servesSelector(objects);
  const resources = sources
    .filter((source) => {
      const { kind, namespace = "", name } = source.object;
      if (isControllers(source.object)) return false;
      return !workloadKinds.has(kind) || unread.has(source) || standing.has(`${namespace}/${kind}/${name}`);
    })
    .map(({ object }) => resourceOf(object));
  return { objects, cluster, problems, notes, resources };
}

function resourceOf(object: LiveObject): LiveResource {
  const { group, apiVersion, kind, namespace, name, body } = object;
  const token = group === "" ? `core/${apiVersion}` : apiVersion;
  return {
    type: `kubernetes:${token}:${kind}`,
    urn: [group, kind, namespace ?? "", name].join("/"),
    name,
    source: "the cluster",
    props: body,
    object,
  };
}

/** How messages name an object: `NetworkPolicy erlmcp/erlmcp-egress`. */
export function titleOf({
  kind,
  namespace,
  name,
}: {
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
}): string {
  return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}
