import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { installIfNeeded, projectFolder } from "./install.mjs";
import { step } from "./progress.mjs";
import { runLogged } from "./run-logged.mjs";

const sources = ["index.ts", "matrix", "components", "cli", "sandbox", "policypack"];
const buildInfos = ["dist/.tsbuildinfo", "policypack/dist/.tsbuildinfo"];
const settings = ["package.json", "tsconfig.json", "tsconfig.build.json", "policypack/tsconfig.json"];

/**
 * Whether dist/ was compiled from other sources than those that are there now.
 *
 * @param {string} [root] the project's folder; default: this one's
 */
export function needsCompile(root = projectFolder) {
  const outputs = [stampFile(root), ...buildInfos.map((file) => path.join(root, file))];
  return (
    !outputs.every((file) => existsSync(file)) || readFileSync(stampFile(root), "utf8") !== fingerprint(root)
  );
}

/**
 * Brings node_modules and dist/ up to date, doing only what is needed: all that has to happen before anything compiled can
 * be run. Takes some milliseconds when there is nothing to do.
 *
 * @param {string} [root] the project's folder; default: this one's
 */
export async function prepare(root = projectFolder) {
  const before = fingerprint(root);
  if (await installIfNeeded(root)) markCompiled(root, before);
  else await compileIfStale(root);
}

/**
 * Compiles the project when dist/ is missing or not made from the sources as they are.
 *
 * @param {string} [root] the project's folder; default: this one's
 */
export async function compileIfStale(root = projectFolder) {
  if (!needsCompile(root)) return;
  // Taken first, so that what is saved while the compiler runs counts as a change.
  const before = fingerprint(root);
  rmSync(stampFile(root), { force: true });
  await step("Compiling", () =>
    runLogged("npm", ["run", "-s", "build"], {
      cwd: root,
      logFile: path.join(root, ".sandbox", "log", "compile.log"),
      fix: "Correct what the compiler reports, then run this again.",
    }),
  );
  markCompiled(root, before);
}

/** @param {string} root @param {string} print */
function markCompiled(root, print) {
  writeFileSync(stampFile(root), print);
}

/** @param {string} root */
function stampFile(root) {
  return path.join(root, "dist", ".compiled-from");
}

/** Path, size and time of every source file. @param {string} root */
function fingerprint(root) {
  const hash = createHash("sha256");
  const add = (/** @type {string} */ file) => {
    const info = statSync(path.join(root, file), { throwIfNoEntry: false });
    if (info?.isDirectory()) {
      for (const name of readdirSync(path.join(root, file)).sort()) {
        if (name !== "node_modules" && name !== "dist") add(path.join(file, name));
      }
    } else if (info && /\.(ts|json)$/.test(file)) {
      hash.update(`${file} ${info.size} ${info.mtimeMs}\n`);
    }
  };
  for (const file of [...sources, ...settings]) add(file);
  return hash.digest("hex");
}
