import * as pulumi from "@pulumi/pulumi";
import {
  compileNetwork,
  matrixRows,
  networkMatrix,
  policyPackConfig,
  protectsDefaultDeny,
  type CompiledNetwork,
  type MatrixRow,
  type NetworkDefinition,
  type PolicyPackConfig,
} from "../matrix";
import { ZeroTrustNamespace } from "./zero-trust-namespace";

/** Who may talk to whom, and where; see {@link NetworkDefinition} for each property and what its absence means. */
export type ZeroTrustNetworkArgs = NetworkDefinition;

/**
 * Namespaces, default-deny and exactly the NetworkPolicies that open the flows of a communication matrix, on both ends.
 *
 * The matrix is among the registered outputs (`matrix`: namespaces, services and flows), where a policy pack finds it.
 */
export class ZeroTrustNetwork extends pulumi.ComponentResource {
  /** Namespaces the network creates or adopts. */
  readonly namespaces: readonly string[];
  /** Names of the deployed NetworkPolicies, default-deny included, by namespace. */
  readonly policies: Readonly<Record<string, readonly string[]>>;
  /** The communication matrix, row by row. */
  readonly matrix: readonly MatrixRow[];
  /**
   * What other stacks give the policy pack as its configuration, so that they are judged together with this network: a stack output
   * for `pulumi stack output --json`. Of several networks in one stack, join the lists.
   */
  readonly policyPackConfig: PolicyPackConfig;

  /** Throws `InvalidNetworkError` with every problem of the definition before any resource is registered. */
  constructor(
    name: string,
    args: ZeroTrustNetworkArgs | CompiledNetwork,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    const network = "definition" in args ? args : compileNetwork(args, `The network ${name}`);
    const { definition, namespaces } = network;
    const matrix = networkMatrix(network);
    // As an input too: a preview shows inputs and no outputs, and a plan without the matrix could not be judged by it.
    super("erlmcp:network:ZeroTrustNetwork", name, { matrix }, opts);

    for (const namespace of namespaces) {
      new ZeroTrustNamespace(
        `${name}-${namespace.name}`,
        { namespace, protectDefaultDeny: protectsDefaultDeny(definition) },
        { parent: this, dependsOn: opts?.dependsOn ?? [] },
      );
    }
    this.namespaces = namespaces.map((namespace) => namespace.name);
    this.policies = Object.fromEntries(
      namespaces.map(({ name: namespace, defaultDeny, policies }) => [
        namespace,
        [...defaultDeny, ...policies].map(({ metadata }) => metadata.name),
      ]),
    );
    this.matrix = matrixRows(network);
    this.policyPackConfig = policyPackConfig(network, `${pulumi.getProject()}/${pulumi.getStack()}`);
    this.registerOutputs({
      namespaces: this.namespaces,
      policies: this.policies,
      matrix,
    });
  }
}
