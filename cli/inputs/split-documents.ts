import { DocumentProblem } from "./document-problem";

/** One document of a text that holds something besides comments. */
export interface DocumentText {
  /** From 1, as `---` counts them; documents without content count too. */
  readonly number: number;
  /** Where it begins in the text. */
  readonly start: number;
  /** Where it ends: the marker after it, or the end of the text. */
  readonly end: number;
}

/**
 * The documents of a YAML stream (YAML 1.2, 9.2), without those that hold only comments. It takes what kubectl takes: a `---` has
 * nothing but a comment after it on its line, after `...` comes `---`, and there are no % directives. Anything else is a
 * problem, because kubectl would refuse it or drop what follows.
 *
 * Text that begins a line with `---` is always a marker: YAML forbids it within content.
 *
 * Throws {@link DocumentProblem}, with the line in the whole text.
 */
export function splitDocuments(text: string): readonly DocumentText[] {
  const documents: DocumentText[] = [];
  let start = 0;
  let number = 0;
  let endedAt: number | undefined;
  const close = (end: number): void => {
    const content = firstContent(text, start, endedAt ?? end);
    // What stands before the first marker is a document only if it holds something.
    if (content !== undefined || number > 0 || start > 0) number++;
    if (content !== undefined) {
      if (text[content] === "%") {
        throw new DocumentProblem(number, lineOf(text, content), {
          problem: "is a YAML directive, which kubectl refuses",
          allowed: "documents in YAML or JSON without directives",
          fix: "remove the line",
        });
      }
      documents.push({ number, start, end: endedAt ?? end });
    }
    const lost = endedAt === undefined ? undefined : firstContent(text, endedAt + "...".length, end);
    if (lost !== undefined) {
      throw new DocumentProblem(number, lineOf(text, lost), {
        problem: "comes after the end of a document (...), and kubectl would not read it",
        allowed: "a line with --- before the next document",
        fix: "write --- instead of ...",
      });
    }
  };
  const marker = /(?:^|\n)(---|\.\.\.)([^\n]*)/g;
  for (let match = marker.exec(text); match !== null; match = marker.exec(text)) {
    const [whole, mark, rest = ""] = match;
    const at = match.index + (whole.startsWith("\n") ? 1 : 0);
    const isAlone = /^[ \t\r]*(?:[ \t]#[^\n]*)?$/.test(rest);
    if (mark === "---") {
      close(at);
      if (!isAlone) {
        throw new DocumentProblem(number + 1, lineOf(text, at), {
          problem: `is ${JSON.stringify(`---${rest.trimEnd()}`)}, a document marker with text after it, which kubectl refuses`,
          allowed: "--- alone on its line, or with a comment",
          fix: "put the text on a line of its own",
        });
      }
      start = match.index + whole.length;
      endedAt = undefined;
    } else if (isAlone) endedAt ??= at;
  }
  close(text.length);
  return documents;
}

/** Where the first character is that belongs to no comment; undefined where there is none. */
function firstContent(text: string, from: number, to: number): number | undefined {
  const blank = /[ \t\r\n\uFEFF]*(?:#[^\n]*)?/y;
  for (let position = from; position < to;) {
    blank.lastIndex = position;
    blank.test(text);
    const next = blank.lastIndex;
    if (next >= to) return undefined;
    if (next === position) return position;
    position = next;
  }
  return undefined;
}

/** The line, from 1, that a position in a text is in. */
export function lineOf(text: string, position: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < position; at = text.indexOf("\n", at + 1)) line++;
  return line;
}
