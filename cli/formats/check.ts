import { createColors } from "picocolors";
import { isPassed, type Check, type Finding } from "../check/check-rules";
import { counted } from "./counted";
import { headings, sentence } from "./finding-words";
import { printable } from "./printable";

/** Notes that are shown. */
const listed = 20;

/**
 * What rules say of an input, for a person: by object, each rule once with every place it found something at, then the exceptions
 * that were used, notes and a summary. Ends with a newline.
 *
 * @param colour whether to use ANSI colours
 */
export function* checkText(check: Check, colour: boolean): Generator<string> {
  const { bold, cyan, dim, green, red, yellow } = createColors(colour);
  const levels = { mandatory: red("mandatory"), advisory: yellow("advisory") };
  for (const object of grouped(check.findings, ({ about, place }) => JSON.stringify([about, place?.index]))) {
    const [first] = object;
    if (first === undefined) continue;
    const source = first.place === undefined ? "" : ` (${first.place.source})`;
    yield `${bold(printable(first.about))}${dim(printable(source))}\n`;
    for (const found of grouped(object, sameAdvice)) {
      const [{ level, rule, kind, danger, fix }] = found as [Finding];
      const words = headings({ kind, level });
      yield `  ${levels[level]}  ${rule}${kind === "unverifiable" ? yellow("  cannot be verified") : ""}\n`;
      for (const finding of found) {
        const what = [finding.at, finding.found].filter((part) => part !== "").join(" ");
        yield `    ${placeText(finding, cyan)}${block(what, "      ")}\n`;
      }
      yield `    ${dim(`${words.danger}:`)} ${block(danger, "      ")}\n`;
      yield `    ${dim(`${words.fix}:`)} ${block(fix, "      ")}\n`;
    }
    yield "\n";
  }
  if (check.excepted.length > 0) yield `${bold("Exceptions used")}\n`;
  for (const finding of check.excepted) {
    const { rule, level, exception } = finding;
    yield `  ${level === "mandatory" ? `${levels.mandatory}  ` : ""}${rule}: ${block(sentence(finding), "    ")}\n`;
    yield `    ${dim(`until ${exception.until}:`)} ${printable(exception.reason)}\n`;
  }
  if (check.excepted.length > 0) yield "\n";
  if (check.notes.length > 0) yield `${bold("Notes")}\n`;
  for (const { about, at, text } of check.notes.slice(0, listed)) {
    yield `  ${printable([about, at].filter((part) => part !== "").join(" "))}: ${printable(text)}\n`;
  }
  if (check.notes.length > listed) {
    yield `  and ${counted(check.notes.length - listed, "more note")}; --format json has every one\n`;
  }
  if (check.notes.length > 0) yield "\n";
  yield `${(isPassed(check) ? green : red)(bold(summary(check)))}\n`;
}

/** `Failed: 2 mandatory findings, 1 advisory, in 12 objects by 24 rules; 1 exception used.` */
function summary(check: Check): string {
  const { findings, excepted, objects, rules } = check;
  const count = (level: Finding["level"]): number => findings.filter((one) => one.level === level).length;
  const [mandatory, advisory] = [count("mandatory"), count("advisory")];
  const found =
    findings.length === 0
      ? "no finding"
      : [
          ...(mandatory > 0 ? [counted(mandatory, "mandatory finding")] : []),
          ...(advisory > 0 ? [counted(advisory, "advisory finding")] : []),
        ].join(" and ");
  const used =
    excepted.length > 0 ? `; ${counted(excepted.length, "finding is", "findings are")} excepted` : "";
  return `${isPassed(check) ? "Passed" : "Failed"}: ${found} in ${counted(objects, "object")}, by ${counted(rules.length, "rule")}${used}.`;
}

/** What a reader would be told again in the same words. */
function sameAdvice({ rule, kind, danger, fix, level }: Finding): string {
  return JSON.stringify([rule, kind, danger, fix, level]);
}

function placeText({ place }: Finding, colour: (text: string) => string): string {
  const { position } = place ?? {};
  return position === undefined ? "" : `${colour(`${printable(position.file)}:${position.line}`)}  `;
}

/** Text of several lines, those after the first indented. */
function block(text: string, indent: string): string {
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
