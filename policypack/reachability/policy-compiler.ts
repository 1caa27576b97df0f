import { fromCidr, includes, intersect, isEmpty, noAddresses, union, type AddressSet } from "../address-set";
import { addressKey } from "./address-key";
import { ClassSets, type ClassSet } from "./class-set";
import { indexLabels, type LabelIndex } from "./label-index";
import type {
  AllowRule,
  Cluster,
  ClusterPolicy,
  NamedPort,
  NetworkPolicy,
  Peer,
  Selector,
  TierRule,
  Workload,
} from "./model";
import { noPortsId, PortTable } from "./port-table";
import type { Action, Profile, Rule } from "./profile";
import type { AnalysisOptions } from "./reachability";
import { selectorKey, selects, selectsEverything } from "./selector";

export type Direction = "ingress" | "egress";

/** What the compilers of all clusters under one question share, so that their sets and rules can be compared. */
export interface Tables {
  readonly sets: ClassSets;
  readonly ports: PortTable;
  readonly rules: Map<string, Rule>;
  readonly profiles: Map<string, Profile>;
}

export function newTables(): Tables {
  return {
    sets: new ClassSets(),
    ports: new PortTable(),
    rules: new Map(),
    profiles: new Map(),
  };
}

/** The profiles of the pod classes of one cluster, by class number; undefined for those that the cluster does not have. */
export interface CompiledPolicies {
  readonly ingress: readonly (Profile | undefined)[];
  readonly egress: readonly (Profile | undefined)[];
}

/**
 * Turns policies into rules over pod classes. It answers all questions about who is selected, so that the analysis and the
 * explanation of it cannot differ.
 */
export interface PolicyCompiler {
  /** The classes that a policy applies to. */
  readonly subjectOf: (policy: NetworkPolicy | ClusterPolicy) => ClassSet;
  /**
   * One rule of a policy; two where it passes on what it may match as well as what it does match.
   *
   * @param subject what the rule protects, where its named ports are resolved in ingress
   * @param peers the peers to compile; absent means all of the rule's
   */
  readonly rules: (
    policy: NetworkPolicy | ClusterPolicy,
    rule: AllowRule | TierRule,
    direction: Direction,
    subject: readonly NamedPort[],
    peers?: readonly Peer[],
  ) => readonly Rule[];
  readonly profile: (
    admin: readonly Rule[],
    allow: readonly Rule[] | undefined,
    baseline: readonly Rule[],
  ) => Profile;
  readonly compile: () => CompiledPolicies;
}

export function isClusterPolicy(policy: NetworkPolicy | ClusterPolicy): policy is ClusterPolicy {
  return "tier" in policy;
}

/**
 * Cluster policies of a tier in the order in which they are asked: by priority, and in a tie by name and then by kind, so that it is
 * a fixed one.
 */
export function inOrder(policies: readonly ClusterPolicy[], tier: ClusterPolicy["tier"]): ClusterPolicy[] {
  return policies
    .filter((policy) => policy.tier === tier)
    .sort((a, b) => a.priority - b.priority || (`${a.name} ${a.kind}` < `${b.name} ${b.kind}` ? -1 : 1));
}

const everything: Selector = { requirements: [] };

/** Where pods are when nothing says so: private space, of which pods have IPv4 alone in most clusters. */
export const privateIpv4 = union(
  ...["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"].map((cidr) => fromCidr(cidr)),
);
/** Where nodes are when nothing says so. */
const privateSpace = union(privateIpv4, fromCidr("fc00::/7"));

/** Up to this many namespaces, each is searched by itself; beyond it, all pods at once. */
const fewNamespaces = 16;

/**
 * @param representatives for each class a workload of it in this cluster; undefined where the cluster has none
 */
