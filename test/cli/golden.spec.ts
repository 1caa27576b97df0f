import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { manifestFiles } from "../../cli/manifest-files";
import { root, stackNetwork, stacks } from "../helpers/stack-network";

for (const stack of stacks) {
  describe(`the golden manifests of ${stack}`, () => {
    const folder = join(root, "test", "golden", stack);
    const files = manifestFiles(stackNetwork(stack));

    it("are what the stack renders; a wanted change is recorded by `npm run golden`", () => {
      assert.deepEqual(readdirSync(folder).sort(), files.map(({ name }) => name).sort());
      for (const { name, text } of files) assert.equal(readFileSync(join(folder, name), "utf8"), text, name);
    });
  });
}
