import { dirname } from "node:path";
import { isObject, quote, type Plain } from "../../policypack/plain-data";
import type { Note } from "../../policypack/reachability/reachability";
import type { ReadProblem, SourceObject } from "../../policypack/reachability/read-problem";
import { UsageError } from "../usage-error";
import { DocumentProblem } from "./document-problem";
import { kustomizedBy } from "./kustomization";
import { isKustomization, manifestFiles } from "./manifest-files";
import { readDocument } from "./read-document";
import { displayName, readText } from "./read-text";
import { lineOf, splitDocuments, type DocumentText } from "./split-documents";

/** An object of a manifest. */
export interface ManifestObject extends SourceObject {
  /** `app.yaml, document 2` */
  readonly source: string;
  readonly file: string;
  /** The text of the whole file. */
  readonly text: string;
  readonly document: DocumentText;
}

/** What was read of manifests. */
export interface Manifests {
  readonly objects: readonly ManifestObject[];
  readonly notes: readonly Note[];
}

/**
 * Reads Kubernetes objects, in YAML or JSON, from files, folders and stdin (`-`); see {@link manifestFiles} for which files of a
 * folder. One document of a file is one object, or a List of them; documents that hold only comments, or null, are passed over.
 *
 * A file found in a folder, none of whose documents has apiVersion, kind, metadata or spec, such as Helm values or a package.json, is
 * no manifest: a note names it. A kustomization that only lists files is passed over.
 *
 * Throws {@link UsageError}, with file, line and document, for whatever else cannot be read as objects.
 */
export function readManifests(paths: readonly string[]): Manifests {
  const objects: ManifestObject[] = [];
  const ignored: string[] = [];
  const files = manifestFiles(paths);
  // These first: they say better than a patch among the files does why the files are not to be read.
  for (const { path } of files.filter((file) => isKustomization(file.path))) {
    for (const object of readFile(path)) refuseKustomized(object);
  }
  for (const file of files) {
    if (isKustomization(file.path)) continue;
    const found = readFile(file.path);
    if (!file.named && found.length > 0 && !found.some(({ body }) => mayBeObject(body))) {
      ignored.push(file.path);
    } else objects.push(...found);
  }
  if (objects.length === 0) {
    throw new UsageError(
      `${paths.map(displayName).join(", ")}: no Kubernetes object there\n` +
        "  allowed: objects with apiVersion and kind, in YAML or JSON\n" +
        "  fix:     name the files or folders that hold them",
    );
  }
  return { objects, notes: ignored.length === 0 ? [] : [ignoredNote(ignored)] };
}

/** Where in a file something is written. */
export interface FilePosition {
  readonly file: string;
  /** From 1, in the file. */
  readonly line: number;
  /** From 1, in the file. */
  readonly document: number;
}

/**
 * Where a field of an object is written: `app.yaml:17 (document 2)`. Where there is no such field, it is the line of the deepest
 * part of the path that is there. Objects that are not from a manifest keep their source.
 */
export function locate(problem: Pick<ReadProblem, "object" | "at">): string {
  const position = positionOf(problem);
  return position === undefined
    ? problem.object.source
    : place(position.file, position.line, position.document);
}

/** The same as {@link locate} in parts; undefined for objects that are not from a manifest. */
export function positionOf({ object, at }: Pick<ReadProblem, "object" | "at">): FilePosition | undefined {
  if (!isManifestObject(object)) return undefined;
  const { file, text, document } = object;
  let lines = known.get(object);
  if (lines === undefined) {
    const first = lineOf(text, document.start);
    const within = fieldLocator().fieldLines(text.slice(document.start, document.end));
    known.set(object, (lines = (path) => first + within(path)));
  }
  return { file, line: lines(at), document: document.number };
}

/** A document with many problems is taken apart once. */
const known = new WeakMap<ManifestObject, (path: string) => number>();

function isManifestObject(object: SourceObject): object is ManifestObject {
  return "document" in object && "text" in object;
}

function place(file: string, line: number, document: number): string {
  return `${file}:${line} (document ${document})`;
}

function readFile(path: string): ManifestObject[] {
  const file = displayName(path);
  const text = readText(path);
  const objects: ManifestObject[] = [];
  try {
    for (const document of splitDocuments(text)) {
      const body = readDocument(text, document);
      if (body === null) continue;
      if (!isObject(body)) throw noObject(body, text, document);
      objects.push({ body, source: `${file}, document ${document.number}`, file, text, document });
    }
  } catch (error) {
    if (!(error instanceof DocumentProblem)) throw error;
    const { problem, allowed, fix } = error.text;
    throw new UsageError(
      `${place(file, error.line, error.document)} ${problem}\n  allowed: ${allowed}\n  fix:     ${fix}`,
    );
  }
  return objects;
}

function noObject(body: Plain, text: string, { number, start, end }: DocumentText): DocumentProblem {
  const line = lineOf(text, start) + fieldLocator().fieldLines(text.slice(start, end))("");
  return new DocumentProblem(number, line, {
    problem: `is ${quote(body)}, which is no object`,
    allowed: "Kubernetes objects, each with apiVersion and kind; several in one document as a List",
    fix: "write an object, or name the files that hold objects",
  });
}

function mayBeObject(body: Plain): boolean {
  const keys = ["apiVersion", "kind", "metadata", "spec"];
  return isObject(body) && keys.some((key) => Object.hasOwn(body, key));
}

function refuseKustomized({ file, body }: ManifestObject): void {
  const how = kustomizedBy(body);
  if (how === undefined) return;
  const folder = dirname(file);
  throw new UsageError(
    `${file} ${how}, so that what kustomize makes is not what the files say\n` +
      "  allowed: folders whose kustomization only lists files in them\n" +
      `  fix:     kubectl kustomize ${folder} | zero-trust <command> --manifests -`,
  );
}

function ignoredNote(files: readonly string[]): Note {
  const [first = "", ...more] = files;
  const shown = [first, ...more.slice(0, 2)];
  const rest = files.length - shown.length;
  const names = rest > 0 ? `${shown.join(", ")} and ${rest} more` : shown.join(", ");
  return {
    about: names,
    at: "",
    text: "passed over: found in a folder, and without apiVersion, kind, metadata and spec, so no Kubernetes object",
  };
}

function fieldLocator(): typeof import("./locate-field") {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- it is needed only where something is wrong
  return require("./locate-field") as typeof import("./locate-field");
}
