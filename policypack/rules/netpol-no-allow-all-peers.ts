import { allAddresses, includes, union, type AddressSet } from "../address-set";
import { clusterDnsFields, isOfClusterDns, namespaceReporter } from "../cluster-dns";
import { defineRule, type Reporter } from "../define-rule";
import { cisNetworkPolicies, nistZeroTrust, nsaNetworkSeparation, owaspSegmentation } from "../frameworks";
import { readIpBlocks } from "../ip-block";
import { networkPolicyKind } from "../kubernetes-object";
import {
  directions,
  isAbsentOrEmpty,
  literalValueFix,
  notReadable,
  readAllowRules,
  readItems,
  selectsEverything,
  type AllowRule,
} from "../network-policy";
import { field, isList, isObject, isUnknown, quote, type PlainObject } from "../plain-data";
import { formatPorts, hasNoPorts, portsOfRule, subtractPorts, type PortSet } from "../port-set";

const danger = "a rule may allow every peer, which undoes the default-deny for the selected pods.";
const nameLabel = "kubernetes.io/metadata.name";
const pinned = `the namespace that is meant, by the label that nobody can forge: namespaceSelector: {matchLabels: {${nameLabel}: monitoring}}`;

/** What to write instead of a whole address space, by what it stands for. */
const networkFixes = {
  sources:
    "the networks that are meant; for callers from the Internet, an ingress controller or gateway as the only peer, pinned by namespace and labels.",
  destinations:
    "the networks that are meant; for the Internet, 0.0.0.0/0 with the private ranges under except.",
};
type Others = keyof typeof networkFixes;

export const netpolNoAllowAllPeers = defineRule({
  name: "netpol-no-allow-all-peers",
  description:
    "No rule of a NetworkPolicy allows all peers, be it by omission, by an open selector or by address arithmetic.",
  severity: "critical",
  enforcementLevel: "mandatory",
  frameworks: [cisNetworkPolicies, nsaNetworkSeparation, nistZeroTrust, owaspSegmentation],
  remediation: [
    "Name the peers under from or to: a podSelector, a namespaceSelector pinned by kubernetes.io/metadata.name, or an ipBlock.",
    "For egress to the Internet, except the private ranges from the ipBlock and name the ports. Callers from the Internet come in by an ingress controller or gateway.",
    "To close a direction, list it in policyTypes and give it no rule at all.",
  ],
  config: { clusterDns: clusterDnsFields.clusterDns },
  kinds: [networkPolicyKind],
  patches:
    "Lists of rules are atomic in server-side apply, so the rules a patch carries are judged in full; directions it leaves out are not its own.",
  limits:
    "A block short of the whole space passes here; netpol-no-private-ranges-in-external-egress judges what it reaches. Only one policy is seen at a time. A namespaceSelector for every namespace passes where it lets others ask the cluster's own DNS pods for names, by ingress on port 53 alone.",
  examples: {
    good: [
      {
        title: "A pod of a namespace pinned by its name",
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
        title: "No from: every source",
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
    - ports:
        - protocol: TCP
          port: 9090
`,
      },
      {
        title: "Two blocks that make up the whole IPv4 space",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-https
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Egress]
  egress:
    - to:
        - ipBlock:
            cidr: 0.0.0.0/1
        - ipBlock:
            cidr: 128.0.0.0/1
      ports:
        - protocol: TCP
          port: 443
`,
      },
    ],
  },
  validate: (policy, { clusterDns }, report) => {
    const rules = readAllowRules(policy, danger, report);
    const ofDns = isOfClusterDns(policy, { clusterDns, clusterDnsAddresses: [] });
    for (const { direction, rules: key, others } of directions) {
      const blocks = rules
        .filter((rule) => rule.direction === direction)
        .flatMap((rule) => judgeRule(rule, others, report, namespaceReporter(rule, ofDns, report)));
      reportJoinedRules(blocks, `spec.${key}`, others, report);
    }
  },
});

/** A rule's ipBlocks and ports, where it does not cover a whole address family by itself. */
interface RuleBlocks {
  readonly at: string;
  readonly set: AddressSet;
  readonly ports: PortSet;
}

/** @param ofNamespaces takes what is wrong with namespaceSelectors; undefined where they may select every namespace */
function judgeRule(
  { at, body, peersKey }: AllowRule,
  others: Others,
  report: Reporter,
  ofNamespaces: Reporter | undefined,
): RuleBlocks[] {
  const peers = field(body, peersKey);
  if (isAbsentOrEmpty(peers)) {
    report.violation({
      at: `${at}.${peersKey}`,
      found: peers === undefined ? "is missing" : "is []",
      danger: `the rule then allows all ${others}, inside the cluster and outside.`,
      fix: `${peersKey}: with the peers that are meant; to allow nothing, remove the rule ${at}.`,
    });
    return [];
  }
  const items = readItems(peers, `${at}.${peersKey}`, danger, report);
  items.forEach(({ at: peerAt, body: peer }) => {
    judgePeer(peer, peerAt, others, report, ofNamespaces);
  });
  const blocks = readIpBlocks(items, danger, report);
  if (blocks.length === 0) return [];
  const set = union(...blocks.map((block) => block.set));
  const covered = coveredFamily(set);
  if (covered === undefined) {
    const ports = portsOfRule(body);
    return ports === undefined ? [] : [{ at, set, ports }];
  }
  report.violation({
    at: blocks.length === 1 && blocks[0] !== undefined ? blocks[0].at : `${at}.${peersKey}`,
    found: `covers the whole ${covered} address space${blocks.length === 1 ? "" : `, with ${blocks.length} ipBlocks together`}`,
    danger: `the rule allows all ${others} there are, private networks and cloud metadata services included.`,
    fix: networkFixes[others],
  });
  return [];
}

