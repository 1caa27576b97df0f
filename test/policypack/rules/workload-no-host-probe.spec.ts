import assert from "node:assert/strict";
import { workloadNoHostProbe as rule } from "../../../policypack/rules/workload-no-host-probe";
import { findingsOf, messagesOf, unknown } from "../../helpers/run-rule";
import { deployment, podSpecPlaces, withPodSpec } from "../pod-spec";

const container = (parts: object): unknown => ({ containers: [{ name: "web", ...parts }] });
const elsewhere = { tcpSocket: { host: "10.0.0.1", port: 22 } };

describe("workload-no-host-probe", () => {
  it("accepts probes and hooks that go to the pod itself", async () => {
    const accepted = container({
      livenessProbe: {
        httpGet: { path: "/", port: 80, httpHeaders: [{ name: "Host", value: "web.example" }] },
      },
      readinessProbe: { tcpSocket: { host: "", port: 80 } },
      startupProbe: { grpc: { port: 80, service: "web" } },
      lifecycle: { postStart: { exec: { command: ["true"] } }, preStop: { sleep: { seconds: 5 } } },
    });
    assert.deepEqual(await findingsOf(rule, deployment(accepted)), []);
    assert.deepEqual(await findingsOf(rule, deployment(container({}))), []);
    assert.deepEqual(await findingsOf(rule, deployment({})), []);
    assert.deepEqual(await findingsOf(rule, deployment(undefined)), []);
  });

  it("blocks a host in every probe and hook, of every container", async () => {
    const httpGet = { host: "web.example", port: 80 };
    const tcpSocket = { host: "10.0.0.1", port: 80 };
    const spec = {
      containers: [
        {
          name: "web",
          livenessProbe: { httpGet },
          readinessProbe: { tcpSocket },
          startupProbe: { httpGet },
          lifecycle: { postStart: { httpGet }, preStop: { tcpSocket } },
        },
      ],
      initContainers: [{ name: "sidecar", restartPolicy: "Always", startupProbe: { tcpSocket } }],
    };
    assert.deepEqual(
      await findingsOf(rule, deployment(spec)),
      [
        'containers[0].livenessProbe.httpGet.host is "web.example"',
        'containers[0].readinessProbe.tcpSocket.host is "10.0.0.1"',
        'containers[0].startupProbe.httpGet.host is "web.example"',
        'containers[0].lifecycle.postStart.httpGet.host is "web.example"',
        'containers[0].lifecycle.preStop.tcpSocket.host is "10.0.0.1"',
        'initContainers[0].startupProbe.tcpSocket.host is "10.0.0.1"',
      ].map((found) => `Deployment erlmcp/web: spec.template.spec.${found}.`),
    );
    assert.deepEqual(await messagesOf(rule, deployment(container({ livenessProbe: elsewhere }))), [
      `Deployment erlmcp/web: spec.template.spec.containers[0].livenessProbe.tcpSocket.host is "10.0.0.1".
Why it is dangerous: the kubelet connects there in the pod's stead, from the node, where no NetworkPolicy of the pod applies: whoever writes the pod makes nodes send requests to the cloud's metadata service, to their own loopback or to networks that the pod is shut out of.
Write instead: nothing: leave host out, so that the kubelet connects to the pod; for a virtual host, httpHeaders: [{name: Host, value: web.example}]
See docs/rules.md#workload-no-host-probe`,
    ]);
  });

  it("knows whose loopback it is", async () => {
    for (const host of ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1", "[::1]"]) {
      const probe = container({ livenessProbe: { httpGet: { host, port: 80 } } }) as object;
      assert.deepEqual(await findingsOf(rule, deployment({ ...probe, hostNetwork: true })), []);
      for (const hostNetwork of [undefined, false, unknown]) {
        assert.equal((await findingsOf(rule, deployment({ ...probe, hostNetwork }))).length, 1, host);
      }
    }
    for (const host of ["127.0.0.1.example", "localhost.example", "10.127.0.0.1", "169.254.169.254"]) {
      const probe = container({ livenessProbe: { httpGet: { host, port: 80 } } }) as object;
      assert.equal((await findingsOf(rule, deployment({ ...probe, hostNetwork: true }))).length, 1, host);
    }
  });

  it("looks into every kind that holds a pod spec, in every version of it, and into its patches", async () => {
    for (const place of podSpecPlaces) {
      const [, kind, path] = place;
      for (const suffix of ["", "Patch"] as const) {
        const probed = withPodSpec(place, container({ livenessProbe: elsewhere }), suffix);
        assert.deepEqual(await findingsOf(rule, probed), [
          `${kind}${suffix} erlmcp/web: ${path.join(".")}.containers[0].livenessProbe.tcpSocket.host is "10.0.0.1".`,
        ]);
      }
    }
  });

  it("lets be what its configuration allows", async () => {
    const probed = deployment(container({ livenessProbe: elsewhere }));
    const allow = [{ namespace: "erlmcp", name: "web", reason: "listens there only" }];
    assert.deepEqual(await findingsOf(rule, probed, { allow }), []);
    const other = [{ namespace: "other", name: "web", reason: "listens there only" }];
    assert.equal((await findingsOf(rule, probed, { allow: other })).length, 1);
  });

  it("tells what is not known from what is wrong, at every level", async () => {
    const cases: [unknown, string][] = [
      [{ containers: unknown }, "containers is not known in the preview."],
      [container({ livenessProbe: unknown }), "containers[0].livenessProbe is not known in the preview."],
      [
        container({ readinessProbe: { httpGet: unknown } }),
        "containers[0].readinessProbe.httpGet is not known in the preview.",
      ],
      [
        container({ startupProbe: { tcpSocket: { host: unknown } } }),
        "containers[0].startupProbe.tcpSocket.host is not known in the preview.",
      ],
      [
        container({ startupProbe: { httpGet: { host: "db.undefined.svc" } } }),
        'containers[0].startupProbe.httpGet.host is "db.undefined.svc", in which a value is not known yet.',
      ],
      [
        container({ startupProbe: { httpGet: { host: 10 } } }),
        "containers[0].startupProbe.httpGet.host is 10 and not text.",
      ],
      [container({ lifecycle: unknown }), "containers[0].lifecycle is not known in the preview."],
      [
        container({ lifecycle: { preStop: unknown } }),
        "containers[0].lifecycle.preStop is not known in the preview.",
      ],
      [container({ lifecycle: [] }), "containers[0].lifecycle is [] and not an object."],
    ];
    for (const [spec, found] of cases) {
      assert.deepEqual(await findingsOf(rule, deployment(spec)), [
        `Deployment erlmcp/web cannot be verified: spec.template.spec.${found}`,
      ]);
    }
  });
});
