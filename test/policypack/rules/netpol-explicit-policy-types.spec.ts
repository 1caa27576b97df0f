import assert from "node:assert/strict";
import { netpolExplicitPolicyTypes as rule } from "../../../policypack/rules/netpol-explicit-policy-types";
import { findingsOf, messagesOf, resource, unknown } from "../../helpers/run-rule";
import { networkPolicy } from "../network-policy";

const ports = [{ port: 443 }];

describe("netpol-explicit-policy-types", () => {
  it("accepts listed directions, with rules or without", async () => {
    for (const spec of [
      { policyTypes: ["Ingress"] },
      { policyTypes: ["Egress", "Ingress"], ingress: [], egress: [{ ports }] },
      { policyTypes: ["Egress"], egress: unknown },
      { policyTypes: ["Egress"], ingress: null },
    ]) {
      assert.deepEqual(await findingsOf(rule, networkPolicy(spec)), []);
    }
  });

  it("tells what the API server assumes where policyTypes is omitted", async () => {
    assert.deepEqual(await messagesOf(rule, networkPolicy({ podSelector: {} })), [
      [
        "NetworkPolicy erlmcp/web: spec.policyTypes is missing.",
        "Why it is dangerous: the API server then assumes Ingress, so egress stays open for the selected pods; what the policy restricts changes silently with its rules.",
        "Write instead: policyTypes: [Ingress], or [Ingress, Egress] to close egress as well.",
        "See docs/rules.md#netpol-explicit-policy-types",
      ].join("\n"),
    ]);
    assert.deepEqual(await messagesOf(rule, networkPolicy({ policyTypes: [], egress: [{ ports }] })), [
      [
        "NetworkPolicy erlmcp/web: spec.policyTypes is [].",
        "Why it is dangerous: the API server then assumes Ingress and, as long as there are egress rules, Egress; what the policy restricts changes silently with its rules.",
        "Write instead: policyTypes: [Ingress, Egress]",
        "See docs/rules.md#netpol-explicit-policy-types",
      ].join("\n"),
    ]);
    assert.deepEqual(await findingsOf(rule, networkPolicy(undefined)), [
      "NetworkPolicy erlmcp/web: spec.policyTypes is missing.",
    ]);
  });

  it("blocks rules of a direction that is not listed, and an empty list that reads like a deny", async () => {
    assert.deepEqual(
      await messagesOf(rule, networkPolicy({ policyTypes: ["Ingress"], egress: [{ ports }] })),
      [
        [
          'NetworkPolicy erlmcp/web: spec.egress is there, but spec.policyTypes is ["Ingress"] and does not list Egress.',
          "Why it is dangerous: the policy does not restrict egress at all: every other destination stays open, not only the destinations in the rules.",
          "Write instead: policyTypes: [Ingress, Egress], or leave out egress.",
          "See docs/rules.md#netpol-explicit-policy-types",
        ].join("\n"),
      ],
    );
    const odd = await messagesOf(rule, networkPolicy({ policyTypes: ["Ingress", unknown], egress: [] }));
    assert.match(odd.join("\n"), /^Write instead: policyTypes: \[Ingress, Egress\], or leave out egress\.$/m);
    const [message] = await messagesOf(rule, networkPolicy({ policyTypes: ["Egress"], ingress: [] }));
    assert.match(message ?? "", /every other source stays open, although an empty list reads like a deny\./);
  });

  it("blocks names that are no direction", async () => {
    assert.deepEqual(await findingsOf(rule, networkPolicy({ policyTypes: ["ingress", "Egress", 1] })), [
      'NetworkPolicy erlmcp/web: spec.policyTypes[0] is "ingress".',
      "NetworkPolicy erlmcp/web: spec.policyTypes[2] is 1.",
    ]);
  });

  it("tells what is not known from what is wrong", async () => {
    assert.deepEqual(await findingsOf(rule, networkPolicy(unknown)), [
      "NetworkPolicy erlmcp/web cannot be verified: spec is not known in the preview.",
    ]);
    assert.deepEqual(await findingsOf(rule, networkPolicy({ policyTypes: unknown })), [
      "NetworkPolicy erlmcp/web cannot be verified: spec.policyTypes is not known in the preview.",
    ]);
    assert.deepEqual(await findingsOf(rule, networkPolicy({ policyTypes: "Ingress" })), [
      'NetworkPolicy erlmcp/web cannot be verified: spec.policyTypes is "Ingress" and not a list.',
    ]);
    assert.deepEqual(await findingsOf(rule, networkPolicy({ policyTypes: ["Ingress", unknown] })), [
      "NetworkPolicy erlmcp/web cannot be verified: spec.policyTypes[1] is not known in the preview.",
    ]);
    assert.deepEqual(await messagesOf(rule, networkPolicy({ policyTypes: ["Ingress"], egress: unknown })), [
      [
        "NetworkPolicy erlmcp/web cannot be verified: spec.egress is not known in the preview.",
        'Why it blocks: spec.policyTypes is ["Ingress"], without Egress, so any rules in it would restrict nothing. What cannot be verified is not compliant.',
        "Write instead: policyTypes: [Ingress, Egress], or leave out egress.",
        "See docs/rules.md#netpol-explicit-policy-types",
      ].join("\n"),
    ]);
  });

  it("judges a patch by what it carries", async () => {
    const patch = { suffix: "Patch" } as const;
    assert.deepEqual(await findingsOf(rule, networkPolicy({ podSelector: {} }, patch)), []);
    assert.deepEqual(await findingsOf(rule, networkPolicy(undefined, patch)), []);
    assert.deepEqual(
      await findingsOf(rule, networkPolicy({ policyTypes: ["Ingress", "Egress"] }, patch)),
      [],
    );
    assert.deepEqual(await findingsOf(rule, networkPolicy({ egress: [{ ports }] }, patch)), [
      "NetworkPolicyPatch erlmcp/web cannot be verified: spec.policyTypes is not part of this patch, which carries rules.",
    ]);
    for (const [rules, fix] of [
      [{ egress: [{ ports }] }, "policyTypes: [Egress] in the patch."],
      [{ ingress: [], egress: [{ ports }] }, "policyTypes: [Ingress, Egress] in the patch."],
    ] as const) {
      const [message = ""] = await messagesOf(rule, networkPolicy(rules, patch));
      assert.equal(message.split("\n")[2], `Write instead: ${fix}`);
    }
    assert.deepEqual(await findingsOf(rule, networkPolicy({ policyTypes: ["Ingress"] }, patch)), [
      'NetworkPolicyPatch erlmcp/web cannot be verified: spec.egress is not part of this patch, and spec.policyTypes is ["Ingress"], without Egress.',
    ]);
    assert.deepEqual(await findingsOf(rule, networkPolicy({ policyTypes: ["Ingress"], egress: [] }, patch)), [
      'NetworkPolicyPatch erlmcp/web: spec.egress is there, but spec.policyTypes is ["Ingress"] and does not list Egress.',
    ]);
  });

  it("judges each item of a List, and names it", async () => {
    const items = [
      { metadata: { name: "a", namespace: "x" }, spec: { policyTypes: ["Ingress"] } },
      { metadata: { name: "b", namespace: "x" }, spec: {} },
      unknown,
    ];
    assert.deepEqual(
      await findingsOf(rule, resource("kubernetes:networking.k8s.io/v1:NetworkPolicyList", { items })),
      [
        "NetworkPolicyList (Pulumi resource it) cannot be verified: items[2] is not known in the preview.",
        "NetworkPolicy x/b: items[1].spec.policyTypes is missing.",
      ],
    );
    const mixed = [
      { apiVersion: "v1", kind: "ConfigMap" },
      { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "c", namespace: "x" } },
      {
        apiVersion: "v1",
        kind: "List",
        items: [{ apiVersion: "extensions/v1beta1", kind: "NetworkPolicy" }],
      },
      { kind: "NetworkPolicy" },
    ];
    for (const type of ["kubernetes:core/v1:List", "kubernetes:v1:List"]) {
      assert.deepEqual(await findingsOf(rule, resource(type, { items: mixed })), [
        "List (Pulumi resource it) cannot be verified: items[3].apiVersion and items[3].kind are not known, so its kind cannot be told.",
        "NetworkPolicy x/c: items[1].spec.policyTypes is missing.",
        "NetworkPolicy (namespace not known)/(Pulumi resource it): items[2].items[0].spec.policyTypes is missing.",
      ]);
    }
  });
});
