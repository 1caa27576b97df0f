import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeInstance } from "../../sandbox/control-plane";
import { openStack } from "../../sandbox/stack";
import { root } from "../helpers/stack-network";

const policy = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web
  namespace: default
spec:
  podSelector:
    matchLabels:
      app: web
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector:
            matchLabels:
              app: proxy
`;

describe("an exception from a rule, in the engine", function () {
  this.timeout(120_000);

  const instance = `test-exceptions-${process.pid}`;
  const folder = mkdtempSync(join(tmpdir(), "exceptions-"));
  const manifest = join(folder, "manifest.yaml");
  writeFileSync(manifest, policy);
  after(async () => {
    await removeInstance(instance);
    rmSync(folder, { recursive: true });
  });

  const preview = async (until: string) => {
    const exceptions = [{ resource: "NetworkPolicy default/*", reason: "the vendor says so", until }];
    const stack = await openStack({
      stack: "deploy-manifest",
      instance,
      program: join(root, "test", "fixtures", "deploy-manifest.ts"),
      env: { MANIFEST: manifest },
      policyPackConfig: {
        all: "disabled",
        "netpol-ports-required": { enforcementLevel: "mandatory", exceptions },
        // It stays advisory, or no exception could be made where all policies are mandatory.
        exceptions: "mandatory",
        "exceptions-in-date": "mandatory",
      },
    });
    return stack.preview();
  };

  it("lets the preview pass, and shows who is excepted, why and until when, by the resource", async () => {
    const { exitCode, violations, stdout } = await preview("9999-12-31");
    assert.equal(exitCode, 0, stdout);
    assert.deepEqual(
      violations.map(({ policy: name, enforcement, urn }) => [name, enforcement, urn?.split("::").at(-1)]),
      [["exceptions", "advisory", "web"]],
    );
    assert.match(
      stdout,
      /exception used: netpol-ports-required does not block NetworkPolicy default\/web: spec\.ingress\[0\]\.ports is missing\.\s+Reason: the vendor says so\s+Until: 9999-12-31/,
    );
  });

  it("blocks once its day has passed, and so does what it covered", async () => {
    const { exitCode, violations, stdout } = await preview("2000-01-01");
    assert.equal(exitCode, 1, stdout);
    assert.deepEqual(violations.map(({ policy: name, enforcement }) => [name, enforcement]).sort(), [
      ["exceptions-in-date", "mandatory"],
      ["netpol-ports-required", "mandatory"],
    ]);
  });
});
