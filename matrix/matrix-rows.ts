import { policiesOfFlow, type CompiledNetwork } from "./compile";
import type { Endpoint } from "./flow";
import type { NetworkDefinition } from "./network";
import { formatPorts } from "./port";

/** One row of the matrix as people read it and as stacks put it out. */
export interface MatrixRow {
  readonly id: string;
  /** Who opens the connection: `erlmcp/postgres` (namespace and service), a group with its members, or addresses by name. */
  readonly from: string;
  /** Who accepts it, spelled as `from`. */
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

function qualified(endpoint: Endpoint, network: NetworkDefinition): string {
  switch (endpoint.kind) {
    case "service":
      return network.services
        .filter(({ name }) => name === endpoint.service)
        .map(({ namespace, name }) => `${namespace}/${name}`)
        .join();
    case "group":
      return `${endpoint.name}: ${endpoint.members.map((member) => qualified(member, network)).join(", ")}`;
    case "namespaces":
      return `any pod in ${endpoint.namespaces.join(", ")}`;
    case "addresses":
      return endpoint.name;
  }
}
