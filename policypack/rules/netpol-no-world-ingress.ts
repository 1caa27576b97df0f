import {
  allAddresses,
  isEmpty,
  size,
  subtract,
  union,
  type AddressFamily,
  type AddressSet,
} from "../address-set";
import { cidr, integer, list, listOf, namespaceName, reason, record } from "../config-field";
import { declaredReach, portRange } from "../declared-reach";
import { defineRule, type Reporter } from "../define-rule";
import { cisNetworkPolicies, nistZeroTrust, nsaNetworkSeparation, owaspSegmentation } from "../frameworks";
import { readIpBlocks } from "../ip-block";
import { networkPolicyKind } from "../kubernetes-object";
import { isAbsentOrEmpty, readAllowRules, readItems } from "../network-policy";
import { field } from "../plain-data";
import { allPorts, portSet, portsOfRule, readPortRange, type PortSet } from "../port-set";
import { reachOf, subtractReach, type Reach } from "../private-endpoint";
import { ipv4Of, privateRanges, withIpv6Forms } from "../private-space";

/** A namespace whose pods are there to be reached from outside. */
interface Entrance {
  readonly namespace: string;
  /** Each as `TCP 443` or `TCP 9100-9155`; absent means all ports. */
  readonly ports?: readonly string[];
  readonly reason: string;
}

const danger = "the block may be the Internet, or a large part of it.";
const exposure =
  "whoever scans the Internet reaches the selected pods as soon as anything leads there: a load balancer, a node port, a peered network.";
const behindEntrance =
  "an ingress controller or gateway as the only peer, pinned by namespace and labels; or the networks of the callers that are meant.";
const perhapsDeclared =
  ", and whether the configuration allows that depends on ports or a namespace that are not known or valid";
const notDecided = {
  danger: "the configuration opens this (sources, entrances) on some ports or in some namespaces only.",
  fix: "the namespace, and every port as a number.",
};
const bits = { IPv4: 32, IPv6: 128 } as const;
const everywhere = union(allAddresses("IPv4"), allAddresses("IPv6"));
const nonPublic = union(...privateRanges.map(({ set }) => set));
/** What IPv6 has of IPv4 is counted as IPv4. */
const ipv4InIpv6 = withIpv6Forms("0.0.0.0/0");

/** Public addresses that one place of a policy lets in, without those that are declared. */
interface Sources {
  readonly at: string;
  /** Whatever they turn out to be. */
  readonly certain: AddressSet;
  /** With what is let in only if ports or a namespace that are not known are others than those declared. */
  readonly possible: AddressSet;
}

