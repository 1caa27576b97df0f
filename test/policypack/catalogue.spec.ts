import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { renderCatalogue } from "../../policypack/catalogue";
import { rules } from "../../policypack/rules";

describe("the catalogue of rules", () => {
  it("is up to date (npm run docs:rules writes it anew)", () => {
    const written = readFileSync(join(__dirname, "../../docs/rules.md"), "utf8");
    assert.equal(written, renderCatalogue(rules));
  });

  it("has the heading that every message points to", () => {
    const headings = new Set(renderCatalogue(rules).match(/(?<=^## ).*$/gm));
    for (const { documentation } of rules)
      assert.ok(headings.has(documentation.replace("docs/rules.md#", "")));
  });
});
