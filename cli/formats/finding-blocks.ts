import { createColors } from "picocolors";
import type { Finding } from "../check/check-rules";
import type { Place } from "../check/observed";
import { headings } from "./finding-words";
import { printable } from "./printable";

/** What a person reads of a finding. */
export interface PrintedFinding extends Pick<Finding, "level" | "about" | "at" | "found" | "danger" | "fix"> {
  /** Undefined where no rule found it; its kind is then told instead. */
  readonly rule: string | undefined;
  readonly kind: string;
  readonly place?: Place | undefined;
}

/**
 * Findings for a person, a block of lines for each object: each rule once, with every place it found something at. Every block ends
 * with a newline.
 *
 * @param colour whether to use ANSI colours
 */
export function* findingBlocks(findings: readonly PrintedFinding[], colour: boolean): Generator<string> {
  const { bold, cyan, dim, red, yellow } = createColors(colour);
  const levels = { mandatory: red("mandatory"), advisory: yellow("advisory") };
  for (const object of grouped(findings, ({ about, place }) => JSON.stringify([about, place?.index]))) {
    const [first] = object;
    if (first === undefined) continue;
    const source = first.place === undefined ? "" : ` (${first.place.source})`;
    let text = `${bold(printable(first.about))}${dim(printable(source))}\n`;
    for (const found of grouped(object, sameAdvice)) {
      const [{ level, rule, kind, danger, fix }] = found as [PrintedFinding];
      const words = headings({ kind, level });
      text += `  ${levels[level]}  ${rule ?? kind}${kind === "unverifiable" ? yellow("  cannot be verified") : ""}\n`;
      for (const finding of found) {
        const what = [finding.at, finding.found].filter((part) => part !== "").join(" ");
        text += `    ${placeText(finding, cyan)}${block(what, "      ")}\n`;
      }
      text += `    ${dim(`${words.danger}:`)} ${block(danger, "      ")}\n`;
      text += `    ${dim(`${words.fix}:`)} ${block(fix, "      ")}\n`;
    }
    yield text;
  }
}

/** What a reader would be told again in the same words. */
function sameAdvice({ rule, kind, danger, fix, level }: PrintedFinding): string {
  return JSON.stringify([rule, kind, danger, fix, level]);
}

function placeText({ place }: PrintedFinding, colour: (text: string) => string): string {
  const { position } = place ?? {};
  return position === undefined ? "" : `${colour(`${printable(position.file)}:${position.line}`)}  `;
}

/** Text of several lines, those after the first indented. */
export function block(text: string, indent: string): string {
  return text.split("\n").map(printable).join(`\n${indent}`);
}

/** The items that have a key in common, in the order in which the keys are met. */
function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Iterable<readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups.values();
}
