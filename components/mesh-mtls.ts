import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { CustomObject } from "../matrix";

export interface MeshMtlsArgs {
  /** The mesh's custom resources in this namespace. */
  readonly objects: readonly CustomObject[];
}

/** The custom resources that make the service mesh of one namespace refuse whatever is not mTLS. */
export class MeshMtls extends pulumi.ComponentResource {
  constructor(name: string, { objects }: MeshMtlsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("erlmcp:network:MeshMtls", name, {}, opts);
    // Pulumi does not hand a component's dependsOn on to its children.
    const dependsOn = opts?.dependsOn ?? [];
    for (const object of objects) {
      new k8s.apiextensions.CustomResource(
        `${name}-${object.kind.toLowerCase()}-${object.metadata.name}`,
        { ...object },
        { parent: this, dependsOn },
      );
    }
    this.registerOutputs({ objects: objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`) });
  }
}
