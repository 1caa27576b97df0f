import { clusterDnsFields, isOfClusterDns, namespaceReporter } from "../cluster-dns";
import { list, reason, record, text } from "../config-field";
import { defineRule, type Reporter } from "../define-rule";
import { nistZeroTrust, nsaNetworkSeparation, owaspSegmentation } from "../frameworks";
import { networkPolicyKind } from "../kubernetes-object";
import { literalValueFix, notReadable, readAllowRules, readItems } from "../network-policy";
import { field, isObject, isUnknown, quote, type Plain } from "../plain-data";
import { namespaceNameLabel, requiredValues } from "../required-label";

/** A label of namespaces that only the platform can set. */
interface TrustedLabel {
  readonly label: string;
  readonly reason: string;
}

const danger =
  "a peer may be a namespace by a label that whoever may create or edit a namespace can set, and so join the peers.";
const pinned = `namespaceSelector: {matchLabels: {${namespaceNameLabel}: monitoring}}`;

export const netpolPinnedNamespaces = defineRule({
  name: "netpol-pinned-namespaces",
  description:
    "A peer in another namespace names that namespace by kubernetes.io/metadata.name, the one label that nobody can forge.",
  severity: "high",
  enforcementLevel: "mandatory",
  frameworks: [nistZeroTrust, nsaNetworkSeparation, owaspSegmentation],
  remediation: [
    "Give the namespaceSelector the label kubernetes.io/metadata.name with the name of the namespace; for several, an expression with operator In and their names. Other labels may stay beside it.",
    "Where the platform guards another label, so that those who own a namespace cannot set it, list it under this rule's trustedLabels, with the reason.",
  ],
  config: {
    trustedLabels: list(
      record<TrustedLabel>({
        allowed: "an object with label and reason",
        example: { label: "capsule.clastix.io/tenant", reason: "its webhook sets it and refuses changes" },
        values: {
          label: text({
            pattern: /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/,
            allowed: "a label key",
            example: "capsule.clastix.io/tenant",
          }),
          reason,
        },
      }),
      {
        description:
          "Labels of namespaces that only the platform can set, such as a tenant's under an admission webhook, each with the reason. A namespaceSelector that asks for a value of one of them passes too.",
        default: [],
      },
    ),
    clusterDns: clusterDnsFields.clusterDns,
  },
  kinds: [networkPolicyKind],
  patches:
    "Lists of rules are atomic in server-side apply, so the rules a patch carries are judged in full; directions it leaves out are not its own.",
  limits:
    "A name that is not known in the preview is a name all the same, and passes. Peers with a podSelector only are pods of the policy's own namespace. Clusters before Kubernetes 1.21 do not set the label. Ingress of the cluster's own DNS pods on port 53 alone passes, whoever may ask them for names.",
  examples: {
    good: [
      {
        title: "By name, beside a label that narrows it",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-metrics
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Ingress]
  ingress:
    - from:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: monitoring
              environment: production
          podSelector:
            matchLabels:
              app: prometheus
      ports:
        - protocol: TCP
          port: 9090
`,
      },
      {
        title: "Several by name",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-http
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Ingress]
  ingress:
    - from:
        - namespaceSelector:
            matchExpressions:
              - key: kubernetes.io/metadata.name
                operator: In
                values: [ingress-nginx, istio-system]
      ports:
        - protocol: TCP
          port: 8443
`,
      },
      {
        title: "The DNS pods' own policy: every namespace asks them for names",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: coredns
  namespace: kube-system
spec:
  podSelector:
    matchLabels:
      k8s-app: kube-dns
  policyTypes: [Ingress]
  ingress:
    - from:
        - namespaceSelector: {}
      ports:
        - protocol: UDP
          port: 53
        - protocol: TCP
          port: 53
`,
      },
    ],
    bad: [
      {
        title: "By a label that any namespace can be given",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-metrics
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Ingress]
  ingress:
    - from:
        - namespaceSelector:
            matchLabels:
              name: monitoring
          podSelector:
            matchLabels:
              app: prometheus
      ports:
        - protocol: TCP
          port: 9090
`,
      },
      {
        title: "Every namespace but one",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-metrics
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Ingress]
  ingress:
    - from:
        - namespaceSelector:
            matchExpressions:
              - key: kubernetes.io/metadata.name
                operator: NotIn
                values: [sandbox]
          podSelector:
            matchLabels:
              app: prometheus
      ports:
        - protocol: TCP
          port: 9090
`,
      },
    ],
  },
  validate: (policy, { trustedLabels, clusterDns }, reporter) => {
    const labels = [namespaceNameLabel, ...trustedLabels.map(({ label }) => label)];
    const ofDns = isOfClusterDns(policy, { clusterDns, clusterDnsAddresses: [] });
    for (const rule of readAllowRules(policy, danger, reporter)) {
      const report = namespaceReporter(rule, ofDns, reporter);
      if (report === undefined) continue;
      const { at, body, peersKey } = rule;
      for (const peer of readItems(field(body, peersKey), `${at}.${peersKey}`, danger, report)) {
        const selector = field(peer.body, "namespaceSelector");
        if (selector !== undefined) judge(selector, `${peer.at}.namespaceSelector`, labels, report);
      }
    }
  },
});

function judge(selector: Plain, at: string, labels: readonly string[], report: Reporter): void {
  if (!isObject(selector)) {
    report.unverifiable({ at, ...notReadable(selector, "an object"), danger, fix: literalValueFix });
    return;
  }
  const required = labels.map((label) => requiredValues(selector, label));
  if (required.some((values) => values !== undefined && values !== "unknown")) return;
  if (required.includes("unknown")) {
    const found = `is ${quote(selector)}, in which it is not known whether it asks for a name`;
    report.unverifiable({ at, found, danger, fix: `${pinned}, with the label written out.` });
    return;
  }
  report.violation({
    at,
    found: `is ${quote(selector)}, which asks for no namespace by its name`,
    danger:
      "whoever may create or edit a namespace can give it the labels, or leave them out, and whatever runs there is then a peer.",
    fix: `${pinned}, with the name of the namespace that is meant${suggestion(selector)}.`,
  });
}

/** The name that a label of the selector's looks like: by convention, teams copied it into a label `name`. */
function suggestion(selector: Plain): string {
  const name = field(field(selector, "matchLabels"), "name");
  return name === undefined || isUnknown(name) ? "" : `, perhaps ${quote(name)}`;
}
