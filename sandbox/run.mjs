/*
 * What `npm start`, `npm stop` and `npm run destroy` run, on a fresh clone, too: installs and compiles as far as needed,
 * then runs the sandbox's command. Help needs nothing of that.
 */
import { spawn } from "node:child_process";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { prepare } from "./compile.mjs";
import { usage } from "./usage.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const args = process.argv.slice(2);

if (args.includes("--help") || args.includes("-h")) {
  console.log(usage(args[0]));
} else {
  try {
    await prepare(root);
  } catch (error) {
    console.error(`error: ${error.message}`);
    process.exit(1);
  }
  const child = spawn(process.execPath, [path.join(root, "dist", "sandbox", "main.js"), ...args], {
    stdio: "inherit",
  });
  // Ctrl-C reaches the child, too: it ends in its own way, and this process with it.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
  });
}
