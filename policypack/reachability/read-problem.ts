import { isUnknown, quote, type Plain } from "../plain-data";

/** A Kubernetes object or a List of them, and how a message names where it comes from. */
export interface SourceObject {
  readonly body: Plain;
  /** `manifests/app.yaml, document 2`, or the name of a Pulumi resource. */
  readonly source: string;
}

/** What keeps a part of an object from being read. The object it is about is missing in the answer until it is solved. */
export interface ReadProblem {
  /** As it was given; for an item of a List, the List. */
  readonly object: SourceObject;
  /** `NetworkPolicy erlmcp/web`, also for an item of a List. */
  readonly title: string;
  /** Path of the field within `object.body`, such as `spec.ingress[0].ports[1].protocol`; "" for the whole of it. */
  readonly at: string;
  /** What was found there, as in `is "TPC"`. */
  readonly problem: string;
  readonly allowed: string;
  readonly fix: string;
  /** Whether the value is not known in the preview, so that it may be right. */
  readonly unknown: boolean;
}

/** The problem as a sentence, with its source. */
export function describeReadProblem({ object, title, at, problem, allowed, fix }: ReadProblem): string {
  const place = at === "" ? title : `${title}: ${at}`;
  return `${object.source}: ${place} ${problem}; allowed: ${allowed}. Fix: ${fix}.`;
}

/** A problem as the reader of one field sees it, which does not know the object around. */
export type FieldProblem = Pick<ReadProblem, "at" | "problem" | "allowed" | "fix" | "unknown">;

/** Takes a problem. The reader that reports one may return any value of its type: the whole object is left out. */
export type Report = (problem: FieldProblem) => void;

const literalValueFix =
  "write the value itself, or take it from stack config or from another object's input: an output of a resource that does not exist yet is not known in the preview";

/** What is said of a value that is not what the field allows, of one that is missing and of one that is not known. */
export function notAllowed(
  value: Plain | undefined,
  { at, allowed, fix }: { at: string; allowed: string; fix: string },
): FieldProblem {
  if (!isUnknown(value)) {
    return {
      at,
      problem: value === undefined ? "is missing" : `is ${show(value)}`,
      allowed,
      fix,
      unknown: false,
    };
  }
  const problem =
    value.text === undefined
      ? "is not known in the preview"
      : `is ${show(value.text)}, in which a value is not known yet`;
  return { at, problem, allowed, fix: literalValueFix, unknown: true };
}

/** The value as a message quotes it. */
export function show(value: Plain | undefined): string {
  try {
    return quote(value);
  } catch {
    // JSON.stringify runs out of stack on data nested tens of thousands deep.
    return "nested too deep to be shown";
  }
}

/** `at.key`, with keys that are no plain names in brackets: `matchLabels["app.kubernetes.io/name"]`. */
export function childPath(at: string, key: string): string {
  if (!/^[\w-]{1,100}$/.test(key)) return `${at}[${show(key)}]`;
  return at === "" ? key : `${at}.${key}`;
}

/** `a, b or c` */
export function either(choices: readonly string[]): string {
  const last = choices.at(-1) ?? "";
  return choices.length < 2 ? last : `${choices.slice(0, -1).join(", ")} or ${last}`;
}

/** The candidate that the text is a slip of: up to two letters wrong, missing, swapped or in the wrong case. */
export function nearest(text: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let fewest = Infinity;
  for (const candidate of candidates) {
    const limit = candidate.length < 5 ? 1 : 2;
    const slips = editDistance(text, candidate, limit);
    if (slips <= limit && slips < fewest) [best, fewest] = [candidate, slips];
  }
  return best;
}

/** How many letters have to be changed, added, left out or swapped with their neighbour, whatever their case; Infinity far beyond the limit. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return Infinity;
  const [from, to] = [a.toLowerCase(), b.toLowerCase()];
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      // Before the first letter of a word there is none, which is no letter of the other.
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current.push(
        Math.min(
          (last[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (last[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1),
          swapped ? (beforeLast[column - 2] ?? 0) + 1 : Infinity,
        ),
      );
    }
    [beforeLast, last] = [last, current];
  }
  return last[to.length] ?? Infinity;
}
