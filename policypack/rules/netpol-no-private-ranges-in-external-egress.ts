import {
  fromCidr,
  includes,
  intersect,
  isEmpty,
  subtract,
  toCidrs,
  union,
  type AddressSet,
} from "../address-set";
import { boolean, cidr, describeConfigProblem, list, type ConfigProblem } from "../config-field";
import { declaredReach } from "../declared-reach";
import { defineRule, type Reporter } from "../define-rule";
import { cisNetworkPolicies, nistZeroTrust, nsaNetworkSeparation } from "../frameworks";
import { readIpBlocks } from "../ip-block";
import { networkPolicyKind, type KubernetesObject } from "../kubernetes-object";
import { readAllowRules, readItems } from "../network-policy";
import { field, isUnknown, quote } from "../plain-data";
import { allPorts, formatPorts, portSet, portsOfRule, type PortSet } from "../port-set";
import {
  privateEndpoint,
  privateEndpointsAnnotation,
  reachOf,
  subtractReach,
  type PrivateEndpoint,
  type Reach,
} from "../private-endpoint";
import {
  privatePart,
  privateRanges,
  unroutedRanges,
  withIpv6Forms,
  withoutMapped,
  type PrivateRange,
} from "../private-space";

const danger = "the block may reach private networks, cluster internals or cloud metadata services.";
const dnsPorts = portSet([
  { protocol: "TCP", first: 53, last: 53 },
  { protocol: "UDP", first: 53, last: 53 },
]);
const annotationAt = `metadata.annotations["${privateEndpointsAnnotation}"]`;

