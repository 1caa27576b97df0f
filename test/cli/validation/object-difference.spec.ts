import assert from "node:assert/strict";
import { missingParts, objectDifferences } from "../../../cli/validation/object-difference";

describe("differences of an object from what a stack has", () => {
  const sentences = (...args: Parameters<typeof objectDifferences>) =>
    objectDifferences(...args).map(({ at, found }) => `${at} ${found}`);

  const cases: [name: string, expected: object, actual: object, sentences: string[]][] = [
    ["equal objects have none", { a: [1], b: { c: null } }, { b: {}, a: [1] }, []],
    ["the order of a list makes none", { a: [{ b: 1 }, { b: 2 }] }, { a: [{ b: 2 }, { b: 1 }] }, []],
    [
      "a value that differs",
      { podSelector: { matchLabels: { "app.kubernetes.io/name": "redis" } } },
      { podSelector: { matchLabels: { "app.kubernetes.io/name": "web" } } },
      ['spec.podSelector.matchLabels["app.kubernetes.io/name"] is "web"; the stack has "redis"'],
    ],
    ["a field that is missing", { a: 1 }, {}, ["spec.a is missing; the stack has 1"]],
    ["a field that is there besides", {}, { endPort: 9200 }, ["spec.endPort is 9200; the stack has none"]],
    [
      "an item that was added",
      { ports: [{ port: 1 }] },
      { ports: [{ port: 1 }, { port: 2 }] },
      ['spec.ports[1] is {"port":2}, which the stack does not have'],
    ],
    [
      "an item that was removed",
      { ports: [{ port: 1 }, { port: 2 }] },
      { ports: [{ port: 1 }] },
      ['spec.ports lacks {"port":2}, which the stack has'],
    ],
    [
      "an item that is there twice",
      { types: ["Ingress"] },
      { types: ["Ingress", "Ingress"] },
      ['spec.types[1] is "Ingress", which the stack does not have'],
    ],
    [
      "an item that was changed, at its place",
      { ports: [{ port: 1 }, { port: 2, protocol: "TCP" }] },
      { ports: [{ port: 3, protocol: "TCP" }, { port: 1 }] },
      ["spec.ports[0].port is 3; the stack has 2"],
    ],
    [
      "text in the place of a list",
      { except: ["10.0.0.0/8"] },
      { except: "10.0.0.0/8" },
      ['spec.except is "10.0.0.0/8"; the stack has ["10.0.0.0/8"]'],
    ],
  ];
  for (const [name, expected, actual, found] of cases) {
    it(name, () => {
      assert.deepEqual(sentences(expected as never, actual as never, "spec"), found);
    });
  }

  it("are only what is missing where others may add to it", () => {
    assert.deepEqual(missingParts({ a: "1", b: "2" }, { a: "1", b: "3", c: "4" }, "metadata.labels"), [
      { at: "metadata.labels.b", found: 'is "3"; the stack has "2"' },
    ]);
    assert.deepEqual(missingParts({}, { c: "4" }, "metadata.labels"), []);
  });
});
