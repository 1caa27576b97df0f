import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { load } from "js-yaml";
import { manifestsOf, policyPackConfig, type PolicyPackConfig } from "../../matrix";
import { rules } from "../../policypack/rules";
import { defaultDenyProtected } from "../../policypack/rules/default-deny-protected";
import { registrationsOf, type Registration } from "../helpers/registrations";
import { root, stackNetwork, stacks } from "../helpers/stack-network";

/** The config of a stack file as the engine hands it to a program: text as it is, everything else as JSON. */
function engineConfig(stack: string): Record<string, string> {
  const { config } = load(readFileSync(join(root, `Pulumi.${stack}.yaml`), "utf8")) as {
    config: Record<string, unknown>;
  };
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}

const requireProgram = createRequire(__filename);
const program = join(root, "index.ts");

/** Runs the project's program itself, freshly loaded as the engine would. */
async function run(
  stack: string,
  config = engineConfig(stack),
): Promise<{ all: Registration[]; exports: Outputs }> {
  Reflect.deleteProperty(requireProgram.cache, program);
  let exports: Outputs | undefined;
  const all = await registrationsOf(
    () => {
      exports = requireProgram(program) as Outputs;
    },
    { stack, config },
  );
  assert.ok(exports !== undefined);
  return { all, exports };
}

interface Outputs {
  readonly namespaces: string[];
  readonly policies: Record<string, string[]>;
  readonly matrix: { readonly id: string }[];
  readonly policyPackConfig: PolicyPackConfig;
}

for (const stack of stacks) {
  describe(`the program on ${stack}`, () => {
    let all: Registration[];
    let exports: Outputs;
    before(async () => {
      ({ all, exports } = await run(stack));
    });
    const custom = () => all.filter(({ type }) => type.startsWith("kubernetes:"));
    const named = (name: string) => {
      const found = all.find((registration) => registration.name === name);
      assert.ok(found !== undefined, `${name} is registered`);
      return found;
    };

    it("registers exactly the objects of the rendered manifests", () => {
      const objects = custom().map(({ inputs }) => {
        const { apiVersion, kind, metadata, spec } = inputs;
        return JSON.stringify({ apiVersion, kind, metadata, spec }, sorted);
      });
      const manifests = manifestsOf(stackNetwork(stack)).map((manifest) => JSON.stringify(manifest, sorted));
      assert.deepEqual(objects.sort(), manifests.sort());
    });

    it("registers its components under stable tokens, all parented, all with outputs", () => {
      const components = all.filter(({ type }) => type.startsWith("erlmcp:"));
      assert.deepEqual([...new Set(components.map(({ type }) => type))].sort(), [
        "erlmcp:network:DefaultDeny",
        ...(stack === "prod" ? ["erlmcp:network:MeshMtls"] : []),
        "erlmcp:network:ZeroTrustNamespace",
        "erlmcp:network:ZeroTrustNetwork",
      ]);
      for (const component of components)
        assert.ok(component.outputs !== undefined, `${component.name} has outputs`);
      for (const { name, parent } of custom()) {
        assert.match(parent, /erlmcp:network:/, `${name} is a component's child`);
      }
    });

    it("registers the matrix where the policy pack reads it", () => {
      const matrix = named("network").outputs?.matrix as { services: unknown[]; flows: { id: string }[] };
      assert.deepEqual(named("network").inputs.matrix, matrix, "and where a preview shows it");
      const { services, flows } = stackNetwork(stack).definition;
      const namespaces = ["erlmcp", "monitoring", "observability"];
      assert.deepEqual(
        JSON.parse(JSON.stringify(matrix)),
        JSON.parse(JSON.stringify({ namespaces, services, flows })),
      );
    });

    it("has default-deny wait for its namespace, and everything else in the namespace for default-deny", () => {
      const shut = custom().filter(({ name }) => name.includes("default-deny"));
      assert.equal(shut.length, 6);
      for (const policy of shut) {
        assert.ok(
          policy.dependencies.some((urn) => /Namespace(Patch)?::/.test(urn)),
          `${policy.name} waits for its namespace`,
        );
      }
      const rest = custom().filter(
        ({ name, type }) => !name.includes("default-deny") && !type.includes("Namespace"),
      );
      for (const { name, dependencies, inputs } of rest) {
        const { namespace } = inputs.metadata as { namespace: string };
        for (const direction of ["ingress", "egress"]) {
          assert.ok(
            dependencies.some((urn) => urn.endsWith(`::network-${namespace}-default-deny-${direction}`)),
            `${name} waits for default-deny of ${direction}`,
          );
        }
      }
    });

    it("protects default-deny and nothing else", () => {
      assert.deepEqual(
        all
          .filter(({ protect }) => protect)
          .map(({ name }) => name)
          .sort(),
        ["erlmcp", "monitoring", "observability"].flatMap((namespace) => [
          `network-${namespace}-default-deny-egress`,
          `network-${namespace}-default-deny-ingress`,
        ]),
      );
    });

    it(stack === "prod" ? "patches the namespaces it adopts" : "creates its namespaces", () => {
      const types = custom()
        .filter(({ type }) => type.includes(":core/v1:"))
        .map(({ type, name }) => [type, name])
        .sort();
      const adopted = stack === "prod" ? "kubernetes:core/v1:NamespacePatch" : "kubernetes:core/v1:Namespace";
      assert.deepEqual(types, [
        ["kubernetes:core/v1:Namespace", "network-erlmcp"],
        [adopted, "network-monitoring"],
        [adopted, "network-observability"],
      ]);
    });

    it("puts out namespaces, policies by namespace, and the matrix row by row", () => {
      assert.deepEqual(exports.namespaces, ["erlmcp", "monitoring", "observability"]);
      assert.deepEqual(exports.policies.monitoring, [
        "monitoring-deny-all-ingress",
        "monitoring-deny-all-egress",
        "prometheus-ingress",
        "prometheus-egress",
        "grafana-egress",
      ]);
      assert.deepEqual(
        exports.matrix.map(({ id }) => id),
        stackNetwork(stack).definition.flows.map(({ id }) => id),
      );
    });

    it("puts out the policy pack's configuration for other stacks, with exactly the policies that it registers", () => {
      assert.deepEqual(
        exports.policyPackConfig,
        policyPackConfig(stackNetwork(stack), `erlmcp-zero-trust/${stack}`),
      );
      const registered = custom()
        .filter(({ type }) => type.endsWith(":NetworkPolicy"))
        .map(({ inputs: { apiVersion, kind, metadata, spec } }) => ({ apiVersion, kind, metadata, spec }));
      const policies = exports.policyPackConfig.baseline.baseline
        .flatMap(({ objects }) => objects)
        .filter(({ kind }) => kind === "NetworkPolicy");
      const text = (object: unknown) => JSON.stringify(object, sorted);
      assert.deepEqual(policies.map(text).sort(), registered.map(text).sort());
    });
  });
}

