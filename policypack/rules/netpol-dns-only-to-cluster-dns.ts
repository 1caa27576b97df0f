import { fromCidr, isEmpty, subtract, toCidrs, union } from "../address-set";
import { clusterDnsFields, isClusterDns, isOfClusterDns, unlessOfClusterDns } from "../cluster-dns";
import { list, text, type ConfigOf } from "../config-field";
import { portRange } from "../declared-reach";
import { defineRule, type Finding, type Reporter } from "../define-rule";
import { attackDns, nistZeroTrust, nsaNetworkSeparation } from "../frameworks";
import { readIpBlock } from "../ip-block";
import { networkPolicyKind } from "../kubernetes-object";
import { isAbsentOrEmpty, readAllowRules, readItems, type AllowRule, type Item } from "../network-policy";
import { field, isList, isObject, quote } from "../plain-data";
import {
  allPorts,
  formatPorts,
  hasNoPorts,
  intersectPorts,
  noPorts,
  portSet,
  portsOfRule,
  protocols,
  readPortRange,
  unionPorts,
  type PortSet,
} from "../port-set";

const danger = "the rule may let pods ask whatever resolver they like.";
const tunnel =
  "pods can carry data out of the cluster in the names they ask for, and take answers from a resolver that nobody checked; neither shows in the logs of the cluster's DNS.";

const config = {
  ...clusterDnsFields,
  ports: list(portRange, {
    description:
      "The ports of name resolution, also within the ranges that a rule opens. The default are DNS (53) and DNS over TLS or QUIC (853).",
    default: ["UDP 53", "TCP 53", "UDP 853", "TCP 853"],
  }),
  portNames: list(
    text({
      pattern: /^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/,
      allowed: "a port name (lower-case letters, digits and hyphens, at most 15)",
      example: "dns",
    }),
    {
      description:
        "Port names that stand for name resolution. The default are those of CoreDNS, of kube-dns and of the IANA registry of services.",
      default: ["dns", "dns-tcp", "dns-udp", "dns-tls", "dns-quic", "domain", "domain-s"],
    },
  ),
};

