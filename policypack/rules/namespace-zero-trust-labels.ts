import { labelValue, list, mapping, namespaceName } from "../config-field";
import { defineRule } from "../define-rule";
import { cisPodSecurity, nistZeroTrust } from "../frameworks";
import { namespaceKind } from "../kubernetes-object";
import { literalValueFix, notReadable } from "../network-policy";
import { field, isObject, isUnknown, quote } from "../plain-data";

const nameLabel = "kubernetes.io/metadata.name";

export const namespaceZeroTrustLabels = defineRule({
  name: "namespace-zero-trust-labels",
  description:
    "A namespace carries the zero-trust labels: network-policy, security-level and Pod Security at level restricted.",
  severity: "high",
  enforcementLevel: "mandatory",
  frameworks: [cisPodSecurity, nistZeroTrust],
  remediation: [
    "Add the labels to the namespace; for one that another team owns, with a NamespacePatch.",
    "Choose the security-level after the most sensitive workload in it.",
    "Where a workload cannot run under Pod Security level restricted, move it to a namespace listed in this rule's exclude.",
  ],
  config: {
    requiredLabels: mapping(labelValue, {
      description: "Labels that must have exactly this value.",
      keys: "label names",
      default: {
        "network-policy": "zero-trust",
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/audit": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
      },
    }),
    securityLevels: list(labelValue, {
      description:
        "Values that the label security-level may have, the strictest first; it must have one of them.",
      default: ["high", "medium", "low"],
      minItems: 1,
    }),
    exclude: list(namespaceName, {
      description: "Namespaces that are not judged. The default are those that Kubernetes makes itself.",
      default: ["default", "kube-node-lease", "kube-public", "kube-system"],
    }),
  },
  kinds: [namespaceKind],
  patches:
    "A patch must carry all the labels itself: those it leaves out are decided by the live namespace, so they are reported as unverifiable.",
  additions:
    "The labels that a namespace of the stack lacks: each with its value, and security-level with the strictest. From then on Pod Security refuses pods that do not meet restricted, as it would once the labels were added by hand. A label with another value is the author's decision, so it still blocks; and so does a patch that leaves labels out, since the namespace is another team's.",
  examples: {
    good: [
      {
        title: "All labels",
        yaml: `apiVersion: v1
kind: Namespace
metadata:
  name: erlmcp
  labels:
    network-policy: zero-trust
    security-level: high
    pod-security.kubernetes.io/enforce: restricted
    pod-security.kubernetes.io/audit: restricted
    pod-security.kubernetes.io/warn: restricted
`,
      },
    ],
    bad: [
      {
        title: "Pod Security only warns, so a pod on the host's network is let in, past every NetworkPolicy",
        yaml: `apiVersion: v1
kind: Namespace
metadata:
  name: erlmcp
  labels:
    network-policy: zero-trust
    security-level: high
    pod-security.kubernetes.io/enforce: privileged
    pod-security.kubernetes.io/audit: restricted
    pod-security.kubernetes.io/warn: restricted
`,
      },
    ],
  },
  validate: (namespace, { requiredLabels, securityLevels, exclude }, report) => {
    if (namespace.name !== undefined && exclude.includes(namespace.name)) return;
    const metadata = field(namespace.body, "metadata");
    const labels = isUnknown(metadata) ? metadata : field(metadata, "labels");
    if (labels !== undefined && !isObject(labels)) {
      const danger = "the namespace may lack the labels that isolation and Pod Security depend on.";
      const fix = "the labels, literally.";
      report.unverifiable({ at: "metadata.labels", ...notReadable(labels, "an object"), danger, fix });
      return;
    }
    const expected = [
      ...Object.entries(requiredLabels).map(([label, value]) => ({ label, values: [value] })),
      { label: "security-level", values: securityLevels },
    ];
    for (const { label, values } of expected) {
      const value = field(labels, label);
      const at = `metadata.labels["${label}"]`;
      const fix = `${label}: ${values.join("|")}`;
      const danger = dangerOf(label);
      if (isUnknown(value)) report.unverifiable({ at, ...notReadable(value, "text"), danger, fix });
      else if (value === undefined && namespace.patch) {
        report.unverifiable({
          at,
          found: "is not part of this patch, so the live namespace decides",
          danger,
          fix,
        });
      } else if (value === undefined) {
        const [strictest = ""] = values;
        const addition = { keys: ["metadata", "labels", label], value: strictest };
        report.violation({ at, found: "is missing", danger, fix, addition });
      } else if (!values.some((allowed) => allowed === value)) {
        report.violation({ at, found: `is ${quote(value)}`, danger, fix });
      }
    }
    const claimed = field(labels, nameLabel);
    if (claimed === undefined) return;
    const at = `metadata.labels["${nameLabel}"]`;
    const danger =
      "the API server sets this label to the namespace's name; policies that pin a peer by it would mean another namespace than the author thinks.";
    if (isUnknown(claimed) || namespace.name === undefined) {
      const found = isUnknown(claimed)
        ? notReadable(claimed, "text")
        : { found: "is set, while metadata.name is not known" };
      report.unverifiable({
        at,
        ...found,
        danger,
        fix: `nothing: leave the label out. Or ${literalValueFix}`,
      });
    } else if (claimed !== namespace.name) {
      report.violation({
        at,
        found: `is ${quote(claimed)}, but the namespace is named ${quote(namespace.name)}`,
        danger,
        fix: `${nameLabel}: ${namespace.name}, or leave the label out.`,
      });
    }
  },
});

function dangerOf(label: string): string {
  if (label.endsWith("/enforce")) {
    return "pods on the host's network or with host privileges are let in, and no NetworkPolicy applies to them.";
  }
  if (label.startsWith("pod-security.kubernetes.io/")) {
    return "nobody is told of workloads that Pod Security would not let in.";
  }
  return "guards and audits find zero-trust namespaces, and how sensitive they are, by this label; without it the namespace drops out of sight.";
}
