import type { Cluster, Namespace, Workload } from "../policypack/reachability/model";
import { readCluster, type ReadProblem } from "../policypack/reachability/read-cluster";
import type { Note } from "../policypack/reachability/reachability";
import type { InputOptions } from "./input-options";
import { readInput, readInputArgument, type Input } from "./inputs/read-input";
import { standIns } from "./inputs/stack-matrix";
import { UsageError } from "./usage-error";

/** A cluster, with what its answer rests on. */
export interface Network {
  readonly cluster: Cluster;
  readonly notes: readonly Note[];
}

/** Reads the cluster that the options name. Throws {@link UsageError} for whatever cannot be read, with its place. */
export function readNetwork(options: InputOptions): Network {
  return networkOf(readInput(options), options);
}

/** Reads the cluster that an argument of `diff` names. Throws {@link UsageError} for whatever cannot be read, with its place. */
export function readNetworkOf(argument: string, options: Pick<InputOptions, "cwd" | "namespace">): Network {
  return networkOf(readInputArgument(argument, options), options);
}

function networkOf(input: Input, { namespace }: Pick<InputOptions, "namespace">): Network {
  const { cluster, notes, problems } = readCluster(input.objects, { defaultNamespace: namespace });
  if (problems.length > 0) {
    throw new UsageError(problems.map((problem) => describe(problem, input)).join("\nerror: "));
  }
  const known = [...input.notes, ...notes];
  const services = cluster.workloads.length === 0 ? standIns({ services: input.services ?? [] }) : [];
  if (services.length === 0) return { cluster, notes: known };
  const note = {
    about: "The workloads",
    at: "",
    text: "no pods are deployed by what was read, so the services of the communication matrix stand for them",
  };
  return { cluster: withWorkloads(cluster, services), notes: [note, ...known] };
}

function withWorkloads(cluster: Cluster, workloads: readonly Workload[]): Cluster {
  const known = new Set(cluster.namespaces.map(({ name }) => name));
  const others = [...new Set(workloads.map(({ namespace }) => namespace))].filter((name) => !known.has(name));
  const namespaces = others.map((name): Namespace => ({
    name,
    labels: { "kubernetes.io/metadata.name": name },
  }));
  return { ...cluster, namespaces: [...cluster.namespaces, ...namespaces], workloads };
}

function describe(problem: ReadProblem, input: Input): string {
  const { title, at, problem: found, allowed, fix } = problem;
  const field = [title, at].filter((part) => part !== "").join(": ");
  return `${input.locate(problem)}: ${field} ${found}\n  allowed: ${allowed}\n  fix:     ${fix}`;
}
