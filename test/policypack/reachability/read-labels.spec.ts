import assert from "node:assert/strict";
import type { Plain } from "../../../policypack/plain-data";
import {
  areEqualButForControllers,
  isDnsLabel,
  isLabelValue,
  isSubdomain,
  labelKeyAllowed,
  LabelReader,
  labelValueAllowed,
  labelValueFix,
} from "../../../policypack/reachability/read-labels";
import type { FieldProblem } from "../../../policypack/reachability/read-problem";

const long = (length: number) => "a".repeat(length);

describe("names", () => {
  it("of objects are DNS subdomains of at most 253 letters", () => {
    const names = ["web", "0", "web-2", "a.b-c.9", long(253)];
    for (const name of names) assert.equal(isSubdomain(name), true, name);
    const others = ["", "-web", "web-", "Web", "a_b", "a..b", ".a", "a.", "a.-b", "a b", long(254)];
    for (const name of others) assert.equal(isSubdomain(name), false, name);
  });

  it("of namespaces are DNS labels of at most 63 letters, without a dot", () => {
    for (const name of ["shop", "shop-2", long(63)]) assert.equal(isDnsLabel(name), true, name);
    for (const name of ["", "shop.eu", "Shop", "-shop", long(64)])
      assert.equal(isDnsLabel(name), false, name);
  });
});

describe("labels", () => {
  const read = (value: Plain | undefined, reader = new LabelReader()) => {
    const problems: FieldProblem[] = [];
    const labels = reader.read(value, "metadata.labels", (problem) => problems.push(problem));
    return { labels, problems };
  };

  it("have a name of at most 63 letters as key, after a DNS name where there is a slash", () => {
    const reader = new LabelReader();
    const keys = ["a", "App_1.x-y", long(63), `example.org/${long(63)}`, `${long(253)}/a`];
    // Twice, because keys that are valid are remembered.
    for (const key of [...keys, ...keys]) assert.equal(reader.isKey(key), true, key);
    const others = ["", "-a", "a-", "a b", "/a", "example.org/", "Example/a", "a/b/c", "a_b/c"];
    for (const key of [...others, long(64), `example.org/${long(64)}`, `${long(254)}/a`])
      assert.equal(reader.isKey(key), false, key);
  });

  it("have a value of at most 63 letters, or an empty one", () => {
    for (const value of ["", "a", "1.0_x-Y", long(63)]) assert.equal(isLabelValue(value), true, value);
    for (const value of ["-a", "a-", "a/b", "a b", long(64)]) assert.equal(isLabelValue(value), false, value);
  });

  it("that are written alike are one object", () => {
    const reader = new LabelReader();
    const first = read({ app: "web", tier: "a" }, reader);
    assert.deepEqual(first, { labels: { app: "web", tier: "a" }, problems: [] });
    assert.equal(read({ app: "web", tier: "a" }, reader).labels, first.labels);
    assert.deepEqual(read({ tier: "a", app: "web" }, reader).labels, first.labels);
    assert.notEqual(read({ app: "web" }, reader).labels, first.labels);
    assert.deepEqual(read({}, reader), { labels: {}, problems: [] });
    assert.deepEqual(read(undefined, reader), { labels: {}, problems: [] });
  });

  it("that a label cannot have are reported, each at its place, and none is read then", () => {
    const { labels, problems } = read({ "a b": "x", app: "-", tier: "a", port: 8080 });
    assert.deepEqual(labels, {});
    assert.deepEqual(problems, [
      {
        at: "metadata.labels",
        problem: 'has the label key "a b"',
        allowed: labelKeyAllowed,
        fix: "write a valid label key",
        unknown: false,
      },
      {
        at: "metadata.labels.app",
        problem: 'is "-"',
        allowed: labelValueAllowed,
        fix: "write a valid label value",
        unknown: false,
      },
      {
        at: "metadata.labels.port",
        problem: "is 8080",
        allowed: labelValueAllowed,
        fix: 'write "8080" with quotes',
        unknown: false,
      },
    ]);
    assert.deepEqual(read(["app"]), {
      labels: {},
      problems: [
        {
          at: "metadata.labels",
          problem: 'is ["app"]',
          allowed: "an object from label keys to text",
          fix: "write key: value pairs, or leave it out",
          unknown: false,
        },
      ],
    });
  });

  it("have no text where one of them is reported, first or last", () => {
    const text = (value: Plain) => new LabelReader().readText(value, "", () => undefined);
    assert.equal(text({ app: "-", tier: "a" }), undefined);
    assert.equal(text({ tier: "a", app: "-" }), undefined);
    assert.equal(text({ "-": "a", tier: "a" }), undefined);
    assert.notEqual(text({ app: "a", tier: "b" }), text({ app: "b", tier: "a" }));
  });

  it("are to be written with quotes where they look like no text", () => {
    assert.equal(labelValueFix(1), 'write "1" with quotes');
    assert.equal(labelValueFix(true), 'write "true" with quotes');
    assert.equal(labelValueFix(null), "write a valid label value");
  });

  it("are equal when those are that no controller sets", () => {
    const web = { app: "web", tier: "a" };
    const equal = [
      {},
      { "pod-template-hash": "5d8" },
      { "batch.kubernetes.io/job-name": "web", "job-name": "web" },
      { "apps.kubernetes.io/pod-index": "0", "controller-uid": "1" },
    ];
    for (const set of equal) {
      assert.equal(areEqualButForControllers(web, { ...set, ...web }), true);
      assert.equal(areEqualButForControllers({ ...set, ...web }, web), true);
    }
    const others = [
      {},
      { app: "web" },
      { ...web, tier: "b" },
      { ...web, app: "api" },
      { app: "web", zone: "a" },
      { ...web, zone: "a" },
      { ...web, "job.name": "web" },
    ];
    for (const labels of others) {
      assert.equal(areEqualButForControllers(web, labels), false);
      assert.equal(areEqualButForControllers(labels, web), false);
    }
    assert.equal(areEqualButForControllers({ constructor: "a" }, { app: "a" }), false);
  });
});
