import { networkMatrix, type CompiledNetwork } from "../../matrix";
import type { ObservedResource } from "../../policypack/kubernetes-object";
import { networkComponent } from "../inputs/stack-matrix";

/** The stack that a cluster should be as. */
export interface ExpectedStack {
  readonly network: CompiledNetwork;
  readonly name: string;
  /** Name of its Pulumi project. */
  readonly project: string;
}

/** The stack's network as its component puts it out, where rules find the matrix. */
export function networkResource({ network, name, project }: ExpectedStack): ObservedResource {
  const { namespaces } = network;
  return {
    type: networkComponent,
    urn: `urn:pulumi:${name}::${project}::${networkComponent}::network`,
    name: "network",
    props: {
      namespaces: namespaces.map((namespace) => namespace.name),
      policies: Object.fromEntries(
        namespaces.map(({ name: namespace, defaultDeny, policies }) => [
          namespace,
          [...defaultDeny, ...policies].map(({ metadata }) => metadata.name),
        ]),
      ),
      matrix: networkMatrix(network),
    },
  };
}
