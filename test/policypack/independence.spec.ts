import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const pack = join(__dirname, "../../policypack");
const sources = readdirSync(pack, { recursive: true, encoding: "utf8" }).filter(
  (file) => file.endsWith(".ts") && !/(^|\/)(dist|node_modules)\//.test(file),
);

describe("the policy pack", () => {
  it("imports nothing of the program that it judges, and only what it needs to start fast", () => {
    const outside = sources.flatMap((file) =>
      [...readFileSync(join(pack, file), "utf8").matchAll(/^import (?!type )[^;]*? from "([^"]+)";/gm)]
        .map(([, module = ""]) => module)
        .filter((module) => !module.startsWith("node:"))
        .filter(
          (module) =>
            !module.startsWith(".") || relative(pack, join(pack, file, "..", module)).startsWith(".."),
        ),
    );
    assert.deepEqual([...new Set(outside)].sort(), [
      "@pulumi/policy",
      "@pulumi/policy/deserialize",
      "ipaddr.js",
    ]);
  });
});
