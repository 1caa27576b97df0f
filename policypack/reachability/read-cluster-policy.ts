import { field, type Plain, type PlainObject } from "../plain-data";
import type { ClusterPolicy, Peer, PortMatch, TierRule } from "./model";
import type { AddressReader } from "./read-addresses";
import {
  fieldNames,
  readBoundedList,
  readChoice,
  readInteger,
  readList,
  readObject,
  readOnlyField,
  reportTooMany,
  type FieldNames,
} from "./read-fields";
import { isPortName, portNameAllowed, portNumbers, readProtocol } from "./read-ports";
import { notAllowed, show, type Report } from "./read-problem";
import type { SelectorReader } from "./read-selector";
import type { Protocol } from "../port-set";

type Kind = ClusterPolicy["kind"];
type Direction = "ingress" | "egress";

/** In what the three kinds differ; the rest of their specs is alike. */
interface Dialect {
  readonly fields: FieldNames;
  readonly actions: readonly ("Accept" | "Allow" | "Deny" | "Pass")[];
  /** The most rules of a direction, peers of a rule and ports of a rule. */
  readonly most: number;
  readonly ports: "protocols" | "ports";
  readonly egressPeers: FieldNames;
  /** Whether `pods` may leave out namespaceSelector, which selects every namespace then. */
  readonly optionalNamespaceSelector: boolean;
}

const v1alpha1 = { most: 100, ports: "ports", optionalNamespaceSelector: false } as const;

const dialects: Readonly<Record<Kind, Dialect>> = {
  ClusterNetworkPolicy: {
    fields: fieldNames("tier", "priority", "subject", "ingress", "egress"),
    actions: ["Accept", "Deny", "Pass"],
    most: 25,
    ports: "protocols",
    egressPeers: fieldNames("namespaces", "pods", "nodes", "networks", "domainNames"),
    optionalNamespaceSelector: true,
  },
  AdminNetworkPolicy: {
    ...v1alpha1,
    fields: fieldNames("priority", "subject", "ingress", "egress"),
    actions: ["Allow", "Deny", "Pass"],
    egressPeers: fieldNames("namespaces", "pods", "nodes", "networks", "domainNames"),
  },
  BaselineAdminNetworkPolicy: {
    ...v1alpha1,
    fields: fieldNames("subject", "ingress", "egress"),
    actions: ["Allow", "Deny"],
    egressPeers: fieldNames("namespaces", "pods", "nodes", "networks"),
  },
};

const podPeers = fieldNames("namespaces", "pods");
const namespacedPodFields = fieldNames("namespaceSelector", "podSelector");
const protocolFields = fieldNames("tcp", "udp", "sctp", "destinationNamedPort");
const protocolMatchFields = fieldNames("destinationPort");
const destinationPortFields = fieldNames("number", "range");
const rangeFields = fieldNames("start", "end");
const portFields = fieldNames("portNumber", "namedPort", "portRange");
const portNumberFields = fieldNames("protocol", "port");
const portRangeFields = fieldNames("protocol", "start", "end");

const mostNetworks = 25;
const inSeveralRules = "write them in several rules";
const inSeveralPeers = "write them in several peers";

/** DomainName of policy.networking.k8s.io: two labels or more, the first of which may be `*`. */
const domainName =
  /^(\*\.)?([a-zA-Z0-9_]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.)+[a-zA-Z0-9_]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.?$/;

/**
 * Reads the spec of ClusterNetworkPolicies (`policy.networking.k8s.io/v1alpha2`), AdminNetworkPolicies and
 * BaselineAdminNetworkPolicies (`v1alpha1`), with the fields of the experimental channel.
 */
export class ClusterPolicyReader {
  constructor(
    private readonly selectors: SelectorReader,
    private readonly addresses: AddressReader,
  ) {}

