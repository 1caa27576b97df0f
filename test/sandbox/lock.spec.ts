import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { withLock } from "../../sandbox/lock";
import { runningPid, startDaemon, stopDaemon } from "../../sandbox/processes";

describe("locks and processes", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "lock-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const busy = (pid: number): string => `held by ${pid}`;

  it("keep a second worker out until the first has finished, even badly", async () => {
    const file = path.join(folder, "lock");
    await withLock(file, 0, busy, async () => {
      await assert.rejects(
        withLock(file, 0, busy, () => Promise.resolve()),
        { message: `held by ${process.pid}` },
      );
    });
    await assert.rejects(
      withLock(file, 0, busy, () => Promise.reject(new Error("failed"))),
      { message: "failed" },
    );
    assert.ok(!existsSync(file));
  });

  it("do not count when their process has ended", async () => {
    const file = path.join(folder, "lock");
    const { pid } = spawnSync("true");
    writeFileSync(file, String(pid));
    assert.equal(await withLock(file, 0, busy, () => Promise.resolve("done")), "done");
  });

  it("end a process that is known by its mark, and no other one", async () => {
    const daemon = {
      command: process.execPath,
      args: ["-e", "setInterval(() => {}, 1000)", "--", `--mark=${folder}/`],
      logFile: path.join(folder, "log"),
      pidFile: path.join(folder, "pid"),
      mark: `=${folder}/`,
    };
    assert.equal(await stopDaemon(daemon), false);
    startDaemon(daemon);
    assert.notEqual(runningPid(daemon), undefined);
    // Another process may have this pid by now.
    assert.equal(runningPid({ ...daemon, mark: "=/somewhere/else/" }), undefined);
    assert.equal(await stopDaemon(daemon), true);
    assert.equal(runningPid(daemon), undefined);
    assert.ok(!existsSync(daemon.pidFile));
  });
});
