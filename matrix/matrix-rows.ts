import { policiesOfFlow, type CompiledNetwork } from "./compile";
import { endpointName, servicesOf, type Endpoint } from "./flow";
import type { NetworkDefinition } from "./network";
import { formatPorts } from "./port";

/** One row of the matrix as people read it and as stacks put it out. */
export interface MatrixRow {
  readonly id: string;
  /** Namespace and name of the end that opens the connection, such as `erlmcp/postgres`; for addresses their name. */
  readonly from: string;
  readonly to: string;
  /** Such as `TCP 5432, 5433; UDP 53`. */
  readonly ports: string;
  readonly purpose: string;
  /** The policies, as `namespace/name`, that open this row; none at an end that the stack only references. */
  readonly policies: readonly string[];
}

/** The matrix of a compiled network, row by row in its own order. */
export function matrixRows({ definition }: CompiledNetwork): MatrixRow[] {
  return definition.flows.map((flow) => {
    const { from, to } = policiesOfFlow(flow, definition);
    return {
      id: flow.id,
      from: qualified(flow.from, definition),
      to: qualified(flow.to, definition),
      ports: formatPorts(flow.ports),
      purpose: flow.purpose,
      policies: [...new Set([...from, ...to])],
    };
  });
}

function qualified(endpoint: Endpoint, { services }: NetworkDefinition): string {
  if (endpoint.kind !== "service") return endpointName(endpoint);
  const [name] = servicesOf(endpoint);
  return services
    .filter((service) => service.name === name)
    .map((service) => `${service.namespace}/${service.name}`)
    .join();
}
