import type { Condition, Conditions } from "./condition";
import { fewestLabels } from "./fewest-labels";
import type { Labels } from "./model";
import { noPortsId, allPortsId, type PortsId, type PortTable } from "./port-table";
import type { Action } from "./profile";
import type { SearchSteps } from "./search-steps";

/** A rule of a cluster policy, as far as one connection with the new pod is concerned. */
export interface ConditionalRule {
  readonly action: Action;
  /** It matches where one of these is fulfilled. */
  readonly when: readonly Condition[];
  readonly ports: PortsId;
}

/** What the policies of one end of a connection with the new pod say of it, by what the new pod is like. */
export interface Side {
  /** In order: the first that matches decides. */
  readonly admin: readonly ConditionalRule[];
  /** A NetworkPolicy isolates the end where one of these is fulfilled. */
  readonly isolated: readonly Condition[];
  /** What the NetworkPolicies allow. Whatever fulfils one of these is isolated. */
  readonly allow: readonly Omit<ConditionalRule, "action">[];
  /** In order. */
  readonly baseline: readonly ConditionalRule[];
}

/** A way to have some ports open: what the new pod must fulfil, and what it must not. */
export interface Way {
  readonly all: readonly Condition[];
  readonly none: readonly Condition[];
  readonly ports: PortsId;
}

/** The fewest labels that open some ports, which no other opening of the same connection has. */
export interface WayOpen {
  readonly ports: PortsId;
  readonly chosen: Labels;
}

/** All ways of one side that some choice of labels goes. `id` is equal for equal ways. */
export interface Ways {
  readonly id: number;
  readonly ways: readonly CountedWay[];
}

interface CountedWay extends Way {
  /** How many labels it takes at least. */
  readonly labels: number;
}

/** Finds what a new pod has to be like for ports to be open, and remembers what it found. */
export class Openings {
  private readonly found = new Map<string, { readonly labels: Labels | undefined }>();
  private readonly lists = new Map<string, Ways>();
  private readonly meetings = new Map<string, readonly WayOpen[]>();
  private readonly indexes = new Map<Ways, WaysIndex>();
  private readonly counts = new Map<PortsId, number>();
  /** For an end that no policy concerns. */
  readonly unhindered: Ways = this.listed([{ all: [], none: [], ports: allPortsId, labels: 0 }]);

  constructor(
    private readonly table: PortTable,
    private readonly conditions: Conditions,
  ) {}

  /** The fewest labels with which a pod fulfils all of some conditions and none of others; undefined where none do. */
  fewest(all: readonly Condition[], none: readonly Condition[], steps: SearchSteps): Labels | undefined {
    steps.take();
    const key = `${idsOf(all).join()}!${idsOf(none).join()}`;
    let found = this.found.get(key);
    if (found === undefined) this.found.set(key, (found = { labels: fewestLabels(all, none, steps) }));
    return found.labels;
  }

  /** Every way through the policies of one side, in the order that `policy.networking.k8s.io` asks them in. */
  through(side: Side, steps: SearchSteps): Ways {
    const { table, conditions } = this;
    const open = new Map<string, Way>();
    const passed: Way[] = [];

    /** What the rules leave undecided; calls `decide` with what each decides. */
    const go = (
      from: readonly Way[],
      rules: readonly ConditionalRule[],
      decide: (way: Way, action: ConditionalRule["action"]) => void,
    ): readonly Way[] => {
      let undecided = from;
      for (const { action, when, ports } of rules) {
        const left: Way[] = [];
        for (const way of undecided) {
          steps.take();
          const matched = table.intersect(way.ports, ports);
          const rest = table.subtract(way.ports, matched);
          if (rest !== noPortsId) left.push({ ...way, ports: rest });
          if (matched === noPortsId) continue;
          for (const condition of when) {
            decide({ all: [...way.all, condition], none: way.none, ports: matched }, action);
          }
          if (action === "MayPass") left.push({ ...way, ports: matched });
          else if (!when.includes(conditions.always)) {
            left.push({ all: way.all, none: [...way.none, ...when], ports: matched });
          }
        }
        undecided = left;
      }
      return undecided;
    };
    const add = ({ all, none, ports }: Way) => {
      steps.take();
      const key = `${idsOf(all).join()}!${idsOf(none).join()}`;
      const same = open.get(key);
      open.set(
        key,
        same === undefined ? { all, none, ports } : { ...same, ports: table.union(same.ports, ports) },
      );
    };

    const start: Way = { all: [], none: [], ports: allPortsId };
    const undecided = go([start], side.admin, (way, action) => {
      if (action === "Accept") add(way);
      if (action === "Pass" || action === "MayPass") passed.push(way);
    });
    passed.push(...undecided);
    for (const way of passed) {
      for (const { when, ports } of side.allow) {
        const allowed = table.intersect(way.ports, ports);
        if (allowed === noPortsId) continue;
        for (const condition of when) add({ all: [...way.all, condition], none: way.none, ports: allowed });
      }
    }
    if (!side.isolated.includes(conditions.always)) {
      const unisolated = passed.map((way) => ({ ...way, none: [...way.none, ...side.isolated] }));
      const rest = go(unisolated, side.baseline, (way, action) => {
        if (action !== "Deny") add(way);
      });
      rest.forEach(add);
    }
    return this.listed(
      [...open.values()].flatMap((way) => {
        const labels = this.fewest(way.all, way.none, steps);
        return labels === undefined ? [] : [{ ...way, labels: Object.keys(labels).length }];
      }),
    );
  }

