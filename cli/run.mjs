// `npm run zero-trust`: installs and compiles first where that is due, so that the command never answers from stale code.
import { spawn } from "node:child_process";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { prepare } from "../sandbox/compile.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
try {
  await prepare(root);
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exit(1);
}
const main = path.join(root, "dist", "cli", "main.js");
spawn(process.execPath, [main, ...process.argv.slice(2)], { stdio: "inherit" }).on("exit", (code) => {
  process.exitCode = code ?? 1;
});
