import assert from "node:assert/strict";
import fc from "fast-check";
import { printable } from "../../../cli/formats/printable";

describe("printable", () => {
  it("leaves the names of Kubernetes objects as they are", () => {
    for (const name of ["erlmcp/otel-collector", "kube-system/coredns[Deployment]", "a.b-c_d", "größe"]) {
      assert.equal(printable(name), name);
    }
  });

  it("shows what would steer a terminal, break a line, or hide or reorder text", () => {
    assert.equal(printable("\u001b[2Ka\r\nb\tc"), "\\u{1b}[2Ka\\u{d}\\u{a}b\\u{9}c");
    assert.equal(printable("a\u202eb\u200bc\u2028d\u00a0e"), "a\\u{202e}b\\u{200b}c\\u{2028}d\\u{a0}e");
    assert.equal(printable("e\u0301\ud800"), "e\\u{301}\\u{d800}");
  });

  it("leaves no control, format or combining character in any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        assert.doesNotMatch(printable(text), /[\p{C}\p{M}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});
