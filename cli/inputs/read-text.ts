import { isUtf8 } from "node:buffer";
import { readFileSync, readSync } from "node:fs";
import { UsageError } from "../usage-error";

/** What stands for standard input where a file could stand. */
export const standardInput = "-";

/** How messages name a file: `stdin` for standard input. */
export function displayName(path: string): string {
  if (path === standardInput) return "stdin";
  return path === "" ? '""' : path;
}

/** The text of a file, or of standard input. Throws {@link UsageError} where it cannot be read or is not UTF-8. */
export function readText(path: string): string {
  let bytes: Buffer;
  try {
    bytes = path === standardInput ? readStandardInput() : readFileSync(path);
  } catch (error) {
    throw cannotRead(path, error);
  }
  if (!isUtf8(bytes)) {
    throw new UsageError(
      `${displayName(path)} is not text in UTF-8\n  allowed: YAML or JSON in UTF-8\n  fix:     save it as UTF-8, or name another file`,
    );
  }
  return bytes.toString("utf8");
}

export function cannotRead(path: string, error: unknown): UsageError {
  const reason =
    errorCode(error) === "ENOENT"
      ? "does not exist"
      : `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  return new UsageError(
    `${displayName(path)} ${reason}\n  allowed: a file or folder that can be read\n  fix:     correct the path, or its permissions`,
  );
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function readStandardInput(): Buffer {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.allocUnsafe(65_536);
    let length: number;
    try {
      length = readSync(0, chunk);
    } catch (error) {
      // Whoever shares the pipe may have made it non-blocking: nothing is there yet.
      if (errorCode(error) === "EAGAIN") {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
        continue;
      }
      // Windows tells the end of a pipe so.
      if (errorCode(error) === "EOF") break;
      throw error;
    }
    if (length === 0) break;
    chunks.push(chunk.subarray(0, length));
  }
  return Buffer.concat(chunks);
}