  /** The policy; what it returns after a report is not to be used. */
  read(kind: Kind, name: string, given: Plain | undefined, report: Report): ClusterPolicy {
    const dialect = dialects[kind];
    if (kind === "BaselineAdminNetworkPolicy" && name !== "default") {
      const allowed = 'only "default": a cluster has one';
      report(notAllowed(name, { at: "metadata.name", allowed, fix: 'write "default"' }));
    }
    const spec = readObject(given, "spec", dialect.fields, report);
    if (given === undefined) {
      const allowed = `an object with the fields ${[...dialect.fields].join(", ")}`;
      report(notAllowed(given, { at: "spec", allowed, fix: "write spec" }));
    }
    const policy = {
      kind,
      name,
      tier: kind === "BaselineAdminNetworkPolicy" ? "Baseline" : "Admin",
      priority: 0,
      subject: { namespaces: this.selectors.everything, pods: undefined },
      ingress: [],
      egress: [],
    } as const;
    if (spec === undefined) return policy;
    return {
      ...policy,
      tier: readTier(spec, kind, report) ?? policy.tier,
      priority: dialect.fields.has("priority")
        ? (readInteger(field(spec, "priority"), "spec.priority", [0, 1000], report) ?? 0)
        : 0,
      subject: this.readSubject(field(spec, "subject"), dialect, report),
      ingress: this.readRules(spec, "ingress", dialect, report),
      egress: this.readRules(spec, "egress", dialect, report),
    };
  }

  private readSubject(value: Plain | undefined, dialect: Dialect, report: Report): ClusterPolicy["subject"] {
    const subject = readOnlyField(value, "spec.subject", podPeers, report);
    if (subject === undefined) return { namespaces: this.selectors.everything, pods: undefined };
    return this.readPods(subject, "spec.subject", dialect, report);
  }

  /** What `namespaces` or `pods` selects, of a subject or a peer. */
  private readPods(
    { name, value }: { readonly name: string; readonly value: Plain },
    at: string,
    dialect: Dialect,
    report: Report,
  ): ClusterPolicy["subject"] {
    const { everything } = this.selectors;
    if (name === "namespaces") {
      return {
        namespaces: this.selectors.read(value, `${at}.namespaces`, report) ?? everything,
        pods: undefined,
      };
    }
    const selector = readObject(value, `${at}.pods`, namespacedPodFields, report);
    if (selector === undefined) return { namespaces: everything, pods: undefined };
    const namespaceSelector = field(selector, "namespaceSelector");
    const podSelector = field(selector, "podSelector");
    const required = (missing: Plain | undefined, key: string, all: string): void => {
      if (missing !== undefined) return;
      const fix = `write ${key}; {} selects ${all}`;
      report(notAllowed(missing, { at: `${at}.pods.${key}`, allowed: "a label selector", fix }));
    };
    if (!dialect.optionalNamespaceSelector)
      required(namespaceSelector, "namespaceSelector", "every namespace");
    required(podSelector, "podSelector", "every pod");
    return {
      namespaces:
        this.selectors.read(namespaceSelector, `${at}.pods.namespaceSelector`, report) ?? everything,
      pods: this.selectors.read(podSelector, `${at}.pods.podSelector`, report),
    };
  }

  private readRules(
    spec: PlainObject,
    direction: Direction,
    dialect: Dialect,
    report: Report,
  ): readonly TierRule[] {
    const at = `spec.${direction}`;
    const list = readList(field(spec, direction), at, "rules", report);
    const bounds = { items: "rules", most: dialect.most, more: "write them in several policies" };
    reportTooMany(list, at, bounds, report);
    return list.flatMap(
      (rule, index) => this.readRule(rule, `${at}[${index}]`, direction, dialect, report) ?? [],
    );
  }

