import { dump } from "js-yaml";
import type { CompiledNamespace, CompiledNetwork } from "../matrix";

export interface TextFile {
  readonly name: string;
  readonly text: string;
}

/** First line of every file, by which a later render knows its own files. */
export const renderedMark = "# Rendered by zero-trust render. Changes made here are lost at the next render.";

type Manifest =
  | CompiledNamespace["manifest"]
  | CompiledNamespace["defaultDeny"][number]
  | CompiledNamespace["meshObjects"][number];

/**
 * The manifests of a network, one file an object, and a `kustomization.yaml` over them. Names sort in the order in which the
 * objects have to exist and depend on nothing but the object; the same network always gives the same bytes.
 */
export function manifestFiles(network: CompiledNetwork): TextFile[] {
  const manifests = network.namespaces.flatMap((namespace) => [
    file(10, namespace.manifest, namespace.mode === "adopt" ? adoptedNote : undefined),
    ...namespace.defaultDeny.map((policy) => file(20, policy)),
    ...namespace.policies.map((policy) => file(30, policy)),
    ...namespace.meshObjects.map((object) => file(40, object)),
  ]);
  manifests.sort((a, b) => (a.name < b.name ? -1 : 1));
  const kustomization = {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    resources: manifests.map(({ name }) => name),
  };
  return [...manifests, { name: "kustomization.yaml", text: `${renderedMark}\n${yaml(kustomization)}` }];
}

/** The manifests as one stream of YAML documents, in the order in which they have to exist. */
export function manifestStream(network: CompiledNetwork): string {
  return manifestFiles(network)
    .filter(({ name }) => name !== "kustomization.yaml")
    .map(({ text }) => text)
    .join("---\n");
}

const adoptedNote =
  "# This namespace belongs to another team: apply this file, but never delete by it (kubectl delete -k would).";

function file(rank: number, manifest: Manifest, note?: string): TextFile {
  const { kind, metadata } = manifest;
  const name = [`${rank}-${kind.toLowerCase()}`, metadata.namespace, metadata.name, "yaml"];
  return {
    name: name.filter((part) => part !== undefined).join("."),
    text: [renderedMark, ...(note === undefined ? [] : [note]), yaml(manifest)].join("\n"),
  };
}

function yaml(value: unknown): string {
  return dump(value, { lineWidth: -1, noRefs: true });
}
