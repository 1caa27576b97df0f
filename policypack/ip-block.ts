import { readCidr, subtract, union, type AddressSet } from "./address-set";
import type { Reporter } from "./define-rule";
import { literalValueFix, notReadable, type Item } from "./network-policy";
import { field, isList, isObject, quote, type Plain } from "./plain-data";

/**
 * The addresses an ipBlock opens: its cidr without its exceptions, with bits beyond a prefix taken as enforcers take them,
 * as the whole network. Undefined, after reporting why as unverifiable, when a part of it is not known or not valid: the API
 * server may refuse such a block, but what it would open cannot be computed.
 */
export function readIpBlock(
  block: Plain,
  at: string,
  danger: string,
  report: Reporter,
): AddressSet | undefined {
  if (!isObject(block)) {
    report.unverifiable({ at, ...notReadable(block, "an object"), danger, fix: literalValueFix });
    return undefined;
  }
  const network = readBlockCidr(field(block, "cidr"), `${at}.cidr`, danger, report);
  const except = field(block, "except") ?? [];
  if (!isList(except)) {
    report.unverifiable({
      at: `${at}.except`,
      ...notReadable(except, "a list"),
      danger,
      fix: literalValueFix,
    });
    return undefined;
  }
  const exceptions = except.map((cidr, index) =>
    readBlockCidr(cidr, `${at}.except[${index}]`, danger, report),
  );
  if (network === undefined || exceptions.includes(undefined)) return undefined;
  return subtract(network, union(...exceptions.filter((set) => set !== undefined)));
}

/** The ipBlocks among a rule's peers, with what each opens; those that cannot be read are reported and left out. */
export function readIpBlocks(
  peers: readonly Item[],
  danger: string,
  report: Reporter,
): { readonly at: string; readonly set: AddressSet }[] {
  return peers.flatMap(({ at, body }) => {
    const block = field(body, "ipBlock");
    if (block === undefined) return [];
    const set = readIpBlock(block, `${at}.ipBlock`, danger, report);
    return set === undefined ? [] : [{ at: `${at}.ipBlock`, set }];
  });
}

function readBlockCidr(
  cidr: Plain | undefined,
  at: string,
  danger: string,
  report: Reporter,
): AddressSet | undefined {
  if (typeof cidr === "string") {
    const reading = readCidr(cidr);
    if (reading.ok) return reading.set;
    const found = `is ${quote(cidr)}, which is no network in CIDR notation: ${reading.problem}`;
    report.unverifiable({ at, found, danger, fix: "a network such as 203.0.113.0/24 or 2001:db8::/48." });
    return undefined;
  }
  const state = cidr === undefined ? { found: "is missing" } : notReadable(cidr, "text");
  report.unverifiable({ at, ...state, danger, fix: literalValueFix });
  return undefined;
}
