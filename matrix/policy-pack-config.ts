import type { CompiledNetwork } from "./compile";
import type { Namespace, NetworkPolicy } from "./kubernetes";
import { networkMatrix, type NetworkMatrix } from "./network-matrix";

/** What a network puts into its cluster, for the rules that judge the policies of several stacks together. */
export interface NetworkBaseline {
  /** The Pulumi stack that deploys it, as project/stack; where that is judged itself, rules leave the baseline out. */
  readonly stack: string;
  /** Namespaces with the labels that the stack gives them, default-denies, and the policies of the services. */
  readonly objects: readonly (Namespace | NetworkPolicy)[];
  readonly matrix: NetworkMatrix;
}

/** What `pulumi --policy-pack-config` and `zero-trust check --config` take: the policy `baseline` with that of all rules. */
export type PolicyPackConfig = Readonly<
  Record<"baseline", { readonly baseline: readonly NetworkBaseline[] }>
>;

/**
 * The configuration of the policy pack with which other stacks are judged together with what the network deploys. It is plain
 * data, the same for the same network.
 *
 * @param stack the Pulumi stack that deploys the network, as project/stack
 */
export function policyPackConfig(network: CompiledNetwork, stack: string): PolicyPackConfig {
  const objects = network.namespaces.flatMap(({ manifest, defaultDeny, policies }) => [
    manifest,
    ...defaultDeny,
    ...policies,
  ]);
  return { baseline: { baseline: [{ stack, objects, matrix: networkMatrix(network) }] } };
}
