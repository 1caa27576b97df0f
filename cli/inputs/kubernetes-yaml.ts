import { FAILSAFE_SCHEMA, load, Type, YAMLException, type EventType, type State } from "js-yaml";
import type { Plain } from "../../policypack/plain-data";
import type { TextProblem } from "./document-problem";
import { readPlainScalar } from "./yaml-scalar";

/** What is wrong with one document. */
export class YamlProblem extends Error {
  override readonly name = "YamlProblem";

  /** @param line from 0, in the document */
  constructor(
    readonly line: number,
    readonly text: TextProblem,
  ) {
    super(text.problem);
  }
}

/** What one document holds. */
export interface YamlReading {
  readonly value: Plain;
  /** Whether it uses merge keys (`<<`). */
  readonly merges: boolean;
}

/**
 * Reads one YAML document as Kubernetes does, see {@link readPlainScalar}, or throws a {@link YamlProblem}: where it is not YAML,
 * where a key is written twice, is no text, or where a value or a tag is not of JSON, and where aliases repeat more than could be
 * read. An empty document is null.
 */
export function readYaml(text: string): YamlReading {
  checkLineBreaks(text);
  let merges = false;
  const starts: number[] = [];
  const listener = (event: EventType, state: State): void => {
    if (event === "open") {
      starts.push(state.position);
      return;
    }
    const start = starts.pop() ?? 0;
    const result = state.result as unknown;
    if (typeof result === "string") {
      if (result === "<<" && (state as State & { tag: string }).tag === mergeTag) merges = true;
      return;
    }
    if (typeof result === "number" && !Number.isFinite(result)) {
      throw new YamlProblem(state.line, {
        problem: `has the number ${state.input.slice(start, state.position).trim()}, which JSON does not have`,
        allowed: "numbers of JSON",
        fix: "write a number, or put it in quotes",
      });
    }
    const isCollection = typeof result === "object" && result !== null;
    if (isKey(state.input, state.position, isCollection) || isLoneKey(state, start, starts.at(-1))) {
      throw noTextAsKey(state, start, isCollection);
    }
  };
  let value: Plain;
  try {
    value = load(text, { schema, listener }) ?? null;
  } catch (error) {
    throw asYamlProblem(error);
  }
  if (text.includes("*")) checkAliases(value, Math.max(100_000, text.length));
  return { value, merges };
}

const mergeTag = "tag:yaml.org,2002:merge";

/**
 * Scalars of all kinds in one type, since js-yaml would ask several for each. Its tag cannot be written in a document.
 */
const plainScalar = new Type("plain scalar", {
  kind: "scalar",
  resolve: (text: string) => readPlainScalar(text) !== text,
  construct: readPlainScalar,
});

const schema = FAILSAFE_SCHEMA.extend({
  implicit: [
    new Type(mergeTag, { kind: "scalar", resolve: (text: string | null) => text === "<<" }),
    plainScalar,
  ],
  explicit: [
    tagged("null", (value) => value === null),
    tagged("bool", (value) => typeof value === "boolean"),
    tagged("int", (value) => Number.isInteger(value)),
    tagged("float", (value) => typeof value === "number"),
  ],
});

function tagged(name: string, accepts: (value: unknown) => boolean): Type {
  const read = (text: string | null): unknown => (text === null ? null : readPlainScalar(text));
  return new Type(`tag:yaml.org,2002:${name}`, {
    kind: "scalar",
    resolve: (text: string | null) => accepts(read(text)),
    construct: read,
  });
}

/** Throws where there is a character that breaks lines in YAML 1.1, as kubectl reads it, and is text in YAML 1.2. */
function checkLineBreaks(text: string): void {
  const at = text.search(/[\x85\u2028\u2029]/);
  if (at < 0) return;
  const code = text.charCodeAt(at).toString(16).toUpperCase().padStart(4, "0");
  throw new YamlProblem(text.slice(0, at).split("\n").length - 1, {
    problem: `has the character U+${code}, which is a line break to kubectl and text to other readers`,
    allowed: "line feeds as line breaks",
    fix: `write \\u${code} between double quotes, or remove it`,
  });
}

