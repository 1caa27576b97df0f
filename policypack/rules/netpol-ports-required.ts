import { boolean, integer } from "../config-field";
import { defineRule, type Reporter } from "../define-rule";
import { cisNetworkPolicies, nsaNetworkSeparation } from "../frameworks";
import { networkPolicyKind } from "../kubernetes-object";
import {
  directions,
  isAbsentOrEmpty,
  literalValueFix,
  notReadable,
  readAllowRules,
  readItems,
  type AllowRule,
  type Item,
} from "../network-policy";
import { field, isUnknown, quote } from "../plain-data";
import {
  formatInterval,
  isPortNumber,
  portSet,
  unionPorts,
  type PortInterval,
  type PortSet,
} from "../port-set";
import { rulesForSamePeer } from "../shared-peers";

const wide =
  "a rule may open every port: whatever else the pods listen on or talk to, a debug port or SSH included.";

export const netpolPortsRequired = defineRule({
  name: "netpol-ports-required",
  description: "Every rule of a NetworkPolicy names its ports by number, and opens no wide range.",
  severity: "high",
  enforcementLevel: "mandatory",
  frameworks: [cisNetworkPolicies, nsaNetworkSeparation],
  remediation: [
    "List under ports what the two ends speak, each with protocol and number.",
    "For a range, bound it with port and endPort; configure the application to stay within it.",
  ],
  config: {
    maxRangePorts: integer({
      description:
        "How many ports of one protocol a peer may get in ranges, all of them together, over all rules of a direction that are for the peer, however they write it. Ports in a row are a range, whether written with endPort or one by one. As many ports may stand alone. The default lets pass an Erlang distribution range such as 9100-9155.",
      default: 100,
      minimum: 1,
      maximum: 65535,
    }),
    allowNamedPorts: boolean({
      description:
        "Whether a port may be a name, which each selected pod resolves to a number of its own, so that whoever writes the pod decides what the rule opens. Where it may, netpol-port-numbers still advises against it.",
      default: true,
    }),
  },
  kinds: [networkPolicyKind],
  patches:
    "Lists of rules are atomic in server-side apply, so the rules a patch carries are judged in full; directions it leaves out are not its own.",
  limits:
    "One policy is seen at a time: what several open together is for matrix-conformance. Peers are taken for the same by the labels and addresses that they name, so that pods with the labels of two peers may get the ports of both. A peer that is not known is like no other here, and blocked by netpol-valid. Port names do not count.",
  examples: {
    good: [
      {
        title: "A port and a bounded range",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-cluster
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector:
            matchLabels:
              app: erlmcp
      ports:
        - protocol: TCP
          port: 4369
        - protocol: TCP
          port: 9100
          endPort: 9155
`,
      },
    ],
    bad: [
      {
        title: "No ports at all",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-cluster
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector:
            matchLabels:
              app: erlmcp
`,
      },
      {
        title: "Everything above 1024",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-cluster
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector:
            matchLabels:
              app: erlmcp
      ports:
        - protocol: TCP
          port: 1024
          endPort: 65535
`,
      },
      {
        title: "A wide range in pieces, for the same pods by another selector",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-cluster
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector:
            matchLabels:
              app: erlmcp
      ports:
        - protocol: TCP
          port: 9100
          endPort: 9149
        - protocol: TCP
          port: 9151
          endPort: 9180
    - from:
        - podSelector:
            matchExpressions:
              - key: app
                operator: In
                values: [erlmcp]
      ports:
        - protocol: TCP
          port: 9182
          endPort: 9231
`,
      },
    ],
  },
  validate: (policy, { maxRangePorts, allowNamedPorts }, report) => {
    const rules = readAllowRules(policy, wide, report).flatMap((rule): RulePorts[] => {
      const ports = field(rule.body, "ports");
      if (isAbsentOrEmpty(ports)) {
        report.violation({
          at: `${rule.at}.ports`,
          found: ports === undefined ? "is missing" : "is []",
          danger: "the rule then opens every port of every protocol, a debug port or SSH included.",
          fix: "the ports that are spoken, as in ports: [{protocol: TCP, port: 8443}]",
        });
        return [];
      }
      const ranges = readItems(ports, `${rule.at}.ports`, wide, report).flatMap((item) =>
        readRange(item, allowNamedPorts, report),
      );
      return [{ rule, ports: portSet(ranges) }];
    });
    for (const { rule, ports } of rules) {
      for (const excess of excesses(ports, maxRangePorts))
        reportExcess(excess, { at: `${rule.at}.ports`, together: "", most: maxRangePorts }, report);
    }
    for (const { direction, rules: key } of directions) {
      const ofDirection = rules.filter(({ rule }) => rule.direction === direction);
      const place = { at: `spec.${key}`, namespace: policy.namespace, most: maxRangePorts };
      reportSplitRanges(ofDirection, place, report);
    }
  },
});

/** The ports that a rule opens by number. */
interface RulePorts {
  readonly rule: AllowRule;
  readonly ports: PortSet;
}

/** Ports of one protocol that are more than a peer may get: those in ranges, or those that stand alone. */
interface Excess {
  readonly protocol: string;
  readonly intervals: readonly PortInterval[];
  readonly isRanges: boolean;
}

/** Ports in ranges and single ones are counted apart, so that a range of as many as allowed can have a port beside it. */
function excesses(ports: PortSet, most: number): Excess[] {
  return Object.entries(ports.numbers).flatMap(([protocol, intervals]) => {
    const ranges = intervals.filter(({ first, last }) => first < last);
    const single = intervals.filter(({ first, last }) => first === last);
    return [
      { protocol, intervals: ranges, isRanges: true },
      { protocol, intervals: single, isRanges: false },
    ].filter((part) => count(part.intervals) > most);
  });
}

