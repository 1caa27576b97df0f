// Starts the command of this checkout: installs and compiles first where that is due, so that it never answers from stale code.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { compileIfStale } from "../sandbox/compile.mjs";
import { installIfNeeded } from "../sandbox/install.mjs";

installIfNeeded();
compileIfStale();
const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const { status } = spawnSync(process.execPath, [main, ...process.argv.slice(2)], { stdio: "inherit" });
process.exitCode = status ?? 1;
