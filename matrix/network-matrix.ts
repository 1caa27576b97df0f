import type { CompiledNetwork } from "./compile";
import type { Matrix } from "./flow";

/** A matrix as its stack publishes it, for whoever judges what is deployed by it. */
export interface NetworkMatrix extends Matrix {
  /**
   * The namespaces that it decides about: those the network creates or adopts. In the others it only names the far ends of flows.
   */
  readonly namespaces: readonly string[];
}

/** The matrix of a compiled network, with the namespaces that it decides about. */
export function networkMatrix({ definition, namespaces }: CompiledNetwork): NetworkMatrix {
  return {
    namespaces: namespaces.map(({ name }) => name),
    services: definition.services,
    flows: definition.flows,
  };
}