describe("the program on default settings", () => {
  const protectedOnes = ({ all }: { all: Registration[] }) =>
    all.filter(({ protect }) => protect).map(({ name }) => name);

  it("is not blocked by the policy pack, which asks for a protected default-deny at security level high", async () => {
    const { all } = await run("staging", {});
    const resources = all.map(({ type, urn, name, inputs, outputs, protect }) => ({
      ...{ type, urn, name, props: outputs ?? inputs, opts: { protect } },
    }));
    for (const rule of rules.filter(({ enforcementLevel }) => enforcementLevel === "mandatory")) {
      assert.deepEqual(rule.judge(resources).violations, [], rule.name);
    }
    assert.deepEqual(defaultDenyProtected.judge(resources).violations, []);
    assert.equal(protectedOnes({ all }).length, 6);
  });

  it("protects default-deny at the other security levels only where it is asked to", async () => {
    const at = (more: Record<string, string>) =>
      run("staging", {
        "erlmcp-zero-trust:securityLevel": "medium",
        ...more,
      });
    assert.deepEqual(protectedOnes(await at({})), []);
    assert.equal(protectedOnes(await at({ "erlmcp-zero-trust:protectDefaultDeny": "true" })).length, 6);
  });

  it("leaves default-deny unprotected where it is told to", async () => {
    assert.deepEqual(
      protectedOnes(await run("staging", { "erlmcp-zero-trust:protectDefaultDeny": "false" })),
      [],
    );
  });
});

describe("the program on wrong config", () => {
  it("registers nothing and tells every problem", async () => {
    let registered: Registration[] | undefined;
    await assert.rejects(
      async () => {
        registered = (
          await run("staging", { "erlmcp-zero-trust:securityLevel": "top", "erlmcp-zero-trust:foo": "1" })
        ).all;
      },
      {
        __pulumiRunError: true,
        message:
          /^The configuration of stack staging \(Pulumi\.staging\.yaml\) has 2 problems; nothing was deployed\./,
      },
    );
    assert.equal(registered, undefined);
  });

  it("ignores keys of other packages", async () => {
    const { all } = await run("staging", {
      "kubernetes:context": "kind",
      "erlmcp-zero-trust:securityLevel": "low",
    });
    assert.ok(all.some(({ name }) => name === "network-erlmcp"));
  });
});

function sorted(_key: string, value: unknown): unknown {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
}

after(() => {
  pulumi.runtime.setAllConfig({});
});
