import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import * as path from "node:path";

/**
 * Runs a command with its output in a log file.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, logFile: string, fix: string, env?: NodeJS.ProcessEnv }} options `fix` ends the error message
 * @returns {Promise<void>} rejects with the end of the log when the command fails
 */
export async function runLogged(command, args, { cwd, logFile, fix, env }) {
  mkdirSync(path.dirname(logFile), { recursive: true });
  const log = openSync(logFile, "w");
  const name = [path.basename(command), ...args].join(" ");
  try {
    await new Promise((resolve, reject) => {
      const child = spawn(command, args, { cwd, env: env ?? process.env, stdio: ["ignore", log, log] });
      child.on("error", (error) => {
        reject(new Error(`\`${name}\` could not be started: ${error.message}. ${fix}`));
      });
      child.on("exit", (code, signal) => {
        if (code === 0) return resolve(undefined);
        const text = readFileSync(logFile, "utf8").trimEnd();
        const tail = text
          .split("\n")
          .slice(-20)
          .map((line) => `  ${line}`)
          .join("\n");
        const how = code === null ? `was ended by ${signal}` : `failed with exit code ${code}`;
        reject(new Error(`\`${name}\` ${how}. The end of ${logFile}:\n${tail}\n${fix}`));
      });
    });
  } finally {
    closeSync(log);
  }
}
