import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { parts } from "./parts.mjs";

/** Prints the scores of all that has been measured, as the Markdown of docs/mutation-score.md. */
export function printScores(reports) {
  console.log("| module | score | killed | by time | survived | without a test |");
  console.log("| ------ | ----- | ------ | ------- | -------- | -------------- |");
  for (const part of Object.keys(parts)) {
    const report = path.join(reports, `${part}.json`);
    if (!existsSync(report)) continue;
    const files = Object.entries(JSON.parse(readFileSync(report, "utf8")).files).map(
      ([file, { mutants }]) => ({
        file,
        ...countsOf(mutants),
      }),
    );
    for (const { file, ...counts } of files) printRow(`\`${file}\``, counts);
    printRow(`**${part}**`, countsOf(files.flatMap(({ mutants }) => mutants)));
  }
}

/** What Stryker counts: neither ignored mutants nor those that do not compile. */
function countsOf(mutants) {
  const count = (status) => mutants.filter((mutant) => mutant.status === status).length;
  return {
    mutants,
    killed: count("Killed"),
    timeout: count("Timeout"),
    survived: count("Survived"),
    noCoverage: count("NoCoverage"),
  };
}

function printRow(name, { killed, timeout, survived, noCoverage }) {
  const found = killed + timeout;
  const score = ((100 * found) / (found + survived + noCoverage)).toFixed(1);
  console.log(`| ${name} | ${score} % | ${killed} | ${timeout} | ${survived} | ${noCoverage} |`);
}
