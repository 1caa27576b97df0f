import assert from "node:assert/strict";
import { netpolPortNumbers as rule } from "../../../policypack/rules/netpol-port-numbers";
import { findingsOf, messagesOf, resource, runRule, unknown } from "../../helpers/run-rule";
import { networkPolicy } from "../network-policy";

describe("netpol-port-numbers", () => {
  it("accepts numbers and ranges, and leaves what is no name to other rules", async () => {
    const ports = [{ port: 443 }, { port: 9100, endPort: 9155 }, { port: "443" }, { protocol: "UDP" }];
    assert.deepEqual(await findingsOf(rule, networkPolicy({ egress: [{ ports }, {}, { ports: [] }] })), []);
  });

  it("advises against names in both directions, and only advises", async () => {
    const named = networkPolicy({
      ingress: [{ ports: [{ port: 8080 }, { port: "metrics" }] }],
      egress: [{ ports: [{ protocol: "UDP", port: "dns" }] }],
    });
    const [message, ...more] = await messagesOf(rule, named);
    assert.equal(
      message,
      [
        'NetworkPolicy erlmcp/web: spec.ingress[0].ports[1].port is the name "metrics".',
        "Why it is dangerous: every pod at the receiving end resolves it to a number of its own, so whoever writes the pod decides what the rule opens.",
        "Write instead: the number that the pods listen on.",
        "See docs/rules.md#netpol-port-numbers",
      ].join("\n"),
    );
    assert.deepEqual(
      more.map((text) => text.split("\n")[0]),
      ['NetworkPolicy erlmcp/web: spec.egress[0].ports[0].port is the name "dns".'],
    );
    const levels = (await runRule(rule, named)).map(({ enforcementLevel }) => enforcementLevel);
    assert.deepEqual(levels, ["advisory", "advisory"]);
  });

  it("takes names with digits for names", async () => {
    const named = networkPolicy({ ingress: [{ ports: [{ port: "8080tcp" }, { port: "tcp8080" }] }] });
    assert.deepEqual(await findingsOf(rule, named), [
      'NetworkPolicy erlmcp/web: spec.ingress[0].ports[0].port is the name "8080tcp".',
      'NetworkPolicy erlmcp/web: spec.ingress[0].ports[1].port is the name "tcp8080".',
    ]);
  });

  it("tells what is not known from what is wrong", async () => {
    const cases: [unknown, string][] = [
      [unknown, "spec is not known in the preview."],
      [{ egress: unknown }, "spec.egress is not known in the preview."],
      [{ egress: [{ ports: unknown }] }, "spec.egress[0].ports is not known in the preview."],
      [{ egress: [{ ports: [unknown] }] }, "spec.egress[0].ports[0] is not known in the preview."],
      [
        { egress: [{ ports: [{ port: unknown }] }] },
        "spec.egress[0].ports[0].port is not known in the preview.",
      ],
      [
        { egress: [{ ports: [{ port: "port-undefined" }] }] },
        'spec.egress[0].ports[0].port is "port-undefined", in which a value is not known yet.',
      ],
    ];
    for (const [spec, found] of cases) {
      assert.deepEqual(await findingsOf(rule, networkPolicy(spec)), [
        `NetworkPolicy erlmcp/web cannot be verified: ${found}`,
      ]);
    }
  });

  it("judges Patch twins, Lists and the version that is served no more", async () => {
    const spec = { ingress: [{ ports: [{ port: "http" }] }] };
    const patch = { suffix: "Patch" } as const;
    assert.deepEqual(await findingsOf(rule, networkPolicy({}, patch)), []);
    assert.deepEqual(await findingsOf(rule, networkPolicy(spec, patch)), [
      'NetworkPolicyPatch erlmcp/web: spec.ingress[0].ports[0].port is the name "http".',
    ]);
    const metadata = { name: "web", namespace: "erlmcp" };
    const items = [{ metadata, spec }];
    for (const type of ["networking.k8s.io/v1:NetworkPolicyList", "extensions/v1beta1:NetworkPolicyList"]) {
      assert.deepEqual(await findingsOf(rule, resource(`kubernetes:${type}`, { items })), [
        'NetworkPolicy erlmcp/web: items[0].spec.ingress[0].ports[0].port is the name "http".',
      ]);
    }
    const legacy = resource("kubernetes:extensions/v1beta1:NetworkPolicy", { metadata, spec });
    assert.equal((await findingsOf(rule, legacy)).length, 1);
  });
});
