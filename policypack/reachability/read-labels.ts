import { isObject, type Plain } from "../plain-data";
import type { Labels } from "./model";
import { childPath, notAllowed, show, type Report } from "./read-problem";

/** `IsDNS1123Subdomain` of k8s.io/apimachinery, but for its length of at most 253. */
const dnsSubdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const labelName = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

export const labelKeyAllowed =
  "a name of at most 63 letters, digits, -, _ and ., with a letter or digit at both ends, after an optional DNS name and /";
export const labelValueAllowed =
  "text of at most 63 letters, digits, -, _ and ., with a letter or digit at both ends, or empty";

const noLabels: Labels = {};

/** Whether an object can have the name: a DNS subdomain (RFC 1123). */
export function isSubdomain(text: string): boolean {
  return text.length <= 253 && dnsSubdomain.test(text);
}

/** Whether a namespace can have the name: a DNS label (RFC 1123). */
export function isDnsLabel(text: string): boolean {
  return text.length <= 63 && !text.includes(".") && dnsSubdomain.test(text);
}

/** Reads label maps. Those that are written alike are one object. */
export class LabelReader {
  private readonly keys = new Set<string>();
  private readonly known = new Map<string, Labels>();

  /** A map of labels; without any when it is missing or reported. */
  read(value: Plain | undefined, at: string, report: Report): Labels {
    if (value === undefined) return noLabels;
    const text = this.readText(value, at, report);
    if (text === undefined) return noLabels;
    let labels = this.known.get(text);
    // All of its values are text, or it would have been reported.
    if (labels === undefined) this.known.set(text, (labels = value as Labels));
    return labels;
  }

  /** Checks a map of labels; its text, from which no other map is made, or undefined when it is reported. */
  readText(value: Plain, at: string, report: Report): string | undefined {
    if (!isObject(value)) {
      const allowed = "an object from label keys to text";
      report(notAllowed(value, { at, allowed, fix: "write key: value pairs, or leave it out" }));
      return undefined;
    }
    let text: string | undefined = "";
    for (const key in value) {
      if (!Object.hasOwn(value, key)) continue;
      const label = value[key];
      if (!this.isKey(key)) {
        const problem = `has the label key ${show(key)}`;
        report({ at, problem, allowed: labelKeyAllowed, fix: "write a valid label key", unknown: false });
        text = undefined;
      } else if (typeof label !== "string" || !isLabelValue(label)) {
        const fix = labelValueFix(label);
        report(notAllowed(label, { at: childPath(at, key), allowed: labelValueAllowed, fix }));
        text = undefined;
      } else if (text !== undefined) {
        // Neither character can be in a key or value that is valid.
        text += `${key}=${label},`;
      }
    }
    return text;
  }

  /** Whether a label can have the key (`IsQualifiedName`). */
  isKey(key: string): boolean {
    // Few keys are in use, and those with a prefix are costly to check.
    if (this.keys.has(key)) return true;
    const slash = key.indexOf("/");
    const name = key.slice(slash + 1);
    if (slash >= 0 && !isSubdomain(key.slice(0, slash))) return false;
    if (name.length > 63 || !labelName.test(name)) return false;
    this.keys.add(key);
    return true;
  }
}

/** Whether a label can have the value (`IsValidLabelValue`). */
export function isLabelValue(value: string): boolean {
  return value === "" || (value.length <= 63 && labelName.test(value));
}

/** The way out where a value is none that a label can have. */
export function labelValueFix(value: Plain | undefined): string {
  return typeof value === "number" || typeof value === "boolean"
    ? `write ${show(String(value))} with quotes`
    : "write a valid label value";
}

const controllerLabels = new Set([
  "apps.kubernetes.io/pod-index",
  "controller-revision-hash",
  "controller-uid",
  "job-name",
  "pod-template-generation",
  "pod-template-hash",
  "statefulset.kubernetes.io/pod-name",
]);

/** Whether a controller sets the label on the pods it makes, so that a manifest does not say it. */
export function isSetByControllers(key: string): boolean {
  return controllerLabels.has(key) || key.startsWith("batch.kubernetes.io/");
}

/** Whether labels are equal, but for those that controllers set. */
export function areEqualButForControllers(a: Labels, b: Labels): boolean {
  if (a === b) return true;
  const keys = Object.keys(a).filter((key) => !isSetByControllers(key));
  const others = Object.keys(b).filter((key) => !isSetByControllers(key));
  return keys.length === others.length && keys.every((key) => a[key] === b[key]);
}
