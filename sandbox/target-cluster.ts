import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import * as path from "node:path";
import { Failure } from "./failure";
import { activeCluster } from "./kubernetes-provider/active-cluster";
import type { StackArgs } from "./stack";

/** How a command names a cluster other than the sandbox's own. */
export interface ClusterOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/**
 * Which instance keeps the state of a stack for a cluster: the stack's own for the sandbox's control plane, else one for
 * each stack and cluster, whatever file or context names the cluster.
 *
 * @throws Failure when the kubeconfig file does not exist or names no such cluster.
 */
export function targetCluster(
  stack: string,
  options: ClusterOptions,
): Required<Pick<StackArgs, "instance">> & StackArgs {
  if (options.kubeconfig === undefined) return { stack, instance: stack };
  const kubeconfig = path.resolve(options.kubeconfig);
  if (!existsSync(kubeconfig)) {
    throw new Failure(`there is no kubeconfig file ${kubeconfig}: correct --kubeconfig`, 2);
  }
  const cluster = activeCluster({ kubeconfig, context: options.context ?? "" });
  if (cluster === undefined) {
    const context =
      options.context === undefined ? "its current-context" : `its context "${options.context}"`;
    throw new Failure(
      `${kubeconfig} does not say which cluster ${context} means: correct it, or name another with --context`,
      2,
    );
  }
  const identity = createHash("sha256").update(JSON.stringify(cluster)).digest("hex").slice(0, 8);
  return {
    stack,
    instance: `${stack}-on-${identity}`,
    cluster: { kubeconfig, ...(options.context === undefined ? {} : { context: options.context }) },
  };
}
