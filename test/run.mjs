// `npm test`: everything a fresh clone needs, then every test. Arguments go to mocha.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { prepare } from "../sandbox/compile.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
try {
  await prepare(root);
  await require("../dist/sandbox/tools.js").resolveTools();
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exit(1);
}
const mocha = path.join(root, "node_modules", "mocha", "bin", "mocha.js");
spawn(process.execPath, [mocha, ...process.argv.slice(2)], { cwd: root, stdio: "inherit" }).on(
  "exit",
  (code) => {
    process.exitCode = code ?? 1;
  },
);
