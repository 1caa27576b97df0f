import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { InvalidNetworkError, matrixRows, networkFromConfig } from "../matrix";
import { networkWith, root } from "./helpers/stack-network";

const readme = readFileSync(join(root, "README.md"), "utf8");

describe("the README", () => {
  it("shows config that works", () => {
    const [, yaml] = /```yaml\n(erlmcp-zero-trust:services[^]*?)```/.exec(readme) ?? [];
    assert.ok(yaml !== undefined);
    const config = Object.fromEntries(
      Object.entries(load(yaml) as Record<string, unknown>).map(([key, value]) => [
        key.replace("erlmcp-zero-trust:", ""),
        value,
      ]),
    );
    const ids = matrixRows(networkWith(config)).map(({ id }) => id);
    for (const id of ["worker-postgres", "worker-dns", "office-app"]) assert.ok(ids.includes(id), id);
    assert.ok(!ids.includes("app-jaeger"));
  });

  it("lists every config key", () => {
    let allowed = "";
    try {
      networkFromConfig({ unknown: true }, "test");
    } catch (error) {
      if (!(error instanceof InvalidNetworkError)) throw error;
      allowed = error.problems[0]?.allowed ?? "";
    }
    const keys = allowed.split(", ");
    assert.ok(keys.length > 10);
    for (const key of keys) assert.match(readme, new RegExp(`^\\| \`${key}\\b`, "m"));
  });
});
