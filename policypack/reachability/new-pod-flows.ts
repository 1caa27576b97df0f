import { union, type AddressSet } from "../address-set";
import { addressKey } from "./address-key";
import { addressRegions } from "./address-regions";
import type { ClassSet, ClassSets } from "./class-set";
import { Conditions, type Condition } from "./condition";
import type { Cluster, Labels, NamedPort, Namespace, NetworkPolicy, Workload } from "./model";
import { namespaceMatches } from "./namespace-matches";
import { newPodPlaces } from "./new-pod-place";
import { newPodRules, type OwnRule } from "./new-pod-rules";
import { rulesIn } from "./notes";
import { Openings, type Ways } from "./openings";
import { namesKey, otherEnds, type OtherEnds } from "./other-ends";
import { classify } from "./pod-classes";
import { newTables, policyCompiler, type Direction, type Tables } from "./policy-compiler";
import type { PortsId } from "./port-table";
import type { AnalysisOptions } from "./reachability";
import { OutOfSteps, SearchSteps } from "./search-steps";
import { selectorKey, selects } from "./selector";
import { visibleEnds } from "./visible-ends";

/** What is open for a new pod that is made as `chosen` says. */
export interface NewPodOpening {
  /** Workloads at the other end, by class. */
  readonly classes: ClassSet;
  /** Addresses at the other end. */
  readonly addresses: AddressSet;
  readonly ports: PortsId;
  /** The fewest things to choose, by the keys of `chosenKey`. */
  readonly chosen: Labels;
}

/** What a new pod at one place may send, or be sent. */
export interface NewPodAnswer {
  /** Whether a NetworkPolicy isolates a pod without labels. */
  readonly isIsolated: boolean;
  /** The fewest labels with which no NetworkPolicy isolates the pod; undefined where none do. */
  readonly unisolated: Labels | undefined;
  readonly openings: readonly NewPodOpening[];
  /** False where the search was given up: then `openings` are some of those that there are, and `unisolated` is not known. */
  readonly isDecided: boolean;
}

/** Answers for the new pods of one cluster. */
export interface NewPodFlows {
  readonly tables: Tables;
  /** The workloads of each class. */
  readonly members: readonly (readonly Workload[])[];
  /** @param namespace undefined: one that is not in the input */
  answer(namespace: Namespace | undefined, direction: Direction): NewPodAnswer;
  /** Equal for namespaces that have equal answers; namespaces with other keys may have equal answers too. */
  key(namespace: Namespace): string;
}

