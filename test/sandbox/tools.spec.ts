import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { requiredVersion } from "../../sandbox/go-build";
import { findExecutable, pulumiOnPath } from "../../sandbox/tools";

describe("finding the sandbox's tools", () => {
  let folder: string;
  const command = (name: string, script: string, mode = 0o755): string => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, mode);
    return file;
  };
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "tools-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("takes the first executable file of a PATH", () => {
    command("one/pulumi", "", 0o644);
    mkdirSync(path.join(folder, "two", "pulumi"), { recursive: true });
    const found = command("three/pulumi", "");
    command("four/pulumi", "");
    const folders = ["none", "one", "two", "three", "four"].map((name) => path.join(folder, name));
    assert.equal(findExecutable("pulumi", folders), found);
    assert.equal(findExecutable("kubectl", folders), undefined);
  });

  it("uses a Pulumi CLI that is as new as the program's SDK", () => {
    const file = command("pulumi", "echo v3.999.0");
    assert.deepEqual(pulumiOnPath([folder]), {
      name: "Pulumi CLI",
      origin: "official",
      version: "3.999.0",
      path: file,
    });
  });

  it("passes over a Pulumi CLI that is older or does not work", () => {
    assert.equal(pulumiOnPath([folder]), undefined);
    command("pulumi", "echo v3.1.0");
    assert.equal(pulumiOnPath([folder]), undefined);
    command("pulumi", "exit 1");
    assert.equal(pulumiOnPath([folder]), undefined);
  });

  it("reads the releases it builds from go.mod", () => {
    assert.match(requiredVersion("control-plane", "k8s.io/kubernetes"), /^v1\.\d+\.\d+$/);
    assert.match(requiredVersion("pulumi-cli", "github.com/pulumi/pulumi/pkg/v3"), /^v3\.\d+\.\d+$/);
    assert.match(requiredVersion("mesh-crds", "istio.io/api"), /^v1\.\d+\.\d+$/);
    assert.throws(() => requiredVersion("mesh-crds", "example.org/none"), {
      message: "sandbox/mesh-crds/go.mod requires no example.org/none",
    });
  });
});
