import assert from "node:assert/strict";
import fc from "fast-check";
import { columnsOf, wrap } from "../../../cli/formats/wrap";

describe("wrap", () => {
  it("breaks at blanks, and within a word only where the word alone is too long", () => {
    assert.deepEqual(wrap("TCP 14250, 14268; UDP 6831", 22, 9), ["TCP 14250, 14268; UDP", "6831"]);
    assert.deepEqual(wrap("svc a-very-long-name-of-a-workload", 12, 9), [
      "svc",
      "a-very-long-",
      "name-of-a-",
      "workload",
    ]);
    assert.deepEqual(wrap("x".repeat(25), 10, 9), ["x".repeat(10), "x".repeat(10), "x".repeat(5)]);
  });

  it("cuts off what is beyond the last line, and says so", () => {
    assert.deepEqual(wrap("one two three four", 5, 2), ["one", "two…"]);
    assert.deepEqual(wrap("abcde fghij", 5, 1), ["abc…"]);
  });

  it("counts characters beyond ASCII as wide ones", () => {
    assert.equal(columnsOf("abc"), 3);
    assert.equal(columnsOf("名前"), 4);
  });

  it("never makes a line too long, and loses nothing but blanks where there are lines enough", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary-ascii" }),
        fc.integer({ min: 4, max: 20 }),
        fc.integer({ min: 1, max: 4 }),
        (text, columns, lines) => {
          const cut = wrap(text, columns, lines);
          assert.ok(cut.length <= lines);
          assert.ok(cut.every((line) => columnsOf(line) <= columns));
          assert.equal(wrap(text, columns, Infinity).join("").replaceAll(" ", ""), text.replaceAll(" ", ""));
        },
      ),
    );
  });
});
