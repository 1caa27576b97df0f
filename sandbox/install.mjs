import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { step } from "./progress.mjs";
import { runLogged } from "./run-logged.mjs";

/** This project's folder. */
export const projectFolder = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/**
 * Whether node_modules holds other packages than package-lock.json says, or none. Compares with the list that npm keeps in
 * node_modules of what it installed, so it does not matter who ran the installation.
 *
 * @param {string} [root] the project's folder; default: this one's
 */
export function needsInstall(root = projectFolder) {
  const installedFile = path.join(root, "node_modules", ".package-lock.json");
  if (!existsSync(installedFile)) return true;
  /** @type {{ packages: Record<string, { version?: string, optional?: boolean, link?: boolean }> }} */
  const wanted = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8"));
  const installed = JSON.parse(readFileSync(installedFile, "utf8"));
  return Object.entries(wanted.packages).some(
    ([folder, { version, optional, link }]) =>
      folder.startsWith("node_modules/") &&
      !link &&
      !optional &&
      installed.packages[folder]?.version !== version,
  );
}

/**
 * Runs `npm ci` when node_modules is missing or out of step. That compiles the project, too (its `prepare` script).
 *
 * @param {string} [root] the project's folder; default: this one's
 * @returns {Promise<boolean>} whether it was needed
 */
export async function installIfNeeded(root = projectFolder) {
  if (!needsInstall(root)) return false;
  await step("Installing packages (npm ci)", () =>
    runLogged("npm", ["ci", "--no-audit", "--no-fund"], {
      cwd: root,
      logFile: path.join(root, ".sandbox", "log", "npm-ci.log"),
      fix: "Check that npm reaches its registry (npm ping), then run this again.",
    }),
  );
  return true;
}
