import { networking, type types } from "@pulumi/kubernetes";
import type { CustomResourceOptions, Input } from "@pulumi/pulumi";

/** A NetworkPolicy of the team. */
export interface TeamPolicy {
  readonly name: string;
  /** Who talks to whom, and why; it ends up in the annotation that the policy pack asks for. Absent: nobody wrote it down. */
  readonly purpose?: string;
  readonly spec: types.input.networking.v1.NetworkPolicySpec;
}

/** Deploys policies; those that others wait for can be awaited by what it returns. */
export function networkPolicies(
  namespace: Input<string>,
  policies: readonly TeamPolicy[],
  options: CustomResourceOptions = {},
): networking.v1.NetworkPolicy[] {
  return policies.map(
    ({ name, purpose, spec }) =>
      new networking.v1.NetworkPolicy(
        name,
        {
          metadata: {
            name,
            namespace,
            ...(purpose === undefined ? {} : { annotations: { "zero-trust.erlmcp/purpose": purpose } }),
          },
          spec,
        },
        options,
      ),
  );
}

/** The pods of one workload, as policies and Services select them. */
export function podsOf(name: string): { matchLabels: Record<string, string> } {
  return { matchLabels: { "app.kubernetes.io/name": name } };
}

/** A port over TCP. */
export function tcp(port: number): types.input.networking.v1.NetworkPolicyPort {
  return { protocol: "TCP", port };
}
