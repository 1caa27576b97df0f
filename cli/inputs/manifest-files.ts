import { readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { UsageError } from "../usage-error";
import { cannotRead, standardInput } from "./read-text";

/** A file to be read as manifests. */
export interface ManifestFile {
  readonly path: string;
  /** Whether it was named itself, and not found in a folder. */
  readonly named: boolean;
}

/**
 * The files that the paths of `--manifests` stand for: files as they are, whatever their ending; of folders every `*.yaml`, `*.yml` and
 * `*.json`, also in the folders within, but nothing hidden and no `node_modules`, sorted by name. Each once.
 *
 * Throws {@link UsageError} where a path does not exist, where a folder holds no such file, and where it holds a Helm chart, whose
 * objects are there only after it is rendered.
 */
export function manifestFiles(paths: readonly string[]): readonly ManifestFile[] {
  const files = new Map<string, ManifestFile>();
  for (const path of paths) {
    if (path === "") {
      throw new UsageError(
        "a path of manifests is empty\n  allowed: files, folders, or - for stdin\n  fix:     name the files, or leave it out",
      );
    }
    if (path === standardInput || !isFolder(path)) {
      files.set(path, { path, named: true });
      continue;
    }
    const found = filesIn(path, new Set());
    if (found.length === 0) {
      throw new UsageError(
        `${path} holds no manifest\n` +
          "  allowed: *.yaml, *.yml and *.json in the folder and in those within, hidden ones and node_modules left out\n" +
          "  fix:     name the folder of the manifests, or the files themselves",
      );
    }
    for (const file of found) if (!files.has(file)) files.set(file, { path: file, named: false });
  }
  return [...files.values()];
}

/** Whether a file says what kustomize makes of others, by its name (`RecognizedKustomizationFileNames`). */
export function isKustomization(path: string): boolean {
  return /^(?:kustomization\.ya?ml|Kustomization)$/.test(basename(path));
}

function filesIn(folder: string, above: ReadonlySet<string>): string[] {
  const { dev, ino } = statSync(folder);
  const identity = `${dev}:${ino}`;
  // A link that leads back up would never end.
  if (above.has(identity)) return [];
  const within = new Set([...above, identity]);
  const files: string[] = [];
  for (const name of namesIn(folder)) {
    if (name.startsWith(".") || name === "node_modules") continue;
    const path = join(folder, name);
    if (isChart(name)) {
      const chart = dirname(path);
      throw new UsageError(
        `${path} makes its folder a Helm chart, whose objects are there only after it is rendered\n` +
          "  allowed: folders of Kubernetes objects\n" +
          `  fix:     helm template ${chart} | zero-trust <command> --manifests -, or name the folders beside it`,
      );
    }
    if (isFolder(path)) files.push(...filesIn(path, within));
    else if (/\.(?:ya?ml|json)$/.test(name) || isKustomization(name)) files.push(path);
  }
  return files;
}

function isChart(name: string): boolean {
  return name === "Chart.yaml";
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    throw cannotRead(folder, error);
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw cannotRead(path, error);
  }
}
