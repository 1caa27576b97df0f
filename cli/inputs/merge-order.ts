import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type Document } from "yaml";
import { YamlProblem } from "./kubernetes-yaml";

/**
 * Throws a {@link YamlProblem} where a merge key (`<<`) brings a key that its object has before it. By the merge key's own rules
 * (yaml.org/type/merge.html) the object's key holds; kubectl takes the one that is merged, since it merges in the order of the text.
 */
export function checkMergeOrder(text: string): void {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    schema: "failsafe",
    uniqueKeys: false,
    logLevel: "silent",
  });
  visit(document, {
    Map(_, map) {
      const seen = new Set<string>();
      for (const { key, value } of map.items) {
        if (!isScalar(key)) continue;
        const isMerge = isMergeKey(key);
        const added = isMerge ? mergedKeys(value, document) : [String(key.value)];
        const twice = isMerge ? added.find((name) => seen.has(name)) : undefined;
        if (twice !== undefined) {
          throw new YamlProblem(lines.linePos(key.range?.[0] ?? 0).line - 1, {
            problem: `merges the key ${twice}, which its object has already: kubectl would take the merged one, other readers the object's own`,
            allowed: "<< before the keys that it merges",
            fix: "write << first",
          });
        }
        for (const name of added) seen.add(name);
      }
    },
  });
}

function isMergeKey(key: { readonly value: unknown; readonly type?: string | undefined }): boolean {
  return key.value === "<<" && key.type === "PLAIN";
}

/** The keys of what is merged, with those that are merged into it. */
function mergedKeys(source: unknown, document: Document): string[] {
  const node = isAlias(source) ? source.resolve(document) : source;
  if (isSeq(node)) return node.items.flatMap((item) => mergedKeys(item, document));
  if (!isMap(node)) return [];
  return node.items.flatMap(({ key, value }) => {
    if (!isScalar(key)) return [];
    return isMergeKey(key) ? mergedKeys(value, document) : [String(key.value)];
  });
}