export const netpolNoPrivateRangesInExternalEgress = defineRule({
  name: "netpol-no-private-ranges-in-external-egress",
  description:
    "Egress to address blocks reaches no private, local or cluster range, except the private endpoints declared with a reason.",
  severity: "high",
  enforcementLevel: "mandatory",
  frameworks: [cisNetworkPolicies, nsaNetworkSeparation, nistZeroTrust],
  remediation: [
    "Except the private ranges from the block, for IPv4 and IPv6 (the message lists those that are missing).",
    "Where a private network is meant, give it a rule of its own with named ports, and declare it with a reason, in the rule's privateEndpoints or in the policy's annotation zero-trust.erlmcp/private-endpoints.",
    "Reach pods and Services of the cluster by podSelector and namespaceSelector instead of addresses.",
  ],
  config: {
    clusterCidrs: list(cidr, {
      description:
        "The cluster's own pod, Service and node networks, which count as private wherever they lie.",
      default: [],
    }),
    privateEndpoints: list(
      declaredReach({ cidr: "10.20.0.0/16", ports: ["TCP 443"], reason: "payment provider over the VPN" }),
      {
        description: "Private networks that any policy may open, on these ports, for this reason.",
        default: [],
      },
    ),
    acceptAnnotations: boolean({
      description:
        "Whether a policy may declare its own private endpoints, in the annotation zero-trust.erlmcp/private-endpoints: a JSON list of the same form. Set it to false where those who write policies are not those who decide on private networks.",
      default: true,
    }),
    dnsAddresses: list(cidr, {
      description:
        "Addresses of cluster DNS that no selector can reach, open to port 53 only. The default is NodeLocal DNSCache's, whose pods use the host's network.",
      default: ["169.254.20.10/32"],
    }),
  },
  kinds: [networkPolicyKind],
  patches:
    "Lists of rules are atomic in server-side apply, so the egress rules a patch carries are judged in full. An annotation counts only when the patch carries it itself.",
  limits:
    "Peers by selector and rules without peers are left to netpol-no-allow-all-peers. Some ranges count where a block holds nothing of the Internet, and need no exception in one that does, since nothing is reached by taking them in: the loopback, multicast, reserved and other unrouted ranges (0.0.0.0/8, 198.18.0.0/15, 224.0.0.0/4, 240.0.0.0/4, IPv6 outside of 2000::/3), IPv4-mapped addresses, and private addresses as 6to4. A cluster that has nodes or pods in one of them, as in 240.0.0.0/4, lists it under clusterCidrs, and so does one whose NAT64 has a prefix of its own. Teredo and the ranges for documentation are taken for public. Cloud metadata services are judged by netpol-no-metadata-endpoint, wherever they lie and whatever is declared here.",
  examples: {
    good: [
      {
        title: "The Internet without the private ranges",
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
            cidr: 0.0.0.0/0
            except:
              - 10.0.0.0/8
              - 100.64.0.0/10
              - 127.0.0.0/8
              - 169.254.0.0/16
              - 172.16.0.0/12
              - 192.168.0.0/16
      ports:
        - protocol: TCP
          port: 443
`,
      },
      {
        title: "A declared private endpoint, and NodeLocal DNSCache",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-private
  namespace: erlmcp
  annotations:
    zero-trust.erlmcp/private-endpoints: |
      [{"cidr": "10.20.0.0/16", "ports": ["TCP 443"], "reason": "payment provider over the VPN"}]
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Egress]
  egress:
    - to:
        - ipBlock:
            cidr: 10.20.4.0/24
      ports:
        - protocol: TCP
          port: 443
    - to:
        - ipBlock:
            cidr: 169.254.20.10/32
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
        title: "The usual three ranges excepted, and the link-local metadata services still reached",
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
            cidr: 0.0.0.0/0
            except:
              - 10.0.0.0/8
              - 172.16.0.0/12
              - 192.168.0.0/16
      ports:
        - protocol: TCP
          port: 443
`,
      },
      {
        title: "A declared endpoint on another port",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-private
  namespace: erlmcp
  annotations:
    zero-trust.erlmcp/private-endpoints: |
      [{"cidr": "10.20.0.0/16", "ports": ["TCP 443"], "reason": "payment provider over the VPN"}]
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Egress]
  egress:
    - to:
        - ipBlock:
            cidr: 10.20.4.0/24
      ports:
        - protocol: TCP
          port: 80
`,
      },
    ],
  },
  validate: (policy, config, report) => {
    const clusterRanges = config.clusterCidrs.map((network) => ({
      name: "cluster network",
      set: withIpv6Forms(network),
    }));
    const ranges: readonly PrivateRange[] = [...clusterRanges, ...privateRanges, ...unroutedRanges];
    const closed = union(...ranges.map(({ set }) => set));
    const blocks = readAllowRules(policy, danger, report)
      .filter(({ direction }) => direction === "Egress")
      .flatMap(({ at, body }) => {
        const peers = readItems(field(body, "to"), `${at}.to`, danger, report);
        return readIpBlocks(peers, danger, report).map((block) => ({
          ...block,
          rule: at,
          ports: portsOfRule(body),
        }));
      })
      .map((block) => ({ ...block, reached: privatePart(withoutMapped(block.set), ranges) }))
      .filter(({ reached }) => !isEmpty(reached));
    const annotation = config.acceptAnnotations ? readAnnotation(policy, closed, report) : [];
    const declared = [...reaches(config.privateEndpoints), ...(annotation ?? [])];
    const dns = config.dnsAddresses.map((network) => ({ addresses: fromCidr(network), ports: dnsPorts }));
    for (const { at, rule, ports, reached } of blocks) {
      const open = subtractReach({ addresses: reached, ports: ports ?? allPorts }, [...declared, ...dns]);
      const onSomePort = union(...[...declared, ...dns].map((reach) => reach.addresses));
      const allOpen = union(...open.map((piece) => piece.addresses));
      if (isEmpty(allOpen)) continue;
      // What is declared on no port at all is wrong whatever the ports turn out to be.
      const certain = ports === undefined ? subtract(allOpen, onSomePort) : allOpen;
      const addresses = isEmpty(certain) ? allOpen : certain;
      if (isEmpty(certain)) {
        report.unverifiable({
          at: `${rule}.ports`,
          found: "are not all known or valid",
          danger: `${at} reaches ${shorten(toCidrs(addresses))}, and only on some ports that is declared.`,
          fix: "every port as a number.",
        });
        continue;
      }
      const openPorts = [...new Set(open.map((piece) => formatPorts(piece.ports)))].join("; ");
      const on = ports === undefined ? "ports that are not all known or valid" : openPorts;
      const found = `reaches ${describeRanges(addresses, ranges)} on ${on}`;
      if (annotation === undefined) {
        report.unverifiable({
          at,
          found: `${found}, and whether ${annotationAt} declares that is not known in the preview`,
          danger: "it may be internal networks that nobody meant to open.",
          fix: `the annotation, literally: ${annotationFor(addresses, ports)}`,
        });
      } else {
        report.violation({
          at,
          found,
          danger:
            "egress meant for the outside then also opens the internal networks: databases, control planes and metadata services that trust whoever can connect.",
          fix: [
            `except these ranges from the block: ${shorten(toCidrs(addresses))}.`,
            "Or, if the private network is meant, declare it, in the pack's configuration (privateEndpoints) or in the annotation:",
            `  ${annotationFor(addresses, ports)}`,
          ].join("\n"),
        });
      }
    }
  },
});

function reaches(endpoints: readonly PrivateEndpoint[]): Reach[] {
  return endpoints.map(reachOf).filter((reach) => reach !== undefined);
}

/**
 * The endpoints that the policy itself declares; undefined when that is not known. A declaration that cannot be used is
 * reported, and opens nothing.
 */
function readAnnotation(
  policy: KubernetesObject,
  closed: AddressSet,
  report: Reporter,
): readonly Reach[] | undefined {
  const metadata = field(policy.body, "metadata");
  const annotations = field(metadata, "annotations");
  const value = field(annotations, privateEndpointsAnnotation);
  if ([metadata, annotations, value].some(isUnknown)) return undefined;
  if (value === undefined) return [];
  const entries = typeof value === "string" ? parseList(value) : undefined;
  if (entries === undefined) {
    report.violation({
      at: annotationAt,
      found: `is ${quote(value)}, which is no JSON list`,
      danger: "what it should declare cannot be read, and counts as not declared.",
      fix: JSON.stringify([privateEndpoint.example]),
    });
    return [];
  }
  return entries.flatMap((entry, index) => {
    const problems: ConfigProblem[] = [];
    const endpoint = privateEndpoint.read(entry, `[${index}]`, problems);
    const reach = endpoint === undefined || problems.length > 0 ? undefined : reachOf(endpoint);
    if (reach === undefined || isMixed(reach.addresses, closed)) {
      const found =
        problems.length > 0
          ? `has a wrong entry: ${problems.map(describeConfigProblem).join(" ")}`.replace(/\.$/, "")
          : reach === undefined
            ? `has in [${index}] a port that is not from 1 to 65535, or a range that ends before it starts: ${JSON.stringify(entry)}`
            : `declares in [${index}] the network ${JSON.stringify(endpoint?.cidr)}, which holds public addresses besides private ones`;
      const why = "such an entry declares no private endpoint, and opens nothing.";
      report.violation({
        at: annotationAt,
        found,
        danger: why,
        fix: JSON.stringify([privateEndpoint.example]),
      });
      return [];
    }
    return [reach];
  });
}

/** Whether a network reaches into the private ranges and beyond them, as 0.0.0.0/0 does: that would declare everything. */
function isMixed(network: AddressSet, closed: AddressSet): boolean {
  return !isEmpty(intersect(network, closed)) && !includes(closed, network);
}

function parseList(text: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** `10.0.0.0/8 (private, RFC 1918), 169.254.0.0/16 (link-local, RFC 3927)` */
function describeRanges(addresses: AddressSet, ranges: readonly PrivateRange[]): string {
  const parts: string[] = [];
  let rest = addresses;
  for (const { name, set } of ranges) {
    const cidrs = toCidrs(intersect(rest, set));
    if (cidrs.length > 0) parts.push(`${shorten(cidrs)} (${name})`);
    rest = subtract(rest, set);
  }
  return parts.join(", ");
}

/** The annotation that would declare the first of these addresses, on the ports that are opened as far as they are named by number. */
function annotationFor(addresses: AddressSet, ports: PortSet | undefined): string {
  const [first = ""] = toCidrs(addresses);
  const opened = Object.entries(ports === undefined || ports === allPorts ? {} : ports.numbers).flatMap(
    ([protocol, intervals]) => intervals.map((interval) => formatPorts(portSet([{ protocol, ...interval }]))),
  );
  const named = opened.length > 0 ? opened : ["TCP 443"];
  const endpoint = { cidr: first, ports: named, reason: "why it is reached" };
  return `${privateEndpointsAnnotation}: '${JSON.stringify([endpoint])}'`;
}

function shorten(cidrs: readonly string[]): string {
  const shown = cidrs.slice(0, 24);
  return `${shown.join(", ")}${shown.length < cidrs.length ? ` and ${cidrs.length - shown.length} more` : ""}`;
}
