/** How many columns of a fixed-width font a text takes at most: characters beyond ASCII may be twice as wide. */
export function columnsOf(text: string): number {
  return text.length + text.replace(/[\0-\x7f]/g, "").length;
}

/**
 * Breaks text into lines of at most so many columns: at blanks, and within a word only where the word alone is longer, there after a
 * separator of names if there is one. What is beyond the last line is cut off with `…`.
 */
export function wrap(text: string, columns: number, lines: number): string[] {
  const wrapped: string[] = [];
  for (const word of text.split(" ")) {
    const [first = "", ...rest] = columnsOf(word) <= columns ? [word] : pieces(word, columns);
    const line = wrapped.at(-1);
    if (line !== undefined && columnsOf(`${line} ${first}`) <= columns) {
      wrapped[wrapped.length - 1] = `${line} ${first}`;
    } else {
      wrapped.push(first);
    }
    wrapped.push(...rest);
  }
  if (wrapped.length <= lines) return wrapped;
  const last = wrapped[lines - 1] ?? "";
  return [...wrapped.slice(0, lines - 1), `${pieces(last, columns - 2)[0] ?? ""}…`];
}

/** A long word in parts that fit, broken after a separator, or else anywhere. */
function pieces(word: string, columns: number): string[] {
  const parts = [""];
  for (const piece of word.split(/(?<=[-_/.,:;])/)) {
    for (const part of columnsOf(piece) <= columns ? [piece] : piece) {
      const last = parts.at(-1) ?? "";
      if (columnsOf(last + part) <= columns) parts[parts.length - 1] = last + part;
      else parts.push(part);
    }
  }
  return parts;
}
