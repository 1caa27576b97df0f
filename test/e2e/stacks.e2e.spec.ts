import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeInstance } from "../../sandbox/control-plane";
import { openStack, type SandboxStack } from "../../sandbox/stack";
import type { StackResult } from "../../sandbox/stack-job";
import { apply, goldenObjects, kubectl, liveObjects } from "../helpers/cluster";
import { root, stacks } from "../helpers/stack-network";

/** Names of the resources that an operation did something to, as `operation name`. */
function done({ steps }: StackResult): string[] {
  return steps
    .filter(({ operation, type }) => operation !== "same" && type.startsWith("kubernetes:"))
    .map(({ operation, urn }) => `${operation} ${urn.split("::").at(-1) ?? ""}`)
    .sort();
}

function succeeded(result: StackResult): StackResult {
  assert.equal(result.exitCode, 0, `${result.stdout}\n${result.stderr}`);
  return result;
}

for (const name of stacks) {
  describe(`the ${name} stack on a real API server`, function () {
    this.timeout(300_000);

    const instance = `test-${name}-${process.pid}`;
    let stack: SandboxStack;
    const withConfig = (config: Record<string, unknown>) => openStack({ stack: name, instance, config });
    const controllers = (...names: string[]) => ({
      networking: { policies: { ingress: { controllers: names } } },
    });

    before(async () => {
      stack = await openStack({ stack: name, instance });
      if (name === "prod") {
        for (const namespace of ["monitoring", "observability"]) {
          apply(stack.kubeconfig, {
            apiVersion: "v1",
            kind: "Namespace",
            metadata: { name: namespace, labels: { team: "platform" } },
          });
        }
      }
    });
    after(() => removeInstance(instance));

    const live = () => {
      const objects = liveObjects(stack.kubeconfig);
      for (const namespace of ["monitoring", "observability"]) {
        const object = objects[`Namespace ${namespace}`] as { labels: Record<string, string> } | undefined;
        if (name !== "prod" || object === undefined) continue;
        assert.equal(object.labels.team, "platform", "the other team's label stays");
        Reflect.deleteProperty(object.labels, "team");
      }
      return objects;
    };

    it("is blocked by the policy pack with its policies disabled, and creates nothing", async () => {
      const before = liveObjects(stack.kubeconfig);
      const open = await withConfig({ networking: { policies: { enabled: false } } });
      const result = await open.up();
      assert.equal(result.exitCode, 1);
      const blocked = result.violations.filter(({ policy }) => policy === "namespace-default-deny");
      assert.deepEqual(
        blocked.map(({ enforcement }) => enforcement),
        ["mandatory", "mandatory", "mandatory"],
      );
      assert.deepEqual(liveObjects(stack.kubeconfig), before);
    });

    it("comes up past the policy pack, and the API server then holds the golden manifests and nothing else", async () => {
      const result = succeeded(await stack.up());
      assert.deepEqual(
        result.violations.map(({ policy, enforcement }) => `${enforcement} ${policy}`),
        [],
      );
      assert.deepEqual(live(), goldenObjects(name));
      assert.deepEqual(Object.keys(result.outputs).sort(), [
        "matrix",
        "namespaces",
        "policies",
        "policyPackConfig",
      ]);
    });

    it("changes nothing the second time", async () => {
      const { changes } = succeeded(await stack.up());
      assert.deepEqual(Object.keys(changes), ["same"]);
    });

    it("touches one policy when an ingress controller is turned on, and one when it is turned off again", async () => {
      const more = await withConfig(
        controllers("ingress-nginx", ...(name === "staging" ? ["traefik"] : []), "gateway-api"),
      );
      assert.deepEqual(done(succeeded(await more.up())), ["update network-erlmcp-erlmcp-ingress"]);
      assert.match(
        kubectl(stack.kubeconfig, "get", "networkpolicy", "erlmcp-ingress", "-n", "erlmcp", "-o", "yaml"),
        /gateway\.networking\.k8s\.io\/gateway-name/,
      );
      assert.deepEqual(done(succeeded(await stack.up())), ["update network-erlmcp-erlmcp-ingress"]);
      assert.deepEqual(live(), goldenObjects(name));
    });

    it("removes a flow on both ends", async () => {
      const less = await withConfig({ disabledFlows: ["app-redis"] });
      assert.deepEqual(done(succeeded(await less.up())), [
        "update network-erlmcp-erlmcp-egress",
        "update network-erlmcp-redis-ingress",
      ]);
      for (const policy of ["erlmcp-egress", "redis-ingress"]) {
        const text = kubectl(stack.kubeconfig, "get", "networkpolicy", policy, "-n", "erlmcp", "-o", "yaml");
        assert.ok(!text.includes("app-redis") && !text.includes("6380"), policy);
      }
      succeeded(await stack.up());
    });

    it("sees a manual edit and a manual deletion by refresh, and mends both", async () => {
      const edit = [{ op: "add", path: "/spec/ingress/0/ports/-", value: { protocol: "TCP", port: 3306 } }];
      kubectl(
        stack.kubeconfig,
        "patch",
        "networkpolicy",
        "postgres-ingress",
        "-n",
        "erlmcp",
        "--type=json",
        "-p",
        JSON.stringify(edit),
      );
      kubectl(stack.kubeconfig, "delete", "networkpolicy", "redis-egress", "-n", "erlmcp");
      const seen = succeeded(await stack.refresh());
      assert.deepEqual(seen.changes.update, 1);
      assert.deepEqual(seen.changes.delete, 1);
      assert.deepEqual(done(succeeded(await stack.up())), [
        "create network-erlmcp-redis-egress",
        "update network-erlmcp-postgres-ingress",
      ]);
      assert.deepEqual(live(), goldenObjects(name));
    });

    it("stops on wrong config with every problem, and changes nothing", async () => {
      const wrong = await withConfig({ securityLevel: "top", foo: 1 });
      const result = await wrong.up();
      assert.equal(result.exitCode, 1);
      const told = result.diagnostics.map(({ message }) => message).join("\n");
      assert.match(
        told,
        new RegExp(
          `The configuration of stack ${name} \\(Pulumi\\.${name}\\.yaml\\) has 2 problems; nothing was deployed\\.`,
        ),
      );
      assert.match(told, /securityLevel: is not one of the values allowed/);
      assert.match(told, /foo: is not a key that this project knows/);
      assert.deepEqual(live(), goldenObjects(name));
    });

    it("keeps its policies where they are disabled afterwards: the engine deletes nothing that is protected", async () => {
      const open = await withConfig({ networking: { policies: { enabled: false } } });
      const result = await open.up();
      assert.equal(result.exitCode, 1);
      assert.match(result.diagnostics.map(({ message }) => message).join("\n"), /default-deny.* protect/s);
      assert.deepEqual(live(), goldenObjects(name));
    });

    it("leaves the working tree as it was", () => {
      const changed = execFileSync(
        "git",
        ["status", "--porcelain", "--", "Pulumi.yaml", `Pulumi.${name}.yaml`],
        {
          cwd: root,
          encoding: "utf8",
        },
      );
      assert.equal(changed, "");
    });

    it("goes down, and leaves no namespace of its own behind", async () => {
      assert.equal((await stack.destroy()).exitCode, 1, "default-deny is protected");
      assert.ok("NetworkPolicy erlmcp erlmcp-deny-all-ingress" in live());
      succeeded(await stack.destroy({ unprotect: true }));
      assert.deepEqual(
        live(),
        name === "prod"
          ? Object.fromEntries(
              ["monitoring", "observability"].map((namespace) => [
                `Namespace ${namespace}`,
                { apiVersion: "v1", labels: {}, annotations: {} },
              ]),
            )
          : {},
      );
    });
  });
}

describe("the rendered manifests on a real API server", function () {
  this.timeout(120_000);

  const instance = `test-render-${process.pid}`;
  const folder = mkdtempSync(join(tmpdir(), "zero-trust-render-"));
  after(async () => {
    await removeInstance(instance);
    rmSync(folder, { recursive: true });
  });

  it("give with kubectl apply -k what pulumi up deploys", async () => {
    const { kubeconfig } = await openStack({ stack: "prod", instance });
    const out = join(folder, "prod");
    execFileSync(
      process.execPath,
      [join(root, "dist", "cli", "main.js"), "render", "--stack", "prod", "--out", out],
      {
        cwd: root,
      },
    );
    kubectl(kubeconfig, "apply", "--server-side", "-k", out);
    assert.deepEqual(liveObjects(kubeconfig), goldenObjects("prod"));
  });
});
