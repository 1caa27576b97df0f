import type { Plain } from "../../policypack/plain-data";
import { DocumentProblem } from "./document-problem";
import { readJson } from "./read-json";
import { lineOf, type DocumentText } from "./split-documents";

const renderFirst = "helm template <chart> | zero-trust <command> --manifests -";

/** Reads one document of a text. Throws {@link DocumentProblem}. A document without content, such as `null`, is null. */
export function readDocument(text: string, { number, start, end }: DocumentText): Plain {
  // Files that were joined bring a byte order mark into the middle.
  const content = text.slice(start, end).replace(/^([ \t\r\n]*)\uFEFF/, "$1");
  const json = content.slice(jsonStart(content));
  const value = json.startsWith("{") ? readJson(json) : undefined;
  if (value !== undefined) return value;
  const { readYaml, YamlProblem } = yamlReader();
  try {
    const reading = readYaml(content);
    if (reading.merges) mergeChecker().checkMergeOrder(content);
    return reading.value;
  } catch (error) {
    if (!(error instanceof YamlProblem)) throw error;
    const isTemplate = /\{\{.*\}\}/.test(content);
    const fix = isTemplate
      ? `${error.text.fix}; or render it first, if it is a template: ${renderFirst}`
      : error.text.fix;
    throw new DocumentProblem(number, lineOf(text, start) + error.line, { ...error.text, fix });
  }
}

/** Where JSON would begin: behind white space and comments. */
function jsonStart(content: string): number {
  return /^(?:[ \t\r\n]|#[^\n]*\n)*/.exec(content)?.[0].length ?? 0;
}

function yamlReader(): typeof import("./kubernetes-yaml") {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- documents in JSON must not wait until it is loaded
  return require("./kubernetes-yaml") as typeof import("./kubernetes-yaml");
}

function mergeChecker(): typeof import("./merge-order") {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- few documents have merge keys
  return require("./merge-order") as typeof import("./merge-order");
}
