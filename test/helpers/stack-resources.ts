import { manifestsOf, networkMatrix, type CompiledNetwork } from "../../matrix";
import { fromManifest, resource, type WireResource } from "./run-rule";

/** A network's resources as the engine describes them to the analyzer: its component with the matrix, and every object. */
export function stackResources(network: CompiledNetwork): WireResource[] {
  const component = resource(
    "erlmcp:network:ZeroTrustNetwork",
    { matrix: networkMatrix(network) },
    "network",
  );
  const objects = manifestsOf(network).map((manifest): WireResource => {
    const { name, namespace = "" } = manifest.metadata as { name: string; namespace?: string };
    const { type, props } = fromManifest(manifest);
    return resource(type, props, `${namespace}/${name}`);
  });
  return [component, ...objects];
}