export const netpolDnsOnlyToClusterDns = defineRule({
  name: "netpol-dns-only-to-cluster-dns",
  description: "The egress rules of a NetworkPolicy open name resolution to the cluster's own DNS only.",
  severity: "high",
  enforcementLevel: "mandatory",
  frameworks: [nsaNetworkSeparation, attackDns, nistZeroTrust],
  remediation: [
    "Give port 53 a rule of its own, to the cluster's DNS pods: namespaceSelector with kubernetes.io/metadata.name: kube-system and podSelector with k8s-app: kube-dns, in one peer.",
    "For NodeLocal DNSCache, whose pods use the host's network, add its address as an ipBlock, 169.254.20.10/32.",
    "Cut port 53 out of wider ranges of other rules.",
    "Where the cluster's DNS is labelled or addressed otherwise, or another resolver is meant, tell the rule by its clusterDns and clusterDnsAddresses.",
  ],
  config,
  kinds: [networkPolicyKind],
  patches:
    "Lists of rules are atomic in server-side apply, so the egress rules a patch carries are judged in full; without egress a patch opens nothing. A patch without podSelector is not taken for one of the DNS pods' own policies.",
  limits:
    "Policies of the cluster's DNS pods themselves, by namespace and labels, are not judged: a resolver has to reach the resolvers behind it. DNS over HTTPS cannot be told from other HTTPS. A port name that is not listed may stand for 53 in a pod too; netpol-ports-required judges names.",
  examples: {
    good: [
      {
        title: "CoreDNS by namespace and labels, and NodeLocal DNSCache by address",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-dns
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
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
        title: "The DNS pods' own policy, to the resolver behind them",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: coredns-upstream
  namespace: kube-system
spec:
  podSelector:
    matchLabels:
      k8s-app: kube-dns
  policyTypes: [Egress]
  egress:
    - to:
        - ipBlock:
            cidr: 10.0.0.2/32
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
        title: "Port 53 to every destination",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-dns
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Egress]
  egress:
    - ports:
        - protocol: UDP
          port: 53
`,
      },
      {
        title: "The labels of the DNS pods, in whatever namespace has a label that anyone can set",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-dns
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Egress]
  egress:
    - to:
        - namespaceSelector:
            matchLabels:
              name: kube-system
          podSelector:
            matchLabels:
              k8s-app: kube-dns
      ports:
        - protocol: UDP
          port: 53
        - protocol: TCP
          port: 53
`,
      },
      {
        title: "A public resolver within a range of ports, and DNS over TLS",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-legacy
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Egress]
  egress:
    - to:
        - ipBlock:
            cidr: 8.8.8.0/24
      ports:
        - protocol: UDP
          port: 20
          endPort: 80
        - protocol: TCP
          port: 853
`,
      },
    ],
  },
  validate: (policy, settings, report) => {
    const own = isOfClusterDns(policy, settings);
    if (own === true) return;
    const onward = own === false ? report : unlessOfClusterDns(report);
    const dns = dnsPortsOf(settings);
    for (const rule of readAllowRules(policy, danger, onward)) {
      if (rule.direction !== "Egress") continue;
      const opened = openedPorts(rule, dns);
      if (hasNoPorts(opened.known) && !opened.mayBeMore) continue;
      judgeRule(rule, opened, policy.namespace, settings, onward);
    }
  },
});

type Settings = ConfigOf<typeof config>;

/** The ports of name resolution that a rule opens. */
interface OpenedPorts {
  readonly known: PortSet;
  /** Whether there are ports that are not known or not valid, which may be such too. */
  readonly mayBeMore: boolean;
}

function dnsPortsOf({ ports, portNames }: Settings): PortSet {
  const numbers = portSet(ports.map(readPortRange).filter((range) => range !== undefined));
  const names = protocols.flatMap((protocol) => portNames.map((name) => `${protocol} ${name}`));
  return { ...numbers, names };
}

/** Entry by entry, so that one that is not known hides none of the others. */
function openedPorts({ body }: AllowRule, dns: PortSet): OpenedPorts {
  const ports = field(body, "ports");
  if (isAbsentOrEmpty(ports)) return { known: intersectPorts(allPorts, dns), mayBeMore: false };
  if (!isList(ports)) return { known: noPorts, mayBeMore: true };
  const entries = ports.map((entry) => (isObject(entry) ? portsOfRule({ ports: [entry] }) : undefined));
  const known = entries.filter((set) => set !== undefined);
  return {
    known: intersectPorts(unionPorts(...known), dns),
    mayBeMore: known.length < entries.length,
  };
}

function judgeRule(
  { at, body }: AllowRule,
  opened: OpenedPorts,
  namespace: string | undefined,
  settings: Settings,
  report: Reporter,
): void {
  const to = field(body, "to");
  if (isAbsentOrEmpty(to)) {
    reportOpening(
      { at: `${at}.to`, found: `is ${to === undefined ? "missing" : "[]"}, so that the rule opens` },
      "to every destination",
      opened,
      settings,
      report,
    );
    return;
  }
  for (const peer of readItems(to, `${at}.to`, danger, report)) {
    const block = field(peer.body, "ipBlock");
    if (block === undefined) judgePods(peer, opened, namespace, settings, report);
    else judgeBlock(peer, opened, settings, report);
  }
}

function judgePods(
  { at, body }: Item,
  opened: OpenedPorts,
  namespace: string | undefined,
  settings: Settings,
  report: Reporter,
): void {
  const verdict = isClusterDns(body, namespace, settings);
  if (verdict === true) return;
  if (verdict === false) {
    const place = { at, found: `is ${quote(body)}, and no pinned cluster DNS, while the rule opens` };
    reportOpening(place, "to it", opened, settings, report);
    return;
  }
  report.unverifiable({
    at,
    found: `is ${quote(body)}, of which it is not known whether it is cluster DNS`,
    danger: `the rule opens ${describe(opened)} to it.`,
    fix: fixFor(settings),
  });
}

function judgeBlock({ at, body }: Item, opened: OpenedPorts, settings: Settings, report: Reporter): void {
  const block = readIpBlock(field(body, "ipBlock") ?? {}, `${at}.ipBlock`, danger, report);
  if (block === undefined) return;
  const others = subtract(block, union(...settings.clusterDnsAddresses.map(fromCidr)));
  if (isEmpty(others)) return;
  const place = { at: `${at}.ipBlock`, found: `reaches ${shorten(toCidrs(others))}, and the rule opens` };
  reportOpening(place, "to it", opened, settings, report);
}

/** Reports a destination that is no cluster DNS, and what the rule opens to it. */
function reportOpening(
  place: Pick<Finding, "at" | "found">,
  whom: string,
  opened: OpenedPorts,
  settings: Settings,
  report: Reporter,
): void {
  const found = `${place.found} ${describe(opened)} ${whom}`;
  const fix = fixFor(settings);
  if (hasNoPorts(opened.known)) report.unverifiable({ at: place.at, found, danger, fix });
  else report.violation({ at: place.at, found, danger: tunnel, fix });
}

function describe({ known }: OpenedPorts): string {
  return hasNoPorts(known)
    ? "ports that are not all known or valid, and may be those of DNS,"
    : formatPorts(known);
}

/** The peers that may be asked, as the configuration has them. */
function fixFor({ clusterDns, clusterDnsAddresses }: Settings): string {
  const [pods] = clusterDns;
  const [address] = clusterDnsAddresses;
  const selector =
    pods === undefined
      ? []
      : [
          `{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ${pods.namespace}}}, podSelector: {matchLabels: ${JSON.stringify(pods.labels)}}}`,
        ];
  const peers = [...selector, ...(address === undefined ? [] : [`{ipBlock: {cidr: ${address}}}`])];
  return [
    `${peers.join(" or ")} as the only peer of these ports, and no such port to others.`,
    "Or, if this is the cluster's DNS too, declare it in the pack's configuration (clusterDns, clusterDnsAddresses).",
  ].join("\n");
}

function shorten(cidrs: readonly string[]): string {
  const shown = cidrs.slice(0, 8);
  return `${shown.join(", ")}${shown.length < cidrs.length ? ` and ${cidrs.length - shown.length} more` : ""}`;
}
