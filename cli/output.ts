import { isatty } from "node:tty";
import type { Note } from "../policypack/reachability/reachability";

/** Whether to use colours: on a terminal, unless NO_COLOR asks for none (no-color.org). */
export function wantsColour(): boolean {
  const { NO_COLOR: noColour } = process.env;
  // The property isTTY is absent, not false, on anything but a terminal, and picocolors then decides by itself.
  return isatty(process.stdout.fd) && (noColour === undefined || noColour === "");
}

/** Writes to stdout piece by piece, no faster than the reader reads; a reader that has gone away has had enough. */
export async function print(text: string | Iterable<string>): Promise<void> {
  // A string is iterable too, a character at a time.
  const pieces = typeof text === "string" ? [text] : text;
  const { stdout } = process;
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit();
  });
  for (const piece of pieces) {
    if (!stdout.write(piece)) await new Promise((resolve) => stdout.once("drain", resolve));
  }
}

/** Tells on stderr what an answer rests on, each thing once. */
export function printNotes(notes: readonly Note[]): void {
  const lines = notes.map(
    ({ about, at, text }) => `note: ${[about, at].filter((part) => part !== "").join(" ")}: ${text}\n`,
  );
  for (const line of new Set(lines)) process.stderr.write(line);
}
