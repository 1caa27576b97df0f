/*
 * What `npm start`, `npm stop` and `npm run destroy` run, on a fresh clone, too: installs and compiles as far as needed,
 * then runs the sandbox's command.
 */
import { spawn } from "node:child_process";
import * as path from "node:path";
import { UsageError, help, parseArguments } from "./arguments.mjs";
import { prepare } from "./compile.mjs";
import { projectFolder as root } from "./install.mjs";

const args = process.argv.slice(2);

if (args.includes("--help") || args.includes("-h")) {
  console.log(help(args[0]));
} else {
  try {
    const parsed = parseArguments(args, root);
    await prepare(root);
    runCompiled(parsed);
  } catch (error) {
    console.error(`error: ${error.message}`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

/** @param {ReturnType<typeof parseArguments>} parsed */
function runCompiled(parsed) {
  const main = path.join(root, "dist", "sandbox", "main.js");
  const child = spawn(process.execPath, [main, JSON.stringify(parsed)], { stdio: "inherit" });
  // Ctrl-C reaches the child by itself: it ends in its own way, and this process with it.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
  });
}
