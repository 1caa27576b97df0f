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

    it(`holds the namespaces and policies that ${stack} deploys, and its matrix`, () => {
      const kinds = ["Namespace", "NetworkPolicy"];
      const objects = manifestsOf(network).filter(({ kind }) => kinds.includes(kind));
      const item = { stack: `erlmcp-zero-trust/${stack}`, objects, matrix: networkMatrix(network) };
      assert.deepEqual(config, { baseline: { baseline: [item] } });
    });

    it(`is plain data, and the same each time, for ${stack}`, () => {
      const text = JSON.stringify(config);
      assert.deepEqual(JSON.parse(text), config);
      assert.equal(JSON.stringify(policyPackConfig(stackNetwork(stack), `erlmcp-zero-trust/${stack}`)), text);
    });

    for (const rule of withBaseline) {
      it(`of ${stack} is one that the engine and ${rule.name} take`, async () => {
        const settings = config.baseline;
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
    const { baseline } = policyPackConfig(network, "a/b").baseline;
    const kinds = baseline.flatMap(({ objects }) => objects.map(({ kind }) => kind));
    assert.deepEqual([...new Set(kinds)], ["Namespace"]);
  });
});