function judgePeer(
  peer: PlainObject,
  at: string,
  others: string,
  report: Reporter,
  ofNamespaces: Reporter | undefined,
): void {
  const selectors = ["podSelector", "namespaceSelector", "ipBlock"].filter(
    (key) => field(peer, key) !== undefined,
  );
  if (selectors.length === 0) {
    report.violation({
      at,
      found: `is ${quote(peer)}, which selects nothing in particular`,
      danger: `enforcers read a peer without selector as all ${others}.`,
      fix: "a podSelector, a namespaceSelector or an ipBlock.",
    });
    return;
  }
  const selector = field(peer, "namespaceSelector");
  if (selector === undefined || ofNamespaces === undefined) return;
  const selectorAt = `${at}.namespaceSelector`;
  if (!isObject(selector)) {
    ofNamespaces.unverifiable({
      at: selectorAt,
      ...notReadable(selector, "an object"),
      danger,
      fix: literalValueFix,
    });
    return;
  }
  const open = selectsEveryNamespace(selector);
  if (open === "unknown") {
    ofNamespaces.unverifiable({
      at: selectorAt,
      found: `is ${quote(selector)}, whose requirements are not known in the preview`,
      danger: "it may select every namespace.",
      fix: pinned,
    });
  } else if (open !== undefined) {
    const pods =
      field(peer, "podSelector") === undefined
        ? "every pod of the cluster is a peer"
        : "whoever can create a pod in any namespace can give it the labels of the podSelector";
    ofNamespaces.violation({
      at: selectorAt,
      found: `is ${quote(selector)}, which ${open}`,
      danger: `${pods}, in namespaces made later too.`,
      fix: pinned,
    });
  }
}

/**
 * How a namespaceSelector comes to select every namespace, or every one except some; undefined when it does not. Labels that
 * a namespace must lack, and the name label that every namespace has, keep out no namespace that is created tomorrow.
 */
function selectsEveryNamespace(selector: PlainObject): string | undefined {
  const everything = selectsEverything(selector);
  if (everything === true) return "selects every namespace";
  if (everything === undefined) return "unknown";
  const labels = field(selector, "matchLabels");
  if (isObject(labels) && Object.keys(labels).length > 0) return undefined;
  const expressions = field(selector, "matchExpressions");
  const effects = (isList(expressions) ? expressions : []).map((expression) => {
    const operator = field(expression, "operator");
    const key = field(expression, "key");
    if (operator === "In") return "restricts";
    if (operator === "Exists" && typeof key === "string") return key === nameLabel ? "open" : "restricts";
    if (operator === "NotIn" || operator === "DoesNotExist") return "open";
    return isUnknown(expression) || isUnknown(operator) || isUnknown(key) ? "unknown" : "open";
  });
  if (effects.includes("restricts")) return undefined;
  if (isUnknown(labels) || effects.includes("unknown")) return "unknown";
  return "selects every namespace that it does not exclude";
}

function coveredFamily(set: AddressSet): "IPv4" | "IPv6" | undefined {
  return (["IPv4", "IPv6"] as const).find((family) => includes(set, allAddresses(family)));
}

/** Rules that split the address space between them, each harmless alone, on a port that all of them open. */
function reportJoinedRules(rules: readonly RuleBlocks[], at: string, others: Others, report: Reporter): void {
  const reported = new Set<string>();
  for (const { ports } of rules) {
    for (const port of samples(ports)) {
      const sharing = rules.filter((rule) => hasNoPorts(subtractPorts(port, rule.ports)));
      const covered = coveredFamily(union(...sharing.map((rule) => rule.set)));
      const where = sharing.map((rule) => rule.at).join(", ");
      if (covered === undefined || reported.has(where)) continue;
      reported.add(where);
      report.violation({
        at,
        found: `covers the whole ${covered} address space on ${formatPorts(port)}, with ${where} together`,
        danger: `together the rules allow all ${others} there are, private networks and cloud metadata services included.`,
        fix: networkFixes[others],
      });
    }
  }
}

/** One port of each interval of a set, at its start: between the starts of all intervals, the rules that share a port stay the same. */
function samples(ports: PortSet): PortSet[] {
  return [
    ...Object.entries(ports.numbers).flatMap(([protocol, intervals]) =>
      intervals.map(({ first }) => ({ numbers: { [protocol]: [{ first, last: first }] }, names: [] })),
    ),
    ...ports.names.map((name) => ({ numbers: {}, names: [name] })),
  ];
}
