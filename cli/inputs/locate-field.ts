import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type Document } from "yaml";

/**
 * Finds the line, from 0, at which a field of a document is written: of its key, or of an item of a list where it begins. Where the
 * path leads further than the document does, as to a field that is missing, it is the line of the deepest part that is there.
 */
export type FieldLines = (path: string) => number;

/** The lines of the fields of one document in YAML or JSON. Paths are such as `spec.ports[1].port` or `labels["a.b/c"]`; "" is all. */
export function fieldLines(text: string): FieldLines {
  const lines = new LineCounter();
  let document: Document;
  try {
    document = parseDocument(text, {
      lineCounter: lines,
      schema: "failsafe",
      uniqueKeys: false,
      logLevel: "silent",
    });
  } catch {
    // A message without its line is better than none: JSON may be nested deeper than this parser's calls can go.
    return () => 0;
  }
  return (path) => {
    const position = positionOf(document, path);
    return position === undefined ? 0 : Math.max(0, lines.linePos(position).line - 1);
  };
}

function positionOf(document: Document, path: string): number | undefined {
  let node: unknown = document.contents;
  let position = isNode(node) ? node.range?.[0] : undefined;
  for (const step of stepsOf(path)) {
    if (isAlias(node)) node = node.resolve(document);
    if (typeof step === "string" && isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === step);
      if (pair === undefined) break;
      position = isNode(pair.key) ? (pair.key.range?.[0] ?? position) : position;
      node = pair.value;
    } else if (typeof step === "number" && isSeq(node)) {
      const item = node.items[step];
      if (!isNode(item)) break;
      position = item.range?.[0] ?? position;
      node = item;
    } else break;
  }
  return position;
}

/** Keys and list indices; what is no path ends it. */
function stepsOf(path: string): readonly (string | number)[] {
  const steps: (string | number)[] = [];
  const step = /\.?([\w-]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/y;
  for (let match = step.exec(path); match !== null; match = step.exec(path)) {
    const [, key, index, quoted] = match;
    if (key !== undefined) steps.push(key);
    else if (index !== undefined) steps.push(Number(index));
    else if (quoted !== undefined) steps.push(String(JSON.parse(quoted)));
  }
  return steps;
}
