import type { Reachability } from "../../policypack/reachability/reachability";
import { picture, type Arrow, type PictureNode } from "./picture";
import { arrowLines, nodeLines } from "./picture-lines";
import { wrap } from "./wrap";

/** What is open as a graph for Graphviz, with namespaces as clusters. */
export function dot(reachability: Reachability): string {
  const { title, description, boxes, nodes, arrows } = picture(reachability);
  const caption = quoted([title, ...wrap(description, 100, Infinity)]);
  return [
    `digraph ${quoted([title])} {`,
    `  graph [rankdir=LR fontname="monospace" label=${caption} labelloc=t labeljust=l]`,
    '  node [shape=box fontname="monospace" fontsize=11]',
    '  edge [fontname="monospace" fontsize=10]',
    ...boxes.flatMap((box, index) => [
      `  subgraph cluster_${index} {`,
      `    label=${quoted([box.name])} labeljust=l color="gray60"`,
      ...box.nodes.map((node) => `    ${nodeStatement(node)}`),
      "  }",
    ]),
    ...nodes.map((node) => `  ${nodeStatement(node)}`),
    ...arrows.map((arrow) => `  ${arrowStatement(arrow)}`),
    "}",
    "",
  ].join("\n");
}

function nodeStatement(node: PictureNode): string {
  const attributes = [
    `label=${quoted(nodeLines(node).map(({ text }) => text))}`,
    `tooltip=${quoted(node.details.split("\n"))}`,
    ...(node.kind === "outside" ? ['style=rounded color="steelblue"'] : []),
    ...(node.open === undefined ? [] : ['style=dashed color="orangered3"']),
  ];
  return `${quoted([node.key])} [${attributes.join(" ")}]`;
}

function arrowStatement(arrow: Arrow): string {
  const attributes = [`label=${quoted(arrowLines(arrow))}`, ...(arrow.twoHeads ? ["dir=both"] : [])];
  return `${quoted([arrow.from])} -> ${quoted([arrow.to])} [${attributes.join(" ")}]`;
}

/**
 * A string of the DOT language, in which a backslash starts an escape sequence, must not stand before the last quote, and HTML
 * character references are read even where it is no HTML.
 */
function quoted(lines: readonly string[]): string {
  const escaped = lines.map((line) => line.replace(/[\\"]/g, "\\$&").replaceAll("&", "&amp;"));
  return `"${escaped.join("\\n")}"`;
}
