import { formatPorts, hasNoPorts, subtractPorts, type PortSet } from "../../policypack/port-set";
import { workloadKey } from "../../policypack/reachability/pod-classes";
import type { Change, ChangeKind, Difference } from "../../policypack/reachability/difference";
import type { Cluster, Workload } from "../../policypack/reachability/model";
import { counted } from "./counted";
import { endNames, workloadId, type EndNames } from "./ends";
import { endsJson, portsJson } from "./ports-json";

export const differenceFormats = ["text", "md", "json"] as const;
export type DifferenceFormat = (typeof differenceFormats)[number];

/** Kinds in the order in which a reviewer wants them: what opens something first. */
const kinds: readonly { readonly kind: ChangeKind; readonly title: string }[] = [
  { kind: "opened", title: "Opened" },
  { kind: "widened", title: "Widened" },
  { kind: "changed", title: "Opened and closed in part" },
  { kind: "narrowed", title: "Narrowed" },
  { kind: "closed", title: "Closed" },
];

/** A comment on GitHub holds 65,536 characters; this leaves room for what others write around the table. */
const longestComment = 60_000;

/**
 * What differs between two clusters, ends with a newline: `text` for a terminal, `md` for a comment on a pull request, cut to what
 * one can hold, `json` for scripts.
 */
export function formatDifference(
  difference: Difference,
  base: Cluster,
  head: Cluster,
  format: DifferenceFormat,
): string {
  switch (format) {
    case "text":
      return text(difference, namesOfBoth(base, head));
    case "md":
      return markdown(difference, namesOfBoth(base, head));
    case "json":
      return json(difference);
  }
}

function namesOfBoth(base: Cluster, head: Cluster): EndNames {
  const known = new Set(head.workloads.map(workloadKey));
  const gone = base.workloads.filter((workload) => !known.has(workloadKey(workload)));
  return endNames({ ...head, workloads: [...head.workloads, ...gone] });
}

function text(difference: Difference, names: EndNames): string {
  const { changes, added, removed } = difference;
  const sections = kinds.flatMap(({ kind, title }) => {
    const rows = changes.filter((change) => change.kind === kind).map((change) => cells(change, names));
    return rows.length === 0 ? [] : ["", title, ...aligned(rows).map((row) => `  ${row}`)];
  });
  const workloads = [
    ...listed("New workloads", added, names),
    ...listed("Workloads that are gone", removed, names),
  ];
  return `${[summary(difference), ...sections, ...workloads].join("\n")}\n`;
}

function summary({ changes }: Difference): string {
  if (changes.length === 0) return "The same is open before and after.";
  const counts = kinds.flatMap(({ kind, title }) => {
    const count = changes.filter((change) => change.kind === kind).length;
    return count === 0 ? [] : [`${count} ${title.toLowerCase()}`];
  });
  return `${counted(changes.length, "change")} of what is open: ${counts.join(", ")}.`;
}

/** From, to, and what became of the ports. */
function cells(change: Change, names: EndNames): readonly [string, string, string] {
  return [names.ends(change.from).text, names.ends(change.to).text, portsText(change)];
}

function portsText({ before, after }: Change): string {
  if (hasNoPorts(before)) return formatPorts(after);
  if (hasNoPorts(after)) return formatPorts(before);
  const parts = [signed("+", subtractPorts(after, before)), signed("-", subtractPorts(before, after))];
  return `${parts.filter((part) => part !== "").join(", ")} (now ${formatPorts(after)})`;
}

function signed(sign: string, ports: PortSet): string {
  return hasNoPorts(ports) ? "" : `${sign}${formatPorts(ports)}`;
}

/** Columns of one width each; one that is very long breaks the line up for itself alone. */
function aligned(rows: readonly (readonly [string, string, string])[]): string[] {
  const widest = 48;
  const width = (column: 0 | 1) =>
    Math.min(
      widest,
      rows.reduce((most, row) => Math.max(most, row[column].length), 0),
    );
  const [from, to] = [width(0), width(1)];
  return rows.map(
    ([source, destination, ports]) => `${source.padEnd(from)} -> ${destination.padEnd(to)}  ${ports}`,
  );
}

function listed(title: string, workloads: readonly Workload[], names: EndNames): string[] {
  return workloads.length === 0 ? [] : ["", `${title}: ${names.ends(workloads).text}`];
}

function markdown(difference: Difference, names: EndNames): string {
  const { changes, added, removed } = difference;
  const head = `**${summary(difference)}**\n`;
  const notes = [
    ...listed("New workloads", added, names),
    ...listed("Workloads that are gone", removed, names),
  ].map((line) => `${escape(line)}\n`);
  if (changes.length === 0) return [head, ...notes].join("");
  const rows = kinds.flatMap(({ kind, title }) =>
    changes
      .filter((change) => change.kind === kind)
      .map((change) => `| ${[title, ...cells(change, names)].map(escape).join(" | ")} |\n`),
  );
  const table = "\n| Change | From | To | Ports |\n|---|---|---|---|\n";
  const room = longestComment - head.length - table.length - notes.join("").length;
  const shown: string[] = [];
  let used = 0;
  for (const row of rows) {
    if (used + row.length > room) break;
    used += row.length;
    shown.push(row);
  }
  const rest = rows.length - shown.length;
  const cut =
    rest === 0 ? [] : [`\n${counted(rest, "more change")} left out; \`--format json\` has them all.\n`];
  return [head, table, ...shown, ...cut, ...notes].join("");
}

function escape(cell: string): string {
  return cell.replace(/[\\`*_{}[\]<>|#]/g, (character) => `\\${character}`);
}

function json({ changes, added, removed }: Difference): string {
  return `${JSON.stringify(
    {
      version: 1,
      changes: changes.map(({ kind, from, to, before, after }) => ({
        kind,
        from: endsJson(from),
        to: endsJson(to),
        before: portsJson(before),
        after: portsJson(after),
      })),
      added: added.map(workloadId),
      removed: removed.map(workloadId),
    },
    undefined,
    2,
  )}\n`;
}
