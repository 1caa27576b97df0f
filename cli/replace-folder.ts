import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { renderedMark, type TextFile } from "./manifest-files";
import { UsageError } from "./usage-error";

/**
 * Writes the files as the only content of a folder. The new folder is complete before it takes the old one's place, and
 * a folder that holds anything but earlier renders is refused: nobody's files are lost.
 */
export function replaceFolder(folder: string, files: readonly TextFile[]): void {
  const target = resolve(folder);
  const strangers = foreignEntries(target);
  if (strangers.length > 0) {
    throw new UsageError(
      `${folder} holds what zero-trust render did not write: ${strangers.slice(0, 5).join(", ")}\n` +
        "  allowed: a folder that is new, empty, or holds an earlier render\n" +
        "  fix:     name another folder with --out, or move these files away",
    );
  }
  const fresh = `${target}.new-${process.pid}`;
  const old = `${target}.old-${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  try {
    for (const { name, text } of files) writeFileSync(join(fresh, name), text);
    if (existsSync(target)) renameSync(target, old);
    renameSync(fresh, target);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
}

function foreignEntries(folder: string): string[] {
  if (!existsSync(folder)) return [];
  if (!statSync(folder).isDirectory())
    throw new UsageError(`${folder} is a file\n  fix:     name a folder with --out`);
  return readdirSync(folder).filter((entry) => {
    const path = join(folder, entry);
    return !statSync(path).isFile() || !readFileSync(path, "utf8").startsWith(renderedMark);
  });
}
