import { isEmpty, size } from "../address-set";
import type { PortSet } from "../port-set";
import { addressKey } from "./address-key";
import type { ClassSet } from "./class-set";
import { keyOf, type Choice } from "./condition";
import type { Cluster, Labels, Namespace, Workload } from "./model";
import { newPodFlows, type NewPodAnswer, type NewPodFlows, type NewPodOpening } from "./new-pod-flows";
import type { AnalysisOptions, Ends } from "./reachability";

/**
 * What a pod that does not exist yet could reach, and what could reach it, if its creator chooses its labels freely. Pods on the
 * host network are not meant: no policy concerns them, and whoever may create one is past all policies.
 */
export interface Exposure {
  /** Every place where the pod can be created, in one element with the others that have the same answer; the most exposed first. */
  readonly places: readonly ExposedPlaces[];
  /** Steps after which the search was given up for one place and direction. */
  readonly steps: number;
}

export interface ExposedPlaces {
  /**
   * Sorted names of namespaces. Undefined: a namespace that is not in the input, whose labels are the creator's choice too. Its name
   * is none of the known ones, and `kubernetes.io/metadata.name` with it; it has no NetworkPolicies.
   */
  readonly namespaces: readonly string[] | undefined;
  /** What a new pod could reach. */
  readonly egress: ExposedDirection;
  /** What could reach a new pod. */
  readonly ingress: ExposedDirection;
}

export interface ExposedDirection {
  /**
   * Whether a NetworkPolicy isolates a pod without any labels in this direction, as a default-deny policy does. Cluster policies
   * do not count here; what they shut is not among the openings.
   */
  readonly isIsolated: boolean;
  /**
   * What a creator chooses so that no NetworkPolicy isolates the pod: nothing where a pod without labels is not isolated.
   * Undefined where no choice avoids all policies.
   */
  readonly unisolated: Witness | undefined;
  /**
   * What some choice opens, with the fewest things to choose; sorted by how many these are. A workload or address in several
   * openings has other ports in each.
   */
  readonly openings: readonly Opening[];
  /**
   * False where the search was given up: then everything has to be taken for open, `unisolated` may be missing, and `openings`
   * are only some of those that there are.
   */
  readonly isDecided: boolean;
}

/** The workloads in the pod's own namespace, all of them: what an opening has that is alike for several namespaces. */
export const ownNamespace = "own namespace";

export interface Opening {
  readonly ends: Ends | typeof ownNamespace;
  /**
   * Never empty. Where the pod names the port, these are all the numbers to which it can give the name; one pod gives it to one
   * of them.
   */
  readonly ports: PortSet;
  readonly witness: Witness;
}

/** What to choose to get something open. A value that may be any is `any`; what is not here is left out. */
export interface Witness {
  /** Of the pod. */
  readonly labels: Labels;
  /** Of a namespace that is not in the input. `kubernetes.io/metadata.name` is the name that it is created with. */
  readonly namespaceLabels: Labels;
  /** Names that the pod gives to the port, each as `TCP http`, because policies open a port by that name. */
  readonly portNames: readonly string[];
}

export interface ExposureOptions extends AnalysisOptions {
  /** Steps after which the search for one place and direction is given up; absent means 100,000, which take tenths of a second. */
  readonly steps?: number;
}

const usualSteps = 100_000;

/**
 * Computes, for each namespace and for one that is not in the input, what a new pod with labels of its creator's choice could
 * reach and what could reach it. Each opening is proven by the labels that give it, and what no opening names is shut for every
 * choice. The other end is an existing workload, or addresses outside.
 */
export function exposure(cluster: Cluster, options: ExposureOptions = {}): Exposure {
  const steps = options.steps ?? usualSteps;
  const flows = newPodFlows(cluster, options, steps);
  const ends = classEnds(cluster, flows);
  const places = placesAlike(cluster.namespaces, flows, ends).map(({ namespaces, answers, own }) => {
    const place: ExposedPlaces = {
      namespaces: namespaces?.map(({ name }) => name).sort(),
      egress: exposedDirection(answers.egress, own, flows, ends),
      ingress: exposedDirection(answers.ingress, own, flows, ends),
    };
    return { place, rank: rankOf([answers.egress, answers.ingress], ends) };
  });
  return { places: places.sort((a, b) => compareRanks(b.rank, a.rank)).map(({ place }) => place), steps };
}

