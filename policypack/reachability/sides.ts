import type { AddressSet } from "../address-set";
import type { PortSet } from "../port-set";
import { hasMember } from "./class-set";
import type { Cluster, Workload } from "./model";
import { classify } from "./pod-classes";
import { newTables, policyCompiler, type Direction } from "./policy-compiler";
import { noPortsId, type PortsId } from "./port-table";
import { judge, type OtherEnd, type Profile } from "./profile";
import { nameLabel } from "./read-notes";
import type { AnalysisOptions } from "./reachability";
import { outsideOf, rulesOf } from "./view";

/**
 * What the policies of each end of a connection leave open by themselves, whatever the other end's say of it. A connection is open
 * where both sides leave it open.
 */
export interface Sides {
  /** The classes of equal pods, by number; each has a workload at least. */
  readonly classes: readonly (readonly Workload[])[];
  /**
   * Whether nothing isolates the class: no NetworkPolicy does, and no cluster policy denies it to talk to pods that nobody knows. Pods
   * on their node's network are open, since no policy selects them.
   */
  isOpen(direction: Direction, subject: number): boolean;
  /** The ports that the subject's own policies leave open with another class, which may be its own. */
  ports(direction: Direction, subject: number, other: number): PortSet;
  /** The classes with which the subject's own policies leave any port open; all of them where nothing shuts it. */
  others(direction: Direction, subject: number): Iterable<number>;
  /** What the subject's own policies leave open with the outside: parts that are disjoint, each with other ports. */
  outside(direction: Direction, subject: number): readonly OutsidePorts[];
}

export interface OutsidePorts {
  readonly addresses: AddressSet;
  readonly ports: PortSet;
}

/** A pod that no policy means in particular, which shows what is shut for everyone. */
const nobody: Workload = {
  namespace: "(any other namespace)",
  name: "(any other pod)",
  kind: "Pod",
  labels: {},
  namedPorts: [],
  hostNetwork: false,
  addresses: [],
};

/** @param options as in `analyse` */
export function sidesOf(known: Cluster, options: AnalysisOptions = {}): Sides {
  const cluster: Cluster = {
    ...known,
    namespaces: [...known.namespaces, { name: nobody.namespace, labels: { [nameLabel]: nobody.namespace } }],
    workloads: [...known.workloads, nobody],
  };
  const members = classify(cluster).members[0] ?? [];
  // In a namespace of its own it is a class of its own, and the last one.
  const classes = members.slice(0, -1);
  const nobodyNumber = classes.length;
  const representatives = members.map(([first]) => first);
  const tables = newTables();
  const profiles = policyCompiler(cluster, representatives, tables, options).compile();
  const profileOf = (direction: Direction, number: number): Profile =>
    profiles[direction][number] ?? openProfile;

  const byProfile = new Map<Profile, Map<number, PortsId>>();
  function portsId(direction: Direction, subject: number, other: number): PortsId {
    const profile = profileOf(direction, subject);
    let byClass = byProfile.get(profile);
    if (byClass === undefined) byProfile.set(profile, (byClass = new Map<number, PortsId>()));
    let ports = byClass.get(other);
    if (ports === undefined) {
      ports = judge(profile, endOf(other), tables.ports);
      byClass.set(other, ports);
    }
    return ports;
  }

  function endOf(number: number): OtherEnd {
    return {
      matches: ({ classes }) => classes === undefined || hasMember(classes, number),
      namedPorts: representatives[number]?.namedPorts ?? [],
    };
  }

  const listed = new Map<Profile, readonly number[]>();
  function candidates(profile: Profile): Iterable<number> {
    // Without an isolating policy, and with a rule for any peer, every class is one.
    if (profile.allow === undefined || rulesOf(profile).some(({ classes }) => classes === undefined)) {
      return classes.keys();
    }
    let numbers = listed.get(profile);
    if (numbers === undefined) {
      const found = new Set<number>();
      for (const { classes } of rulesOf(profile))
        for (const number of classes?.members ?? []) found.add(number);
      listed.set(profile, (numbers = [...found].sort((a, b) => a - b)));
    }
    return numbers;
  }

  const outsides = new Map<Profile, readonly OutsidePorts[]>();
  return {
    classes,
    isOpen: (direction, subject) =>
      profileOf(direction, subject).allow === undefined &&
      portsId(direction, subject, nobodyNumber) !== noPortsId,
    ports: (direction, subject, other) => tables.ports.set(portsId(direction, subject, other)),
    *others(direction, subject) {
      for (const other of candidates(profileOf(direction, subject))) {
        if (other !== nobodyNumber && portsId(direction, subject, other) !== noPortsId) yield other;
      }
    },
    outside: (direction, subject) => {
      const profile = profileOf(direction, subject);
      let parts = outsides.get(profile);
      if (parts === undefined) {
        parts = outsideOf(profile, tables.ports).map(({ addresses, ports }) => ({
          addresses,
          ports: tables.ports.set(ports),
        }));
        outsides.set(profile, parts);
      }
      return parts;
    },
  };
}

const openProfile: Profile = { id: -1, admin: [], allow: undefined, baseline: [] };
