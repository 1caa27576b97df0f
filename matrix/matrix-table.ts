import Table from "cli-table3";
import type { MatrixRow } from "./matrix-rows";

export const matrixFormats = ["text", "md", "csv", "json"] as const;
export type MatrixFormat = (typeof matrixFormats)[number];

const columns = ["id", "from", "to", "ports", "purpose", "policies"] as const;
const headings = ["FLOW", "FROM", "TO", "PORTS", "PURPOSE", "OPENED BY"];

/** Width at which a column of the text table starts to wrap, between words only: half a port number would mislead. */
const wrapAt = [20, 23, 23, 20, 30, 30];

/**
 * The matrix as a text table, as Markdown, as CSV (RFC 4180, policies separated by blanks) or as JSON; ends with a newline.
 */
export function renderMatrix(rows: readonly MatrixRow[], format: MatrixFormat): string {
  switch (format) {
    case "text":
      return textTable(rows);
    case "md":
      return [headings, headings.map(() => "---"), ...rows.map(cells)]
        .map(
          (row) =>
            `| ${row.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", "<br>")).join(" | ")} |\n`,
        )
        .join("");
    case "csv":
      return [[...columns], ...rows.map(cells)].map((row) => `${row.map(csvField).join(",")}\n`).join("");
    case "json":
      return `${JSON.stringify(rows, undefined, 2)}\n`;
  }
}

function cells(row: MatrixRow): string[] {
  return columns.map((column) => (column === "policies" ? row.policies.join(" ") : row[column]));
}

function textTable(rows: readonly MatrixRow[]): string {
  const lines = rows.map((row) => [...cells(row).slice(0, -1), row.policies.join("\n")]);
  const table = new Table({
    head: headings,
    colWidths: wrapAt.map(
      (width, column) => Math.max(width, ...lines.map((line) => longestWord(line[column]))) + 2,
    ),
    wordWrap: true,
    style: { head: [], border: [], compact: true },
  });
  table.push(...lines);
  return `${table.toString()}\n`;
}

function longestWord(cell = ""): number {
  return Math.max(...cell.split(/\s+/).map((word) => word.length));
}

function csvField(value: string): string {
  return /[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
