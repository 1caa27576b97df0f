import assert from "node:assert/strict";
import { Unknown, type Plain } from "../../../policypack/plain-data";
import type { Selector } from "../../../policypack/reachability/model";
import { describeReadProblem, readCluster } from "../../../policypack/reachability/read-cluster";

function read(...selectors: unknown[]): ReturnType<typeof readCluster> {
  return readCluster(
    selectors.map((podSelector, index) => ({
      body: {
        apiVersion: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        metadata: { name: `p${index}` },
        spec: { podSelector } as Plain,
      },
      source: "p.yaml",
    })),
  );
}

function selectors(...given: unknown[]): Selector[] {
  const { cluster, problems } = read(...given);
  assert.deepEqual(problems.map(describeReadProblem), []);
  return cluster.networkPolicies.map(({ podSelector }) => podSelector);
}

function problems(selector: unknown): string[] {
  return read(selector).problems.map((problem) =>
    describeReadProblem(problem).replace("p.yaml: NetworkPolicy default/p0: spec.podSelector", ""),
  );
}

const key =
  "a name of at most 63 letters, digits, -, _ and ., with a letter or digit at both ends, after an optional DNS name and /";
const value = "text of at most 63 letters, digits, -, _ and ., with a letter or digit at both ends, or empty";

describe("a label selector that is read", () => {
  it("has its labels as requirements, each once and in order", () => {
    const [selector] = selectors({
      matchLabels: { tier: "web", "app.kubernetes.io/name": "" },
      matchExpressions: [
        { key: "zone", operator: "NotIn", values: ["b", "a", "b"] },
        { key: "tier", operator: "In", values: ["web"] },
        { key: "legacy", operator: "DoesNotExist" },
        { key: "app", operator: "Exists", values: [] },
      ],
    });
    assert.deepEqual(selector, {
      requirements: [
        { key: "app", operator: "Exists", values: [] },
        { key: "app.kubernetes.io/name", operator: "In", values: [""] },
        { key: "legacy", operator: "DoesNotExist", values: [] },
        { key: "tier", operator: "In", values: ["web"] },
        { key: "zone", operator: "NotIn", values: ["a", "b"] },
      ],
    });
  });

  it("is one object for all that are written alike", () => {
    const [a, b, c, d] = selectors(
      { matchLabels: { app: "a", tier: "web" } },
      { matchLabels: { app: "a", tier: "web" }, matchExpressions: null },
      { matchExpressions: [{ key: "app", operator: "Exists" }] },
      { matchExpressions: [{ key: "app", operator: "Exists", values: null }] },
    );
    assert.equal(a, b);
    assert.equal(c, d);
    const [none, empty, nothing] = selectors({}, { matchLabels: {}, matchExpressions: [] }, null);
    assert.equal(none, empty);
    assert.equal(none, nothing);
  });

  it("can have a label named like a member of every object", () => {
    assert.deepEqual(selectors({ matchLabels: { constructor: "a" } })[0]?.requirements, [
      { key: "constructor", operator: "In", values: ["a"] },
    ]);
  });

  it("can have keys and values of the greatest length", () => {
    const longest = "a".repeat(63);
    const prefix = `${"b".repeat(251)}.c`;
    assert.deepEqual(selectors({ matchLabels: { [`${prefix}/${longest}`]: longest } })[0]?.requirements, [
      { key: `${prefix}/${longest}`, operator: "In", values: [longest] },
    ]);
  });
});