export const netpolNoWorldIngress = defineRule({
  name: "netpol-no-world-ingress",
  description:
    "The ingress rules of a NetworkPolicy together let in no more of the public Internet than configured.",
  severity: "critical",
  enforcementLevel: "mandatory",
  frameworks: [cisNetworkPolicies, nsaNetworkSeparation, nistZeroTrust, owaspSegmentation],
  remediation: [
    "Put an ingress controller or gateway in front, and let in its pods only, by namespaceSelector and podSelector.",
    "Where callers come in directly, list their networks instead of wide ones. Those that are wide and known, such as a content delivery network's, belong into the rule's sources, with the reason.",
    "List the namespaces of ingress controllers and gateways, which are there to be reached, under the rule's entrances, with their ports and the reason.",
  ],
  config: {
    ipv4Prefix: integer({
      description:
        "The public IPv4 addresses that a policy lets in, over all its blocks together, may be as many as a network of this prefix length holds. The default is 4,096 of them. IPv4 addresses in IPv6 form (IPv4-mapped, NAT64) count as IPv4.",
      default: 20,
      minimum: 0,
      maximum: 32,
    }),
    ipv6Prefix: integer({
      description: "The same for IPv6. The default is as many as sixteen sites have, at a /48 each.",
      default: 44,
      minimum: 0,
      maximum: 128,
    }),
    sources: list(
      declaredReach({
        cidr: "198.51.100.0/22",
        ports: ["TCP 443"],
        reason: "edge of the content delivery network",
      }),
      {
        description:
          "Public networks that any policy may let in, on these ports, for this reason; they do not count. The default are those from which Google Cloud's load balancers and health checks come, and nothing else.",
        default: [
          { cidr: "35.191.0.0/16", reason: "load balancers and health checks of Google Cloud" },
          { cidr: "130.211.0.0/22", reason: "load balancers and health checks of Google Cloud" },
        ],
      },
    ),
    entrances: list(
      record<Entrance>({
        allowed: "an object with namespace, ports (optional, as in TCP 443; absent means all) and reason",
        example: {
          namespace: "ingress-nginx",
          ports: ["TCP 80", "TCP 443"],
          reason: "the ingress controller, behind a load balancer that keeps the client's address",
        },
        values: { namespace: namespaceName, ports: listOf(portRange), reason },
        optional: ["ports"],
      }),
      {
        description:
          "Namespaces whose policies may let in the whole Internet, on these ports, for this reason: those of ingress controllers and gateways.",
        default: [],
      },
    ),
    clusterCidrs: list(cidr, {
      description:
        "The cluster's own pod, Service and node networks, which are not public wherever they lie.",
      default: [],
    }),
  },
  kinds: [networkPolicyKind],
  patches:
    "Lists of rules are atomic in server-side apply, so the ingress rules a patch carries are judged in full; without ingress a patch lets nobody in.",
  limits:
    "Only one policy is seen at a time. Addresses from which nothing comes, such as multicast and reserved ones, count like public ones; a cluster that has its own there lists them under clusterCidrs. Whether anything leads from outside to the pods is the question of service-no-exposure. Where a load balancer or node replaces the client's address by its own, the blocks of a policy do not tell clients apart.",
  examples: {
    good: [
      {
        title: "The ingress controller's pods, and a partner's network",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-web
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
              kubernetes.io/metadata.name: ingress-nginx
          podSelector:
            matchLabels:
              app.kubernetes.io/name: ingress-nginx
        - ipBlock:
            cidr: 198.51.100.16/28
      ports:
        - protocol: TCP
          port: 8443
`,
      },
    ],
    bad: [
      {
        title: "The Internet",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-web
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Ingress]
  ingress:
    - from:
        - ipBlock:
            cidr: 0.0.0.0/0
            except:
              - 10.0.0.0/8
      ports:
        - protocol: TCP
          port: 8443
`,
      },
      {
        title: "The Internet in two halves, each in a rule of its own",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-web
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Ingress]
  ingress:
    - from:
        - ipBlock:
            cidr: 0.0.0.0/1
      ports:
        - protocol: TCP
          port: 8080
    - from:
        - ipBlock:
            cidr: 128.0.0.0/1
      ports:
        - protocol: TCP
          port: 8443
`,
      },
    ],
  },
  validate: (policy, config, report) => {
    const inside = union(nonPublic, ...config.clusterCidrs.map(withIpv6Forms));
    const entrances = config.entrances.filter(
      ({ namespace }) => namespace === (policy.namespace ?? namespace),
    );
    const declared: Declared = {
      sources: config.sources.map(reachOf).filter((reach) => reach !== undefined),
      entrances: entrances.map(reachOfEntrance),
      namespaceKnown: policy.namespace !== undefined,
    };
    const limits: readonly Limit[] = [
      { family: "IPv4", prefix: config.ipv4Prefix, key: "ipv4Prefix" },
      { family: "IPv6", prefix: config.ipv6Prefix, key: "ipv6Prefix" },
    ];
    const sources = readAllowRules(policy, danger, report)
      .filter(({ direction }) => direction === "Ingress")
      .flatMap(({ at, body }) => {
        const from = field(body, "from");
        const ports = portsOfRule(body);
        if (isAbsentOrEmpty(from)) {
          const open = undeclared(`${at}.from`, subtract(everywhere, inside), ports, declared);
          judgeOpenRule(open, from === undefined ? "missing" : "[]", limits, report);
          return [];
        }
        const blocks = readIpBlocks(readItems(from, `${at}.from`, danger, report), danger, report);
        return blocks.map((block) => undeclared(block.at, subtract(block.set, inside), ports, declared));
      });
    for (const limit of limits) judgeFamily(sources, limit, report);
  },
});

/** How much of an address family a policy may let in. */
interface Limit {
  readonly family: AddressFamily;
  readonly prefix: number;
  /** The key of the configuration that says so. */
  readonly key: string;
}

/** What the configuration lets the policy open. */
interface Declared {
  readonly sources: readonly Reach[];
  /** Those of its namespace; all of them when it is not known. */
  readonly entrances: readonly Reach[];
  readonly namespaceKnown: boolean;
}

function reachOfEntrance({ ports }: Entrance): Reach {
  const ranges = ports?.map(readPortRange).filter((range) => range !== undefined);
  return { addresses: everywhere, ports: ranges === undefined ? allPorts : portSet(ranges) };
}

/** @param ports What the rule opens; undefined when that is not all known. */
function undeclared(
  at: string,
  addresses: AddressSet,
  ports: PortSet | undefined,
  { sources, entrances, namespaceKnown }: Declared,
): Sources {
  const open = (declared: readonly Reach[]): AddressSet =>
    union(
      ...subtractReach({ addresses, ports: ports ?? allPorts }, declared).map((piece) => piece.addresses),
    );
  const anyPort = (reach: Reach): Reach => (ports === undefined ? { ...reach, ports: allPorts } : reach);
  return {
    at,
    possible: open([...sources, ...(namespaceKnown ? entrances : [])]),
    certain: open([...sources, ...entrances].map(anyPort)),
  };
}

function judgeOpenRule(
  { at, certain, possible }: Sources,
  value: string,
  limits: readonly Limit[],
  report: Reporter,
): void {
  const found = `is ${value}, so that the rule lets in the whole Internet`;
  if (limits.some((limit) => isTooMany(certain, limit)))
    report.violation({ at, found, danger: exposure, fix: behindEntrance });
  else if (limits.some((limit) => isTooMany(possible, limit)))
    report.unverifiable({ at, found: `${found}${perhapsDeclared}`, ...notDecided });
}

/** Counts what all blocks together let in of one address family. */
function judgeFamily(sources: readonly Sources[], limit: Limit, report: Reporter): void {
  const blocks = sources.filter(({ possible }) => !isEmpty(partOf(possible, limit.family)));
  const possible = union(...blocks.map((block) => block.possible));
  if (!isTooMany(possible, limit)) return;
  const certain = union(...blocks.map((block) => block.certain));
  const [first, ...others] = blocks;
  const at = others.length === 0 && first !== undefined ? first.at : "spec.ingress";
  const together = others.length === 0 ? "" : `, with ${shorten(blocks.map((block) => block.at))} together`;
  const found = `lets in ${describeAmount(possible, limit)}${together}`;
  if (isTooMany(certain, limit)) {
    report.violation({
      at,
      found,
      danger: exposure,
      fix: [
        behindEntrance,
        "Or, if so many callers are meant, declare their networks in the pack's configuration (sources), or the namespace of an ingress controller (entrances).",
      ].join("\n"),
    });
  } else {
    report.unverifiable({ at, found: `${found}${perhapsDeclared}`, ...notDecided });
  }
}

function isTooMany(set: AddressSet, { family, prefix }: Limit): boolean {
  return size(partOf(set, family)) > 1n << BigInt(bits[family] - prefix);
}

function partOf(set: AddressSet, family: AddressFamily): AddressSet {
  return family === "IPv4" ? ipv4Of(set) : { IPv4: [], IPv6: subtract(set, ipv4InIpv6).IPv6 };
}

/** `8192 public IPv4 addresses, where a /20 of them is allowed (ipv4Prefix)` */
function describeAmount(set: AddressSet, { family, prefix, key }: Limit): string {
  const count = size(partOf(set, family));
  const allowed = `where a /${prefix} of them is allowed (${key})`;
  if (family === "IPv4") return `${count} public IPv4 addresses, ${allowed}`;
  // The smallest network that has as many.
  const length = bits.IPv6 - (count - 1n).toString(2).length;
  return `public IPv6 addresses that would fill a /${length}, ${allowed}`;
}

function shorten(places: readonly string[]): string {
  const shown = places.slice(0, 8);
  return `${shown.join(", ")}${shown.length < places.length ? ` and ${places.length - shown.length} more` : ""}`;
}
