import { Command, Option } from "commander";
import { difference, opens } from "../../policypack/reachability/difference";
import { notesOn } from "../../policypack/reachability/notes";
import { differenceFormats, formatDifference, type DifferenceFormat } from "../formats/difference";
import { analysisOptions, withSettings, type AddressOptions, type InputOptions } from "../input-options";
import { print, printNotes } from "../output";
import { readNetworkOf } from "../read-network";

interface DiffOptions extends AddressOptions, Pick<InputOptions, "cwd" | "namespace"> {
  readonly format: DifferenceFormat;
  readonly failOn?: "opened" | "any";
}

/** `zero-trust diff`: which flows a change of policies opens, closes, widens and narrows. */
export function command(): Command {
  return withSettings(
    new Command("diff")
      .description("Compares what two clusters allow: flows opened, widened, narrowed and closed.")
      .argument("<base>", "before: manifests, stack:<name>, state:<file>, plan-before:<file>")
      .argument("<head>", "after: manifests, stack:<name>, state:<file>, plan:<file>"),
  )
    .addOption(new Option("--format <format>", "how to print it").choices(differenceFormats).default("text"))
    .addOption(
      new Option(
        "--fail-on <changes>",
        "exit with 1 where something was opened, or where anything changed",
      ).choices(["opened", "any"]),
    )
    .addHelpText(
      "after",
      "\nA change in a pull request: zero-trust diff plan-before:plan.json plan:plan.json --format md",
    )
    .action(async (baseName: string, headName: string, options: DiffOptions) => {
      const base = readNetworkOf(baseName, options);
      const head = readNetworkOf(headName, options);
      const found = difference(base.cluster, head.cluster, analysisOptions(options));
      await print([formatDifference(found, base.cluster, head.cluster, options.format)]);
      printNotes(
        [base, head].flatMap(({ cluster, notes }) => [
          ...notes,
          ...notesOn(cluster, analysisOptions(options)),
        ]),
      );
      const failing = options.failOn === "opened" ? found.changes.filter(opens) : found.changes;
      if (options.failOn !== undefined && failing.length > 0) process.exitCode = 1;
    });
}
