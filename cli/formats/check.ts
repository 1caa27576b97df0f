import { createColors } from "picocolors";
import { isPassed, type Check, type Finding } from "../check/check-rules";
import { counted } from "./counted";
import { block, findingBlocks } from "./finding-blocks";
import { sentence } from "./finding-words";
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
  const { bold, green, red } = createColors(colour);
  for (const text of findingBlocks(check.findings, colour)) yield `${text}\n`;
  const used = exceptionLines(check.excepted, colour);
  if (used.length > 0) yield `${used.join("\n")}\n\n`;
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

/** The findings that do not count because of exceptions, with their heading; none where there are none. */
export function exceptionLines(excepted: Check["excepted"], colour: boolean): string[] {
  const { bold, dim } = createColors(colour);
  const lines = excepted.flatMap((finding) => {
    const { rule, exception } = finding;
    return [
      `  ${rule}: ${block(sentence(finding), "    ")}`,
      `    ${dim(`until ${exception.until}:`)} ${printable(exception.reason)}`,
    ];
  });
  return lines.length === 0 ? [] : [bold("Exceptions used"), ...lines];
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
