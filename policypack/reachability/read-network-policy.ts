import { field, type Plain } from "../plain-data";
import type { AllowRule, NetworkPolicy, Peer } from "./model";
import type { AddressReader } from "./read-addresses";
import { fieldNames, readChoice, readList, readObject, reportTooMany } from "./read-fields";
import { readPolicyPort } from "./read-ports";
import type { Report } from "./read-problem";
import type { SelectorReader } from "./read-selector";

const specFields = fieldNames("podSelector", "policyTypes", "ingress", "egress");
const peerFields = fieldNames("podSelector", "namespaceSelector", "ipBlock");
const policyTypes = ["Ingress", "Egress"] as const;

const directions = {
  ingress: { peers: "from", fields: fieldNames("from", "ports") },
  egress: { peers: "to", fields: fieldNames("to", "ports") },
} as const;

type Direction = keyof typeof directions;

/** Reads the spec of NetworkPolicies (`networking.k8s.io/v1`), with the defaults that the API server sets. */
export class NetworkPolicyReader {
  private readonly places = { ingress: new RulePlaces("ingress"), egress: new RulePlaces("egress") };

  constructor(
    private readonly selectors: SelectorReader,
    private readonly addresses: AddressReader,
  ) {}

  /** The policy; what it returns after a report is not to be used. */
  read(namespace: string, name: string, given: Plain | undefined, report: Report): NetworkPolicy {
    const spec = readObject(given, "spec", specFields, report);
    const podSelector = this.selectors.read(field(spec, "podSelector"), "spec.podSelector", report);
    const ingress = this.readRules(field(spec, "ingress"), "ingress", report);
    const egress = this.readRules(field(spec, "egress"), "egress", report);
    const types = readPolicyTypes(field(spec, "policyTypes"), report);
    // Rules of a direction that the policy does not isolate are checked by the API server and then have no effect.
    const isolatesIngress = types.length === 0 || types.includes("Ingress");
    const isolatesEgress = types.length === 0 ? egress.length > 0 : types.includes("Egress");
    return {
      namespace,
      name,
      podSelector: podSelector ?? this.selectors.everything,
      ingress: isolatesIngress ? ingress : undefined,
      egress: isolatesEgress ? egress : undefined,
    };
  }

  private readRules(value: Plain | undefined, direction: Direction, report: Report): readonly AllowRule[] {
    const list = readList(value, `spec.${direction}`, "rules", report);
    // Lists are mapped and not built item by item: arrays that grow take up several times the memory.
    return list.map((rule, index) => this.readRule(rule, index, direction, report));
  }

  private readRule(value: Plain, index: number, direction: Direction, report: Report): AllowRule {
    const { peers: peersField, fields } = directions[direction];
    const places = this.places[direction];
    const at = places.rule(index);
    const rule = readObject(value, at, fields, report);
    const peers = readList(field(rule, peersField), `${at}.${peersField}`, "peers", report);
    const ports = readList(field(rule, "ports"), `${at}.ports`, "ports", report);
    return {
      at,
      peers:
        peers.length === 0
          ? undefined
          : peers.map((peer, number) => this.readPeer(peer, places.peer(index, number), report)),
      ports:
        ports.length === 0
          ? undefined
          : ports.map((port, number) => readPolicyPort(port, `${at}.ports[${number}]`, report)),
    };
  }

  /** One peer of a rule; what it returns after a report is not to be used. */
  readPeer(value: Plain, at: string, report: Report): Peer {
    const peer = readObject(value, at, peerFields, report);
    const block = field(peer, "ipBlock");
    const podSelector = field(peer, "podSelector");
    const namespaceSelector = field(peer, "namespaceSelector");
    if (peer !== undefined && (block ?? podSelector ?? namespaceSelector) === undefined) {
      const allowed = "podSelector, namespaceSelector, both of them, or ipBlock";
      const fix =
        "set one of them; for every pod of the cluster write namespaceSelector: {}, and for every peer leave out the list";
      report({ at, problem: "sets no peer", allowed, fix, unknown: false });
    }
    const pods = this.selectors.read(podSelector, `${at}.podSelector`, report);
    const namespaces = this.selectors.read(namespaceSelector, `${at}.namespaceSelector`, report);
    if (block === undefined) return { at, kind: "pods", namespaces, pods };
    if (podSelector !== undefined || namespaceSelector !== undefined) {
      const problem = "sets ipBlock together with a selector";
      const allowed = "ipBlock alone, or selectors";
      report({ at, problem, allowed, fix: "write ipBlock as a peer of its own", unknown: false });
    }
    const { addresses, text } = this.addresses.readBlock(block, `${at}.ipBlock`, report);
    return { at, kind: "addresses", addresses, text };
  }
}

function readPolicyTypes(value: Plain | undefined, report: Report): readonly Plain[] {
  const at = "spec.policyTypes";
  const types = readList(value, at, "Ingress and Egress", report);
  for (let index = 0; index < types.length; index++) {
    readChoice(types[index], `${at}[${index}]`, policyTypes, report);
  }
  reportTooMany(types, at, { items: "types", most: 2, more: "list each type once" }, report);
  return types;
}

/** The places of rules and peers, each text once however many policies have the place. */
class RulePlaces {
  private readonly rules: string[] = [];
  private readonly peers: string[][] = [];

  constructor(private readonly direction: Direction) {}

  rule(index: number): string {
    return (this.rules[index] ??= `spec.${this.direction}[${index}]`);
  }

  peer(rule: number, index: number): string {
    const peers = (this.peers[rule] ??= []);
    return (peers[index] ??= `${this.rule(rule)}.${directions[this.direction].peers}[${index}]`);
  }
}