/** @param own the classes to be called {@link ownNamespace}; undefined where none are */
function exposedDirection(
  { isIsolated, unisolated, openings, isDecided }: NewPodAnswer,
  own: ClassSet | undefined,
  { tables }: NewPodFlows,
  ends: ClassEnds,
): ExposedDirection {
  return {
    isIsolated,
    unisolated: unisolated && witnessOf(unisolated),
    openings: sorted(openings, ends).flatMap(({ classes, addresses, ports, chosen }): Opening[] => {
      const opening = { ports: tables.ports.set(ports), witness: witnessOf(chosen) };
      const workloads: Opening["ends"] = classes === own ? ownNamespace : ends.workloads(classes);
      return [
        ...(classes.members.length === 0 ? [] : [{ ends: workloads, ...opening }]),
        ...(isEmpty(addresses) ? [] : [{ ends: { addresses }, ...opening }]),
      ];
    }),
    isDecided,
  };
}

interface PlacesAlike {
  /** Undefined: the one that is not in the input. */
  readonly namespaces: readonly Namespace[] | undefined;
  readonly answers: Answers;
  /** The classes in these answers for which each other namespace has its own instead; undefined where all answers are equal. */
  readonly own: ClassSet | undefined;
}

/** Puts namespaces with equal answers together, and then those whose answers are equal but for what their own namespace is. */
function placesAlike(namespaces: readonly Namespace[], flows: NewPodFlows, ends: ClassEnds): PlacesAlike[] {
  const answersFor = (namespace: Namespace | undefined): Answers => ({
    egress: flows.answer(namespace, "egress"),
    ingress: flows.answer(namespace, "ingress"),
  });
  const known = new Map<string, Answers>();
  const located = namespaces.map((namespace) => {
    const key = flows.key(namespace);
    let answers = known.get(key);
    if (answers === undefined) known.set(key, (answers = answersFor(namespace)));
    return { namespaces: [namespace], answers };
  });
  const equal = merged(located, ({ answers }) => answersKey(answers, undefined));
  const ownOf = ({ namespaces: [first] }: KnownPlaces) => ends.ownClasses(first?.name ?? "");
  const alike = merged(
    equal.filter((group) => group.namespaces.length === 1),
    (group) => answersKey(group.answers, ownOf(group)),
  );
  return [
    { namespaces: undefined, answers: answersFor(undefined), own: undefined },
    ...equal.filter((group) => group.namespaces.length > 1).map((group) => ({ ...group, own: undefined })),
    ...alike.map((group) => ({ ...group, own: group.namespaces.length > 1 ? ownOf(group) : undefined })),
  ];
}

interface KnownPlaces {
  readonly namespaces: readonly Namespace[];
  /** Of the first of them. */
  readonly answers: Answers;
}

function merged(groups: readonly KnownPlaces[], keyOfGroup: (group: KnownPlaces) => string): KnownPlaces[] {
  const byKey = new Map<string, { answers: Answers; namespaces: Namespace[] }>();
  for (const { namespaces, answers } of groups) {
    const key = keyOfGroup({ namespaces, answers });
    const same = byKey.get(key);
    if (same === undefined) byKey.set(key, { answers, namespaces: [...namespaces] });
    else same.namespaces.push(...namespaces);
  }
  return [...byKey.values()];
}

/** @param own the classes that are the namespace's own; undefined where that is to make no difference */
function answersKey({ egress, ingress }: Answers, own: ClassSet | undefined): string {
  return JSON.stringify(
    [egress, ingress].map(({ isIsolated, unisolated, openings, isDecided }) => [
      isIsolated,
      unisolated && chosenText(unisolated),
      isDecided,
      openings
        .map(
          ({ classes, addresses, ports, chosen }) =>
            `${classes === own ? "own" : classes.id} ${addressKey(addresses)} ${ports} ${chosenText(chosen)}`,
        )
        .sort(),
    ]),
  );
}

