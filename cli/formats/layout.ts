import { Graph, layout as place } from "@dagrejs/dagre";
import type { Arrow, Box, Picture, PictureNode } from "./picture";
import { arrowLines, nodeLines, type NodeLine } from "./picture-lines";
import { columnsOf, wrap } from "./wrap";

/** Where everything of a picture is, in pixels from its top left corner. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly PlacedBox[];
  readonly nodes: readonly PlacedNode[];
  readonly arrows: readonly PlacedArrow[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Rectangle {
  /** Of its left upper corner. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedBox extends Rectangle {
  readonly box: Box;
  /** The box's name, broken into lines. */
  readonly lines: readonly string[];
}

export interface PlacedNode extends Rectangle {
  readonly node: PictureNode;
  readonly lines: readonly NodeLine[];
}

export interface PlacedArrow {
  readonly arrow: Arrow;
  /** From the border of one node to that of the other. */
  readonly points: readonly Point[];
  readonly label: Rectangle;
  readonly lines: readonly string[];
}

/** Of the text, in pixels: fixed-width fonts are at most this wide at 12 pixels. */
export const fontSize = 12;
export const columnWidth = 7.4;
export const lineHeight = 16;
/** Between text and the line around it. */
export const padding = 8;

/** Between arrows, between layers, and around everything. */
const gap = { arrows: 16, ranks: 24, margin: 16 };

/** Nodes in layers from left to right, in their boxes, so that nothing overlaps and most arrows point to the right. */
export function layOut({ boxes, nodes, arrows }: Picture): Layout {
  const headers = boxes.map(({ name }) => wrap(name, 40, 2));
  const labels = arrows.map(arrowLines);
  const graph = new Graph({
    compound: true,
    multigraph: true,
  });
  graph.setGraph({
    rankdir: "LR",
    // A box keeps half of this and of edgesep clear above its first node, which is where its name goes.
    nodesep: 2 * Math.max(0, ...headers.map(headerHeight)) + gap.arrows,
    edgesep: gap.arrows,
    ranksep: gap.ranks,
    marginx: gap.margin,
    marginy: gap.margin,
  });
  const added: { readonly id: string; readonly node: PictureNode; readonly lines: readonly NodeLine[] }[] =
    [];
  const ids = new Map<string, string>();
  function add(node: PictureNode, header: readonly string[]): string {
    const id = `node ${added.length}`;
    const lines = nodeLines(node);
    // As wide as the box's name at least, so that the name never leaves the box.
    const { width } = sizeOf([...lines.map(({ text }) => text), ...header]);
    graph.setNode(id, { width, height: sizeOf(lines.map(({ text }) => text)).height });
    added.push({ id, node, lines });
    ids.set(node.key, id);
    return id;
  }
  boxes.forEach((box, index) => {
    graph.setNode(`box ${index}`, { width: 0, height: 0 });
    for (const node of box.nodes) graph.setParent(add(node, headers[index] ?? []), `box ${index}`);
  });
  for (const node of nodes) add(node, []);
  arrows.forEach(({ from, to }, index) => {
    const size = sizeOf(labels[index] ?? []);
    graph.setEdge(idOf(ids, from), idOf(ids, to), { ...size, labelpos: "c" }, `arrow ${index}`);
  });
  place(graph);

  const page = graph.graph();
  return {
    width: page.width ?? 0,
    height: page.height ?? 0,
    boxes: boxes.map((box, index) => ({
      ...around(graph.node(`box ${index}`)),
      box,
      lines: headers[index] ?? [],
    })),
    nodes: added.map(({ id, node, lines }) => ({ ...around(graph.node(id)), node, lines })),
    arrows: arrows.map((arrow, index) => {
      const placed = graph.edge(idOf(ids, arrow.from), idOf(ids, arrow.to), `arrow ${index}`);
      return { arrow, points: placed.points ?? [], label: around(placed), lines: labels[index] ?? [] };
    }),
  };
}

/** Dagre says where the middle of something is. */
function around({ x = 0, y = 0, width = 0, height = 0 }: Partial<Rectangle>): Rectangle {
  return { x: x - width / 2, y: y - height / 2, width, height };
}

function idOf(ids: ReadonlyMap<string, string>, key: string): string {
  const id = ids.get(key);
  if (id === undefined)
    throw new RangeError(`an arrow of the picture ends at ${JSON.stringify(key)}, which is no node of it`);
  return id;
}

function sizeOf(lines: readonly string[]): { readonly width: number; readonly height: number } {
  const columns = Math.max(0, ...lines.map(columnsOf));
  return {
    width: columns * columnWidth + 2 * padding,
    height: lines.length * lineHeight + 2 * padding,
  };
}

function headerHeight(lines: readonly string[]): number {
  return lines.length * lineHeight + padding;
}
