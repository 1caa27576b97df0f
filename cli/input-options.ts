import { Option, type Command } from "commander";
import { fromCidr, readCidr, union, type AddressSet } from "../policypack/address-set";
import type { AnalysisOptions } from "../policypack/reachability/reachability";
import { UsageError } from "./usage-error";

/** Which cluster a command is about; exactly one of the first four. */
export interface InputOptions {
  readonly manifests?: readonly string[];
  readonly stack?: string;
  readonly state?: string;
  readonly plan?: string;
  readonly cwd: string;
  readonly namespace: string;
}

/** What the command line says of the cluster's addresses. */
export interface AddressOptions {
  readonly podCidr?: readonly string[];
  readonly serviceCidr?: readonly string[];
  readonly nodeCidr?: readonly string[];
}

/** Adds the options that say which cluster a command is about, and what its addresses are. */
export function withInput(command: Command): Command {
  return withSettings(withSources(command));
}

/** Adds the options that say which objects a command is about. */
export function withObjects(command: Command): Command {
  return withReading(withSources(command));
}

/** Adds the options that say how a cluster's objects and addresses are to be read. */
export function withSettings(command: Command): Command {
  return withReading(command)
    .option("--pod-cidr <cidr...>", "addresses that pods get")
    .option("--service-cidr <cidr...>", "addresses that Services get")
    .option("--node-cidr <cidr...>", "addresses of nodes (default: private ranges)");
}

function withSources(command: Command): Command {
  return command
    .option("--manifests <path...>", "Kubernetes manifests: files, folders, or - for stdin")
    .option("--stack <name>", "what a Pulumi stack has deployed, from pulumi stack export")
    .option("--state <file>", "the same from a file, or - for stdin")
    .option("--plan <file>", "what a stack would deploy, from pulumi preview --json --show-sames");
}

function withReading(command: Command): Command {
  return command
    .option("--cwd <dir>", "folder of the Pulumi project, for --stack", ".")
    .addOption(new Option("--namespace <name>", "namespace of manifests that name none").default("default"));
}

/** Throws {@link UsageError} for text that is no CIDR. */
export function analysisOptions({ podCidr, serviceCidr, nodeCidr }: AddressOptions): AnalysisOptions {
  return {
    ...ranges("podRanges", "--pod-cidr", podCidr),
    ...ranges("serviceRanges", "--service-cidr", serviceCidr),
    ...ranges("nodeRanges", "--node-cidr", nodeCidr),
  };
}

function ranges(
  key: keyof AnalysisOptions,
  option: string,
  cidrs: readonly string[] | undefined,
): AnalysisOptions {
  if (cidrs === undefined) return {};
  const sets = cidrs.map((cidr): AddressSet => {
    const reading = readCidr(cidr);
    if (reading.ok) return fromCidr(cidr);
    throw new UsageError(
      `${option} ${cidr} is no CIDR: ${reading.problem}\n` +
        "  allowed: a network such as 10.244.0.0/16 or fd00:10:244::/56\n" +
        "  fix:     correct it",
    );
  });
  return { [key]: union(...sets) };
}