/** @param limit steps that the search may take for each place and direction */
export function newPodFlows(cluster: Cluster, options: AnalysisOptions, limit: number): NewPodFlows {
  const members = classify(cluster).members[0] ?? [];
  const representatives = members.map(([first]) => first);
  const tables = newTables();
  const { sets, ports: table } = tables;
  const compiler = policyCompiler(cluster, representatives, tables, options);
  const conditions = new Conditions();
  const openings = new Openings(table, conditions);
  const rules = newPodRules(cluster.clusterPolicies, compiler, tables, conditions, options);
  const placeOf = newPodPlaces(cluster.namespaces, conditions);
  const matches = namespaceMatches(cluster);
  const portsAreNamed = [...cluster.networkPolicies, ...cluster.clusterPolicies].some((policy) =>
    rulesIn(policy).some(({ ports }) => ports?.some(({ kind }) => kind === "name")),
  );
  // Who may be reached is for the ingress policies of the other ends to say, and the other way round.
  const othersFor = { ingress: othersWith("egress"), egress: othersWith("ingress") };
  const policiesByNamespace = new Map<string, NetworkPolicy[]>();
  for (const policy of cluster.networkPolicies) {
    const list = policiesByNamespace.get(policy.namespace);
    if (list === undefined) policiesByNamespace.set(policy.namespace, [policy]);
    else list.push(policy);
  }

  /** @param direction of the policies of the other ends */
  function othersWith(direction: Direction) {
    const { ends, endOf } = otherEnds(cluster, representatives, compiler, direction, sets, portsAreNamed);
    const visible = visibleEnds(ends, direction, matches, options);
    return {
      direction,
      endOf,
      visible: (namespace: Namespace | undefined) => (namespace === undefined ? ends : visible(namespace)),
    };
  }

  function policiesIn(namespace: Namespace | undefined): readonly NetworkPolicy[] {
    return namespace === undefined ? [] : (policiesByNamespace.get(namespace.name) ?? []);
  }

  /**
   * The ways through a pod's own policies to one other end. Where these do nothing but allow, the ways that there are to every
   * other end are one list for all of them.
   *
   * @param own the rules that may apply to the pod
   * @param forAnyPeer the indexes of those that match every other end
   */
  function ownWays(
    own: readonly OwnRule[],
    forAnyPeer: readonly number[],
    isolating: readonly Condition[],
    direction: Direction,
    steps: SearchSteps,
  ): (indexes: readonly number[], namedPorts: readonly NamedPort[]) => readonly Ways[] {
    const known = new Map<string, Ways>();
    function through(
      indexes: readonly number[],
      pod: "isolated or not" | "isolated",
      namedPorts: readonly NamedPort[],
    ): Ways {
      const names = direction === "egress" && portsAreNamed ? namesKey(namedPorts) : "";
      const key = `${pod} ${indexes.join()} ${names}`;
      let ways = known.get(key);
      if (ways === undefined) {
        const matching = indexes.flatMap((index) => own[index] ?? []);
        const isolated = pod === "isolated" ? [conditions.always] : isolating;
        ways = openings.through(rules.ownSide(matching, isolated, direction, namedPorts), steps);
        known.set(key, ways);
      }
      return ways;
    }
    const onlyAllow = own.every(({ tier }) => tier === "allow");
    return (indexes, namedPorts) => {
      const lists = onlyAllow
        ? [
            through(forAnyPeer, "isolated or not", namedPorts),
            // The first list has the ways of a pod that is not isolated already.
            through(indexes, "isolated", namedPorts),
          ]
        : [through(ascending([...forAnyPeer, ...indexes]), "isolated or not", namedPorts)];
      return lists.filter(({ ways }) => ways.length > 0);
    };
  }

  function answer(namespace: Namespace | undefined, direction: Direction): NewPodAnswer {
    const steps = new SearchSteps(limit);
    const place = placeOf(namespace);
    const policies = policiesIn(namespace).filter((policy) => policy[direction] !== undefined);
    const isolating = policies.flatMap((policy) => place.asks(policy.namespace, policy.podSelector) ?? []);
    const own = rules.own(place, policies, direction);
    const others = othersFor[direction];
    const found = new FoundOpenings(sets);
    let unisolated: Labels | undefined;
    const { forAnyPeer, byClass } = rulesByClass(own);
    const waysOfPod = ownWays(own, forAnyPeer, isolating, direction, steps);
    const otherWays = new Map<OtherEnds, Ways>();
    function waysOfEnd(end: OtherEnds): Ways {
      let ways = otherWays.get(end);
      if (ways === undefined) {
        ways = openings.through(rules.otherSide(end, place, others.direction), steps);
        otherWays.set(end, ways);
      }
      return ways;
    }

    function add(ofPod: readonly Ways[], ofEnd: Ways, end: ClassSet | AddressSet): void {
      for (const { ports, chosen } of openings.where(ofPod, ofEnd, steps)) {
        found.add(ports, chosen, end);
      }
    }

    function search(): void {
      unisolated = openings.fewest([], isolating, steps);
      const cells = new Map<string, { end: OtherEnds; indexes: readonly number[]; numbers: number[] }>();
      for (const [number, indexes] of byClass) {
        const end = others.endOf[number];
        if (end === undefined) continue;
        const key = `${end.id} ${indexes.join()}`;
        const cell = cells.get(key);
        if (cell === undefined) cells.set(key, { end, indexes, numbers: [number] });
        else cell.numbers.push(number);
      }
      for (const { end, indexes, numbers } of cells.values()) {
        add(waysOfPod(indexes, end.namedPorts), waysOfEnd(end), sets.ofAny(numbers));
      }
      const isShut = forAnyPeer.length === 0 && waysOfPod([], []).length === 0;
      for (const end of isShut ? [] : others.visible(namespace)) {
        const rest = byClass.size === 0 ? end.set : sets.without(end.set, byClass);
        if (rest.members.length > 0) add(waysOfPod([], end.namedPorts), waysOfEnd(end), rest);
      }
      for (const { addresses, indexes } of rulesByAddresses(own)) {
        add(waysOfPod(indexes, []), openings.unhindered, addresses);
      }
    }

    let isDecided = true;
    try {
      search();
    } catch (error) {
      if (!(error instanceof OutOfSteps)) throw error;
      isDecided = false;
    }
    return {
      isIsolated: isolating.some((condition) => selects(condition, {})),
      unisolated,
      openings: found.all(),
      isDecided,
    };
  }

  function key(namespace: Namespace): string {
    const policies = policiesIn(namespace);
    const texts = policies.map((policy) => {
      const ofDirection = (direction: Direction) =>
        policy[direction]?.map((rule) => [
          compiler.rules(policy, rule, direction, []).map(({ id }) => id),
          // Names are still to be resolved.
          rule.ports,
        ]) ?? "open";
      return JSON.stringify([selectorKey(policy.podSelector), ofDirection("ingress"), ofDirection("egress")]);
    });
    const namesItself = policies.some(
      (policy) =>
        rulesIn(policy).some(({ peers }) =>
          peers?.some((peer) => peer.kind === "pods" && peer.namespaces === undefined),
        ) && compiler.subjectOf(policy).members.length > 0,
    );
    return JSON.stringify([texts.sort(), matches(namespace), namesItself ? namespace.name : ""]);
  }

  return { tables, members, answer, key };
}

