import { baselineField } from "../baseline";
import { defineRule } from "../define-rule";
import { nistZeroTrust, nsaNetworkSeparation, owaspSegmentation } from "../frameworks";
import { compareWithMatrices } from "../matrix-comparison";
import { matrixFindings } from "../matrix-findings";
import { reachabilityKinds, readStackCluster, unreadReporters } from "../stack-cluster";

const matrix = {
  namespaces: ["shop"],
  services: [
    { name: "web", namespace: "shop", podSelector: { matchLabels: { app: "web" } } },
    { name: "db", namespace: "shop", podSelector: { matchLabels: { app: "db" } } },
  ],
  flows: [
    {
      id: "web-db",
      from: { kind: "service", service: "web" },
      to: { kind: "service", service: "db" },
      ports: [{ protocol: "TCP", port: 5432 }],
    },
  ],
};

const defaultDeny = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: default-deny
  namespace: shop
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web-egress
  namespace: shop
spec:
  podSelector:
    matchLabels:
      app: web
  policyTypes: [Egress]
  egress:
    - to:
        - podSelector:
            matchLabels:
              app: db
      ports:
        - protocol: TCP
          port: 5432
---
`;

const policy = (from: string): string => `${defaultDeny}apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: db-ingress
  namespace: shop
spec:
  podSelector:
    matchLabels:
      app: db
  policyTypes: [Ingress]
  ingress:
    - from:
        - ${from}
      ports:
        - protocol: TCP
          port: 5432
`;

export const matrixConformance = defineRule({
  name: "matrix-conformance",
  description:
    "What the policies let pods do is what the communication matrix declares, no more and no less.",
  severity: "critical",
  enforcementLevel: "mandatory",
  frameworks: [nistZeroTrust, nsaNetworkSeparation, owaspSegmentation],
  remediation: [
    "For a flow that nothing declares: narrow the peer that the message names, or declare the flow with its purpose in the matrix of the namespace's owner.",
    "For a declared flow that is shut: add the rule that the message shows, at both ends, or remove the flow from the matrix.",
    "Where another stack deploys policies or pods, give this rule that stack's baseline: pulumi stack output policyPackConfig --json.",
  ],
  config: { ...baselineField },
  kinds: reachabilityKinds,
  leavesUnreadTo: unreadReporters,
  patches:
    "A NetworkPolicyPatch counts with the policy that it changes, where the stack or the baseline holds that; a NamespacePatch adds its labels.",
  limits:
    "It judges the namespaces that a matrix decides about: those that a ZeroTrustNetwork of the stack creates or adopts, and those of the baseline, which decides where both do. Without a matrix it judges nothing. Pods that are deployed count as they are; a service that has none is stood for by a pod with the labels that the matrix selects, which has no named ports. Pods on their node's network are left to workload-no-host-network. A service is known by its labels: whatever pod carries them in its namespace is that service, and who may make such pods is for RBAC and admission.",
  examples: {
    good: [
      {
        title: "The database lets in what the matrix declares",
        yaml: policy(`podSelector:
            matchLabels:
              app: web`),
        config: { baseline: [{ matrix }] },
      },
    ],
    bad: [
      {
        title: "The database lets in the pods of another namespace besides",
        yaml: policy(`podSelector:
            matchLabels:
              app: web
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: reports
          podSelector:
            matchLabels:
              app: export`),
        config: { baseline: [{ matrix }] },
      },
      {
        title: "A declared flow is shut by a label that no pod of the service has",
        yaml: policy(`podSelector:
            matchLabels:
              app: web
              tier: front`),
        config: { baseline: [{ matrix }] },
      },
    ],
  },
  validateStack: (stack, { baseline }, reportOn) => {
    const reading = readStackCluster(stack, baseline);
    if (reading.matrices.length === 0 || stack.objects.length === 0) return;
    const comparison = compareWithMatrices(reading);
    for (const { subject, ...finding } of matrixFindings(reading, comparison)) {
      reportOn(subject).violation(finding);
    }
    for (const part of comparison.undecided) {
      const object = reading.objectOf(part);
      if (object === undefined) continue;
      reportOn(object).unverifiable({
        at: "spec",
        found: "has selectors that are too intricate to find out which pods they match",
        danger: "it may open what the communication matrix does not declare.",
        fix: "selectors with fewer requirements, best one label with one value each.",
      });
    }
  },
});
