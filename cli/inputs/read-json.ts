import type { Plain } from "../../policypack/plain-data";

/**
 * Reads JSON; undefined where the text is none, or where it may hold a key twice: `JSON.parse` would keep the last one and say
 * nothing, so another reader has to find it. Several times as fast as any reader of YAML.
 */
export function readJson(text: string): Plain | undefined {
  try {
    const value = JSON.parse(text) as Plain;
    // Whoever wrote it compactly is soon proved right. Otherwise each key of the text has to be found in the value.
    const proved = JSON.stringify(value) === text.trim() || countKeys(value) === countKeysIn(text);
    return proved ? value : undefined;
  } catch {
    // No JSON, or nested too deep for the call stack.
    return undefined;
  }
}

function countKeys(value: Plain): number {
  if (typeof value !== "object" || value === null) return 0;
  const children = Object.values(value) as Plain[];
  let count = Array.isArray(value) ? 0 : children.length;
  for (const child of children) count += countKeys(child);
  return count;
}

/** Counts the keys of a text that is known to be JSON: each of its strings that a colon follows. */
function countKeysIn(text: string): number {
  const string = /"[^"\\]*(?:\\.[^"\\]*)*"[ \t\r\n]*(:?)/g;
  let count = 0;
  for (let match = string.exec(text); match !== null; match = string.exec(text)) {
    if (match[1] === ":") count++;
  }
  return count;
}
