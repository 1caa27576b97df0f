import type { AddressSet } from "../../policypack/address-set";
import type { Cluster, Workload } from "../../policypack/reachability/model";
import type { Ends } from "../../policypack/reachability/reachability";
import { formatAddresses } from "./addresses";
import { counted } from "./counted";
import { memo } from "./memo";
import { printable } from "./printable";

/** A workload by the name that no other one has, as other connectivity tools spell it: `ns/name[Deployment]`. */
export function workloadId({ namespace, name, kind }: Workload): string {
  return `${namespace}/${name}[${kind}]`;
}

/** By namespace, name and kind, the order of every list of workloads. */
export function byNamespaceAndName(a: Workload, b: Workload): number {
  return compare(a.namespace, b.namespace) || compare(a.name, b.name) || compare(a.kind, b.kind);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** How much to name before the rest is only counted. */
export interface Limits {
  /** Names of workloads and namespaces for one end. */
  readonly names: number;
  /** Networks for one end, exceptions included. */
  readonly networks: number;
}

/** Text for people; `isComplete` says whether it leaves nothing out. */
export interface Spelling {
  readonly text: string;
  readonly isComplete: boolean;
}

/** How the ends of flows in one cluster are written for people. */
export interface EndNames {
  /** `ns/name`; with `[Deployment]` where workloads of several kinds share the name. */
  workload(workload: Workload): string;
  /**
   * A few names, or what they have in common: `ns/* (all 12 workloads)`, `* in 25,000 namespaces (a, b, c and 24,997 more)`. The
   * same list or address set is worked out once.
   */
  ends(ends: Ends): Spelling;
  /**
   * Workloads, sorted by namespace, one line a namespace.
   *
   * @param limit how many lines at most; the last one then counts the rest
   */
  lines(workloads: readonly Workload[], limit: number): string[];
}

/** Names of a long list that are given as examples. */
const examples = 3;

export function endNames(cluster: Cluster, limits: Limits = { names: 6, networks: 12 }): EndNames {
  const total = cluster.workloads.length;
  const totals = new Map<string, Workload[]>();
  const kinds = new Map<string, number>();
  for (const workload of cluster.workloads) {
    const name = shortName(workload);
    kinds.set(name, (kinds.get(name) ?? 0) + 1);
    const list = totals.get(workload.namespace);
    if (list === undefined) totals.set(workload.namespace, [workload]);
    else list.push(workload);
  }

  const nameOf = (workload: Workload): string =>
    printable((kinds.get(shortName(workload)) ?? 0) > 1 ? workloadId(workload) : shortName(workload));

  /** A namespace of two is named rather than starred: that says more. */
  const isWhole = ({ namespace, members }: NamespacePart): boolean =>
    members.length > 2 && members.length === totals.get(namespace)?.length;

  const starred = ({ namespace, members }: NamespacePart): string =>
    `${printable(namespace)}/* (all ${counted(members.length, "workload")})`;

  function names(part: NamespacePart): string[] {
    return isWhole(part) ? [starred(part)] : part.members.map(nameOf);
  }

  /** Members of `all` that are not in `some`, where that is the shorter way to say it. */
  function missing(all: readonly Workload[], some: readonly Workload[]): string[] | undefined {
    const count = all.length - some.length;
    if (count > examples || count * 2 > some.length) return undefined;
    const present = new Set(some.map(workloadId));
    return all
      .filter((workload) => !present.has(workloadId(workload)))
      .map(nameOf)
      .sort();
  }

  function ofNamespace(part: NamespacePart): Spelling {
    const { namespace, members } = part;
    if (isWhole(part)) return whole(starred(part));
    if (members.length <= limits.names) return whole(members.map(nameOf).join(", "));
    const all = totals.get(namespace) ?? members;
    const except = missing(all, members);
    const shown = printable(namespace);
    return except === undefined
      ? shortened(`${counted(members.length, "workload")} in ${shown} (${some(members, nameOf)})`)
      : whole(
          `${shown}/* except ${except.join(", ")} (${members.length} of ${counted(all.length, "workload")})`,
        );
  }

  function ofWorkloads(workloads: readonly Workload[]): Spelling {
    if (workloads.length === total && total > 2) return whole(`all ${counted(total, "workload")}`);
    const parts = byNamespace(workloads);
    const short = parts.length <= limits.names ? parts.flatMap(names) : undefined;
    if (short !== undefined && short.length <= examples) return whole(short.join(", "));
    const except = missing(cluster.workloads, workloads);
    if (except !== undefined) {
      return whole(`all ${counted(total, "workload")} except ${except.join(", ")}`);
    }
    if (short !== undefined && short.length <= limits.names) return whole(short.join(", "));
    if (parts.length <= examples) {
      const spellings = parts.map(ofNamespace);
      return {
        text: spellings.map(({ text }) => text).join(", "),
        isComplete: spellings.every(({ isComplete }) => isComplete),
      };
    }
    const namespaces = counted(parts.length, "namespace");
    return parts.every(({ namespace, members }) => members.length === totals.get(namespace)?.length)
      ? shortened(`* in ${namespaces} (${some(parts, ({ namespace }) => printable(namespace))})`)
      : shortened(`${counted(workloads.length, "workload")} in ${namespaces} (${some(workloads, nameOf)})`);
  }

  function ofAddresses(addresses: AddressSet): Spelling {
    const text = formatAddresses(addresses, limits.networks);
    return { text, isComplete: text === formatAddresses(addresses) };
  }

  const workloadsText = memo(ofWorkloads);
  const addressesText = memo(ofAddresses);
  return {
    workload: nameOf,
    ends: (ends) => ("addresses" in ends ? addressesText(ends.addresses) : workloadsText(ends)),
    lines: (workloads, limit) => {
      const parts = byNamespace(workloads);
      const shown = parts.length > limit ? parts.slice(0, limit - 1) : parts;
      const rest = parts.slice(shown.length);
      const count = rest.reduce((sum, { members }) => sum + members.length, 0);
      return [
        ...shown.map((part) => ofNamespace(part).text),
        ...(count === 0
          ? []
          : [`and ${counted(count, "workload")} in ${counted(rest.length, "more namespace")}`]),
      ];
    },
  };
}

/** The workloads of one namespace among those of a list. */
export interface NamespacePart {
  readonly namespace: string;
  readonly members: readonly Workload[];
}

/** In the order in which the namespaces come. */
export function byNamespace(workloads: readonly Workload[]): NamespacePart[] {
  const parts = new Map<string, Workload[]>();
  for (const workload of workloads) {
    const members = parts.get(workload.namespace);
    if (members === undefined) parts.set(workload.namespace, [workload]);
    else members.push(workload);
  }
  return [...parts].map(([namespace, members]) => ({ namespace, members }));
}

function some<T>(items: readonly T[], nameOf: (item: T) => string): string {
  const names = items.slice(0, examples).map(nameOf).join(", ");
  return items.length <= examples
    ? names
    : `${names} and ${counted(items.length - examples, "more", "more")}`;
}

function shortName({ namespace, name }: Workload): string {
  return `${namespace}/${name}`;
}

function whole(text: string): Spelling {
  return { text, isComplete: true };
}

function shortened(text: string): Spelling {
  return { text, isComplete: false };
}