  /**
   * The ports that are open when both ends agree, each with the fewest labels that open it; where several have as few, with those
   * that open the most ports.
   *
   * @param one the ways of one end, in one list or several
   */
  where(one: readonly Ways[], other: Ways, steps: SearchSteps): readonly WayOpen[] {
    steps.take();
    const key = [...one, other].map(({ id }) => id).join();
    let openings = this.meetings.get(key);
    if (openings === undefined) {
      openings = this.whereAnew(one, other, steps);
      this.meetings.set(key, openings);
    }
    return openings;
  }

  private whereAnew(one: readonly Ways[], other: Ways, steps: SearchSteps): WayOpen[] {
    const { table } = this;
    const pairs = one
      .flatMap((ways) => this.pairs(ways, other, steps))
      .filter(({ ports }) => ports !== noPortsId)
      .sort((a, b) => a.atLeast - b.atLeast || this.count(b.ports) - this.count(a.ports));
    const found = new Map<string, { chosen: Labels; labels: number; ports: PortsId }>();
    for (const { all, none, ports, atLeast } of pairs) {
      // What is open with as few labels as this can have needs no second look.
      let rest = ports;
      for (const { labels, ports: known } of found.values()) {
        if (labels <= atLeast) rest = table.subtract(rest, known);
      }
      if (rest === noPortsId) continue;
      const chosen = this.fewest(all, none, steps);
      if (chosen === undefined) continue;
      const name = JSON.stringify(Object.entries(chosen).sort());
      const same = found.get(name);
      const labels = Object.keys(chosen).length;
      found.set(name, { chosen, labels, ports: same === undefined ? ports : table.union(same.ports, ports) });
    }
    let covered = noPortsId;
    return [...found.values()]
      .sort((a, b) => a.labels - b.labels || this.count(b.ports) - this.count(a.ports))
      .flatMap(({ chosen, ports }) => {
        const rest = table.subtract(ports, covered);
        covered = table.union(covered, ports);
        return rest === noPortsId ? [] : [{ ports: rest, chosen }];
      });
  }

  /** Each way of one side with each of the other, but for many of those that ask for two values of one label. */
  private pairs(one: Ways, other: Ways, steps: SearchSteps): Pair[] {
    const [many, few] = one.ways.length > other.ways.length ? [one, other] : [other, one];
    let index = this.indexes.get(many);
    if (index === undefined) this.indexes.set(many, (index = indexWays(many.ways)));
    return few.ways.flatMap((a) => {
      const candidates = index(a);
      steps.take(candidates.length);
      return candidates.map((b) => ({
        all: [...a.all, ...b.all],
        none: [...a.none, ...b.none],
        ports: this.table.intersect(a.ports, b.ports),
        atLeast: Math.max(a.labels, b.labels),
      }));
    });
  }

  private listed(ways: Ways["ways"]): Ways {
    const key = ways
      .map(({ all, none, ports }) => `${idsOf(all).join()}!${idsOf(none).join()}:${ports}`)
      .sort()
      .join(";");
    let list = this.lists.get(key);
    if (list === undefined) {
      list = { id: this.lists.size, ways };
      this.lists.set(key, list);
    }
    return list;
  }

  private count(id: PortsId): number {
    let count = this.counts.get(id);
    if (count === undefined) {
      const intervals = Object.values(this.table.set(id).numbers).flat();
      count = intervals.reduce((sum, { first, last }) => sum + last - first + 1, 0);
      this.counts.set(id, count);
    }
    return count;
  }
}

interface Pair extends Way {
  /** A number of labels that it needs at least. */
  readonly atLeast: number;
}

/** The ways that may be gone together with one: at least all of which that is so. */
type WaysIndex = (way: Way) => readonly CountedWay[];

/** An index by the labels of which ways ask for one value. */
function indexWays(ways: readonly CountedWay[]): WaysIndex {
  const byKey = new Map<string, Map<string | undefined, CountedWay[]>>();
  const values = new Map(ways.map((way) => [way, valuesAsked(way)]));
  for (const key of new Set([...values.values()].flatMap((asked) => [...asked.keys()]))) {
    const byValue = new Map<string | undefined, CountedWay[]>();
    for (const [way, asked] of values) {
      const value = asked.get(key);
      const list = byValue.get(value);
      if (list === undefined) byValue.set(value, [way]);
      else list.push(way);
    }
    byKey.set(key, byValue);
  }
  return (way) => {
    let fewest = ways;
    for (const [key, value] of valuesAsked(way)) {
      const byValue = byKey.get(key);
      if (byValue === undefined) continue;
      const [same = [], any = []] = [byValue.get(value), byValue.get(undefined)];
      if (same.length + any.length < fewest.length) fewest = [...same, ...any];
    }
    return fewest;
  };
}

/** The labels of which a way asks for one value, with that. */
function valuesAsked({ all }: Way): ReadonlyMap<string, string> {
  return new Map(
    all.flatMap(({ requirements }) =>
      requirements.flatMap(({ key, operator, values: [value, ...more] }): [string, string][] =>
        operator === "In" && value !== undefined && more.length === 0 ? [[key, value]] : [],
      ),
    ),
  );
}

function idsOf(conditions: readonly Condition[]): number[] {
  return [...new Set(conditions.map(({ id }) => id))].sort((a, b) => a - b);
}
