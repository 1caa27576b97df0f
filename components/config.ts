import * as pulumi from "@pulumi/pulumi";
import { InvalidNetworkError, networkFromConfig, type CompiledNetwork } from "../matrix";

/**
 * The network that the configuration of the current stack asks for. Reading it all through `Config.get` makes Pulumi warn
 * of secrets, which policies, outputs and state would show in plain text.
 *
 * Throws a `RunError`, which Pulumi shows without a stack trace, with every problem found, before any resource is registered.
 */
export function readNetwork(): CompiledNetwork {
  const config = new pulumi.Config();
  const prefix = `${config.name}:`;
  const keys = Object.keys(pulumi.runtime.allConfig())
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length));
  const values = Object.fromEntries(keys.map((key) => [key, config.get(key)]));
  try {
    return networkFromConfig(
      values,
      `The configuration of stack ${pulumi.getStack()} (Pulumi.${pulumi.getStack()}.yaml)`,
    );
  } catch (error) {
    throw error instanceof InvalidNetworkError ? new pulumi.RunError(error.message) : error;
  }
}
