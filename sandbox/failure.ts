import { existsSync, readFileSync } from "node:fs";

/**
 * An error whose message is all that a user needs: it is printed without a stack. Its message says what failed, the value
 * found, and the fix.
 */
export class Failure extends Error {
  constructor(
    message: string,
    /** 1 for what failed, 2 for arguments that cannot be. */
    readonly exitCode: 1 | 2 = 1,
  ) {
    super(message);
  }
}

/** The last lines of a log, indented for a message; a missing or empty log says so. */
export function logTail(file: string, lines = 15): string {
  const text = existsSync(file) ? readFileSync(file, "utf8").trimEnd() : "";
  if (text === "") return "  (nothing was logged)";
  return text
    .split("\n")
    .slice(-lines)
    .map((line) => `  ${line}`)
    .join("\n");
}
