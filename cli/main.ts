#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { InvalidNetworkError } from "../matrix";
import { matrixCommand } from "./commands/matrix";
import { renderCommand } from "./commands/render";
import { UsageError } from "./usage-error";

/** Exit codes: 0 done, 1 failed, 2 bad arguments. */
const failed = 1;
const badArguments = 2;

async function main(argv: readonly string[]): Promise<number> {
  const program = new Command("zero-trust")
    .description("Reads the zero-trust network of a stack without an engine and without a cluster.")
    .addHelpText("after", "\nExit codes: 0 done, 1 failed, 2 bad arguments.")
    .exitOverride()
    .addCommand(matrixCommand())
    .addCommand(renderCommand());
  for (const command of program.commands) command.exitOverride();
  try {
    await program.parseAsync(argv);
    return 0;
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
