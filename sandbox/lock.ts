import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { Failure } from "./failure";
import { commandLine } from "./processes";

const pollMs = 200;

/**
 * Does the work while no other process does work under the same lock. A lock whose process has ended counts for nothing.
 *
 * @param file the lock: holds the pid of who has it.
 * @param waitMs how long to wait for another process to finish; 0 fails at once.
 * @param busy what to say when it did not: gets the other's pid.
 * @throws Failure with that message.
 */
export async function withLock<T>(
  file: string,
  waitMs: number,
  busy: (pid: number) => string,
  work: () => Promise<T>,
): Promise<T> {
  mkdirSync(path.dirname(file), { recursive: true });
  const deadline = Date.now() + waitMs;
  while (!take(file)) {
    const holder = Number(readLock(file));
    if (holder !== process.pid && commandLine(holder) === "") {
      rmSync(file, { force: true });
    } else if (Date.now() >= deadline) {
      throw new Failure(busy(holder));
    } else {
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function take(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function readLock(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
