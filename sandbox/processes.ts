import { execFileSync, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";

/** A process that outlives the command which started it. */
export interface Daemon {
  /** The program's file. */
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly logFile: string;
  /** Holds the pid, one line. */
  readonly pidFile: string;
  /**
   * A text of the command line that no other process has. A pid may be another process' by now: only one whose command
   * line holds this is signalled.
   */
  readonly mark: string;
}

/** Starts the process in a group of its own, with its output appended to the log. */
export function startDaemon(daemon: Daemon): void {
  const log = openSync(daemon.logFile, "a");
  const child = spawn(daemon.command, daemon.args, {
    detached: true,
    stdio: ["ignore", log, log],
    env: daemon.env ?? process.env,
  });
  closeSync(log);
  // A command that cannot be started leaves no pid; whoever waits for the process to be ready reports it.
  child.on("error", () => undefined);
  if (child.pid !== undefined) writeFileSync(daemon.pidFile, `${child.pid}\n`);
  child.unref();
}

/** The pid of the process, undefined when it does not run. */
export function runningPid({ pidFile, mark }: Pick<Daemon, "pidFile" | "mark">): number | undefined {
  if (!existsSync(pidFile)) return undefined;
  const pid = Number(readFileSync(pidFile, "utf8"));
  return Number.isInteger(pid) && pid > 1 && commandLine(pid).includes(mark) ? pid : undefined;
}

/**
 * Ends the process: asks it to, and kills it when it has not gone after the time given.
 *
 * @returns whether it ran.
 */
export async function stopDaemon(
  daemon: Pick<Daemon, "pidFile" | "mark">,
  graceMs = 10_000,
): Promise<boolean> {
  const pid = runningPid(daemon);
  if (pid !== undefined) {
    signal(pid, "SIGTERM");
    const deadline = Date.now() + graceMs;
    while (runningPid(daemon) !== undefined) {
      if (Date.now() > deadline) signal(pid, "SIGKILL");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  rmSync(daemon.pidFile, { force: true });
  return pid !== undefined;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has gone by itself.
  }
}

/** The command line of a live process, its parts separated by spaces; empty when there is no such process. */
export function commandLine(pid: number): string {
  try {
    if (existsSync("/proc/self/cmdline")) {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    }
    return execFileSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" });
  } catch {
    return "";
  }
}
