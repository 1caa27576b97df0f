import type { Reachability } from "../../policypack/reachability/reachability";
import {
  columnWidth,
  fontSize,
  layOut,
  lineHeight,
  padding,
  type PlacedArrow,
  type PlacedBox,
  type PlacedNode,
  type Rectangle,
} from "./layout";
import { picture } from "./picture";
import { wrap } from "./wrap";

/** Around the picture and its caption. */
const margin = 16;
/** The caption has at least so many columns. */
const captionColumns = 72;

/** Each class with its colours on a light and on a dark page. */
const colours = [
  [".page", "fill: #ffffff", "fill: #0d1117"],
  ["text", "fill: #1f2328", "fill: #e6edf3"],
  [".quiet", "fill: #59636e", "fill: #9198a1"],
  [".warning", "fill: #9a3412", "fill: #f0883e"],
  [".box", "fill: #f6f8fa; stroke: #d1d9e0", "fill: #151b23; stroke: #3d444d"],
  [".node", "fill: #ffffff; stroke: #59636e", "fill: #0d1117; stroke: #9198a1"],
  [".outside", "fill: #ddf4ff; stroke: #0969da", "fill: #0c2d6b; stroke: #4493f8"],
  [".open", "stroke: #bc4c00; stroke-width: 2; stroke-dasharray: 5 3", "stroke: #f0883e"],
  [".arrow", "fill: none; stroke: #59636e", "fill: none; stroke: #9198a1"],
  [".head", "fill: #59636e", "fill: #9198a1"],
  [".ports", "fill: #ffffff; fill-opacity: 0.85", "fill: #0d1117; fill-opacity: 0.85"],
] as const;

/**
 * What is open as a picture that needs nothing else: no script, no font, nothing to load. Readable on light and dark pages; where the
 * viewer can, everything says in full what it stands for when it is pointed at.
 */
export function svg(reachability: Reachability): string {
  const drawn = picture(reachability);
  const layout = layOut(drawn);
  const columns = Math.max(captionColumns, Math.floor(layout.width / columnWidth) - 4);
  const caption = wrap(drawn.description, columns, Infinity);
  const top = margin + (1 + caption.length) * lineHeight + padding;
  const width = Math.ceil(Math.max(layout.width, captionColumns * columnWidth + 2 * margin));
  const height = Math.ceil(top + layout.height);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="zero-trust" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="zero-trust-title zero-trust-desc">`,
    `<title id="zero-trust-title">${escape(drawn.title)}</title>`,
    `<desc id="zero-trust-desc">${escape(drawn.description)}</desc>`,
    style(),
    `<defs><marker id="zero-trust-head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path class="head" d="M0 0 L10 5 L0 10 z"/></marker></defs>`,
    `<rect class="page" width="${width}" height="${height}"/>`,
    textLine(drawn.title, margin, margin, "label"),
    ...caption.map((line, index) => textLine(line, margin, margin + (1 + index) * lineHeight, "quiet")),
    `<g transform="translate(0 ${top})">`,
    ...layout.boxes.map(boxElement),
    ...layout.arrows.map(arrowElement),
    ...layout.nodes.map(nodeElement),
    // Labels last: no line may cross them.
    ...layout.arrows.map(portsElement),
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

function style(): string {
  const rules = (scheme: 1 | 2) =>
    colours.map((colour) => `.zero-trust ${colour[0]} { ${colour[scheme]} }`).join("\n");
  return [
    "<style>",
    `.zero-trust text { font: ${fontSize}px ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; white-space: pre }`,
    ".zero-trust .label { font-weight: bold }",
    rules(1),
    `@media (prefers-color-scheme: dark) {\n${rules(2)}\n}`,
    "</style>",
  ].join("\n");
}

function boxElement(placed: PlacedBox): string {
  const lines = placed.lines.map((line, index) =>
    textLine(line, placed.x + padding, placed.y + padding / 2 + index * lineHeight, "quiet"),
  );
  return group(`namespace ${placed.box.name}`, [rectangle(placed, "box", 6), ...lines]);
}

function nodeElement(placed: PlacedNode): string {
  const { node, lines } = placed;
  const classes = [
    node.kind === "outside" ? "outside" : "node",
    ...(node.open === undefined ? [] : ["open"]),
  ];
  const text = lines.map(({ text, about }, index) =>
    textLine(
      text,
      placed.x + padding,
      placed.y + padding + index * lineHeight,
      { label: "label", within: "quiet", open: "warning" }[about],
    ),
  );
  return group(node.details, [
    rectangle(placed, classes.join(" "), node.kind === "outside" ? 14 : 3),
    ...text,
  ]);
}

function arrowElement({ arrow, points }: PlacedArrow): string {
  const ends = `marker-end="url(#zero-trust-head)"${arrow.twoHeads ? ' marker-start="url(#zero-trust-head)"' : ""}`;
  return group(arrowTitle(arrow), [`<path class="arrow" d="${curve(points)}" ${ends}/>`]);
}

function portsElement({ arrow, label, lines }: PlacedArrow): string {
  const shown = {
    x: label.x + padding / 2,
    y: label.y + padding / 2,
    width: label.width - padding,
    height: label.height - padding,
  };
  return group(arrowTitle(arrow), [
    rectangle(shown, "ports", 2),
    ...lines.map((line, index) =>
      textLine(line, label.x + padding, label.y + padding + index * lineHeight, ""),
    ),
  ]);
}

function arrowTitle({ from, to, twoHeads, ports }: PlacedArrow["arrow"]): string {
  return `${from} ${twoHeads ? "<->" : "->"} ${to}: ${ports}`;
}

/** Through the middles between the points, with the points as what it bends towards; straight at both ends. */
function curve(points: PlacedArrow["points"]): string {
  const at = (x: number, y: number) => `${number(x)} ${number(y)}`;
  return points
    .map((point, index) => {
      if (index === 0) return `M${at(point.x, point.y)}`;
      const next = points[index + 1];
      if (next === undefined) return `L${at(point.x, point.y)}`;
      const middle = at((point.x + next.x) / 2, (point.y + next.y) / 2);
      return `Q${at(point.x, point.y)} ${middle}`;
    })
    .join(" ");
}

function group(title: string, elements: readonly string[]): string {
  return `<g><title>${escape(title)}</title>${elements.join("")}</g>`;
}

function rectangle({ x, y, width, height }: Rectangle, classes: string, radius: number): string {
  return `<rect class="${classes}" x="${number(x)}" y="${number(y)}" width="${number(width)}" height="${number(height)}" rx="${radius}"/>`;
}

/** One line of text, of which `x` and `y` are the upper left corner. */
function textLine(line: string, x: number, y: number, classes: string): string {
  const attribute = classes === "" ? "" : ` class="${classes}"`;
  return `<text${attribute} x="${number(x)}" y="${number(y + fontSize)}">${escape(line)}</text>`;
}

function number(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
