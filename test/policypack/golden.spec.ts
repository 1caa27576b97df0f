import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { rules } from "../../policypack/rules";
import { allFromYaml, findingsOf } from "../helpers/run-rule";

const golden = join(__dirname, "../golden");

describe("the manifests of this project's own stacks", () => {
  for (const stack of readdirSync(golden)) {
    const resources = readdirSync(join(golden, stack))
      .filter((file) => file !== "kustomization.yaml")
      .flatMap((file) =>
        allFromYaml(readFileSync(join(golden, stack, file), "utf8")).map((one) => ({ ...one, urn: file })),
      );
    for (const rule of rules) {
      it(`of ${stack} pass ${rule.name}`, async () => {
        assert.deepEqual(await findingsOf(rule, resources), []);
      });
    }
  }
});
