import { allAddresses, includes, intersect, isEmpty, subtract, union, type AddressSet } from "../address-set";
import { hasMember } from "./class-set";
import type { NamedPort } from "./model";
import { noPortsId, type PortsId, type PortTable } from "./port-table";
import { judge, type OtherEnd, type Profile, type Rule } from "./profile";

/** What a profile leaves open with each pod class: a value for all classes, and the classes that have another one. */
export interface View {
  readonly id: number;
  readonly otherwise: PortsId;
  readonly listed: ReadonlyMap<number, PortsId>;
}

/**
 * A view in two parts. Many profiles differ only in a few rules for a few classes each and share the rules for many classes,
 * so the shared part is computed once, and `own` stays small.
 */
export interface SplitView {
  /** The classes for which the profile's own rules make a difference; these win over the shared view. */
  readonly own: ReadonlyMap<number, PortsId>;
  readonly shared: View;
}

/** Up to so many classes a set is looked at one by one; larger ones are kept whole. It changes the time, never the answer. */
export const usualFew = 32;

export function portsAt({ own, shared }: SplitView, number: number): PortsId {
  return own.get(number) ?? shared.listed.get(number) ?? shared.otherwise;
}

/**
 * Computes the views of profiles, each once.
 *
 * @param few up to how many classes a set is looked at one by one
 */
export function viewer(
  table: PortTable,
  namedPortsOf: (number: number) => readonly NamedPort[],
  classesNaming: (port: string) => readonly number[],
  few: number,
  profileOf: (
    admin: readonly Rule[],
    allow: readonly Rule[] | undefined,
    baseline: readonly Rule[],
  ) => Profile,
): (profile: Profile, users: number) => SplitView {
  const views = new Map<Profile, View>();

  function classEnd(number: number): OtherEnd {
    return {
      matches: ({ classes }) => classes === undefined || hasMember(classes, number),
      namedPorts: namedPortsOf(number),
    };
  }
  const anyOther: OtherEnd = { matches: ({ classes }) => classes === undefined, namedPorts: [] };

  function viewOf(profile: Profile): View {
    let view = views.get(profile);
    if (view === undefined) {
      const otherwise = judge(profile, anyOther, table);
      const listed = new Map<number, PortsId>();
      for (const number of classesIn(rulesOf(profile))) {
        const ports = judge(profile, classEnd(number), table);
        if (ports !== otherwise) listed.set(number, ports);
      }
      view = { id: views.size, otherwise, listed };
      views.set(profile, view);
    }
    return view;
  }

  function classesIn(rules: readonly Rule[]): Set<number> {
    const classes = new Set<number>();
    for (const rule of rules) {
      if (rule.classes !== undefined) for (const number of rule.classes.members) classes.add(number);
      else
        for (const { name } of rule.namedPorts) {
          for (const number of classesNaming(name)) classes.add(number);
        }
    }
    return classes;
  }

  return (profile, users) => {
    const isShared = (rule: Rule) =>
      users > few || rule.classes === undefined || rule.classes.members.length > few;
    const concernsPods = ({ classes }: Rule) => classes === undefined || classes.members.length > 0;
    const keep = (rule: Rule) => isShared(rule) && concernsPods(rule);
    const shared = viewOf(
      profileOf(profile.admin.filter(keep), profile.allow?.filter(keep), profile.baseline.filter(keep)),
    );
    const own = new Map<number, PortsId>();
    for (const number of classesIn(rulesOf(profile).filter((rule) => !isShared(rule)))) {
      const ports = judge(profile, classEnd(number), table);
      if (ports !== (shared.listed.get(number) ?? shared.otherwise)) own.set(number, ports);
    }
    return { own, shared };
  };
}

/** Addresses outside the cluster with which a profile leaves the same ports open. */
export interface OutsidePart {
  readonly addresses: AddressSet;
  readonly ports: PortsId;
}

const everyAddress = union(allAddresses("IPv4"), allAddresses("IPv6"));

/** What a profile leaves open with the outside: parts that are disjoint, each with other ports, none with no ports. */
export function outsideOf(profile: Profile, table: PortTable): OutsidePart[] {
  const named = rulesOf(profile).flatMap(({ addresses }) => addresses ?? []);
  let pieces = [everyAddress];
  for (const addresses of named) {
    pieces = pieces
      .flatMap((piece) => [intersect(piece, addresses), subtract(piece, addresses)])
      .filter((piece) => !isEmpty(piece));
  }
  const byPorts = new Map<PortsId, AddressSet[]>();
  for (const piece of pieces) {
    const ports = judge(profile, addressEnd(piece), table);
    if (ports === noPortsId) continue;
    const same = byPorts.get(ports);
    if (same === undefined) byPorts.set(ports, [piece]);
    else same.push(piece);
  }
  return [...byPorts].map(([ports, sets]) => ({ ports, addresses: union(...sets) }));
}

/** Addresses that every rule matches all or none of. */
export function addressEnd(addresses: AddressSet): OtherEnd {
  return {
    matches: (rule) =>
      rule.classes === undefined || (rule.addresses !== undefined && includes(rule.addresses, addresses)),
    namedPorts: [],
  };
}

export function rulesOf({ admin, allow, baseline }: Profile): Rule[] {
  return [...admin, ...(allow ?? []), ...baseline];
}