/** Gathers the other ends for which the same ports are open by the same choice. */
class FoundOpenings {
  private readonly byKey = new Map<
    string,
    { ports: PortsId; chosen: Labels; classes: ClassSet[]; addresses: AddressSet[] }
  >();

  constructor(private readonly sets: ClassSets) {}

  add(ports: PortsId, chosen: Labels, end: ClassSet | AddressSet): void {
    const key = `${ports} ${JSON.stringify(Object.entries(chosen).sort())}`;
    let opening = this.byKey.get(key);
    if (opening === undefined) this.byKey.set(key, (opening = { ports, chosen, classes: [], addresses: [] }));
    if ("members" in end) opening.classes.push(end);
    else opening.addresses.push(end);
  }

  all(): NewPodOpening[] {
    return [...this.byKey.values()].map(({ ports, chosen, classes, addresses }) => ({
      ports,
      chosen,
      classes: this.sets.union(classes),
      addresses: union(...addresses),
    }));
  }
}

/** The indexes of the rules for any peer, and, for each class, those of the other rules that match it; ascending. */
function rulesByClass(rules: readonly OwnRule[]): {
  readonly forAnyPeer: readonly number[];
  readonly byClass: ReadonlyMap<number, readonly number[]>;
} {
  const forAnyPeer: number[] = [];
  const byClass = new Map<number, number[]>();
  rules.forEach(({ classes }, index) => {
    if (classes === undefined) forAnyPeer.push(index);
    for (const number of classes?.members ?? []) {
      const indexes = byClass.get(number);
      if (indexes === undefined) byClass.set(number, [index]);
      else indexes.push(index);
    }
  });
  return { forAnyPeer, byClass };
}

/** All addresses by the indexes of the rules that match them and not any peer, ascending. */
function rulesByAddresses(
  rules: readonly OwnRule[],
): { readonly addresses: AddressSet; readonly indexes: readonly number[] }[] {
  const byKey = new Map<string, { addresses: AddressSet; indexes: number[] }>();
  rules.forEach(({ addresses }, index) => {
    if (addresses === undefined) return;
    const key = addressKey(addresses);
    const same = byKey.get(key);
    if (same === undefined) byKey.set(key, { addresses, indexes: [index] });
    else same.indexes.push(index);
  });
  const distinct = [...byKey.values()];
  return addressRegions(distinct.map(({ addresses }) => addresses)).map(({ addresses, holders }) => ({
    addresses,
    indexes: ascending(holders.flatMap((holder) => distinct[holder]?.indexes ?? [])),
  }));
}

function ascending(numbers: readonly number[]): number[] {
  return [...numbers].sort((a, b) => a - b);
}
