#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { InvalidNetworkError } from "../matrix/problem";
import { UsageError } from "./usage-error";

/** Exit codes: 0 done, 1 failed, 2 bad arguments. What one command alone exits with, it sets itself. */
const failed = 1;
const badArguments = 2;

interface CommandModule {
  command(): Command;
}

const commands = [
  "matrix",
  "render",
  "connectivity",
  "diff",
  "explain",
  "exposure",
  "check",
  "validate",
] as const;

/** Only the command that runs is loaded: what some of them need takes longer to load than others take in all. */
function load(name: (typeof commands)[number]): CommandModule {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- import() would be left to the slower loader of ES modules
  return require(`./commands/${name}`) as CommandModule;
}

async function main(argv: readonly string[]): Promise<number> {
  const wanted = commands.filter((name) => name === argv[2]);
  const program = new Command("zero-trust")
    .description(
      "Reads zero-trust networks without an engine and, but for validate, without a cluster: the matrix of a stack, what policies really allow, and whether it is compliant.",
    )
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 failed, 2 bad arguments. validate: 3 no cluster or no permission.",
    )
    .exitOverride();
  for (const name of wanted.length > 0 ? wanted : commands) {
    program.addCommand(load(name).command().exitOverride());
  }
  try {
    await program.parseAsync(argv);
    // A command that did what it was asked for may still have found what it was asked to fail on.
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : badArguments;
    if (error instanceof UsageError) {
      console.error(`error: ${error.message}`);
      return badArguments;
    }
    if (error instanceof InvalidNetworkError) {
      console.error(`error: ${error.message}`);
      return failed;
    }
    throw error;
  }
}
main(process.argv).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = failed;
  },
);
