import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./stack-network";

/**
 * Installs an example elsewhere as its team would: with this project as the package that `npm pack` makes of it. The other
 * packages are linked, not downloaded again.
 */
export function installExample(name: string): string {
  assert.ok(existsSync(join(root, "dist", "components", "index.js")), "the package is built: npm run build");
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  const example = join(folder, name);
  cpSync(join(root, "examples", name), example, { recursive: true });
  const modules = join(example, "node_modules");
  mkdirSync(modules);
  const pack = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const [{ filename } = { filename: "" }] = JSON.parse(
    execFileSync("npm", pack, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
  ) as { filename: string }[];
  execFileSync("tar", ["-xzf", join(folder, filename), "-C", modules]);
  cpSync(join(modules, "package"), join(modules, "erlmcp-zero-trust"), { recursive: true });
  rmSync(join(modules, "package"), { recursive: true });
  for (const entry of readdirSync(join(root, "node_modules"))) {
    if (!existsSync(join(modules, entry)))
      symlinkSync(join(root, "node_modules", entry), join(modules, entry));
  }
  return example;
}
