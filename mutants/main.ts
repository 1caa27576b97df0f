// `npm run mutants`: breaks the deployed policies of both stacks in every way it knows, and shows what the policy pack says.
import Table from "cli-table3";
import { readStackNetwork } from "../cli/stack-network";
import { manifestsOf } from "../matrix";
import { isFalseAlarm, isMissed, judgeMutants, type Verdict } from "./judge";
import { mutantsOf } from "./mutants";

function main(): void {
  for (const stack of ["staging", "prod"]) {
    const network = readStackNetwork(".", stack);
    const mutants = [...mutantsOf(manifestsOf(network))];
    console.log(`${stack}: ${mutants.length} mutants`);
    const verdicts = judgeMutants(network, mutants);
    console.log(`${table(verdicts)}\n`);
    for (const { mutant } of verdicts.filter(isMissed)) {
      console.log(`missed: ${mutant.kind}: ${mutant.at}`);
      process.exitCode = 1;
    }
    for (const { mutant, blockedBy } of verdicts.filter(isFalseAlarm)) {
      console.log(`false alarm: ${mutant.kind}: ${mutant.at} (${blockedBy.join(", ")})`);
      process.exitCode = 1;
    }
  }
}

function table(verdicts: readonly Verdict[]): string {
  const rows = new Table({
    head: ["mutation", "harmful", "missed", "harmless", "false alarms"],
    style: { head: [], border: [], compact: true },
    colAligns: ["left", "right", "right", "right", "right"],
  });
  const kinds = [...new Set(verdicts.map(({ mutant }) => mutant.kind))];
  for (const kind of [...kinds, "all"]) {
    const of = verdicts.filter(({ mutant }) => kind === "all" || mutant.kind === kind);
    const harmful = of.filter(({ isHarmful }) => isHarmful).length;
    rows.push([
      kind,
      harmful,
      of.filter(isMissed).length,
      of.length - harmful,
      of.filter(isFalseAlarm).length,
    ]);
  }
  return rows.toString();
}

main();
