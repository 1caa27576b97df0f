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
import { field, isList, isObject, isUnknown, quote, type Plain } from "../plain-data";
import { isPortNumber, portSet, unionPorts, type PortInterval, type PortSet } from "../port-set";

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
        "How many consecutive ports of one protocol a peer may get, over all entries of a rule and all rules that name the peer. The default lets pass an Erlang distribution range such as 9100-9155.",
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
      reportWideRuns(wideRuns(ports, maxRangePorts), `${rule.at}.ports`, "", maxRangePorts, report);
    }
    for (const { direction, rules: key } of directions) {
      const ofDirection = rules.filter(({ rule }) => rule.direction === direction);
      reportSplitRanges(ofDirection, `spec.${key}`, maxRangePorts, report);
    }
  },
});

/** The ports that a rule opens by number. */
interface RulePorts {
  readonly rule: AllowRule;
  readonly ports: PortSet;
}

/** Ports in a row of one protocol. */
interface Run extends PortInterval {
  readonly protocol: string;
}

function wideRuns(ports: PortSet, most: number): Run[] {
  return Object.entries(ports.numbers).flatMap(([protocol, intervals]) =>
    intervals
      .filter(({ first, last }) => last - first + 1 > most)
      .map((interval) => ({ protocol, ...interval })),
  );
}

function reportWideRuns(
  runs: readonly Run[],
  at: string,
  together: string,
  most: number,
  report: Reporter,
): void {
  for (const { protocol, first, last } of runs) {
    report.violation({
      at,
      found: `opens ${protocol} ${first}-${last}, which is ${last - first + 1} ports in a row${together}`,
      danger: `whatever listens there is open too; at most ${most} are allowed (maxRangePorts).`,
      fix: "the ports that are spoken, or the range to which the application is bound (for Erlang: inet_dist_listen_min and inet_dist_listen_max).",
    });
  }
}

/** Ranges that are too wide for a peer only together, in rules that each name it. */
function reportSplitRanges(rules: readonly RulePorts[], at: string, most: number, report: Reporter): void {
  const byPeer = new Map<string, RulePorts[]>();
  for (const one of rules) {
    const peers = field(one.rule.body, one.rule.peersKey);
    const texts = isAbsentOrEmpty(peers)
      ? ["every peer"]
      : (isList(peers) ? peers : []).map((peer) => peerKey(peer, one.rule.at));
    for (const text of new Set(texts)) byPeer.set(text, [...(byPeer.get(text) ?? []), one]);
  }
  const reported = new Set<string>();
  for (const sharing of byPeer.values()) {
    const places = sharing.map(({ rule }) => rule.at).join(" and ");
    if (reported.has(places)) continue;
    reported.add(places);
    const alone = sharing.flatMap(({ ports }) => wideRuns(ports, most));
    const joined = wideRuns(unionPorts(...sharing.map(({ ports }) => ports)), most).filter(
      (run) =>
        !alone.some(
          ({ protocol, first }) => protocol === run.protocol && first >= run.first && first <= run.last,
        ),
    );
    reportWideRuns(joined, at, `, with ${places} together, to the same peer`, most, report);
  }
}

/** A peer as text, whatever the order of its keys. One that is not all known is like no other, so its place is in it. */
function peerKey(peer: Plain, at: string): string {
  return JSON.stringify(peer, (_, part: Plain) => {
    if (isUnknown(part)) return `not known in ${at}`;
    return isObject(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part;
  });
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
