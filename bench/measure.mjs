import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const reportMemory = fileURLToPath(new URL("report-memory.cjs", import.meta.url));

/**
 * Runs a Node program several times as a whole process.
 *
 * @param {readonly string[]} args of node
 * @param {object} options
 * @param {number} options.runs
 * @param {string} options.folder for what the runs print
 * @returns {{ seconds: number, megabytes: number }} the shortest time, and the highest memory use, of all runs
 */
export function measureNode(args, { runs, folder }) {
  const memoryFile = join(folder, "memory");
  return measure(process.execPath, ["--require", reportMemory, ...args], {
    runs,
    folder,
    env: { BENCH_MEMORY_FILE: memoryFile },
    memory: () => Number(readFileSync(memoryFile, "utf8")) / 1024,
  });
}

/**
 * Runs any program once.
 *
 * @param {readonly string[]} command
 * @param {{ folder: string }} options
 * @returns {{ seconds: number }}
 */
export function measureProgram([program, ...args], { folder }) {
  return measure(program, args, { runs: 1, folder, env: {}, memory: () => undefined });
}

function measure(program, args, { runs, folder, env, memory }) {
  const results = Array.from({ length: runs }, () => {
    const outputFile = join(folder, "output");
    const output = openSync(outputFile, "w");
    const start = process.hrtime.bigint();
    const { status, stderr, error } = spawnSync(program, args, {
      stdio: ["ignore", output, "pipe"],
      env: { ...process.env, ...env },
    });
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    closeSync(output);
    rmSync(outputFile);
    if (status !== 0) {
      throw new Error(`${[program, ...args].join(" ")} failed: ${error?.message ?? stderr.toString()}`);
    }
    return { seconds, megabytes: memory() };
  });
  return {
    seconds: Math.min(...results.map(({ seconds }) => seconds)),
    megabytes:
      results[0].megabytes === undefined ? undefined : Math.max(...results.map(({ megabytes }) => megabytes)),
  };
}