function count(intervals: readonly PortInterval[]): number {
  return intervals.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

/** @param together ends the sentence that says what is open; "" for what one rule opens */
function reportExcess(
  { protocol, intervals, isRanges }: Excess,
  { at, together, most }: { readonly at: string; readonly together: string; readonly most: number },
  report: Reporter,
): void {
  const ranges = intervals.length === 1 ? "ports in a row" : `ports in ${intervals.length} ranges`;
  const ports = `${count(intervals)} ${isRanges ? ranges : "single ports"}`;
  report.violation({
    at,
    found: `opens ${protocol} ${shorten(intervals.map(formatInterval))}, which is ${ports}${together}`,
    danger: `whatever listens there is open too; at most ${most} are allowed (maxRangePorts).`,
    fix: "the ports that are spoken, or the range to which the application is bound (for Erlang: inet_dist_listen_min and inet_dist_listen_max).",
  });
}

/** Ports that are too many only together, in rules of one direction that are for the same peer. */
function reportSplitRanges(
  rules: readonly RulePorts[],
  {
    at,
    namespace,
    most,
  }: { readonly at: string; readonly namespace: string | undefined; readonly most: number },
  report: Reporter,
): void {
  const all = unionPorts(...rules.map(({ ports }) => ports));
  // Few policies open more than that to all of their peers, and what peers have in common is costly to find.
  const suspects = Object.entries(all.numbers).filter(([, intervals]) => count(intervals) > most);
  if (suspects.length === 0) return;
  const byRule = new Map(rules.map((one) => [one.rule, one]));
  const groups = rulesForSamePeer([...byRule.keys()], namespace);
  const reported = new Set<string>();
  for (const [protocol] of suspects) {
    const isOfProtocol = (excess: Excess): boolean => excess.protocol === protocol;
    for (const group of groups) {
      // What is too much by itself is reported already.
      const sharing = group
        .flatMap((rule) => byRule.get(rule) ?? [])
        .filter(({ ports }) => !excesses(ports, most).some(isOfProtocol));
      const joined = unionPorts(...sharing.map(({ ports }) => ports));
      for (const excess of excesses(joined, most).filter(isOfProtocol)) {
        const places = sharing
          .filter(({ ports }) =>
            (ports.numbers[protocol] ?? []).some((each) => isWithin(each, excess.intervals)),
          )
          .map(({ rule }) => rule.at);
        const together = `, with ${shorten(places, " and ")} together, for the same peer`;
        const key = `${protocol} ${places.join()}`;
        if (!reported.has(key)) reportExcess(excess, { at, together, most }, report);
        reported.add(key);
      }
    }
  }
}

function isWithin(part: PortInterval, intervals: readonly PortInterval[]): boolean {
  return intervals.some(({ first, last }) => first <= part.first && part.last <= last);
}

function shorten(texts: readonly string[], separator = ", "): string {
  const shown = texts.slice(0, 8);
  return `${shown.join(separator)}${shown.length < texts.length ? ` and ${texts.length - shown.length} more` : ""}`;
}

/** The numbers an entry opens, or none after reporting why it opens none that are known. */
function readRange(
  { at, body }: Item,
  allowNamed: boolean,
  report: Reporter,
): (PortInterval & { protocol: string })[] {
  const port = field(body, "port");
  const endPort = field(body, "endPort");
  const protocolField = field(body, "protocol") ?? "TCP";
  // Which protocol it is changes nothing in the verdict on one entry.
  const protocol = typeof protocolField === "string" ? protocolField : "an unknown protocol";
  if (isUnknown(port)) {
    report.unverifiable({
      at: `${at}.port`,
      ...notReadable(port, "a number"),
      danger: wide,
      fix: literalValueFix,
    });
    return [];
  }
  if (isUnknown(endPort)) {
    report.unverifiable({
      at: `${at}.endPort`,
      ...notReadable(endPort, "a number"),
      danger: wide,
      fix: literalValueFix,
    });
    return [];
  }
  if (port === undefined) {
    report.violation({
      at: `${at}.port`,
      found: "is missing",
      danger: `the entry then opens every port of ${protocol}.`,
      fix: "port: 8443, or a range with port and endPort.",
    });
    return [];
  }
  if (typeof port === "string" && !/^\d+$/.test(port)) {
    if (endPort !== undefined) {
      report.violation({
        at: `${at}.endPort`,
        found: `is ${quote(endPort)}, next to the port name ${quote(port)}`,
        danger: "a range needs numbers at both ends; enforcers may drop the entry or the range.",
        fix: "the number as port, or leave out endPort.",
      });
    } else if (!allowNamed) {
      report.violation({
        at: `${at}.port`,
        found: `is the name ${quote(port)}`,
        danger:
          "every selected pod resolves it to a number of its own, so whoever writes the pod decides what the rule opens (allowNamedPorts is false).",
        fix: "the number.",
      });
    }
    return [];
  }
  if (!isPortNumber(port)) {
    report.violation({
      at: `${at}.port`,
      found: `is ${quote(port)}`,
      danger: "it is no port, and enforcers differ in what they do with such an entry.",
      fix: "a whole number from 1 to 65535, without quotes.",
    });
    return [];
  }
  if (endPort === undefined) return [{ protocol, first: port, last: port }];
  if (!isPortNumber(endPort) || endPort < port) {
    report.violation({
      at: `${at}.endPort`,
      found: `is ${quote(endPort)}, with port ${port}`,
      danger: "the range has no end, and enforcers differ in what they do with such an entry.",
      fix: `a whole number from ${port} to 65535, or leave out endPort.`,
    });
    return [];
  }
  return [{ protocol, first: port, last: endPort }];
}
