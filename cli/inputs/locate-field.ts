import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";

/**
 * The line, from 0, at which a field of a document is written: of its key, or of an item of a list where it begins. Where the path
 * leads further than the document does, as to a field that is missing, it is the line of the deepest part that is there.
 *
 * @param text one document in YAML or JSON
 * @param path such as `spec.ingress[0].ports[1].protocol` or `metadata.labels["example.com/team"]`; "" for the whole document
 */
export function lineOfField(text: string, path: string): number {
  try {
    return find(text, path);
  } catch {
    // A message without its line is better than none: JSON may be nested deeper than this parser's calls can go.
    return 0;
  }
}

function find(text: string, path: string): number {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    schema: "failsafe",
    uniqueKeys: false,
    logLevel: "silent",
  });
  let node: unknown = document.contents;
  let position = isMap(node) || isSeq(node) || isScalar(node) ? node.range?.[0] : undefined;
  for (const step of stepsOf(path)) {
    if (isAlias(node)) node = node.resolve(document);
    if (typeof step === "string" && isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === step);
      if (pair === undefined) break;
      position = isScalar(pair.key) ? (pair.key.range?.[0] ?? position) : position;
      node = pair.value;
    } else if (typeof step === "number" && isSeq(node)) {
      const item = node.items[step];
      if (item === undefined) break;
      node = item;
      if (isMap(item) || isSeq(item) || isScalar(item) || isAlias(item))
        position = item.range?.[0] ?? position;
    } else break;
  }
  return position === undefined ? 0 : Math.max(0, lines.linePos(position).line - 1);
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
