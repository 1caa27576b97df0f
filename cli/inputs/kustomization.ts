import { isAbsolute } from "node:path";
import { isList, isObject, quote, type Plain } from "../../policypack/plain-data";

/**
 * What a kustomization does to the files of its folder besides listing them, in the words of a message; undefined where
 * kustomize would pass them on as they are, so that they can be read without it.
 */
export function kustomizedBy(body: Plain): string | undefined {
  if (!isObject(body)) return undefined;
  const fields = Object.keys(body).filter((key) => !passedOn.has(key) && !isEmpty(body[key]));
  if (fields.length > 0) return `sets ${fields.join(", ")}`;
  const resources = body.resources;
  const outside = isList(resources) ? resources.find((resource) => !isWithin(resource)) : undefined;
  return outside === undefined ? undefined : `takes in ${quote(outside)}`;
}

/** The fields that change nothing of the listed files. */
const passedOn = new Set(["apiVersion", "kind", "metadata", "resources", "sortOptions"]);

function isEmpty(value: Plain | undefined): boolean {
  if (value === null || value === undefined || value === "") return true;
  return isList(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
}

/** Whether a resource is a path that leads out of the folder at no point. */
function isWithin(resource: Plain): boolean {
  return (
    typeof resource === "string" &&
    !isAbsolute(resource) &&
    !resource.split("/").includes("..") &&
    !/:\/\/|^[\w.-]+@|^[\w-]+\.[\w.-]+\/|\?ref=/.test(resource)
  );
}
