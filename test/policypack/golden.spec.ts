import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { protectsDefaultDeny } from "../../matrix";
import { rules } from "../../policypack/rules";
import { allFromYaml, findingsOf, runRule } from "../helpers/run-rule";
import { stackNetwork, stacks } from "../helpers/stack-network";

const golden = join(__dirname, "../golden");

describe("the manifests of this project's own stacks", () => {
  for (const stack of stacks) {
    const protect = protectsDefaultDeny(stackNetwork(stack).definition);
    const resources = readdirSync(join(golden, stack))
      .filter((file) => file !== "kustomization.yaml")
      .flatMap((file) =>
        allFromYaml(readFileSync(join(golden, stack, file), "utf8"), protect).map((one) => ({
          ...one,
          urn: file,
        })),
      );
    for (const rule of rules) {
      if (rule.name === "default-deny-protected" && !protect) {
        it(`of ${stack}, which does not ask for it, are advised by ${rule.name}, and not blocked`, async () => {
          const diagnostics = await runRule(rule, resources);
          assert.ok(diagnostics.length > 0);
          for (const { enforcementLevel } of diagnostics) assert.equal(enforcementLevel, "advisory");
        });
        continue;
      }
      it(`of ${stack} pass ${rule.name}`, async () => {
        assert.deepEqual(await findingsOf(rule, resources), []);
      });
    }
  }
});