describe("a label selector with a problem", () => {
  const cases: [name: string, selector: unknown, ...problems: string[]][] = [
    [
      "no object",
      "app=web",
      ' is "app=web"; allowed: an object with the fields matchLabels, matchExpressions. Fix: write an object, or leave it out.',
    ],
    [
      "labels without matchLabels",
      { app: "web", MatchLabels: {} },
      ".app is not a field of the API; allowed: matchLabels, matchExpressions. Fix: remove it, or move it to where it belongs.",
      ".MatchLabels is not a field of the API; allowed: matchLabels, matchExpressions. Fix: write matchLabels.",
    ],
    [
      "labels that are no object",
      { matchLabels: ["app"] },
      '.matchLabels is ["app"]; allowed: an object from label keys to text. Fix: write key: value pairs, or leave it out.',
    ],
    [
      "keys",
      { matchLabels: { "A.io/x": "", "/x": "", "a/b/c": "", "": "", _a: "" } },
      ...["A.io/x", "/x", "a/b/c", "", "_a"].map(
        (found) =>
          `.matchLabels has the label key ${JSON.stringify(found)}; allowed: ${key}. Fix: write a valid label key.`,
      ),
    ],
    [
      "values",
      { matchLabels: { "a.io/b": 1, b: true, c: null, d: "-", e: "ä" } },
      `.matchLabels["a.io/b"] is 1; allowed: ${value}. Fix: write "1" with quotes.`,
      `.matchLabels.b is true; allowed: ${value}. Fix: write "true" with quotes.`,
      `.matchLabels.c is null; allowed: ${value}. Fix: write a valid label value.`,
      `.matchLabels.d is "-"; allowed: ${value}. Fix: write a valid label value.`,
      `.matchLabels.e is "ä"; allowed: ${value}. Fix: write a valid label value.`,
    ],
    [
      "expressions",
      {
        matchExpressions: [
          null,
          { key: "a", operator: "in", values: ["b"] },
          { operator: "Exists", value: "b" },
          { key: "a b" },
          { key: "a", operator: "In" },
          { key: "a", operator: "NotIn", values: [] },
          { key: "a", operator: "Exists", values: ["b"] },
          { key: "a", operator: "DoesNotExist", values: ["b"] },
          { key: "a", operator: "In", values: "b" },
          { key: "a", operator: "In", values: ["b c", 5] },
        ],
      },
      ".matchExpressions[0] is null; allowed: an object with the fields key, operator, values. Fix: write an object, or leave it out.",
      '.matchExpressions[1].operator is "in"; allowed: "In", "NotIn", "Exists" or "DoesNotExist". Fix: write "In".',
      ".matchExpressions[2].value is not a field of the API; allowed: key, operator, values. Fix: write values.",
      `.matchExpressions[2].key is missing; allowed: ${key}. Fix: write a valid label key.`,
      `.matchExpressions[3].key is "a b"; allowed: ${key}. Fix: write a valid label key.`,
      '.matchExpressions[3].operator is missing; allowed: "In", "NotIn", "Exists" or "DoesNotExist". Fix: write "In", "NotIn", "Exists" or "DoesNotExist".',
      ".matchExpressions[4].values is missing; allowed: one value or more with In. Fix: list the values, or use Exists.",
      ".matchExpressions[5].values is []; allowed: one value or more with NotIn. Fix: list the values, or use DoesNotExist.",
      '.matchExpressions[6].values is ["b"]; allowed: no values with Exists. Fix: remove them, or use In.',
      '.matchExpressions[7].values is ["b"]; allowed: no values with DoesNotExist. Fix: remove them, or use NotIn.',
      '.matchExpressions[8].values is "b"; allowed: a list of label values. Fix: write a list.',
      `.matchExpressions[9].values[0] is "b c"; allowed: ${value}. Fix: write a valid label value.`,
      `.matchExpressions[9].values[1] is 5; allowed: ${value}. Fix: write "5" with quotes.`,
    ],
  ];
  for (const [name, selector, ...expected] of cases) {
    it(`is told of with place, value and fix: ${name}`, () => {
      assert.deepEqual(problems(selector), expected);
      assert.deepEqual(read(selector).cluster.networkPolicies, []);
    });
  }

  it("is told of where a label is not known in the preview", () => {
    const [problem] = read({ matchLabels: { app: new Unknown() } }).problems;
    assert.deepEqual([problem?.at, problem?.unknown], ["spec.podSelector.matchLabels.app", true]);
  });

  it("does not take a map for one with the same text", () => {
    const { cluster, problems } = read({ matchLabels: { a: "b", c: "d" } }, { matchLabels: { a: "b,c=d" } });
    assert.equal(cluster.networkPolicies.length, 1);
    assert.equal(problems.length, 1);
  });
});
