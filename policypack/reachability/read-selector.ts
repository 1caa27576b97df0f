import { field, isList, type Plain } from "../plain-data";
import type { Labels, Requirement, Selector } from "./model";
import { fieldNames, readChoice, readList, readObject } from "./read-fields";
import {
  isLabelValue,
  isSetByControllers,
  labelKeyAllowed,
  labelValueAllowed,
  labelValueFix,
  type LabelReader,
} from "./read-labels";
import { notAllowed, type Report } from "./read-problem";

const selectorFields = fieldNames("matchLabels", "matchExpressions");
const expressionFields = fieldNames("key", "operator", "values");
const operators = ["In", "NotIn", "Exists", "DoesNotExist"] as const;

/** Reads label selectors (`meta/v1` LabelSelector). Those that are written alike are one object. */
export class SelectorReader {
  readonly everything: Selector = { requirements: [] };
  /** Whether any selector names a label that controllers set on pods. */
  namesControllerLabels = false;
  /** By the text of their labels, where they have no expressions. */
  private readonly ofLabels = new Map<string, Selector>([["", this.everything]]);
  private readonly ofRequirements = new Map<string, Selector>([["", this.everything]]);

  constructor(private readonly labels: LabelReader) {}

  /** A selector; undefined when it is missing. */
  read(value: Plain | undefined, at: string, report: Report): Selector | undefined {
    if (value === undefined) return undefined;
    const given = readObject(value, at, selectorFields, report);
    const labels = this.readLabels(field(given, "matchLabels"), `${at}.matchLabels`, report);
    const expressions = field(given, "matchExpressions");
    if (expressions === undefined) return labels;
    const expressionsAt = `${at}.matchExpressions`;
    const requirements = readList(expressions, expressionsAt, "requirements", report).map((item, index) =>
      this.readExpression(item, `${expressionsAt}[${index}]`, report),
    );
    return this.select(
      labels.requirements.length === 0 ? requirements : [...labels.requirements, ...requirements],
    );
  }

  private readLabels(value: Plain | undefined, at: string, report: Report): Selector {
    const text = value === undefined ? "" : this.labels.readText(value, at, report);
    if (text === undefined) return this.everything;
    let selector = this.ofLabels.get(text);
    if (selector === undefined) {
      // All of its values are text, or it would have been reported.
      selector = this.see({ requirements: requirementsOf(value as Labels) });
      this.ofLabels.set(text, selector);
    }
    return selector;
  }

  /** The selector of requirements in the order of their text, each once. */
  private select(requirements: readonly Requirement[]): Selector {
    const written = requirements.map(textOf).join(" ");
    let known = this.ofRequirements.get(written);
    if (known === undefined) {
      const byText = new Map(requirements.map((requirement) => [textOf(requirement), requirement]));
      const texts = [...byText.keys()].sort();
      const text = texts.join(" ");
      known =
        this.ofRequirements.get(text) ??
        this.see({ requirements: texts.flatMap((each) => byText.get(each) ?? []) });
      this.ofRequirements.set(text, known).set(written, known);
    }
    return known;
  }

  private see(selector: Selector): Selector {
    this.namesControllerLabels ||= selector.requirements.some(({ key }) => isSetByControllers(key));
    return selector;
  }

  private readExpression(value: Plain, at: string, report: Report): Requirement {
    const expression = readObject(value, at, expressionFields, report);
    if (expression === undefined) return { key: "", operator: "Exists", values: [] };
    const key = field(expression, "key");
    const isKey = typeof key === "string" && this.labels.isKey(key);
    if (!isKey)
      report(notAllowed(key, { at: `${at}.key`, allowed: labelKeyAllowed, fix: "write a valid label key" }));
    const operator = readChoice(field(expression, "operator"), `${at}.operator`, operators, report);
    const values = readValues(field(expression, "values"), `${at}.values`, operator, report);
    return { key: isKey ? key : "", operator: operator ?? "Exists", values };
  }
}

/** The values of a requirement, each once, in order. */
function readValues(
  value: Plain | undefined,
  at: string,
  operator: Requirement["operator"] | undefined,
  report: Report,
): readonly string[] {
  if (value !== undefined && !isList(value)) {
    report(notAllowed(value, { at, allowed: "a list of label values", fix: "write a list" }));
    return [];
  }
  const values = (value ?? []).map((item, index) => {
    if (typeof item === "string" && isLabelValue(item)) return item;
    report(notAllowed(item, { at: `${at}[${index}]`, allowed: labelValueAllowed, fix: labelValueFix(item) }));
    return "";
  });
  if (operator === "In" || operator === "NotIn") {
    const fix = `list the values, or use ${operator === "In" ? "Exists" : "DoesNotExist"}`;
    if (values.length === 0)
      report(notAllowed(value, { at, allowed: `one value or more with ${operator}`, fix }));
  } else if (operator !== undefined && values.length > 0) {
    const fix = `remove them, or use ${operator === "Exists" ? "In" : "NotIn"}`;
    report(notAllowed(value, { at, allowed: `no values with ${operator}`, fix }));
  }
  const isOrdered = values.every((item, index) => index === 0 || (values[index - 1] ?? "") < item);
  return isOrdered ? values : [...new Set(values)].sort();
}

function textOf({ key, operator, values }: Requirement): string {
  return `${key} ${operator} ${values.join()}`;
}

function requirementsOf(labels: Labels): Requirement[] {
  const keys = Object.keys(labels);
  if (keys.length > 1) keys.sort();
  return keys.map((key) => ({ key, operator: "In", values: [labels[key] ?? ""] }));
}
