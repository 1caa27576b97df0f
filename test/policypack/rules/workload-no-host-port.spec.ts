import assert from "node:assert/strict";
import { workloadNoHostPort as rule } from "../../../policypack/rules/workload-no-host-port";
import { findingsOf, messagesOf, unknown } from "../../helpers/run-rule";
import { deployment, podSpecPlaces, withPodSpec } from "../pod-spec";

const ports = (...list: unknown[]): unknown => ({ containers: [{ name: "web", ports: list }] });

describe("workload-no-host-port", () => {
  it("accepts containers without a port of the node", async () => {
    const accepted = {
      containers: [
        {
          name: "web",
          ports: [{ containerPort: 80 }, { containerPort: 81, hostPort: 0 }, { containerPort: 82 }],
        },
        { name: "none" },
        { name: "empty", ports: [] },
      ],
      initContainers: [],
    };
    assert.deepEqual(await findingsOf(rule, deployment(accepted)), []);
    assert.deepEqual(await findingsOf(rule, deployment({})), []);
    assert.deepEqual(await findingsOf(rule, deployment(undefined)), []);
  });

  it("blocks each port of the node, of every container", async () => {
    const spec = {
      containers: [
        { name: "web", ports: [{ containerPort: 80, hostPort: 80 }, { containerPort: 81 }] },
        { name: "log", ports: [{ containerPort: 53, hostPort: 53, hostIP: "127.0.0.1", protocol: "UDP" }] },
      ],
      initContainers: [
        { name: "sidecar", restartPolicy: "Always", ports: [{ containerPort: 82, hostPort: 82 }] },
      ],
      ephemeralContainers: [{ name: "debug", ports: [{ containerPort: 83, hostPort: 83 }] }],
    };
    assert.deepEqual(await findingsOf(rule, deployment(spec)), [
      "Deployment erlmcp/web: spec.template.spec.containers[0].ports[0].hostPort is 80.",
      "Deployment erlmcp/web: spec.template.spec.containers[1].ports[0].hostPort is 53.",
      "Deployment erlmcp/web: spec.template.spec.initContainers[0].ports[0].hostPort is 82.",
      "Deployment erlmcp/web: spec.template.spec.ephemeralContainers[0].ports[0].hostPort is 83.",
    ]);
    assert.deepEqual(await messagesOf(rule, deployment(ports({ hostPort: 8443 }))), [
      `Deployment erlmcp/web: spec.template.spec.containers[0].ports[0].hostPort is 8443.
Why it is dangerous: a port of the node leads to the pod, for everybody who reaches the node: around every Service, Ingress and mesh, and often past the pod's policies, because what comes in may bear an address of the node, which they let pass.
Write instead: nothing: leave hostPort out, and let a Service lead to the containerPort. Where there is no other way in, an entry with the reason under this rule's allow.
See docs/rules.md#workload-no-host-port`,
    ]);
  });

  it("leaves a pod on the network of its node to the rule for that", async () => {
    const spec = { containers: [{ ports: [{ containerPort: 9100, hostPort: 9100 }] }] };
    assert.deepEqual(await findingsOf(rule, deployment({ ...spec, hostNetwork: true })), []);
    for (const hostNetwork of [false, unknown]) {
      assert.equal((await findingsOf(rule, deployment({ ...spec, hostNetwork }))).length, 1);
    }
  });

  it("looks into every kind that holds a pod spec, in every version of it, and into its patches", async () => {
    for (const place of podSpecPlaces) {
      const [, kind, path] = place;
      for (const suffix of ["", "Patch"] as const) {
        assert.deepEqual(await findingsOf(rule, withPodSpec(place, ports({ hostPort: 80 }), suffix)), [
          `${kind}${suffix} erlmcp/web: ${path.join(".")}.containers[0].ports[0].hostPort is 80.`,
        ]);
      }
    }
  });

  it("lets be what its configuration allows", async () => {
    const allow = [{ namespace: "erlmcp", name: "web", reason: "no load balancer" }];
    assert.deepEqual(await findingsOf(rule, deployment(ports({ hostPort: 80 })), { allow }), []);
    const other = [{ namespace: "erlmcp", name: "web-2", reason: "no load balancer" }];
    assert.equal((await findingsOf(rule, deployment(ports({ hostPort: 80 })), { allow: other })).length, 1);
  });

  it("tells what is not known from what is wrong, at every level", async () => {
    const cases: [unknown, string][] = [
      [unknown, "spec is not known in the preview."],
      [{ containers: unknown }, "spec.containers is not known in the preview."],
      [{ containers: [unknown] }, "spec.containers[0] is not known in the preview."],
      [{ initContainers: "none" }, 'spec.initContainers is "none" and not a list.'],
      [{ containers: [{ ports: unknown }] }, "spec.containers[0].ports is not known in the preview."],
      [ports(unknown), "spec.containers[0].ports[0] is not known in the preview."],
      [ports({ hostPort: unknown }), "spec.containers[0].ports[0].hostPort is not known in the preview."],
      [ports({ hostPort: "80" }), 'spec.containers[0].ports[0].hostPort is "80" and not a number.'],
    ];
    for (const [spec, found] of cases) {
      assert.deepEqual(await findingsOf(rule, deployment(spec)), [
        `Deployment erlmcp/web cannot be verified: spec.template.${found}`,
      ]);
    }
  });
});
