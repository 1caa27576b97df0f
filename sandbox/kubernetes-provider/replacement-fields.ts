import { groupVersion, textAt, valueAt } from "./kube-object";
import type { KubeObject } from "./kube-object";

/** Provider settings that decide whether some kinds can change in place. */
export interface Mutability {
  /** `kubernetes:enableConfigMapMutable`; off means a changed ConfigMap is replaced. */
  readonly configMaps: boolean;
  /** `kubernetes:enableSecretMutable`; off means a changed Secret is replaced. */
  readonly secrets: boolean;
}

const selector = ["spec.selector"];
const byKind: Record<string, readonly string[]> = {
  "apps/Deployment": selector,
  "apps/DaemonSet": selector,
  "apps/StatefulSet": [
    ...selector,
    "spec.podManagementPolicy",
    "spec.serviceName",
    "spec.volumeClaimTemplates",
  ],
  "batch/Job": [...selector, "spec.completions", "spec.parallelism", "spec.template"],
  "rbac.authorization.k8s.io/ClusterRoleBinding": ["roleRef"],
  "rbac.authorization.k8s.io/RoleBinding": ["roleRef"],
  "storage.k8s.io/StorageClass": ["parameters", "provisioner"],
  "/Pod": ["spec"],
  "/PersistentVolumeClaim": ["spec"],
  "/ResourceQuota": ["spec.scopes"],
  "/Service": ["spec.clusterIP"],
};

/**
 * The fields of an object that cannot change in place, as dotted paths: its identity, and what the API server refuses to
 * change for its kind. The same fields the official provider replaces for.
 */
export function replacementFields(object: KubeObject, isPatch: boolean, mutability: Mutability): string[] {
  const identity = ["metadata.name", "metadata.namespace"];
  if (isPatch) return identity;
  const kind = textAt(object, "kind");
  const { group } = groupVersion(textAt(object, "apiVersion"));
  const frozen = valueAt(object, "immutable") === true;
  if (group === "" && kind === "Secret" && (frozen || !mutability.secrets)) {
    return [...identity, "type", "stringData", "data"];
  }
  if (group === "" && kind === "ConfigMap" && (frozen || !mutability.configMaps)) {
    return [...identity, "binaryData", "data"];
  }
  return [...identity, ...(byKind[`${group}/${kind}`] ?? [])];
}
