import type { AddressSet } from "../address-set";
import type { ClassSet } from "./class-set";
import type { NamedPort, PortMatch } from "./model";
import { allPortsId, noPortsId, type PortsId, type PortTable } from "./port-table";

/**
 * What a rule does. `MayPass` is a Pass of which cannot be told whether it matches: the connection is open where either the next
 * tier or the rules that follow open it.
 */
export type Action = "Accept" | "Deny" | "Pass" | "MayPass";

/** One rule of a policy, compiled: what it does to connections with which others, on which ports. */
export interface Rule {
  readonly id: number;
  readonly action: Action;
  /** The pod classes at the other end; undefined where the rule is for any peer, addresses included. */
  readonly classes: ClassSet | undefined;
  /** The addresses outside at the other end; undefined where there are none. */
  readonly addresses: AddressSet | undefined;
  /** Resolved, unless it names ports and the other end is what they are resolved at. */
  readonly ports: PortsId;
  /** Ports by name, still to be resolved at the other end; empty where there are none. */
  readonly namedPorts: readonly Extract<PortMatch, { readonly kind: "name" }>[];
}

/** Every rule that applies to some pods in one direction. Pods with the same rules share one profile. */
export interface Profile {
  readonly id: number;
  /** The rules of cluster policies of tier Admin, in order: the first that matches decides. */
  readonly admin: readonly Rule[];
  /** The allow rules of the NetworkPolicies; undefined where none isolates the pods. */
  readonly allow: readonly Rule[] | undefined;
  /** The rules of cluster policies of tier Baseline, in order. */
  readonly baseline: readonly Rule[];
}

/** The other end of a connection, as far as one rule is concerned. */
export interface OtherEnd {
  matches(rule: Rule): boolean;
  /** The ports it names; none for addresses. */
  readonly namedPorts: readonly NamedPort[];
}

export type Tier = "Admin" | "NetworkPolicy" | "Baseline";

/** Called for each rule that decided something, with the ports it decided. */
export type Trace = (tier: Tier, rule: Rule, ports: PortsId) => void;

/**
 * The ports that a profile leaves open with one other end. The order is that of `policy.networking.k8s.io`: tier Admin, whose
 * Pass goes on to the NetworkPolicies; these decide for the pods they isolate; tier Baseline for the others; open otherwise.
 */
export function judge(profile: Profile, end: OtherEnd, table: PortTable, trace?: Trace): PortsId {
  let open = noPortsId;
  let undecided = allPortsId;
  let passed = noPortsId;
  for (const rule of profile.admin) {
    if (undecided === noPortsId) break;
    const decided = end.matches(rule) ? table.intersect(undecided, portsAt(rule, end, table)) : noPortsId;
    if (decided === noPortsId) continue;
    trace?.("Admin", rule, decided);
    if (rule.action !== "MayPass") undecided = table.subtract(undecided, decided);
    if (rule.action === "Accept") open = table.union(open, decided);
    if (rule.action === "Pass" || rule.action === "MayPass") passed = table.union(passed, decided);
  }
  passed = table.union(passed, undecided);
  if (profile.allow !== undefined) {
    let allowed = noPortsId;
    for (const rule of profile.allow) {
      if (!end.matches(rule)) continue;
      const ports = table.intersect(passed, portsAt(rule, end, table));
      if (ports !== noPortsId) trace?.("NetworkPolicy", rule, ports);
      allowed = table.union(allowed, ports);
    }
    return table.union(open, allowed);
  }
  for (const rule of profile.baseline) {
    if (passed === noPortsId) break;
    const decided = end.matches(rule) ? table.intersect(passed, portsAt(rule, end, table)) : noPortsId;
    if (decided === noPortsId) continue;
    trace?.("Baseline", rule, decided);
    if (rule.action !== "MayPass") passed = table.subtract(passed, decided);
    if (rule.action !== "Deny") open = table.union(open, decided);
  }
  return table.union(open, passed);
}

function portsAt(rule: Rule, end: OtherEnd, table: PortTable): PortsId {
  return rule.namedPorts.length === 0
    ? rule.ports
    : table.union(rule.ports, table.resolve(rule.namedPorts, end.namedPorts));
}
