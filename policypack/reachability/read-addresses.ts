import {
  noAddresses,
  readCidr,
  subtract,
  union,
  type AddressFamily,
  type AddressSet,
  type CidrReading,
} from "../address-set";
import { field, type Plain } from "../plain-data";
import { fieldNames, readList, readObject } from "./read-fields";
import { notAllowed, show, type Report } from "./read-problem";

const blockFields = fieldNames("cidr", "except");
const cidrAllowed = "a network such as 203.0.113.0/24 or 2001:db8::/48";
const cidrFix = "write the network as address/prefix length, without leading zeros";

/** A set of addresses and how the policy writes it. */
export interface WrittenAddresses {
  readonly addresses: AddressSet;
  readonly text: string;
}

interface Network {
  readonly text: string;
  readonly family: AddressFamily;
  readonly set: AddressSet;
}

/** Reads networks. What is written alike is one object. */
export class AddressReader {
  private readonly cidrs = new Map<string, CidrReading>();
  private readonly known = new Map<string, WrittenAddresses>();

  /** The ipBlock of a NetworkPolicy's peer: its cidr without its exceptions. */
  readBlock(value: Plain, at: string, report: Report): WrittenAddresses {
    const block = readObject(value, at, blockFields, report);
    if (block === undefined) return { addresses: noAddresses, text: "" };
    const network = this.readNetwork(field(block, "cidr"), `${at}.cidr`, report);
    const exceptions: Network[] = [];
    readList(field(block, "except"), `${at}.except`, "networks", report).forEach((item, index) => {
      const exceptAt = `${at}.except[${index}]`;
      const exception = this.readNetwork(item, exceptAt, report);
      if (exception === undefined || network === undefined) return;
      exceptions.push(exception);
      if (isPartOf(exception, network)) return;
      const allowed = `a network within ${show(network.text)}, smaller than it`;
      const fix = "write a part of cidr, or remove the exception: it takes nothing from cidr, or all of it";
      report(notAllowed(item, { at: exceptAt, allowed, fix }));
    });
    if (network === undefined) return { addresses: noAddresses, text: "" };
    if (exceptions.length === 0) return this.remember(network.text, () => network.set);
    return this.remember(`${network.text} except ${listed(exceptions)}`, () =>
      subtract(network.set, union(...exceptions.map(({ set }) => set))),
    );
  }

  /** The networks of a cluster policy's peer, all together. Those that are reported are left out. */
  readNetworks(list: readonly Plain[], at: string, report: Report): WrittenAddresses {
    const networks: Network[] = [];
    for (const [index, item] of list.entries()) {
      const network = this.readNetwork(item, `${at}[${index}]`, report);
      if (network === undefined) continue;
      networks.push(network);
      if (network.text.length <= 43 && !this.isMapped(network.text)) continue;
      const allowed = `${cidrAllowed}, not IPv4 mapped into IPv6, of at most 43 characters`;
      const fix = "write an IPv4 network in its own notation, and an IPv6 one without leading zeros";
      report(notAllowed(item, { at: `${at}[${index}]`, allowed, fix }));
    }
    return this.remember(listed(networks), () => union(...networks.map(({ set }) => set)));
  }

  private readNetwork(value: Plain | undefined, at: string, report: Report): Network | undefined {
    if (typeof value !== "string") {
      report(notAllowed(value, { at, allowed: cidrAllowed, fix: cidrFix }));
      return undefined;
    }
    const reading = this.cidr(value);
    if (reading.ok) return { text: value, family: reading.family, set: reading.set };
    const problem = `is ${show(value)}, which is no network: ${reading.problem}`;
    report({ at, problem, allowed: cidrAllowed, fix: cidrFix, unknown: false });
    return undefined;
  }

  /** Whether a network that is valid is written with an IPv4-mapped address (`::ffff:10.0.0.0/104`). */
  private isMapped(text: string): boolean {
    const address = this.cidr(`${text.slice(0, text.indexOf("/"))}/128`);
    return address.ok && address.set.IPv6.some(({ first }) => first >> 32n === 0xffffn);
  }

  private cidr(text: string): CidrReading {
    let reading = this.cidrs.get(text);
    if (reading === undefined) this.cidrs.set(text, (reading = readCidr(text)));
    return reading;
  }

  private remember(text: string, compute: () => AddressSet): WrittenAddresses {
    let known = this.known.get(text);
    if (known === undefined) this.known.set(text, (known = { addresses: compute(), text }));
    return known;
  }
}

/** Whether a network is within another one and smaller than it. */
function isPartOf(part: Network, { family, set }: Network): boolean {
  const [inner] = part.set[family];
  const [outer] = set[family];
  if (inner === undefined || outer === undefined) return false;
  const isWithin = outer.first <= inner.first && inner.last <= outer.last;
  return isWithin && (outer.first !== inner.first || outer.last !== inner.last);
}

function listed(networks: readonly Network[]): string {
  return networks.map(({ text }) => text).join(", ");
}
