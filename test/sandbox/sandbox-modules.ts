import * as path from "node:path";
import { pathToFileURL } from "node:url";

/** Imports one of the sandbox's modules that run before compilation, which have no types. */
export async function sandboxModule<T>(name: string): Promise<T> {
  return (await import(pathToFileURL(path.resolve(__dirname, "../../sandbox", name)).href)) as T;
}