export function policyCompiler(
  cluster: Cluster,
  representatives: readonly (Workload | undefined)[],
  tables: Tables,
  options: AnalysisOptions,
): PolicyCompiler {
  const { sets, ports: portTable } = tables;
  const namespaceNumbers = new Map(cluster.namespaces.map(({ name }, number) => [name, number]));
  const namespaceIndex = indexLabels(
    [...cluster.namespaces.keys()],
    (n) => cluster.namespaces[n]?.labels ?? {},
  );
  const labelsOf = (number: number) => representatives[number]?.labels ?? {};
  const pods: number[] = [];
  const hosts: number[] = [];
  const podsByNamespace = cluster.namespaces.map((): number[] => []);
  const namespaceOf = new Int32Array(representatives.length);
  representatives.forEach((workload, number) => {
    if (workload === undefined) return;
    if (workload.hostNetwork) {
      hosts.push(number);
      return;
    }
    const namespace = namespaceNumbers.get(workload.namespace) ?? -1;
    namespaceOf[number] = namespace;
    pods.push(number);
    podsByNamespace[namespace]?.push(number);
  });
  const allPods = indexLabels(pods, labelsOf);
  const podIndexes: LabelIndex[] = [];
  const selections = new Map<string, ClassSet>();

  function podsIn(namespace: number): LabelIndex {
    return (podIndexes[namespace] ??= indexLabels(podsByNamespace[namespace] ?? [], labelsOf));
  }

  function select(namespaces: Selector | string, podSelector: Selector | undefined): ClassSet {
    const selector = podSelector ?? everything;
    const scope = typeof namespaces === "string" ? namespaces : `[${selectorKey(namespaces)}]`;
    const key = `${scope} ${selectorKey(selector)}`;
    let selected = selections.get(key);
    if (selected === undefined) {
      selected = selectAnew(namespaces, selector);
      selections.set(key, selected);
    }
    return selected;
  }

  function selectAnew(namespaces: Selector | string, selector: Selector): ClassSet {
    if (typeof namespaces === "string") {
      const namespace = namespaceNumbers.get(namespaces);
      return namespace === undefined ? sets.none : sets.of(podsIn(namespace).select(selector));
    }
    if (selectsEverything(namespaces)) return sets.of(allPods.select(selector));
    const selected = namespaceIndex.select(namespaces);
    if (selected.length <= fewNamespaces) {
      return sets.ofAny(selected.flatMap((namespace) => podsIn(namespace).select(selector)));
    }
    const among = new Uint8Array(cluster.namespaces.length);
    for (const namespace of selected) among[namespace] = 1;
    return sets.of(allPods.select(selector).filter((number) => among[namespaceOf[number] ?? -1] === 1));
  }

  const addressesOfClass = new Map<number, AddressSet>();
  /** Where the pods of a class are: known addresses, else the ranges that are configured, else private space. */
  function whereabouts(number: number): AddressSet {
    let found = addressesOfClass.get(number);
    if (found === undefined) {
      const workload = representatives[number];
      const known = knownAddresses(workload?.addresses ?? []);
      const possible =
        workload?.hostNetwork === true
          ? (options.nodeRanges ?? privateSpace)
          : (options.podRanges ?? privateIpv4);
      found = isEmpty(known) ? possible : known;
      addressesOfClass.set(number, found);
    }
    return found;
  }

  const withKnownAddresses = pods.filter((number) => (representatives[number]?.addresses.length ?? 0) > 0);
  const located = new Map<string, ClassSet>();
  /**
   * The classes that addresses in a rule stand for. What cannot be told of a class, whose addresses are in part within the
   * block or not known, is taken for open: an allowing rule matches it, a denying or passing one does not.
   */
  function classesAt(addresses: AddressSet, policy: NetworkPolicy | ClusterPolicy, action: Action): ClassSet {
    const forCluster = isClusterPolicy(policy);
    const key = `${forCluster} ${takesUncertain(action)} ${addressKey(addresses)}`;
    let found = located.get(key);
    if (found === undefined) {
      const candidates = forCluster
        ? [...pods, ...hosts]
        : [...(options.ipBlocksMatchPods === true ? withKnownAddresses : []), ...hosts];
      found = sets.ofAny(
        candidates.filter((number) =>
          takesUncertain(action)
            ? !isEmpty(intersect(whereabouts(number), addresses))
            : includes(addresses, whereabouts(number)),
        ),
      );
      located.set(key, found);
    }
    return found;
  }

  const nodesByName = new Map(cluster.nodes.map((node) => [node.name, node]));
  function hostsOn(nodes: Selector, action: Action): ClassSet {
    return sets.of(
      hosts.filter((number) => {
        const node = nodesByName.get(representatives[number]?.node ?? "");
        if (node !== undefined) return selects(nodes, node.labels);
        return takesUncertain(action) || selectsEverything(nodes);
      }),
    );
  }

  function peerClasses(peer: Peer, policy: NetworkPolicy | ClusterPolicy, action: Action): ClassSet {
    switch (peer.kind) {
      case "pods":
        return select(
          peer.namespaces ?? (isClusterPolicy(policy) ? everything : policy.namespace),
          peer.pods,
        );
      case "addresses":
        return classesAt(peer.addresses, policy, action);
      case "nodes":
        return hostsOn(peer.nodes, action);
      case "domains":
        return sets.none;
    }
  }

  function peerAddresses(peer: Peer): AddressSet {
    switch (peer.kind) {
      case "addresses":
        return peer.addresses;
      case "nodes":
        return union(
          ...cluster.nodes
            .filter((node) => selects(peer.nodes, node.labels))
            .map((node) => knownAddresses(node.addresses)),
        );
      case "pods":
      case "domains":
        return noAddresses;
    }
  }

  function compileRules(
    policy: NetworkPolicy | ClusterPolicy,
    rule: AllowRule | TierRule,
    direction: Direction,
    subject: readonly NamedPort[],
    peers: readonly Peer[] | undefined = rule.peers,
  ): Rule[] {
    const compile = (action: Action) => compileAs(action, policy, rule, direction, subject, peers);
    const action = "action" in rule ? rule.action : "Accept";
    const compiled = compile(action);
    if (action !== "Pass") return [compiled];
    const possible = compile("MayPass");
    return possible.classes === compiled.classes ? [compiled] : [possible, compiled];
  }

  function compileAs(
    action: Action,
    policy: NetworkPolicy | ClusterPolicy,
    rule: AllowRule | TierRule,
    direction: Direction,
    subject: readonly NamedPort[],
    peers: readonly Peer[] | undefined,
  ): Rule {
    const classes = peers && sets.union(peers.map((peer) => peerClasses(peer, policy, action)));
    const outside = (peers ?? []).map(peerAddresses).filter((addresses) => !isEmpty(addresses));
    const [first, ...others] = outside;
    const addresses = others.length === 0 ? first : union(...outside);
    // Names are the destination's, which is the other end in egress.
    const isEgress = direction === "egress";
    const byName = isEgress ? (rule.ports ?? []).filter((port) => port.kind === "name") : [];
    const ports = portTable.resolve(rule.ports, isEgress ? [] : subject);
    const key = [
      action,
      classes === undefined ? "any" : classes.id,
      addresses === undefined ? "" : addressKey(addresses),
      ports,
      JSON.stringify(byName),
    ].join("|");
    let compiled = tables.rules.get(key);
    if (compiled === undefined) {
      compiled = { id: tables.rules.size, action, classes, addresses, ports, namedPorts: byName };
      tables.rules.set(key, compiled);
    }
    return compiled;
  }

  function profile(
    admin: readonly Rule[],
    allow: readonly Rule[] | undefined,
    baseline: readonly Rule[],
  ): Profile {
    // The order of allowing rules means nothing, and a rule that opens nothing is none.
    const allowing = allow && [...new Set(allow.filter(canOpen))].sort((a, b) => a.id - b.id);
    const key = [admin, allowing, baseline]
      .map((rules) => rules?.map(({ id }) => id).join() ?? "open")
      .join("|");
    let made = tables.profiles.get(key);
    if (made === undefined) {
      made = { id: tables.profiles.size, admin, allow: allowing, baseline };
      tables.profiles.set(key, made);
    }
    return made;
  }

  function subjectOf(policy: NetworkPolicy | ClusterPolicy): ClassSet {
    return isClusterPolicy(policy)
      ? select(policy.subject.namespaces, policy.subject.pods)
      : select(policy.namespace, policy.podSelector);
  }

  function compileDirection(direction: Direction): (Profile | undefined)[] {
    const allow: (Rule[] | undefined)[] = [];
    const admin: Rule[][] = [];
    const baseline: Rule[][] = [];
    for (const policy of cluster.networkPolicies) {
      const rules = policy[direction];
      if (rules === undefined) continue;
      apply(policy, rules, (number) => (allow[number] ??= []));
    }
    for (const policy of inOrder(cluster.clusterPolicies, "Admin")) {
      apply(policy, policy[direction], (number) => (admin[number] ??= []));
    }
    for (const policy of inOrder(cluster.clusterPolicies, "Baseline")) {
      apply(policy, policy[direction], (number) => (baseline[number] ??= []));
    }

    function apply(
      policy: NetworkPolicy | ClusterPolicy,
      rules: readonly (AllowRule | TierRule)[],
      listOf: (number: number) => Rule[],
    ): void {
      const compiled = rules.map((rule) => {
        const resolvedAtSubject = direction === "ingress" && rule.ports?.some(({ kind }) => kind === "name");
        return resolvedAtSubject === true ? rule : compileRules(policy, rule, direction, []);
      });
      for (const number of subjectOf(policy).members) {
        const named = representatives[number]?.namedPorts ?? [];
        const list = listOf(number);
        for (const rule of compiled) {
          list.push(...(Array.isArray(rule) ? rule : compileRules(policy, rule, direction, named)));
        }
      }
    }

    return representatives.map(
      (workload, number) => workload && profile(admin[number] ?? [], allow[number], baseline[number] ?? []),
    );
  }

  return {
    subjectOf,
    rules: compileRules,
    profile,
    compile: () => ({ ingress: compileDirection("ingress"), egress: compileDirection("egress") }),
  };
}

/** Whether a rule matches an end of which cannot be told whether it is meant. */
export function takesUncertain(action: Action): boolean {
  return action === "Accept" || action === "MayPass";
}

function canOpen(rule: Rule): boolean {
  const reachesSomeone =
    rule.classes === undefined || rule.classes.members.length > 0 || rule.addresses !== undefined;
  return reachesSomeone && (rule.ports !== noPortsId || rule.namedPorts.length > 0);
}

function knownAddresses(addresses: readonly string[]): AddressSet {
  return union(...addresses.map((address) => fromCidr(`${address}/${address.includes(":") ? 128 : 32}`)));
}
