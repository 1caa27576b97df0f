import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadAll } from "js-yaml";
import { rules } from "../../policypack/rules";
import { removeInstance } from "../../sandbox/control-plane";
import { openStack } from "../../sandbox/stack";
import { liveObjects, type LiveObject } from "../helpers/cluster";
import { root } from "../helpers/stack-network";

describe("the policy pack on a program that breaks a rule", function () {
  this.timeout(120_000);

  const instance = `test-pack-${process.pid}`;
  const folder = mkdtempSync(join(tmpdir(), "policy-pack-"));
  const manifest = join(folder, "manifest.yaml");
  const deploy = async (yaml: string, policyPackConfig: Readonly<Record<string, unknown>> = {}) => {
    writeFileSync(manifest, yaml);
    return openStack({
      policyPackConfig,
      stack: "deploy-manifest",
      instance,
      program: join(root, "test", "fixtures", "deploy-manifest.ts"),
      env: { MANIFEST: manifest },
    });
  };
  after(async () => {
    await removeInstance(instance);
    rmSync(folder, { recursive: true });
  });

  for (const { name, examples } of rules) {
    for (const { title, yaml } of examples.bad) {
      it(`${name} blocks the update and names the resource: ${title}`, async () => {
        // An advisory rule blocks where the pack's configuration makes it mandatory.
        const stack = await deploy(yaml, { [name]: { enforcementLevel: "mandatory" } });
        const result = await stack.up();
        assert.equal(result.exitCode, 1, result.stdout);

        const found = result.violations.filter(({ policy }) => policy === name);
        assert.notEqual(found.length, 0, `${name} found nothing: ${JSON.stringify(result.violations)}`);
        const named = (loadAll(yaml) as LiveObject[]).map(({ metadata }) => metadata.name);
        for (const { enforcement, urn, message } of found) {
          assert.equal(enforcement, "mandatory");
          assert.ok(
            named.some((resource) => urn?.endsWith(`::${resource}`)),
            `${urn ?? "nothing"} is the resource`,
          );
          assert.match(message, new RegExp(`See docs/rules\\.md#${name}$`));
        }
        assert.ok(result.stdout.includes(name), "the rule is named on the screen");
        assert.deepEqual(liveObjects(stack.kubeconfig), {}, "nothing of it was made");
      });
    }
  }

  it("lets a namespace with default-deny and nothing wrong pass", async () => {
    const labels = Object.entries({
      "network-policy": "zero-trust",
      "security-level": "low",
      "pod-security.kubernetes.io/enforce": "restricted",
      "pod-security.kubernetes.io/audit": "restricted",
      "pod-security.kubernetes.io/warn": "restricted",
    })
      .map(([key, value]) => `    ${key}: ${value}\n`)
      .join("");
    const stack = await deploy(`apiVersion: v1
kind: Namespace
metadata:
  name: team
  labels:
${labels}---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: default-deny
  namespace: team
  annotations:
    zero-trust.erlmcp/purpose: Shuts all that no other policy opens
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
`);
    const result = await stack.up();
    assert.deepEqual(
      result.violations.filter(({ enforcement }) => enforcement === "mandatory"),
      [],
    );
    assert.equal(result.exitCode, 0, result.stdout);
    assert.deepEqual(Object.keys(liveObjects(stack.kubeconfig)), [
      "Namespace team",
      "NetworkPolicy team default-deny",
    ]);
  });
});
