/*
 * Runs one command of the sandbox. Its arguments come parsed, as JSON: see arguments.mjs.
 */
import { UsageError } from "../cli/usage-error";
import { InvalidNetworkError } from "../matrix";
import { destroy } from "./destroy";
import { Failure } from "./failure";
import { start } from "./start";
import { stop } from "./stop";

/** A command with its arguments, as arguments.mjs parses them. */
export interface Command {
  readonly command: "start" | "stop" | "destroy";
  /** Absent only for `stop`: all. */
  readonly stack?: string;
  readonly options: {
    readonly kubeconfig?: string;
    readonly context?: string;
    readonly unprotect?: boolean;
    readonly "retry-downloads"?: boolean;
  };
}

async function main({ command, stack = "", options }: Command): Promise<void> {
  switch (command) {
    case "start":
      await start(stack, options, options["retry-downloads"] ?? false);
      break;
    case "stop":
      await stop(stack === "" ? undefined : stack);
      break;
    case "destroy":
      await destroy(stack, options, options.unprotect ?? false);
      break;
  }
}

main(JSON.parse(process.argv[2] ?? "{}") as Command).catch((error: unknown) => {
  const isExpected = [Failure, InvalidNetworkError, UsageError].some((kind) => error instanceof kind);
  const { message, stack = message } = error instanceof Error ? error : new Error(String(error));
  console.error(`error: ${isExpected ? message : stack}`);
  process.exitCode = error instanceof Failure ? error.exitCode : 1;
});
