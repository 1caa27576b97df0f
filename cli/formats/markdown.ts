import { formatPorts } from "../../policypack/port-set";
import type { FlowGroup, Reachability } from "../../policypack/reachability/reachability";
import { counted } from "./counted";
import { endNames, type EndNames } from "./ends";
import { memo } from "./memo";
import { printable } from "./printable";
import { summary } from "./summary";
import { warnings } from "./warnings";

/** What GitHub takes as one comment, in characters. */
const longestComment = 65_536;
/** Rows of a table that is not folded, namespaces that a warning lists, and notes that are shown. */
const listed = 20;

/**
 * What is open, as Markdown for a comment on a pull request: a summary, the workloads that policies leave open, the flows in a
 * table that is folded where it is long, and notes. Rows that do not fit are counted in a line of their own.
 *
 * @param maximum how many characters there may be, some thousands at least
 */
export function markdown(reachability: Reachability, maximum = longestComment): string {
  const { cluster, notes } = reachability;
  const names = endNames(cluster);
  const groups = reachability.groups();
  const around = [
    `**${summary(reachability)}**\n`,
    ...warnings(reachability).map(({ text, workloads }) => {
      const lines = names.lines(workloads, listed).map((line) => `- ${code(line)}\n`);
      return `\n${text}:\n\n${fitting(lines, lines.length, maximum / 10, "line")}`;
    }),
  ].join("");
  const foot = notesList(notes, maximum / 10) + shortened(groups, names);
  const [open, close] =
    groups.length > listed
      ? [`\n<details><summary>${counted(groups.length, "flow")}</summary>\n\n`, "\n</details>\n"]
      : ["\n", ""];
  const head = "| From | To | Ports |\n| --- | --- | --- |\n";
  const room = maximum - [around, open, head, close, foot].join("").length;
  const table =
    groups.length === 0
      ? "\nNothing is open.\n"
      : `${open}${head}${fitting(rows(groups, names), groups.length, room, "flow")}${close}`;
  return `${around}${table}${foot}`;
}

function* rows(groups: readonly FlowGroup[], names: EndNames): Generator<string> {
  const portsText = memo(formatPorts);
  for (const { from, to, ports } of groups) {
    yield `| ${code(names.ends(from).text)} | ${code(names.ends(to).text)} | ${portsText(ports)} |\n`;
  }
}

function notesList(notes: Reachability["notes"], room: number): string {
  if (notes.length === 0) return "";
  const lines = notes
    .slice(0, listed)
    .map(({ about, at, text }) => `- ${code(`${about} ${at}`.trim())}: ${code(text)}\n`);
  return `\nNotes:\n\n${fitting(lines, notes.length, room, "note")}`;
}

function shortened(groups: readonly FlowGroup[], names: EndNames): string {
  return groups.every(({ from, to }) => names.ends(from).isComplete && names.ends(to).isComplete)
    ? ""
    : "\nLong lists are shortened; `--format json` has every name.\n";
}

/** As many of the lines as there is room for, then how many of `total` are left out. */
function fitting(lines: Iterable<string>, total: number, room: number, unit: string): string {
  const rest = (count: number) =>
    `\n${counted(count, `more ${unit}`)} left out; \`--format json\` has everything.\n`;
  let left = room - rest(total).length;
  let count = 0;
  let text = "";
  for (const line of lines) {
    if (line.length > left) break;
    left -= line.length;
    count++;
    text += line;
  }
  return count === total ? text : text + rest(total - count);
}

/**
 * Text in a cell or a line that shows just as it is. Code is what GitHub makes no links or mentions of, and entities keep
 * whatever could end it, or the cell, from being read as Markdown or HTML.
 */
function code(text: string): string {
  const shown = printable(text);
  if (/^[\w ./:*(),;[\]-]+$/.test(shown)) return `\`${shown}\``;
  return `<code>${shown.replace(/[^A-Za-z0-9 ,/-]/gu, (character) => `&#${character.codePointAt(0) ?? 0};`)}</code>`;
}
