import { manifestsOf, type CompiledNetwork } from "../../matrix";
import { fromManifest, resource, type WireResource } from "./run-rule";

/** A network's resources as the engine describes them to the analyzer: its component with the matrix, and every object. */
export function stackResources(network: CompiledNetwork): WireResource[] {
  const { services, flows } = network.definition;
  const namespaces = network.namespaces.map(({ name }) => name);
  const component = resource(
    "erlmcp:network:ZeroTrustNetwork",
    { namespaces, matrix: { services, flows } },
    "network",
  );
  const objects = manifestsOf(network).map((manifest): WireResource => {
    const { name, namespace = "" } = manifest.metadata as { name: string; namespace?: string };
    const { type, props } = fromManifest(manifest);
    return resource(type, props, `${namespace}/${name}`);
  });
  return [component, ...objects];
}
