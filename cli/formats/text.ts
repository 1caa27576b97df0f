import { createColors } from "picocolors";
import type { AddressSet } from "../../policypack/address-set";
import { formatPorts } from "../../policypack/port-set";
import type { Workload } from "../../policypack/reachability/model";
import type { FlowGroup, Reachability } from "../../policypack/reachability/reachability";
import { counted } from "./counted";
import { endNames } from "./ends";
import { memo } from "./memo";
import { printable } from "./printable";
import { summary } from "./summary";
import { warnings } from "./warnings";

/** A destination that is wider pushes its own ports to the right and no others. */
const widest = 56;
/** Namespaces that a warning lists, and notes that are shown. */
const listed = 20;
/** About how many characters are handed over at once. */
const pieceSize = 65536;

/**
 * What is open, for a terminal: a summary, the flows by source, then the workloads that policies leave open, and notes.
 *
 * @param colour whether to use ANSI colours, which is for the caller to know: output to a terminal, and no NO_COLOR
 * @returns the text in pieces, of which each ends with a whole line
 */
export function* text(reachability: Reachability, colour: boolean): Generator<string> {
  const { bold, cyan, dim, yellow } = createColors(colour);
  const names = endNames(reachability.cluster);
  const portsText = memo(formatPorts);
  const groups = reachability.groups();
  const width = groups.reduce((most, { to }) => {
    const { length } = names.ends(to).text;
    return length > most && length <= widest ? length : most;
  }, 0);
  const isComplete = groups.every(({ from, to }) => names.ends(from).isComplete && names.ends(to).isComplete);
  let piece = `${bold(summary(reachability))}\n`;
  for (const flows of bySource(groups)) {
    flows.forEach(({ from, to, ports }, index) => {
      if (index === 0) piece += `\n${bold(names.ends(from).text)}\n`;
      piece += `  ${dim("->")} ${names.ends(to).text.padEnd(width)}  ${cyan(portsText(ports))}\n`;
    });
    if (piece.length >= pieceSize) {
      yield piece;
      piece = "";
    }
  }
  if (groups.length === 0) piece += "\nNothing is open.\n";
  for (const warning of warnings(reachability)) {
    piece += `\n${yellow(warning.text)}\n`;
    piece += names
      .lines(warning.workloads, listed)
      .map((line) => `  ${line}\n`)
      .join("");
  }
  const { notes } = reachability;
  if (notes.length > 0) piece += `\n${yellow("Notes")}\n`;
  for (const { about, at, text } of notes.slice(0, listed)) {
    piece += `  ${printable([about, at].filter((part) => part !== "").join(" "))}: ${printable(text)}\n`;
  }
  if (notes.length > listed) {
    piece += `  and ${counted(notes.length - listed, "more note")}; --format json has every one\n`;
  }
  if (!isComplete)
    piece += `\n${dim("Long lists are shortened; --format csv and --format json have every name.")}\n`;
  yield piece;
}

/** The groups of each source together, in the order in which the sources are met. */
function bySource(groups: readonly FlowGroup[]): Iterable<readonly FlowGroup[]> {
  const sources = new Map<readonly Workload[] | AddressSet, FlowGroup[]>();
  for (const group of groups) {
    const source = "addresses" in group.from ? group.from.addresses : group.from;
    const flows = sources.get(source);
    if (flows === undefined) sources.set(source, [group]);
    else flows.push(group);
  }
  return sources.values();
}
