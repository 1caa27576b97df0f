import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { NetworkPolicy } from "../matrix";

export interface DefaultDenyArgs {
  /** The policies that shut the namespace, one a direction. */
  readonly policies: readonly NetworkPolicy[];
  /** Whether Pulumi refuses to delete them; absent means no. */
  readonly protect?: boolean;
}

/**
 * The default-deny of one namespace. Whatever opens something in the namespace depends on this component, so that it
 * exists first and goes last.
 */
export class DefaultDeny extends pulumi.ComponentResource {
  constructor(
    name: string,
    { policies, protect = false }: DefaultDenyArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("erlmcp:network:DefaultDeny", name, {}, opts);
    // Pulumi does not hand a component's dependsOn on to its children.
    const dependsOn = opts?.dependsOn ?? [];
    for (const policy of policies) {
      new k8s.networking.v1.NetworkPolicy(
        `${name}-${policy.spec.policyTypes.join("-").toLowerCase()}`,
        policy,
        {
          parent: this,
          protect,
          dependsOn,
        },
      );
    }
    this.registerOutputs({ policies: policies.map(({ metadata }) => metadata.name) });
  }
}
