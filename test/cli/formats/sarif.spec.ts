import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { sarif, type SarifOptions } from "../../../cli/formats/sarif";
import { checkManifests, manifest, temporaryFolder } from "../../helpers/check";

interface Location {
  physicalLocation?: {
    artifactLocation: { uri: string; uriBaseId?: string };
    region: { startLine: number };
  };
  logicalLocations: { fullyQualifiedName: string }[];
}
interface Result {
  ruleId: string;
  ruleIndex: number;
  level: string;
  message: { text: string };
  locations: Location[];
  partialFingerprints: Record<string, string>;
  suppressions?: { kind: string; status: string; justification: string }[];
}
interface Log {
  $schema: string;
  version: string;
  runs: {
    tool: { driver: { name: string; version: string; rules: Record<string, unknown>[] } };
    invocations: { executionSuccessful: boolean; exitCode: number; toolExecutionNotifications: unknown[] }[];
    results: Result[];
  }[];
}

describe("what rules find, as SARIF", () => {
  const folder = temporaryFolder();
  const logOf = (files: readonly string[], config: unknown = {}, options: Partial<SarifOptions> = {}) => {
    const check = checkManifests(files, folder.write("pack.json", config));
    const text = sarif(check, {
      rulesUrl: "https://example.com/rules.md",
      file: undefined,
      version: "1.2.3",
      folder: folder.path,
      ...options,
    });
    const log = JSON.parse(text) as Log;
    const [run] = log.runs;
    assert.ok(run !== undefined && log.runs.length === 1);
    return { log, run, rules: run.tool.driver.rules, results: run.results };
  };
  const exceptions = [
    { resource: "NetworkPolicy default/web", at: "spec.ingress[1]", reason: "a merge", until: "2026-12-31" },
  ];

  it("describes the rules that judged, with their help", () => {
    const { log, run, rules } = logOf([folder.write("a.yaml", manifest)], { "some-namespace": "disabled" });
    assert.equal(log.version, "2.1.0");
    assert.match(log.$schema, /^https:\/\/.*sarif-2\.1\.0\.json$/);
    assert.equal(run.tool.driver.name, "zero-trust");
    assert.equal(run.tool.driver.version, "1.2.3");
    assert.deepEqual(
      rules.map(({ id }) => id),
      ["few-rules", "exceptions-in-date", "exceptions"],
    );
    assert.deepEqual(rules[0], {
      id: "few-rules",
      shortDescription: { text: "Policies have few rules." },
      fullDescription: { text: "Policies have few rules." },
      helpUri: "https://example.com/rules.md#few-rules",
      help: {
        text: "Policies have few rules.\n1. Name the ports.\n2. Preview again.\nNIST SP 800-207 Zero Trust Architecture final, 2.1 Tenets of Zero Trust: https://csrc.nist.gov/pubs/sp/800/207/final",
        markdown:
          "Policies have few rules.\n\n1. Name the ports.\n2. Preview again.\n\n- [NIST SP 800-207 Zero Trust Architecture final, 2.1 Tenets of Zero Trust](https://csrc.nist.gov/pubs/sp/800/207/final)",
      },
      defaultConfiguration: { level: "error" },
      properties: {
        tags: ["security", "kubernetes", "network"],
        precision: "very-high",
        "security-severity": "8.0",
      },
    });
    for (const { helpUri } of rules) assert.ok(URL.canParse(helpUri as string));
  });

  it("has a result for each finding: an error where it is mandatory, a warning where it is advisory", () => {
    const { run, rules, results } = logOf([folder.write("a b#.yaml", manifest)]);
    assert.deepEqual(
      results.map(({ ruleId, ruleIndex, level }) => [ruleId, rules[ruleIndex]?.id, level]),
      [
        ["few-rules", "few-rules", "error"],
        ["few-rules", "few-rules", "error"],
        ["some-namespace", "some-namespace", "warning"],
      ],
    );
    assert.equal(
      results[0]?.message.text,
      "NetworkPolicy default/web: spec.ingress[1] is one too many.\nWhy it is dangerous: Nobody reads them.\nWrite instead: fewer:\n- one\n- two",
    );
    assert.deepEqual(results[0].locations, [
      {
        physicalLocation: {
          artifactLocation: { uri: "a%20b%23.yaml", uriBaseId: "%SRCROOT%" },
          region: { startLine: 7 },
        },
        logicalLocations: [
          { fullyQualifiedName: "NetworkPolicy default/web: spec.ingress[1]", kind: "resource" },
        ],
      },
    ]);
    assert.equal(results[2]?.locations[0]?.physicalLocation, undefined);
    assert.deepEqual(run.invocations, [
      { executionSuccessful: true, exitCode: 1, toolExecutionNotifications: [] },
    ]);
    const prints = results.map(({ partialFingerprints }) => partialFingerprints["findingOfField/v1"]);
    assert.equal(new Set(prints).size, 3);
    const moved = logOf([folder.write("a b#.yaml", `# moved\n${manifest}`)]).results;
    assert.deepEqual(
      moved.map(({ partialFingerprints }) => partialFingerprints["findingOfField/v1"]),
      prints,
    );
    assert.equal(moved[0]?.locations[0]?.physicalLocation?.region.startLine, 8);
  });

  it("suppresses what is excepted", () => {
    const { results } = logOf([folder.write("a.yaml", manifest)], { "few-rules": { exceptions } });
    assert.deepEqual(
      results.map(({ level, suppressions }) => [level, suppressions]),
      [
        ["error", undefined],
        ["warning", undefined],
        ["note", [{ kind: "external", status: "accepted", justification: "a merge (until 2026-12-31)" }]],
      ],
    );
  });

  it("shows findings without a line of their own at the file that the caller names", () => {
    const { results } = logOf([folder.write("a.yaml", manifest)], {}, { file: `${folder.path}/state.json` });
    assert.deepEqual(results[2]?.locations[0]?.physicalLocation, {
      artifactLocation: { uri: "state.json", uriBaseId: "%SRCROOT%" },
      region: { startLine: 1 },
    });
  });

  it("names files outside the folder in full", () => {
    const file = folder.write("a.yaml", manifest);
    const { results } = logOf([file], {}, { folder: `${folder.path}/elsewhere` });
    assert.deepEqual(results[0]?.locations[0]?.physicalLocation?.artifactLocation, {
      uri: pathToFileURL(file).href,
    });
  });

  it("says that exceptions are out of date or not needed at their lines", () => {
    const old = [
      { ...exceptions[0], until: "2026-01-01" },
      { ...exceptions[0], at: "spec.egress" },
    ];
    const { results } = logOf([folder.write("a.yaml", manifest)], {
      "few-rules": { most: 3, exceptions: old },
    });
    assert.deepEqual(
      results.map(({ ruleId, level, locations }) => {
        const { artifactLocation, region } = locations[0]?.physicalLocation ?? {};
        return [ruleId, level, artifactLocation?.uri, region?.startLine];
      }),
      [
        ["some-namespace", "warning", undefined, undefined],
        ["exceptions-in-date", "error", "pack.json", 5],
        ["exceptions", "warning", "pack.json", 11],
      ],
    );
  });

  it("carries notes, and ends with a newline", () => {
    folder.write("values.yaml", "replicas: 3\n");
    folder.write("a.yaml", manifest);
    const { run } = logOf([folder.path]);
    assert.equal(run.invocations[0]?.toolExecutionNotifications.length, 1);
  });
});
