import { existsSync } from "node:fs";
import * as path from "node:path";

/**
 * The project's folder: the nearest one above this file that holds Pulumi.yaml, whether this runs compiled or not.
 *
 * @throws Error when there is none, which means that the file was taken out of its project.
 */
export function projectRoot(): string {
  for (let folder = __dirname; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, "Pulumi.yaml"))) return folder;
    if (folder === path.dirname(folder)) throw new Error(`no Pulumi.yaml in any folder above ${__dirname}`);
  }
}

/** Everything the sandbox writes is below this git-ignored folder. */
export function sandboxFolder(): string {
  return path.join(projectRoot(), ".sandbox");
}

/** A path below {@link sandboxFolder}. */
export function inSandbox(...parts: string[]): string {
  return path.join(sandboxFolder(), ...parts);
}

/** The folder of an instance: one control plane with its data, and the Pulumi state of the stacks deployed to it. */
export function instanceFolder(instance: string): string {
  return inSandbox("instances", instance);
}

/** A path as a user in the project's folder would type it. */
export function displayPath(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative.startsWith("..") ? file : relative;
}
