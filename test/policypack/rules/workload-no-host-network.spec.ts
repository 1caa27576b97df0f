import assert from "node:assert/strict";
import { workloadNoHostNetwork as rule } from "../../../policypack/rules/workload-no-host-network";
import { findingsOf, messagesOf, resource, runRule, unknown } from "../../helpers/run-rule";
import { deployment, deploymentNamed, podSpecPlaces, withPodSpec } from "../pod-spec";

const onHost = { hostNetwork: true, containers: [{ name: "web", image: "web" }] };

describe("workload-no-host-network", () => {
  it("accepts pods with a network of their own, said or not", async () => {
    for (const spec of [{}, { hostNetwork: false }, { hostNetwork: null }, undefined]) {
      assert.deepEqual(await findingsOf(rule, deployment(spec)), []);
    }
    assert.deepEqual(await findingsOf(rule, resource("kubernetes:core/v1:Pod", {})), []);
  });

  it("blocks a pod on its node's network", async () => {
    assert.deepEqual(await messagesOf(rule, deployment(onHost)), [
      `Deployment erlmcp/web: spec.template.spec.hostNetwork is true.
Why it is dangerous: a pod on the network of its node has the node's addresses, so no NetworkPolicy isolates it: it reaches whatever the node reaches, the node's loopback and the cloud's metadata service included, sees the node's traffic, and policies elsewhere cannot tell it from the node.
Write instead: nothing: leave hostNetwork out. Where the pod works only there, an entry with the reason under this rule's allow.
See docs/rules.md#workload-no-host-network`,
    ]);
  });

  it("looks into every kind that holds a pod spec, in every version of it, and into its patches", async () => {
    for (const place of podSpecPlaces) {
      const [, kind, path] = place;
      for (const suffix of ["", "Patch"] as const) {
        assert.deepEqual(await findingsOf(rule, withPodSpec(place, onHost, suffix)), [
          `${kind}${suffix} erlmcp/web: ${path.join(".")}.hostNetwork is true.`,
        ]);
        assert.deepEqual(await findingsOf(rule, withPodSpec(place, {}, suffix)), []);
      }
    }
  });

  it("leaves alone what a patch does not carry", async () => {
    const patch = resource("kubernetes:apps/v1:DeploymentPatch", {
      metadata: { name: "web", namespace: "erlmcp" },
      spec: { replicas: 2 },
    });
    assert.deepEqual(await findingsOf(rule, patch), []);
  });

  it("looks into Lists", async () => {
    const metadata = { name: "web", namespace: "erlmcp" };
    const items = [
      { apiVersion: "v1", kind: "ConfigMap", metadata },
      { apiVersion: "v1", kind: "Pod", metadata, spec: onHost },
      { apiVersion: "apps/v1", kind: "DaemonSet", metadata, spec: { template: { spec: onHost } } },
    ];
    assert.deepEqual(await findingsOf(rule, resource("kubernetes:core/v1:List", { items })), [
      "Pod erlmcp/web: items[1].spec.hostNetwork is true.",
      "DaemonSet erlmcp/web: items[2].spec.template.spec.hostNetwork is true.",
    ]);
    const list = resource("kubernetes:core/v1:PodList", { items: [{ metadata, spec: onHost }] });
    assert.deepEqual(await findingsOf(rule, list), ["Pod erlmcp/web: items[0].spec.hostNetwork is true."]);
    const templates = resource("kubernetes:core/v1:PodTemplateList", {
      items: [{ metadata, template: { spec: onHost } }],
    });
    assert.deepEqual(await findingsOf(rule, templates), [
      "PodTemplate erlmcp/web: items[0].template.spec.hostNetwork is true.",
    ]);
  });

  it("lets be what its configuration allows, and nothing else of the kind", async () => {
    const allow = [{ namespace: "monitoring", name: "node-agent", reason: "reads the node's sockets" }];
    const findings = async (name: unknown, namespace: unknown): Promise<string[]> =>
      findingsOf(rule, deploymentNamed(name, namespace, onHost), { allow });
    assert.deepEqual(await findings("node-agent", "monitoring"), []);
    assert.deepEqual(await findings("node-agent", "erlmcp"), [
      "Deployment erlmcp/node-agent: spec.template.spec.hostNetwork is true.",
    ]);
    assert.deepEqual(await findings("web", "monitoring"), [
      "Deployment monitoring/web: spec.template.spec.hostNetwork is true.",
    ]);
    const itself = "spec.template.spec.hostNetwork is true, and whether this rule's allow covers it";
    assert.deepEqual(await findings(unknown, "monitoring"), [
      `Deployment monitoring/(Pulumi resource web) cannot be verified: ${itself} depends on a value that is not known in the preview.`,
    ]);
    assert.deepEqual(await findings("node-agent", unknown), [
      `Deployment (namespace not known)/node-agent cannot be verified: ${itself} depends on a value that is not known in the preview.`,
    ]);
    assert.deepEqual(await findings("web", unknown), [
      "Deployment (namespace not known)/web: spec.template.spec.hostNetwork is true.",
    ]);
    const unread = deploymentNamed("node-agent", "monitoring", unknown);
    assert.deepEqual(await findingsOf(rule, unread, { allow }), []);
  });

  it("refuses an entry without a reason, or with a name that is none", async () => {
    for (const entry of [
      { namespace: "monitoring", name: "node-agent" },
      { namespace: "monitoring", name: "*", reason: "all of them" },
      { namespace: "monitoring", name: "node-agent", reason: " " },
    ]) {
      await assert.rejects(runRule(rule, deployment(onHost), { allow: [entry] }), /refuses/);
      assert.match(
        rule.judge([{ ...deployment(onHost), props: {} }], { allow: [entry] }).violations[0]?.message ?? "",
        /^Deployment .* was not judged: .*\n- allow\[0\]\.\w+ is /,
      );
    }
  });

  it("tells what is not known from what is wrong, at every level", async () => {
    const meta = { name: "web", namespace: "erlmcp" };
    const cases: [unknown, string][] = [
      [{ metadata: meta, spec: unknown }, "spec is not known in the preview."],
      [{ metadata: meta, spec: { template: unknown } }, "spec.template is not known in the preview."],
      [
        { metadata: meta, spec: { template: { spec: unknown } } },
        "spec.template.spec is not known in the preview.",
      ],
      [
        { metadata: meta, spec: { template: { spec: { hostNetwork: unknown } } } },
        "spec.template.spec.hostNetwork is not known in the preview.",
      ],
      [
        { metadata: meta, spec: { template: { spec: { hostNetwork: "true" } } } },
        'spec.template.spec.hostNetwork is "true" and not true or false.',
      ],
      [{ metadata: meta, spec: { template: [] } }, "spec.template is [] and not an object."],
    ];
    for (const [props, found] of cases) {
      assert.deepEqual(await findingsOf(rule, resource("kubernetes:apps/v1:Deployment", props)), [
        `Deployment erlmcp/web cannot be verified: ${found}`,
      ]);
    }
  });
});
