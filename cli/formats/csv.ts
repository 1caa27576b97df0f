import { formatPorts, type PortInterval, type PortSet } from "../../policypack/port-set";
import { isWorkload, type End, type Reachability } from "../../policypack/reachability/reachability";
import { intervalTexts } from "./addresses";
import { workloadId } from "./ends";
import { memo } from "./memo";

/** Rows by column, each cell the number of a text, which stays small with millions of rows. */
interface Rows {
  readonly from: number[];
  readonly to: number[];
  readonly ports: number[];
}

/** About how many characters are handed over at once. */
const pieceSize = 65536;

/**
 * Every pair of ends with what is open between them, as CSV (RFC 4180) with the columns, the spelling and the order of
 * `netpol-analyzer list -o csv` and `roxctl netpol connectivity map -o csv`, so that the answers can be compared: one row an
 * interval of outside addresses, and none for what a workload may say to itself.
 *
 * @returns the text in pieces, of which each ends with a whole row
 */
export function* csv(reachability: Reachability): Generator<string> {
  const ends = numbering();
  const ports = numbering();
  const endsOf = memo((end: End) =>
    (isWorkload(end)
      ? [workloadId(end)]
      : intervalTexts(end.addresses).map((interval) => `${interval}[External]`)
    ).map(ends.numberOf),
  );
  const portsOf = memo((set: PortSet) => ports.numberOf(connections(set)));
  const rows: Rows = { from: [], to: [], ports: [] };
  for (const flow of reachability.flows()) {
    const open = portsOf(flow.ports);
    for (const from of endsOf(flow.from)) {
      for (const to of endsOf(flow.to)) {
        if (from === to) continue;
        rows.from.push(from);
        rows.to.push(to);
        rows.ports.push(open);
      }
    }
  }
  const endFields = ends.texts.map(field);
  const portFields = ports.texts.map(field);
  let piece = "src,dst,conn\n";
  for (const row of sorted(rows, ranksOf(ends))) {
    piece += `${at(endFields, rows.from[row])},${at(endFields, rows.to[row])},${at(portFields, rows.ports[row])}\n`;
    if (piece.length >= pieceSize) {
      yield piece;
      piece = "";
    }
  }
  yield piece;
}

/** `SCTP 9003,TCP 5432,6379-6380`: protocols in alphabetical order, as the other tools have them. */
function connections(set: PortSet): string {
  if (formatPorts(set) === "all ports") return "All Connections";
  return Object.entries(set.numbers)
    .map(([protocol, intervals]) => `${protocol} ${intervals.map(range).join(",")}`)
    .sort()
    .join(",");
}

function range({ first, last }: PortInterval): string {
  return first === last ? String(first) : `${first}-${last}`;
}

/** Quoted where Go's `encoding/csv`, which the other tools write with, quotes. */
function field(text: string): string {
  return /[",\r\n]|^\s|^\\\.$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Distinct texts, numbered in the order in which they are met. */
interface Numbering {
  readonly texts: readonly string[];
  readonly numberOf: (text: string) => number;
}

function numbering(): Numbering {
  const texts: string[] = [];
  const numbers = new Map<string, number>();
  return {
    texts,
    numberOf: (text) => {
      let number = numbers.get(text);
      if (number === undefined) numbers.set(text, (number = texts.push(text) - 1));
      return number;
    },
  };
}

/** The place of each text's number when the texts are in order. */
function ranksOf({ texts, numberOf }: Numbering): Uint32Array {
  const ranks = new Uint32Array(texts.length);
  [...texts].sort().forEach((text, rank) => {
    ranks[numberOf(text)] = rank;
  });
  return ranks;
}

/** The rows' numbers by source, then destination. */
function sorted(rows: Rows, ranks: Uint32Array): Uint32Array {
  const asMet = new Uint32Array(rows.from.length);
  for (let row = 0; row < asMet.length; row++) asMet[row] = row;
  return sortedBy(rows.from, sortedBy(rows.to, asMet, ranks), ranks);
}

/** A stable counting sort: millions of rows in a time that grows with their number alone. */
function sortedBy(column: readonly number[], order: Uint32Array, ranks: Uint32Array): Uint32Array {
  const next = new Uint32Array(ranks.length + 1);
  for (const row of order) {
    const rank = at(ranks, column[row]);
    next[rank + 1] = at(next, rank + 1) + 1;
  }
  for (let rank = 1; rank < next.length; rank++) next[rank] = at(next, rank) + at(next, rank - 1);
  const result = new Uint32Array(order.length);
  for (const row of order) {
    const rank = at(ranks, column[row]);
    const place = at(next, rank);
    result[place] = row;
    next[rank] = place + 1;
  }
  return result;
}

function at<T>(list: ArrayLike<T>, index: number | undefined): T {
  const item = index === undefined ? undefined : list[index];
  if (item === undefined) throw new RangeError(`there is no item ${index} in a list of ${list.length}`);
  return item;
}
