import type { IpFamily } from "./address-ranges";
import type { Matrix } from "./flow";
import type { Mesh } from "./mesh";

/**
 * How a namespace is treated.
 * - `create`: the stack makes it, with labels, default-deny and the policies of its services.
 * - `adopt`: it exists already; its labels are patched in and the policies of its services are added.
 * - `reference`: it is only named as a peer and touched by nothing.
 */
export type NamespaceMode = "create" | "adopt" | "reference";

export const namespaceModes: readonly NamespaceMode[] = ["create", "adopt", "reference"];

export interface NetworkNamespace {
  readonly mode: NamespaceMode;
  /**
   * Whether default-deny is deployed into an adopted namespace; absent means no. A created namespace always has it, a
   * referenced one never.
   */
  readonly defaultDeny?: boolean;
}

export type SecurityLevel = "high" | "medium" | "low";

export const securityLevels: readonly SecurityLevel[] = ["high", "medium", "low"];

/** Everything the manifests of a network are derived from. */
export interface NetworkDefinition extends Matrix {
  /** Value of the `security-level` label. */
  readonly securityLevel: SecurityLevel;
  /** The namespaces by name; every service's and every peer's namespace is among them. */
  readonly namespaces: Readonly<Record<string, NetworkNamespace>>;
  /** False leaves out every NetworkPolicy, default-deny included; absent means true. */
  readonly policiesEnabled?: boolean;
  /**
   * Whether Pulumi refuses to delete default-deny (`protect`); absent means yes at security level high, where the policy pack asks
   * for it, and no otherwise.
   */
  readonly protectDefaultDeny?: boolean;
  /** The service mesh; absent means none. */
  readonly mesh?: Mesh;
  /** Address families of the cluster; absent means IPv4 only. */
  readonly ipFamilies?: readonly IpFamily[];
}

/** Whether Pulumi refuses to delete the network's default-deny. */
export function protectsDefaultDeny({ securityLevel, protectDefaultDeny }: NetworkDefinition): boolean {
  return protectDefaultDeny ?? securityLevel === "high";
}

/** Whether the network writes to the namespace, so that its services get policies. */
export function isManaged({ mode }: NetworkNamespace): boolean {
  return mode !== "reference";
}

/** Whether the namespace gets a default-deny of the network's own. */
export function hasDefaultDeny({ mode, defaultDeny = false }: NetworkNamespace): boolean {
  return mode === "create" || (mode === "adopt" && defaultDeny);
}
