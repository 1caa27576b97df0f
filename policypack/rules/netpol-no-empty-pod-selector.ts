import { clusterDnsFields, dnsPortField, isClusterDns, type ClusterDns } from "../cluster-dns";
import { boolean } from "../config-field";
import { defineRule, type Reporter } from "../define-rule";
import { nistZeroTrust, nsaNetworkSeparation, owaspSegmentation } from "../frameworks";
import { networkPolicyKind, type KubernetesObject } from "../kubernetes-object";
import {
  directions,
  literalValueFix,
  notReadable,
  readAllowRules,
  selectsEverything,
  type AllowRule,
} from "../network-policy";
import { field, isList, isObject, isUnknown, quote, type Plain } from "../plain-data";
import { hasNoPorts, portSet, portsOfRule, subtractPorts, type PortSet } from "../port-set";

const danger =
  "every pod of the namespace, and any that comes to it later, may get what the rule allows, whether it needs it or not.";
const fix =
  "the labels of the pods that need the rule, as in podSelector: {matchLabels: {app: web}}; for a default-deny, no rules at all.";

export const netpolNoEmptyPodSelector = defineRule({
  name: "netpol-no-empty-pod-selector",
  description: "A NetworkPolicy that allows anything names the pods it allows it to.",
  severity: "high",
  enforcementLevel: "mandatory",
  frameworks: [nistZeroTrust, nsaNetworkSeparation, owaspSegmentation],
  remediation: [
    "Write a policy for each group of pods that needs the rule, with their labels under podSelector.",
    "Leave podSelector empty in the default-deny only, which has no rules.",
    "For name resolution of a whole namespace, allow port 53 to cluster DNS in a rule of its own, and tell the pack who answers (clusterDns, clusterDnsAddresses, dnsPort) where it is not labelled as usual or listens elsewhere.",
  ],
  config: {
    namespaceWideDns: boolean({
      description:
        "Whether a rule may let every pod of a namespace reach cluster DNS: egress to port 53 or to dnsPort, over UDP or TCP, of the peers below and no other.",
      default: true,
    }),
    ...clusterDnsFields,
    ...dnsPortField,
  },
  kinds: [networkPolicyKind],
  patches:
    "A patch that carries rules without podSelector, or a podSelector for all pods without both lists of rules, depends on the live object and is unverifiable. One that carries neither passes.",
  limits:
    "Labels that all pods of a namespace carry select all of them too, which is not seen here. Every rule counts, also one of a direction that policyTypes does not list.",
  examples: {
    good: [
      {
        title: "A default-deny, and name resolution for the whole namespace",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: default-deny
  namespace: erlmcp
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: allow-dns
  namespace: erlmcp
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: kube-system
          podSelector:
            matchLabels:
              k8s-app: kube-dns
        - ipBlock:
            cidr: 169.254.20.10/32
      ports:
        - protocol: UDP
          port: 53
        - protocol: TCP
          port: 53
`,
      },
      {
        title: "Rules for the pods that need them",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-database
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Egress]
  egress:
    - to:
        - podSelector:
            matchLabels:
              app: postgres
      ports:
        - protocol: TCP
          port: 5432
`,
      },
    ],
    bad: [
      {
        title: "The database for every pod of the namespace",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-database
  namespace: erlmcp
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
    - to:
        - podSelector:
            matchLabels:
              app: postgres
      ports:
        - protocol: TCP
          port: 5432
`,
      },
      {
        title: "All pods but those that carry a label",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-metrics
  namespace: erlmcp
spec:
  podSelector:
    matchExpressions:
      - key: no-metrics
        operator: DoesNotExist
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
  },
  validate: (policy, { namespaceWideDns, dnsPort, ...dns }, report) => {
    const dnsPorts = portSet(
      ["UDP", "TCP"].flatMap((protocol) =>
        [53, dnsPort].map((port) => ({ protocol, first: port, last: port })),
      ),
    );
    const spec = field(policy.body, "spec");
    const selector = field(spec, "podSelector");
    const isLeftOut = policy.patch && selector === undefined;
    const everyPod = isLeftOut ? undefined : selectsEveryPod(selector);
    if (everyPod === false) return;
    const opening = readAllowRules(policy, danger, report)
      .map((rule) => ({
        rule,
        isDns: namespaceWideDns ? isDnsRule(rule, policy.namespace, dns, dnsPorts) : false,
      }))
      .filter(({ isDns }) => isDns !== true);
    if (everyPod === undefined) {
      const rules = opening.map(({ rule }) => rule.at).join(", ");
      if (rules !== "") reportSelector(selector, isLeftOut, rules, report);
    } else {
      for (const { rule, isDns } of opening) reportRule(rule, isDns, everyPod, report);
    }
    if (policy.patch && !isLeftOut) reportRulesLeftOut(policy, everyPod ?? "may select every pod", report);
  },
});

/** How a podSelector comes to select every pod, or every one except some; false when it does not, undefined when not known. */
function selectsEveryPod(selector: Plain | undefined): string | false | undefined {
  if (selector === undefined) return "is missing, which means every pod";
  if (!isObject(selector)) return undefined;
  const everything = selectsEverything(selector);
  if (everything === true) return `is ${quote(selector)}`;
  if (everything === undefined) return undefined;
  const labels = field(selector, "matchLabels");
  if (isObject(labels) && Object.keys(labels).length > 0) return false;
  const expressions = field(selector, "matchExpressions");
  const operators = (isList(expressions) ? expressions : []).map((expression) =>
    isUnknown(expression) ? expression : field(expression, "operator"),
  );
  if (operators.some((operator) => operator === "In" || operator === "Exists")) return false;
  if (isUnknown(labels) || operators.some(isUnknown)) return undefined;
  return `is ${quote(selector)}, which selects every pod that it does not exclude`;
}

/** Whether a rule is for name resolution only; undefined when that is not known. */
function isDnsRule(
  { direction, body }: AllowRule,
  namespace: string | undefined,
  dns: ClusterDns,
  dnsPorts: PortSet,
): boolean | undefined {
  const peers = field(body, "to");
  if (direction === "Ingress" || peers === undefined) return false;
  const ports = portsOfRule(body);
  if (ports !== undefined && !hasNoPorts(subtractPorts(ports, dnsPorts))) return false;
  if (isUnknown(peers)) return undefined;
  if (!isList(peers) || peers.length === 0) return false;
  const verdicts = peers.map((peer) => {
    if (isUnknown(peer)) return undefined;
    return isObject(peer) && isClusterDns(peer, namespace, dns);
  });
  if (verdicts.includes(false)) return false;
  return ports === undefined || verdicts.includes(undefined) ? undefined : true;
}

function reportRule(
  { at, body }: AllowRule,
  isDns: boolean | undefined,
  everyPod: string,
  report: Reporter,
): void {
  if (isDns === undefined) {
    const found = `is ${quote(body)}, of which it is not known whether it is for name resolution alone, and spec.podSelector ${everyPod}`;
    report.unverifiable({ at, found, danger, fix });
    return;
  }
  report.violation({
    at,
    found: `allows something to every pod, since spec.podSelector ${everyPod}`,
    danger:
      "every pod of the namespace, and any that comes to it later, gets what the rule allows, whether it needs it or not.",
    fix,
  });
}

/** A podSelector of which it is not known whether it selects every pod, next to rules. */
function reportSelector(
  selector: Plain | undefined,
  isLeftOut: boolean,
  rules: string,
  report: Reporter,
): void {
  const at = "spec.podSelector";
  if (isLeftOut) {
    report.unverifiable({ at, found: `is not part of this patch, which carries ${rules}`, danger, fix });
  } else if (isObject(selector)) {
    const found = `is ${quote(selector)}, of which it is not known whether it selects every pod, next to ${rules}`;
    report.unverifiable({ at, found, danger, fix });
  } else {
    report.unverifiable({ at, ...notReadable(selector ?? null, "an object"), danger, fix: literalValueFix });
  }
}

/** A patch that makes the live policy one for every pod, whose rules it does not all carry. */
function reportRulesLeftOut({ body }: KubernetesObject, everyPod: string, report: Reporter): void {
  for (const { rules } of directions) {
    if (field(field(body, "spec"), rules) !== undefined) continue;
    report.unverifiable({
      at: `spec.${rules}`,
      found: `is not part of this patch, whose spec.podSelector ${everyPod}`,
      danger: "the live object may hold rules, which this patch would give to every pod of the namespace.",
      fix: `${rules}: [] in the patch, or a podSelector with the labels of the pods that are meant.`,
    });
  }
}
