import type { Reachability } from "../../policypack/reachability/reachability";
import { picture, type Picture, type PictureNode } from "./picture";
import { arrowLines, nodeLines } from "./picture-lines";

/** What is open as a Mermaid flowchart, which GitHub and GitLab draw in Markdown, with namespaces as subgraphs. */
export function mermaid(reachability: Reachability): string {
  const drawn = picture(reachability);
  const { title, description, boxes, nodes, arrows } = drawn;
  const idOf = identifiers();
  const nodeStatement = (node: PictureNode) => {
    const [open, close] = node.kind === "outside" ? ["([", "])"] : ["[", "]"];
    return `${idOf(`n ${node.key}`)}${open}${quoted(nodeLines(node).map(({ text }) => text))}${close}`;
  };
  return [
    "flowchart LR",
    `  accTitle: ${title}`,
    `  accDescr: ${description}`,
    ...boxes.flatMap((box) => [
      `  subgraph ${idOf(`box ${box.name}`)} [${quoted([box.name])}]`,
      ...box.nodes.map((node) => `    ${nodeStatement(node)}`),
      "  end",
    ]),
    ...nodes.map((node) => `  ${nodeStatement(node)}`),
    ...arrows.map((arrow) => {
      const line = `${arrow.twoHeads ? "<" : ""}-->|${quoted(arrowLines(arrow))}|`;
      return `  ${idOf(`n ${arrow.from}`)} ${line} ${idOf(`n ${arrow.to}`)}`;
    }),
    ...classOf(drawn, "outside", "stroke:#0969da", ({ kind }) => kind === "outside", idOf),
    ...classOf(drawn, "open", "stroke:#bc4c00,stroke-dasharray:5 3", ({ open }) => open !== undefined, idOf),
    "",
  ].join("\n");
}

/** Statements that style the nodes meant; none where there are none. */
function classOf(
  { boxes, nodes }: Picture,
  name: string,
  style: string,
  isMeant: (node: PictureNode) => boolean,
  idOf: (key: string) => string,
): string[] {
  const meant = [...boxes.flatMap((box) => box.nodes), ...nodes].filter(isMeant);
  if (meant.length === 0) return [];
  return [
    `  classDef ${name} ${style}`,
    `  class ${meant.map(({ key }) => idOf(`n ${key}`)).join(",")} ${name}`,
  ];
}

/** Identifiers that are read off the keys, so that a workload keeps its own when others come and go. */
function identifiers(): (key: string) => string {
  const ids = new Map<string, string>();
  const taken = new Set<string>();
  return (key) => {
    const known = ids.get(key);
    if (known !== undefined) return known;
    const stem = key.replace(/[^A-Za-z0-9]+/g, "_").slice(0, 80);
    let id = stem;
    for (let count = 2; taken.has(id); count++) id = `${stem}_${count}`;
    taken.add(id);
    ids.set(key, id);
    return id;
  };
}

/** Whatever Mermaid, Markdown or HTML could read as more than text is written as Mermaid's own character codes. */
function quoted(lines: readonly string[]): string {
  const escaped = lines.map((line) =>
    line.replace(/[^A-Za-z0-9 ,./-]/gu, (character) => `#${character.codePointAt(0) ?? 0};`),
  );
  return `"${escaped.join("<br/>")}"`;
}
