import type { Note } from "../../policypack/reachability/reachability";
import type { ResourceState } from "./resource-state";

/** The resources of a stack, at one moment. */
export interface StackResources {
  /** Those that are there: in the cluster, or to be there when the update is done. */
  readonly resources: readonly ResourceState[];
  /** What is not certain about them. */
  readonly notes: readonly Note[];
}
