import { labelValue, list, mapping } from "../config-field";
import { deniesByDefault } from "../default-deny";
import { defineRule } from "../define-rule";
import { cisNetworkPolicies, nsaNetworkSeparation } from "../frameworks";
import { namespaceKind, networkPolicyKind, type KubernetesObject } from "../kubernetes-object";
import { directions } from "../network-policy";
import { field, isUnknown } from "../plain-data";

const danger =
  "an update of a program that no longer has it, a changed name or `pulumi destroy` deletes it, and every pod that no other policy selects then talks to everything and is reached by everything.";
const fix =
  "protect: true in the options of the resource, or of the component around it. Whoever means to delete it has to say so first, with `pulumi state unprotect`.";

export const defaultDenyProtected = defineRule({
  name: "default-deny-protected",
  description: "Pulumi refuses to delete a namespace's default-deny.",
  severity: "medium",
  enforcementLevel: "advisory",
  frameworks: [cisNetworkPolicies, nsaNetworkSeparation],
  remediation: [
    "Set the resource option protect on the default-deny policies, or on the component that makes them.",
    "Before a deletion that is meant, unprotect it on purpose: pulumi state unprotect, with its URN.",
  ],
  config: {
    mandatoryLevels: list(labelValue, {
      description:
        "Values of a namespace's label security-level with which an unprotected default-deny blocks even at this rule's level advisory. Where a value is not known, it counts as one of them.",
      default: ["high"],
    }),
    namespaceLevels: mapping(labelValue, {
      description: "The security-level of namespaces that the stack itself does not define.",
      keys: "namespace names",
      default: {},
    }),
  },
  kinds: [networkPolicyKind, namespaceKind],
  patches:
    "A NetworkPolicyPatch is not judged: deleting it does not delete the policy. A NamespacePatch tells the security-level that it sets.",
  limits:
    "What Pulumi does not deploy cannot be protected by it, so plain manifests and what is found in a cluster are not judged. A policy without podSelector or policyTypes is no default-deny here; namespace-default-deny asks for one that has both. A namespace that neither the stack nor namespaceLevels gives a security-level is only advised on.",
  examples: {
    good: [
      {
        title: "Default-deny of a namespace with security-level high",
        protect: true,
        yaml: `apiVersion: v1
kind: Namespace
metadata:
  name: erlmcp
  labels:
    security-level: high
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: default-deny
  namespace: erlmcp
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
`,
      },
    ],
    bad: [
      {
        title: "An unprotected one, which blocks because of the security-level",
        yaml: `apiVersion: v1
kind: Namespace
metadata:
  name: erlmcp
  labels:
    security-level: high
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: default-deny
  namespace: erlmcp
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
`,
      },
    ],
  },
  validateStack: ({ objects }, { mandatoryLevels, namespaceLevels }, reportOn) => {
    const namespaces = objects.filter(({ kind }) => kind === namespaceKind.kind);
    const policies = objects.filter(({ kind, patch }) => kind === networkPolicyKind.kind && !patch);
    for (const policy of policies.filter(({ protect }) => protect === false)) {
      const denies = deniesByDefault(policy);
      const verdicts = directions.map(({ direction }) => denies(direction));
      const isDefaultDeny = verdicts.includes(true) || (verdicts.includes(undefined) ? undefined : false);
      if (isDefaultDeny === false) continue;
      const levels = mandatoryLevelsOf(policy, { mandatoryLevels, namespaceLevels, namespaces });
      const level = levels.find((one) => one !== undefined);
      const isLevelUnknown = level === undefined && levels.length > 0;
      const mandatory = level !== undefined || isLevelUnknown ? ({ mandatory: true } as const) : {};
      const notKnown = [
        ...(isDefaultDeny === undefined
          ? ["whether it is default-deny (podSelector, policyTypes or rules)"]
          : []),
        ...(isLevelUnknown ? ["the security-level of its namespace"] : []),
      ];
      const report = reportOn({ ...policy, path: "" });
      const at = "protect";
      if (notKnown.length > 0) {
        const found = `is not set, and it is not known in the preview: ${notKnown.join(", and ")}`;
        report.unverifiable({ at, found, danger, fix, ...mandatory });
      } else {
        const found = `is not set${level === undefined ? "" : `, in a namespace with security-level ${level}`}`;
        report.violation({ at, found, danger, fix, ...mandatory });
      }
    }
  },
});

/** Those of the mandatory security-levels that a policy's namespace has; undefined stands for one that it may have. */
function mandatoryLevelsOf(
  policy: KubernetesObject,
  given: {
    readonly mandatoryLevels: readonly string[];
    readonly namespaceLevels: Readonly<Record<string, string>>;
    readonly namespaces: readonly KubernetesObject[];
  },
): (string | undefined)[] {
  const { mandatoryLevels, namespaceLevels, namespaces } = given;
  if (mandatoryLevels.length === 0) return [];
  if (policy.namespace === undefined) return [undefined];
  const configured = Object.hasOwn(namespaceLevels, policy.namespace)
    ? namespaceLevels[policy.namespace]
    : undefined;
  const ofStack = namespaces
    .filter(({ name }) => name === policy.namespace || name === undefined)
    .flatMap(({ name, body }) => {
      const metadata = field(body, "metadata");
      const labels = field(metadata, "labels");
      const level = field(labels, "security-level");
      if ([metadata, labels, level].some(isUnknown)) return [undefined];
      if (typeof level !== "string" || !mandatoryLevels.includes(level)) return [];
      // Where the namespace's own name is not known, it may be the policy's.
      return [name === undefined ? undefined : level];
    });
  return [
    ...(configured !== undefined && mandatoryLevels.includes(configured) ? [configured] : []),
    ...ofStack,
  ];
}
