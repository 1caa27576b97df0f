import assert from "node:assert/strict";
import { readPlainScalar } from "../../../cli/inputs/yaml-scalar";
import { scalars } from "../../fixtures/inputs/kubernetes-scalars.json";

describe("an unquoted scalar", () => {
  for (const [text, value] of Object.entries(scalars)) {
    it(`${text} is ${JSON.stringify(value)}, as it is to Kubernetes`, () => {
      // In JSON, since it has no negative zero.
      assert.equal(JSON.stringify(readPlainScalar(text)), JSON.stringify(value));
    });
  }
});