  private readRule(
    value: Plain,
    at: string,
    direction: Direction,
    dialect: Dialect,
    report: Report,
  ): TierRule | undefined {
    const peersField = direction === "ingress" ? "from" : "to";
    const rule = readObject(value, at, fieldNames("name", "action", peersField, dialect.ports), report);
    if (rule === undefined) return undefined;
    const name = readRuleName(field(rule, "name"), `${at}.name`, report);
    const action = readChoice(field(rule, "action"), `${at}.action`, dialect.actions, report);
    const peersAt = `${at}.${peersField}`;
    const names = direction === "ingress" ? podPeers : dialect.egressPeers;
    const peers = readBoundedList(
      field(rule, peersField),
      peersAt,
      { items: "peers", most: dialect.most, more: inSeveralRules },
      "write the peers; namespaces: {} is every pod of the cluster",
      report,
    ).flatMap((peer, index) => this.readPeer(peer, `${peersAt}[${index}]`, names, dialect, report) ?? []);
    for (const peer of action === "Deny" || action === "Pass" ? peers : []) {
      if (peer.kind !== "domains") continue;
      const allowed = `domainNames only with the action ${dialect.actions[0] ?? ""}`;
      const fix = "name the networks, or allow the domains and deny the rest in a rule after it";
      const problem = `is in a rule with the action ${action}`;
      report({ at: `${peer.at}.domainNames`, problem, allowed, fix, unknown: false });
    }
    return {
      at,
      name,
      action: action === "Allow" || action === undefined ? "Accept" : action,
      peers,
      ports: readRulePorts(rule, at, peers, dialect, report),
    };
  }

  private readPeer(
    value: Plain,
    at: string,
    names: FieldNames,
    dialect: Dialect,
    report: Report,
  ): Peer | undefined {
    const peer = readOnlyField(value, at, names, report);
    if (peer === undefined) return undefined;
    switch (peer.name) {
      case "nodes": {
        const nodes = this.selectors.read(peer.value, `${at}.nodes`, report);
        return { at, kind: "nodes", nodes: nodes ?? this.selectors.everything };
      }
      case "networks": {
        const bounds = { items: "networks", most: mostNetworks, more: inSeveralPeers };
        const networks = readBoundedList(peer.value, `${at}.networks`, bounds, "write the networks", report);
        reportTwice(networks, `${at}.networks`, report);
        return { at, kind: "addresses", ...this.addresses.readNetworks(networks, `${at}.networks`, report) };
      }
      case "domainNames":
        return { at, kind: "domains", names: readDomainNames(peer.value, `${at}.domainNames`, report) };
      default:
        return { at, kind: "pods", ...this.readPods(peer, at, dialect, report) };
    }
  }
}

function readTier(spec: PlainObject, kind: Kind, report: Report): ClusterPolicy["tier"] | undefined {
  if (kind !== "ClusterNetworkPolicy") return undefined;
  return readChoice(field(spec, "tier"), "spec.tier", ["Admin", "Baseline"], report);
}

function readRuleName(value: Plain | undefined, at: string, report: Report): string | undefined {
  // The API counts characters, not UTF-16 units, of which a character has one or two.
  if (value === undefined || value === "") return undefined;
  if (typeof value === "string" && (value.length <= 100 || Array.from(value).length <= 100)) return value;
  report(notAllowed(value, { at, allowed: "text of at most 100 characters", fix: "write a short name" }));
  return undefined;
}

function readDomainNames(value: Plain, at: string, report: Report): readonly string[] {
  const bounds = { items: "domain names", most: mostNetworks, more: inSeveralPeers };
  const list = readBoundedList(value, at, bounds, "write the domain names", report);
  reportTwice(list, at, report);
  const names: string[] = [];
  for (const [index, item] of list.entries()) {
    if (typeof item === "string" && item.length <= 255 && domainName.test(item)) names.push(item);
    else {
      const allowed = "a domain name of two labels or more, such as example.com or *.example.com";
      report(notAllowed(item, { at: `${at}[${index}]`, allowed, fix: "write the whole domain name" }));
    }
  }
  return names;
}

function reportTwice(list: readonly Plain[], at: string, report: Report): void {
  const seen = new Set<string>();
  for (const [index, item] of list.entries()) {
    if (typeof item !== "string") continue;
    if (seen.has(item)) {
      const problem = `is ${show(item)}, which is listed already`;
      report({ at: `${at}[${index}]`, problem, allowed: "each item once", fix: "remove it", unknown: false });
    }
    seen.add(item);
  }
}