/** Whether a colon follows, across lines and comments, so that what ends at the position is a key. */
function isKey(input: string, position: number, isCollection: boolean): boolean {
  const colon = /(?:[ \t\r\n]|(?<=[ \t\r\n])#[^\n]*\n)*:(?=([ \t\r\n\0,[\]{}])?)/y;
  colon.lastIndex = position;
  const match = colon.exec(input);
  return match !== null && (isCollection || match[1] !== undefined);
}

/** Whether it is a key without a value, as in `{80}`: no colon on either side, and within braces. */
function isLoneKey({ input, position }: State, start: number, parent: number | undefined): boolean {
  const next = /[ \t\r\n]*[,}]/y;
  next.lastIndex = position;
  if (parent === undefined || !next.test(input) || position === start) return false;
  let before = start - 1;
  while (/[ \t\r\n]/.test(input[before] ?? "")) before--;
  if (input[before] !== "," && input[before] !== "{") return false;
  const brace = /(?:[ \t\r\n]|[&!][^ \t\r\n]*)*\{/y;
  brace.lastIndex = parent;
  return brace.test(input);
}

function noTextAsKey(
  { input, position, line, result }: State,
  start: number,
  isCollection: boolean,
): YamlProblem {
  const key = shorten(input.slice(start, position).trim());
  const allowed = "text as keys";
  if (isCollection) {
    return new YamlProblem(line, {
      problem: "has a list or an object as a key",
      allowed,
      fix: "write a name",
    });
  }
  if (key === "")
    return new YamlProblem(line, { problem: "has a value without a key", allowed, fix: "write a key" });
  const problem = `has the key ${key}, which is ${scalarName(result)} and no text`;
  return new YamlProblem(line, { problem, allowed, fix: `write ${JSON.stringify(key)} with quotes` });
}

function scalarName(value: unknown): string {
  if (value === null) return "null";
  return typeof value === "boolean" ? `a boolean (${String(value)})` : "a number";
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}

function asYamlProblem(error: unknown): unknown {
  if (error instanceof RangeError) return tooDeep;
  if (!(error instanceof YAMLException)) return error;
  // There is no mark where a second document was found, which the splitting rules out but for lone carriage returns.
  const mark = error.mark as YAMLException["mark"] | undefined;
  if (error.reason === "duplicated mapping key" && mark !== undefined) {
    const key = /"(?:[^"\\]|\\.)*"|'[^']*'|[^:\n]+/y;
    key.lastIndex = mark.position;
    return new YamlProblem(mark.line, {
      problem: `has the key ${shorten(key.exec(mark.buffer)?.[0].trim() ?? "")} twice in one object`,
      allowed: "each key once",
      fix: "remove one of them",
    });
  }
  return new YamlProblem(mark?.line ?? 0, {
    problem: `is not YAML: ${error.reason}`,
    allowed: "documents in YAML or JSON, with --- between them",
    fix: "correct it",
  });
}

const tooDeep = new YamlProblem(0, {
  problem: "is nested too deep to be read",
  allowed: "what the API server takes",
  fix: "correct it",
});

/** Throws where an alias stands within what it repeats, and where aliases blow a document up. */
function checkAliases(value: Plain, most: number): void {
  const sizes = new Map<object, number | "open">();
  const sizeOf = (part: Plain): number => {
    if (typeof part !== "object" || part === null) return 1;
    const known = sizes.get(part);
    if (known === "open") {
      throw new YamlProblem(0, {
        problem: "has an alias within the very value that it repeats",
        allowed: "aliases of values that end before them",
        fix: "write the value out",
      });
    }
    if (known !== undefined) return known;
    sizes.set(part, "open");
    let size = 1;
    for (const child of Object.values(part) as Plain[]) size += sizeOf(child);
    if (size > most) {
      throw new YamlProblem(0, {
        problem: `repeats values by aliases until they are more than ${most}`,
        allowed: "aliases that repeat a few values",
        fix: "write the values out",
      });
    }
    sizes.set(part, size);
    return size;
  };
  sizeOf(value);
}
