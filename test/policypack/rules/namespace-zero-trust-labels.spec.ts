import assert from "node:assert/strict";
import { namespaceZeroTrustLabels as rule } from "../../../policypack/rules/namespace-zero-trust-labels";
import {
  findingsOf,
  messagesOf,
  resource,
  runRule,
  unknown,
  type WireResource,
} from "../../helpers/run-rule";

const labels = {
  "network-policy": "zero-trust",
  "security-level": "low",
  "pod-security.kubernetes.io/enforce": "restricted",
  "pod-security.kubernetes.io/audit": "restricted",
  "pod-security.kubernetes.io/warn": "restricted",
};

const namespace = (given: unknown, name: unknown = "erlmcp", suffix = ""): WireResource =>
  resource(`kubernetes:core/v1:Namespace${suffix}`, { metadata: { name, labels: given } });

describe("namespace-zero-trust-labels", () => {
  it("accepts all labels, others besides, and the name label where it is right", async () => {
    assert.deepEqual(await findingsOf(rule, namespace({ ...labels, team: unknown })), []);
    assert.deepEqual(
      await findingsOf(rule, namespace({ ...labels, "kubernetes.io/metadata.name": "erlmcp" })),
      [],
    );
    assert.deepEqual(await findingsOf(rule, namespace(labels, unknown)), []);
  });

  it("names each label that is missing or wrong, with the danger it means", async () => {
    const given = {
      ...labels,
      "network-policy": undefined,
      "security-level": "High",
      "pod-security.kubernetes.io/enforce": "baseline",
      "pod-security.kubernetes.io/warn": true,
    };
    assert.deepEqual(await messagesOf(rule, namespace(given)), [
      [
        'Namespace erlmcp: metadata.labels["network-policy"] is missing.',
        "Why it is dangerous: guards and audits find zero-trust namespaces, and how sensitive they are, by this label; without it the namespace drops out of sight.",
        "Write instead: network-policy: zero-trust",
        "See docs/rules.md#namespace-zero-trust-labels",
      ].join("\n"),
      [
        'Namespace erlmcp: metadata.labels["pod-security.kubernetes.io/enforce"] is "baseline".',
        "Why it is dangerous: pods on the host's network or with host privileges are let in, and no NetworkPolicy applies to them.",
        "Write instead: pod-security.kubernetes.io/enforce: restricted",
        "See docs/rules.md#namespace-zero-trust-labels",
      ].join("\n"),
      [
        'Namespace erlmcp: metadata.labels["pod-security.kubernetes.io/warn"] is true.',
        "Why it is dangerous: nobody is told of workloads that Pod Security would not let in.",
        "Write instead: pod-security.kubernetes.io/warn: restricted",
        "See docs/rules.md#namespace-zero-trust-labels",
      ].join("\n"),
      [
        'Namespace erlmcp: metadata.labels["security-level"] is "High".',
        "Why it is dangerous: guards and audits find zero-trust namespaces, and how sensitive they are, by this label; without it the namespace drops out of sight.",
        "Write instead: security-level: high|medium|low",
        "See docs/rules.md#namespace-zero-trust-labels",
      ].join("\n"),
    ]);
    assert.equal((await findingsOf(rule, namespace(undefined))).length, 5);
    assert.equal((await findingsOf(rule, resource("kubernetes:core/v1:Namespace", {}))).length, 5);
  });

  it("blocks a name label that is not the name", async () => {
    assert.deepEqual(
      await findingsOf(rule, namespace({ ...labels, "kubernetes.io/metadata.name": "other" })),
      [
        'Namespace erlmcp: metadata.labels["kubernetes.io/metadata.name"] is "other", but the namespace is named "erlmcp".',
      ],
    );
    assert.deepEqual(
      await findingsOf(rule, namespace({ ...labels, "kubernetes.io/metadata.name": "x" }, unknown)),
      [
        'Namespace (Pulumi resource it) cannot be verified: metadata.labels["kubernetes.io/metadata.name"] is set, while metadata.name is not known.',
      ],
    );
  });

  it("leaves out the namespaces of Kubernetes itself, and those in its configuration", async () => {
    for (const name of ["default", "kube-system", "kube-public", "kube-node-lease"]) {
      assert.deepEqual(await findingsOf(rule, namespace({}, name)), []);
    }
    assert.deepEqual(await findingsOf(rule, namespace({}), { exclude: ["erlmcp"] }), []);
    assert.equal((await findingsOf(rule, namespace({}, "default"), { exclude: ["erlmcp"] })).length, 5);
    assert.equal((await findingsOf(rule, namespace({}, unknown))).length, 5);
  });

  it("follows its configuration", async () => {
    const own = { "network-policy": "zero-trust", owner: "team-a", "security-level": "top" };
    const config = { requiredLabels: { owner: "team-a" }, securityLevels: ["top"] };
    assert.deepEqual(await findingsOf(rule, namespace(own), config), []);
    assert.deepEqual(await findingsOf(rule, namespace({ ...own, owner: "team-b" }), config), [
      'Namespace erlmcp: metadata.labels["owner"] is "team-b".',
    ]);
  });

  it("tells what is not known from what is wrong", async () => {
    assert.deepEqual(await findingsOf(rule, namespace(unknown)), [
      "Namespace erlmcp cannot be verified: metadata.labels is not known in the preview.",
    ]);
    assert.deepEqual(
      await findingsOf(rule, resource("kubernetes:core/v1:Namespace", { metadata: unknown })),
      ["Namespace (Pulumi resource it) cannot be verified: metadata.labels is not known in the preview."],
    );
    assert.deepEqual(await findingsOf(rule, namespace({ ...labels, "security-level": unknown })), [
      'Namespace erlmcp cannot be verified: metadata.labels["security-level"] is not known in the preview.',
    ]);
    assert.deepEqual(await findingsOf(rule, namespace(["zero-trust"])), [
      'Namespace erlmcp cannot be verified: metadata.labels is ["zero-trust"] and not an object.',
    ]);
  });

  it("asks a patch for all labels, and judges those it carries", async () => {
    assert.deepEqual(await findingsOf(rule, namespace(labels, "erlmcp", "Patch")), []);
    const part = { ...labels, "security-level": undefined, "network-policy": "open" };
    assert.deepEqual(await findingsOf(rule, namespace(part, "erlmcp", "Patch")), [
      'NamespacePatch erlmcp: metadata.labels["network-policy"] is "open".',
      'NamespacePatch erlmcp cannot be verified: metadata.labels["security-level"] is not part of this patch, so the live namespace decides.',
    ]);
  });

  it("judges each item of a List", async () => {
    const items = [
      { metadata: { name: "a", labels } },
      { metadata: { name: "b", labels: { ...labels, "security-level": "x" } } },
    ];
    assert.deepEqual(await findingsOf(rule, resource("kubernetes:core/v1:NamespaceList", { items })), [
      'Namespace b: items[1].metadata.labels["security-level"] is "x".',
    ]);
  });

  it("is refused by the engine when a list that must not be empty is", async () => {
    await assert.rejects(
      runRule(rule, namespace(labels), { securityLevels: [] }),
      /the engine refuses the configuration/,
    );
  });
});
