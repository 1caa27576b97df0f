import { isPassed, type Check, type ExceptedFinding, type Finding } from "../check/check-rules";

/** Counts up when a script written for an older version would misread; a new field alone does not count. */
const version = 1;

/** What rules say of an input, for scripts; `docs/check-json.md` describes every field. A finding, an exception and a note are one line each. */
export function* checkJson(check: Check): Generator<string> {
  const { findings, excepted, rules, objects, notes } = check;
  const count = (level: Finding["level"]): number => findings.filter((one) => one.level === level).length;
  const summary = {
    objects,
    rules: rules.length,
    mandatory: count("mandatory"),
    advisory: count("advisory"),
    excepted: excepted.length,
  };
  yield `{\n  "version": ${version},\n  "passed": ${String(isPassed(check))},\n  "summary": ${JSON.stringify(summary)},\n`;
  yield list("findings", findings.map(findingJson));
  yield ",\n";
  yield list("excepted", excepted.map(exceptedJson));
  yield ",\n";
  yield list(
    "notes",
    notes.map(({ about, at, text }) => ({ about, at, text })),
  );
  yield "\n}\n";
}

function findingJson(finding: Finding): object {
  const { rule, level, kind, about, at, found, danger, fix, documentation, place } = finding;
  const { source = null, urn = null, position } = place ?? {};
  const { file = null, line = null, document = null } = position ?? {};
  return {
    ...{ rule, level, kind, about, at, found, danger, fix, documentation },
    ...{ source, file, line, document, urn },
  };
}

function exceptedJson(finding: ExceptedFinding): object {
  const { reason, until, resource, at = null } = finding.exception;
  return { ...findingJson(finding), exception: { resource, at, reason, until } };
}

function list(key: string, items: readonly object[]): string {
  if (items.length === 0) return `  ${JSON.stringify(key)}: []`;
  const lines = items.map((item) => `    ${JSON.stringify(item)}`);
  return `  ${JSON.stringify(key)}: [\n${lines.join(",\n")}\n  ]`;
}
