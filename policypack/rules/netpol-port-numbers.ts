import { defineRule } from "../define-rule";
import { nistZeroTrust, nsaNetworkSeparation } from "../frameworks";
import { networkPolicyKind } from "../kubernetes-object";
import { literalValueFix, notReadable, readAllowRules, readItems } from "../network-policy";
import { field, isUnknown, quote } from "../plain-data";

const danger = "a port may be a name, behind which every pod puts a number of its own.";

export const netpolPortNumbers = defineRule({
  name: "netpol-port-numbers",
  description: "The rules of a NetworkPolicy give ports as numbers, not as names that pods resolve.",
  severity: "low",
  enforcementLevel: "advisory",
  frameworks: [nsaNetworkSeparation, nistZeroTrust],
  remediation: [
    "Write the number that the pods listen on, which is the containerPort and not the Service's port.",
    "Where pods that a rule selects listen on different numbers, list them.",
    "To block names altogether, set this rule to mandatory.",
  ],
  config: {},
  kinds: [networkPolicyKind],
  patches:
    "Lists of rules are atomic in server-side apply, so the rules a patch carries are judged in full; directions it leaves out are not its own.",
  limits:
    "A number in quotes is no name, and netpol-ports-required blocks it. A name that no pod has opens nothing, which is not seen here.",
  examples: {
    good: [
      {
        title: "The number",
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
          podSelector:
            matchLabels:
              app: prometheus
      ports:
        - protocol: TCP
          port: 9090
`,
      },
    ],
    bad: [
      {
        title: "A name",
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
          podSelector:
            matchLabels:
              app: prometheus
      ports:
        - protocol: TCP
          port: metrics
`,
      },
    ],
  },
  validate: (policy, _config, report) => {
    for (const { at, body } of readAllowRules(policy, danger, report)) {
      for (const entry of readItems(field(body, "ports"), `${at}.ports`, danger, report)) {
        const port = field(entry.body, "port");
        if (isUnknown(port)) {
          report.unverifiable({
            at: `${entry.at}.port`,
            ...notReadable(port, "a number"),
            danger,
            fix: literalValueFix,
          });
        } else if (typeof port === "string" && !/^\d+$/.test(port)) {
          report.violation({
            at: `${entry.at}.port`,
            found: `is the name ${quote(port)}`,
            danger:
              "every pod at the receiving end resolves it to a number of its own, so whoever writes the pod decides what the rule opens.",
            fix: "the number that the pods listen on.",
          });
        }
      }
    }
  },
});
