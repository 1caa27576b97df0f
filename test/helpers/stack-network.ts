import { join } from "node:path";
import { readStackNetwork } from "../../cli/stack-network";
import { networkFromConfig, type CompiledNetwork, type NetworkPolicy } from "../../matrix";

/** The root of the project. */
export const root = join(__dirname, "..", "..");

/** The stacks of the project. */
export const stacks = ["staging", "prod"] as const;

/** The network of one of the project's own stacks. */
export function stackNetwork(stack: (typeof stacks)[number]): CompiledNetwork {
  return readStackNetwork(root, stack);
}

/** The network that these config keys give, everything else at its default. */
export function networkWith(config: Record<string, unknown> = {}): CompiledNetwork {
  return networkFromConfig(config, "The test's configuration");
}

export function policiesOf({ namespaces }: CompiledNetwork): NetworkPolicy[] {
  return namespaces.flatMap(({ defaultDeny, policies }) => [...defaultDeny, ...policies]);
}

/** The policy named `namespace/name`; fails the test where there is none. */
export function policyOf(network: CompiledNetwork, name: string): NetworkPolicy {
  const policy = policiesOf(network).find(
    ({ metadata }) => `${metadata.namespace}/${metadata.name}` === name,
  );
  if (policy === undefined) throw new Error(`there is no policy ${name}`);
  return policy;
}
