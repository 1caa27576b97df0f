// `npm run stryker`: mutates the policy pack and reports what no test notices. Arguments are parts (`--rules`, `--support`,
// `--engine`; default: all) and patterns for a few of their files, as in `npm run stryker -- --engine read- selector`.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { parts } from "./parts.mjs";
import { printScores } from "./scores.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.dirname(here);
const given = process.argv.slice(2);
const chosen = given.filter((argument) => argument.startsWith("--")).map((option) => option.slice(2));
const patterns = given.filter((argument) => !argument.startsWith("--"));
for (const option of chosen) {
  if (Object.hasOwn(parts, option)) continue;
  console.error(`error: --${option} is no part; allowed: --${Object.keys(parts).join(", --")}`);
  process.exit(2);
}

const stryker = path.join(here, "node_modules", "@stryker-mutator", "core", "bin", "stryker.js");
if (!existsSync(stryker)) run("npm", ["ci", "--prefix", here], {});
for (const part of chosen.length === 0 ? Object.keys(parts) : chosen) {
  const { folder, except } = parts[part];
  const mutate = [
    ...(patterns.length === 0 ? [`${folder}/*.ts`] : patterns.map((pattern) => `${folder}/*${pattern}*.ts`)),
    ...except.map((module) => `!${folder}/${module}.ts`),
  ];
  const config = path.join(here, "stryker.config.mjs");
  run(process.execPath, [stryker, "run", config, "--mutate", mutate.join(",")], {
    ZERO_TRUST_STRYKER_PART: part,
    // Few inputs to a property, and the same for all mutants.
    ZERO_TRUST_PROPERTY_RUNS: "50",
    ZERO_TRUST_PROPERTY_SEED: "20240229",
  });
}
printScores(path.join(root, "reports", "stryker"));

function run(command, args, env) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: "inherit",
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
