import assert from "node:assert/strict";
import fc from "fast-check";
import { readJson } from "../../../cli/inputs/read-json";

describe("JSON", () => {
  it("is read however it is laid out", () => {
    const layout = fc.constantFrom(undefined, 1, 2, 4, "\t");
    fc.assert(
      fc.property(fc.jsonValue(), layout, (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        assert.equal(JSON.stringify(readJson(` ${text}\n`)), JSON.stringify(value));
      }),
    );
  });

  it("is read with escapes that could be left out, other forms of numbers, and keys that look like indices", () => {
    const text = '{"b": "\\u003ca\\u003e \\"c\\": 1 \\/", "10": 1.0, "2": 1e3, "a" : [{"x":\t{}}]}';
    assert.deepEqual(readJson(text), JSON.parse(text));
  });

  for (const text of [
    '{"a":1,"a":1}',
    '{"a": {"b": 1, "b": 2}}',
    '{"a": 1, "\\u0061": 2}',
    '[{"a":1},{"a":1,"a":1}]',
    '{"a":1,}',
    "{'a': 1}",
    "a: 1",
    "",
    "[".repeat(1_000_000),
  ]) {
    it(`is left to another reader: ${text.slice(0, 40)}`, () => {
      assert.equal(readJson(text), undefined);
    });
  }
});
