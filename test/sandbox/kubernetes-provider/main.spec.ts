import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import * as path from "node:path";
import { createInterface } from "node:readline";
import { projectRoot } from "../../../sandbox/paths";

describe("the provider's process", function () {
  this.timeout(60_000);

  it("ends when the engine that started it is killed", async () => {
    const main = path.join(projectRoot(), "dist", "sandbox", "kubernetes-provider", "main.js");
    assert.ok(existsSync(main), "the project is compiled: npm run build");
    const engine = spawn("sh", ["-c", '"$0" "$1" & echo $!; wait', process.execPath, main], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface(engine.stdout)[Symbol.asyncIterator]();
    const pid = Number((await lines.next()).value);
    assert.match(String((await lines.next()).value), /^\d+$/, "it serves");

    engine.kill("SIGKILL");
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 50));
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