/** The ports of a rule; undefined, which is every port, where it names none. */
function readRulePorts(
  rule: PlainObject,
  ruleAt: string,
  peers: readonly Peer[],
  { ports: portsField, most }: Dialect,
  report: Report,
): readonly PortMatch[] | undefined {
  const value = field(rule, portsField);
  if (value === undefined) return undefined;
  const at = `${ruleAt}.${portsField}`;
  const fix = `write the ports, or leave out ${portsField} for every port`;
  const list = readBoundedList(value, at, { items: "ports", most, more: inSeveralRules }, fix, report);
  const read = portsField === "protocols" ? readProtocolMatch : readPort;
  const matches = list.flatMap((item, index) => read(item, `${at}[${index}]`, report) ?? []);
  const nameless = peers.find(({ kind }) => kind !== "pods");
  for (const { at: portAt, match } of matches) {
    if (match.kind === "numbers" || nameless === undefined) continue;
    report({
      at: portAt,
      problem: `is ${show(match.name)} in a rule with a peer that names no ports, ${nameless.at}`,
      allowed: "named ports only with the peers namespaces and pods",
      fix: "write the number of the port, or give that peer a rule of its own",
      unknown: false,
    });
  }
  return matches.map(({ match }) => match);
}

interface PlacedPort {
  readonly at: string;
  readonly match: PortMatch;
}

/** A ClusterNetworkPolicyProtocol of v1alpha2. */
function readProtocolMatch(value: Plain, at: string, report: Report): PlacedPort | undefined {
  const match = readOnlyField(value, at, protocolFields, report);
  if (match === undefined) return undefined;
  const matchAt = `${at}.${match.name}`;
  if (match.name === "destinationNamedPort") return readNamedPort(match.value, matchAt, report);
  const protocol: Protocol = match.name === "tcp" ? "TCP" : match.name === "udp" ? "UDP" : "SCTP";
  const destination = readOnlyField(match.value, matchAt, protocolMatchFields, report);
  if (destination === undefined) return undefined;
  const portAt = `${matchAt}.destinationPort`;
  const port = readOnlyField(destination.value, portAt, destinationPortFields, report);
  if (port === undefined) return undefined;
  if (port.name === "range") return readRange(port.value, `${portAt}.range`, rangeFields, protocol, report);
  return readNumber(port.value, `${portAt}.number`, protocol, report);
}

/** An AdminNetworkPolicyPort of v1alpha1. */
function readPort(value: Plain, at: string, report: Report): PlacedPort | undefined {
  const port = readOnlyField(value, at, portFields, report);
  if (port === undefined) return undefined;
  const portAt = `${at}.${port.name}`;
  if (port.name === "namedPort") return readNamedPort(port.value, portAt, report);
  const protocol = readProtocol(field(port.value, "protocol"), `${portAt}.protocol`, report);
  if (port.name === "portRange") return readRange(port.value, portAt, portRangeFields, protocol, report);
  const entry = readObject(port.value, portAt, portNumberFields, report);
  return entry === undefined
    ? undefined
    : readNumber(field(entry, "port"), `${portAt}.port`, protocol, report);
}

function readNamedPort(value: Plain, at: string, report: Report): PlacedPort | undefined {
  if (typeof value === "string" && isPortName(value))
    return { at, match: { kind: "name", protocol: undefined, name: value } };
  report(
    notAllowed(value, {
      at,
      allowed: portNameAllowed,
      fix: "write the name that the container gives its port",
    }),
  );
  return undefined;
}

function readNumber(
  value: Plain | undefined,
  at: string,
  protocol: Protocol,
  report: Report,
): PlacedPort | undefined {
  const number = readInteger(value, at, portNumbers, report);
  return number === undefined
    ? undefined
    : { at, match: { kind: "numbers", protocol, first: number, last: number } };
}

function readRange(
  value: Plain,
  at: string,
  names: FieldNames,
  protocol: Protocol,
  report: Report,
): PlacedPort | undefined {
  const range = readObject(value, at, names, report);
  if (range === undefined) return undefined;
  const first = readInteger(field(range, "start"), `${at}.start`, portNumbers, report);
  const last = readInteger(field(range, "end"), `${at}.end`, portNumbers, report);
  if (first === undefined || last === undefined) return undefined;
  if (first >= last) {
    const allowed = `a port after the start of the range, ${first}`;
    const fix = "write the last port of the range, or a single port";
    report(notAllowed(last, { at: `${at}.end`, allowed, fix }));
  }
  return { at, match: { kind: "numbers", protocol, first, last } };
}
