// `npm run mutants`: breaks the deployed policies of both stacks in every way it knows, and shows what the pack says.
import Table from "cli-table3";
import { readStackNetwork } from "../cli/stack-network";
import { judgeMutants, type Verdict } from "./judge";

function main(): void {
  let failed = false;
  for (const stack of ["staging", "prod"]) {
    const verdicts = judgeMutants(readStackNetwork(".", stack));
    const missed = verdicts.filter(({ isHarmful, blockedBy }) => isHarmful && blockedBy.length === 0);
    const falseAlarms = verdicts.filter(({ isHarmful, blockedBy }) => !isHarmful && blockedBy.length > 0);
    console.log(`\n${stack}: ${verdicts.length} mutants\n${table(verdicts)}`);
    for (const { mutant } of missed) console.log(`missed: ${mutant.kind}: ${mutant.at}`);
    for (const { mutant, blockedBy } of falseAlarms) {
      console.log(`false alarm: ${mutant.kind}: ${mutant.at} (${blockedBy.join(", ")})`);
    }
    failed ||= missed.length > 0 || falseAlarms.length > 0;
  }
  if (failed) process.exitCode = 1;
}

function table(verdicts: readonly Verdict[]): string {
  const rows = new Table({
    head: ["mutation", "harmful", "blocked", "missed", "harmless", "false alarms"],
    style: { head: [], border: [] },
    colAligns: ["left", "right", "right", "right", "right", "right"],
  });
  const kinds = [...new Set(verdicts.map(({ mutant }) => mutant.kind))];
  for (const kind of [...kinds, "all"]) {
    const of = verdicts.filter(({ mutant }) => kind === "all" || mutant.kind === kind);
    const harmful = of.filter(({ isHarmful }) => isHarmful);
    const harmless = of.filter(({ isHarmful }) => !isHarmful);
    const blocked = harmful.filter(({ blockedBy }) => blockedBy.length > 0);
    const falseAlarms = harmless.filter(({ blockedBy }) => blockedBy.length > 0);
    rows.push([
      kind,
      harmful.length,
      blocked.length,
      harmful.length - blocked.length,
      harmless.length,
      falseAlarms.length,
    ]);
  }
  return rows.toString();
}

main();
