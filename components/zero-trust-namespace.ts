import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { CompiledNamespace } from "../matrix";
import { DefaultDeny } from "./default-deny";
import { MeshMtls } from "./mesh-mtls";

export interface ZeroTrustNamespaceArgs {
  /** The manifests of the namespace. */
  readonly namespace: CompiledNamespace;
  /** Whether Pulumi refuses to delete default-deny; absent means no. */
  readonly protectDefaultDeny?: boolean;
}

/**
 * One namespace with its labels, its default-deny, and the policies of its services. An adopted namespace is patched, so it
 * outlives this component, which then takes back only the labels it gave.
 */
export class ZeroTrustNamespace extends pulumi.ComponentResource {
  constructor(
    name: string,
    { namespace, protectDefaultDeny = false }: ZeroTrustNamespaceArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("erlmcp:network:ZeroTrustNamespace", name, {}, opts);
    const { manifest } = namespace;
    // Pulumi does not hand a component's dependsOn on to its children.
    const first = { parent: this, dependsOn: opts?.dependsOn ?? [] };
    const object =
      namespace.mode === "create"
        ? new k8s.core.v1.Namespace(name, manifest, first)
        : new k8s.core.v1.NamespacePatch(name, manifest, first);

    const shut =
      namespace.defaultDeny.length > 0
        ? [
            new DefaultDeny(
              `${name}-default-deny`,
              { policies: namespace.defaultDeny, protect: protectDefaultDeny },
              { parent: this, dependsOn: object },
            ),
          ]
        : [];
    const dependsOn = [object, ...shut];
    for (const policy of namespace.policies) {
      new k8s.networking.v1.NetworkPolicy(`${name}-${policy.metadata.name}`, policy, {
        parent: this,
        dependsOn,
      });
    }
    if (namespace.meshObjects.length > 0) {
      new MeshMtls(`${name}-mesh-mtls`, { objects: namespace.meshObjects }, { parent: this, dependsOn });
    }
    this.registerOutputs({
      name: namespace.name,
      mode: namespace.mode,
      policies: [...namespace.defaultDeny, ...namespace.policies].map(({ metadata }) => metadata.name),
    });
  }
}
