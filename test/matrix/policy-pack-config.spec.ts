import assert from "node:assert/strict";
import { manifestsOf, networkMatrix, policyPackConfig } from "../../matrix";
import { rules } from "../../policypack/rules";
import { findingsOf, fromManifest } from "../helpers/run-rule";
import { networkWith, stackNetwork, stacks } from "../helpers/stack-network";
import { stackResources } from "../helpers/stack-resources";

const withBaseline = rules.filter(({ config }) => "baseline" in config);

const deployment = (name: string, namespace = "erlmcp") =>
  fromManifest({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace },
    spec: {
      template: { metadata: { labels: { "app.kubernetes.io/name": name } }, spec: { containers: [] } },
    },
  });

describe("the configuration of the policy pack that a network puts out", () => {
  for (const stack of stacks) {
    const network = stackNetwork(stack);
    const config = policyPackConfig(network, `erlmcp-zero-trust/${stack}`);

    it(`names every rule that takes a baseline, and no other, for ${stack}`, () => {
      assert.deepEqual(
        Object.keys(config),
        withBaseline.map(({ name }) => name),
      );
    });

    it(`holds the namespaces and policies that ${stack} deploys, and its matrix`, () => {
      const kinds = ["Namespace", "NetworkPolicy"];
      for (const { baseline } of Object.values(config)) {
        const [one, ...more] = baseline;
        assert.deepEqual(more, []);
        assert.equal(one?.stack, `erlmcp-zero-trust/${stack}`);
        assert.deepEqual(
          one.objects,
          manifestsOf(network).filter(({ kind }) => kinds.includes(kind)),
        );
        assert.deepEqual(one.matrix, networkMatrix(network));
      }
    });

    it(`is plain data, and the same each time, for ${stack}`, () => {
      const text = JSON.stringify(config);
      assert.deepEqual(JSON.parse(text), config);
      assert.equal(JSON.stringify(policyPackConfig(stackNetwork(stack), `erlmcp-zero-trust/${stack}`)), text);
    });

    for (const rule of withBaseline) {
      it(`of ${stack} is one that the engine and ${rule.name} take`, async () => {
        const settings = { ...config[rule.name] };
        assert.deepEqual(rule.configProblems(settings), []);
        const workloads = [
          deployment("erlmcp"),
          deployment("postgres"),
          deployment("jaeger", "observability"),
        ];
        assert.deepEqual(await findingsOf(rule, workloads, settings), []);
        assert.deepEqual(
          await findingsOf(rule, stackResources(network), settings),
          [],
          "beside the stack itself",
        );
      });
    }
  }

  it("is what lets workloads pass in namespaces of the network", async () => {
    const needed: string[] = [];
    for (const rule of withBaseline) {
      if ((await findingsOf(rule, deployment("erlmcp"))).length > 0) needed.push(rule.name);
    }
    assert.deepEqual(needed, ["namespace-default-deny", "workload-isolated"]);
  });

  it("has no policies where the network has none", () => {
    const network = networkWith({ networking: { policies: { enabled: false } } });
    const [one] = Object.values(policyPackConfig(network, "a/b"));
    assert.deepEqual(
      [...new Set(one?.baseline.flatMap(({ objects }) => objects.map(({ kind }) => kind)))],
      ["Namespace"],
    );
  });
});
