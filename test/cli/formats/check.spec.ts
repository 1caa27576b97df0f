import assert from "node:assert/strict";
import { checkJson } from "../../../cli/formats/check-json";
import { checkText } from "../../../cli/formats/check";
import { checkManifests, manifest, temporaryFolder } from "../../helpers/check";

const exception = {
  resource: "NetworkPolicy default/*",
  at: "spec.ingress[1]",
  reason: "a merge\non Friday",
  until: "2026-12-31",
};

describe("what rules find, as text", () => {
  const folder = temporaryFolder();
  const text = (content: string, config: unknown = {}): string => {
    const check = checkManifests([folder.write("a.yaml", content)], folder.write("pack.json", config));
    return [...checkText(check, false)].join("").replaceAll(`${folder.path}/`, "");
  };

  it("is by object, with the place of every finding, and what to do once", () => {
    assert.equal(
      text(manifest),
      `NetworkPolicy default/web (a.yaml, document 1)
  mandatory  few-rules
    a.yaml:7  spec.ingress[1] is one too many
    a.yaml:8  spec.ingress[2] is one too many
    Why it is dangerous: Nobody reads them.
    Write instead: fewer:
      - one
      - two

The stack
  advisory  some-namespace
    namespaces are missing
    Why it is dangerous: It is nowhere.
    Write instead: one

Failed: 2 mandatory findings and 1 advisory finding in 1 object, by 2 rules.
`,
    );
  });

  it("names exceptions that were used, and what is wrong with others", () => {
    const exceptions = [exception, { ...exception, until: "2026-01-31" }];
    assert.equal(
      text(manifest, { "some-namespace": "disabled", "few-rules": { most: 1, exceptions } }),
      `NetworkPolicy default/web (a.yaml, document 1)
  mandatory  few-rules
    a.yaml:8  spec.ingress[2] is one too many
    Why it is dangerous: Nobody reads them.
    Write instead: fewer:
      - one
      - two

exceptions[1] of few-rules (pack.json)
  mandatory  exceptions-in-date
    pack.json:12  was made for NetworkPolicy default/* at spec.ingress[1] until 2026-01-31 (a merge
      on Friday), and that day has passed
    Why it blocks: what was to be accepted for a while would be accepted for good, without anybody deciding it. It covers nothing any more.
    What to do: mend what it covered, and remove exceptions[1] from the configuration of few-rules; or decide anew, and give it another reason and date.

Exceptions used
  few-rules: NetworkPolicy default/web: spec.ingress[1] is one too many
    until 2026-12-31: a merge\\u{a}on Friday

Failed: 2 mandatory findings in 1 object, by 1 rule; 1 finding is excepted.
`,
    );
  });

  it("says so where nothing is found, with notes", () => {
    const other = folder.write("values.yaml", "replicas: 3\n");
    folder.write("a.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n");
    const check = checkManifests([folder.path]);
    assert.equal(
      [...checkText(check, false)].join(""),
      `Notes
  ${other}: passed over: found in a folder, and without apiVersion, kind, metadata and spec, so no Kubernetes object

Passed: no finding in 1 object, by 2 rules.
`,
    );
  });

  it("shows characters that steer a terminal as what they are", () => {
    const hostile = manifest.replace("{name: web}", '{name: "web\\e[2J\\u202e"}');
    const shown = text(hostile);
    assert.ok(shown.startsWith("NetworkPolicy default/web\\u{1b}[2J\\u{202e} (a.yaml, document 1)\n"), shown);
  });

  it("has colours where they are wanted", () => {
    const check = checkManifests([folder.write("a.yaml", manifest)]);
    assert.ok([...checkText(check, true)].join("").includes("\u001b[31mmandatory\u001b[39m"));
  });
});

describe("what rules find, as JSON", () => {
  const folder = temporaryFolder();

  it("is one object, with everything that the text says", () => {
    const file = folder.write("a.yaml", manifest);
    const config = folder.write("pack.json", { "few-rules": { most: 1, exceptions: [exception] } });
    const json = [...checkJson(checkManifests([file], config))].join("");
    assert.deepEqual(JSON.parse(json), {
      version: 1,
      passed: false,
      summary: { objects: 1, rules: 2, mandatory: 1, advisory: 1, excepted: 1 },
      findings: [
        {
          rule: "few-rules",
          level: "mandatory",
          kind: "violation",
          about: "NetworkPolicy default/web",
          at: "spec.ingress[2]",
          found: "is one too many",
          danger: "Nobody reads them.",
          fix: "fewer:\n- one\n- two",
          documentation: "docs/rules.md#few-rules",
          source: `${file}, document 1`,
          file,
          line: 8,
          document: 1,
          urn: null,
        },
        {
          rule: "some-namespace",
          level: "advisory",
          kind: "violation",
          about: "The stack",
          at: "namespaces",
          found: "are missing",
          danger: "It is nowhere.",
          fix: "one",
          documentation: "docs/rules.md#some-namespace",
          source: null,
          file: null,
          line: null,
          document: null,
          urn: null,
        },
      ],
      excepted: [
        {
          rule: "few-rules",
          level: "mandatory",
          kind: "violation",
          about: "NetworkPolicy default/web",
          at: "spec.ingress[1]",
          found: "is one too many",
          danger: "Nobody reads them.",
          fix: "fewer:\n- one\n- two",
          documentation: "docs/rules.md#few-rules",
          source: `${file}, document 1`,
          file,
          line: 7,
          document: 1,
          urn: null,
          exception,
        },
      ],
      notes: [],
    });
    assert.equal(json.split("\n").filter((line) => line.startsWith('    {"rule"')).length, 3);
  });
});
