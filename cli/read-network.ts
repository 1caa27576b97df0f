import type { Cluster } from "../policypack/reachability/model";
import { readCluster, type ReadProblem } from "../policypack/reachability/read-cluster";
import type { Note } from "../policypack/reachability/reachability";
import type { InputOptions } from "./input-options";
import { locate, readManifests } from "./inputs/manifests";
import { UsageError } from "./usage-error";

/** A cluster, with what its answer rests on. */
export interface Network {
  readonly cluster: Cluster;
  readonly notes: readonly Note[];
}

export function readNetwork(options: InputOptions): Network {
  return network(readManifests(options.manifests ?? []), options);
}

export function readNetworkOf(path: string, options: Pick<InputOptions, "namespace">): Network {
  return network(readManifests([path]), options);
}

function network(
  input: ReturnType<typeof readManifests>,
  { namespace }: Pick<InputOptions, "namespace">,
): Network {
  const { cluster, notes, problems } = readCluster(input.objects, { defaultNamespace: namespace });
  if (problems.length > 0) throw new UsageError(problems.map(describe).join("\nerror: "));
  return { cluster, notes: [...input.notes, ...notes] };
}

function describe(problem: ReadProblem): string {
  const { title, at, problem: found, allowed, fix } = problem;
  const field = [title, at].filter((part) => part !== "").join(": ");
  return `${locate(problem)}: ${field} ${found}\n  allowed: ${allowed}\n  fix:     ${fix}`;
}