interface Answers {
  readonly egress: NewPodAnswer;
  readonly ingress: NewPodAnswer;
}

/** The workloads behind classes. */
interface ClassEnds {
  workloads(set: ClassSet): readonly Workload[];
  /** How many workloads. */
  count(set: ClassSet): number;
  /** The classes of all workloads in a namespace; undefined where it has none. */
  ownClasses(namespace: string): ClassSet | undefined;
}

function classEnds(cluster: Cluster, { members, tables }: NewPodFlows): ClassEnds {
  const order = [...cluster.workloads].sort(
    (a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name) || compare(a.kind, b.kind),
  );
  const ranks = new Map(order.map((workload, rank) => [workload, rank]));
  const lists = new Map<ClassSet, readonly Workload[]>();
  const counts = new Map<ClassSet, number>();
  const numbersIn = new Map<string, number[]>();
  members.forEach(([workload], number) => {
    if (workload === undefined) return;
    const numbers = numbersIn.get(workload.namespace);
    if (numbers === undefined) numbersIn.set(workload.namespace, [number]);
    else numbers.push(number);
  });
  const ownClasses = new Map([...numbersIn].map(([name, numbers]) => [name, tables.sets.of(numbers)]));
  return {
    workloads: (set) => {
      let list = lists.get(set);
      if (list === undefined) {
        list = [...set.members]
          .flatMap((number) => members[number] ?? [])
          .sort((a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0));
        lists.set(set, list);
      }
      return list;
    },
    count: (set) => {
      let count = counts.get(set);
      if (count === undefined) {
        count = set.members.reduce((sum, number) => sum + (members[number]?.length ?? 0), 0);
        counts.set(set, count);
      }
      return count;
    },
    ownClasses: (namespace) => ownClasses.get(namespace),
  };
}

function witnessOf(chosen: Labels): Witness {
  const of = (choice: Choice) =>
    Object.entries(chosen)
      .flatMap(([chosenKey, value]): [string, string][] => {
        const key = keyOf(choice, chosenKey);
        return key === undefined ? [] : [[key, value]];
      })
      .sort(([a], [b]) => compare(a, b));
  return {
    labels: Object.fromEntries(of("label")),
    namespaceLabels: Object.fromEntries(of("namespace label")),
    portNames: of("port name").map(([name]) => name),
  };
}

function chosenText(chosen: Labels): string {
  return JSON.stringify(Object.entries(chosen).sort(([a], [b]) => compare(a, b)));
}

/** What asks for the fewest labels first, then what opens the most. */
function sorted(openings: readonly NewPodOpening[], ends: ClassEnds): NewPodOpening[] {
  return [...openings].sort(
    (a, b) =>
      Object.keys(a.chosen).length - Object.keys(b.chosen).length ||
      ends.count(b.classes) - ends.count(a.classes) ||
      compare(chosenText(a.chosen), chosenText(b.chosen)) ||
      a.ports - b.ports,
  );
}

/**
 * How exposed a place is, the highest first: directions that could not be decided, directions in which the pod can be free of
 * NetworkPolicies and something is open, workloads in openings, addresses in openings.
 */
function rankOf(answers: readonly NewPodAnswer[], ends: ClassEnds): readonly (number | bigint)[] {
  const openings = answers.flatMap((answer) => answer.openings);
  return [
    answers.filter(({ isDecided }) => !isDecided).length,
    answers.filter((answer) => answer.unisolated !== undefined && answer.openings.length > 0).length,
    openings.reduce((sum, { classes }) => sum + ends.count(classes), 0),
    openings.reduce((sum, { addresses }) => sum + size(addresses), 0n),
  ];
}

function compareRanks(a: readonly (number | bigint)[], b: readonly (number | bigint)[]): number {
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? 0;
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
