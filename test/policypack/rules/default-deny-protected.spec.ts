import assert from "node:assert/strict";
import { defaultDenyProtected as rule } from "../../../policypack/rules/default-deny-protected";
import { resource, runRule, unknown, type WireResource } from "../../helpers/run-rule";

const both = { podSelector: {}, policyTypes: ["Ingress", "Egress"] };

const policy = (
  spec: unknown = both,
  { protect = false, namespace = "erlmcp", suffix = "", name = "deny" } = {},
): WireResource => ({
  ...resource(
    `kubernetes:networking.k8s.io/v1:NetworkPolicy${suffix}`,
    { metadata: { name, namespace }, spec },
    name,
  ),
  opts: { protect },
});
const namespace = (labels: unknown, { name = "erlmcp", suffix = "" } = {}): WireResource =>
  resource(`kubernetes:core/v1:Namespace${suffix}`, { metadata: { name, labels } }, "ns");
const high = namespace({ "security-level": "high" });

/** Level and first line of what is found. */
const found = async (...args: Parameters<typeof runRule> extends [unknown, ...infer Rest] ? Rest : never) =>
  (await runRule(rule, ...args)).map(({ enforcementLevel, message }) => [
    enforcementLevel,
    message.split("\n")[0],
  ]);
const advised = [["advisory", "NetworkPolicy erlmcp/deny: protect is not set."]];
const blocked = [
  ["mandatory", "NetworkPolicy erlmcp/deny: protect is not set, in a namespace with security-level high."],
];

describe("default-deny-protected", () => {
  it("accepts a protected default-deny, and leaves other policies", async () => {
    assert.deepEqual(await found([high, policy(both, { protect: true })]), []);
    for (const spec of [
      { ...both, podSelector: { matchLabels: { app: "web" } } },
      { ...both, ingress: [{}], egress: [{}] },
      { podSelector: {} },
    ])
      assert.deepEqual(await found([high, policy(spec)]), []);
  });

  it("blocks in namespaces with security-level high, and advises elsewhere", async () => {
    const [diagnostic, ...more] = await runRule(rule, [high, policy()]);
    assert.deepEqual(more, []);
    assert.equal(diagnostic?.enforcementLevel, "mandatory");
    assert.equal(diagnostic.urn, policy().urn);
    assert.equal(
      diagnostic.message,
      [
        "NetworkPolicy erlmcp/deny: protect is not set, in a namespace with security-level high.",
        "Why it is dangerous: an update of a program that no longer has it, a changed name or `pulumi destroy` deletes it, and every pod that no other policy selects then talks to everything and is reached by everything.",
        "Write instead: protect: true in the options of the resource, or of the component around it. Whoever means to delete it has to say so first, with `pulumi state unprotect`.",
        "See docs/rules.md#default-deny-protected",
      ].join("\n"),
    );
    assert.deepEqual(await found([namespace({ "security-level": "medium" }), policy()]), advised);
    assert.deepEqual(await found([namespace({}), policy()]), advised);
    // The label of a policy that has the namespace's name is not the namespace's.
    const named = policy(both, { name: "erlmcp" });
    const metadata = { name: "erlmcp", namespace: "erlmcp", labels: { "security-level": "high" } };
    assert.deepEqual(await found({ ...named, props: { metadata, spec: both } }), [
      ["advisory", "NetworkPolicy erlmcp/erlmcp: protect is not set."],
    ]);
    assert.deepEqual(await found(policy()), advised);
    const other = namespace({ "security-level": "high" }, { name: "other" });
    assert.deepEqual(await found([other, policy()]), advised);
  });

  it("takes one direction for default-deny as well", async () => {
    assert.deepEqual(await found([high, policy({ podSelector: {}, policyTypes: ["Egress"] })]), blocked);
    assert.deepEqual(
      await found([high, policy({ ...both, egress: [{ ports: [{ port: 443 }] }] })]),
      blocked,
      "ingress is shut",
    );
  });

  it("knows the security-level that a patch sets, and not a policy's patch", async () => {
    const patch = namespace({ "security-level": "high" }, { suffix: "Patch" });
    assert.deepEqual(await found([patch, policy()]), blocked);
    assert.deepEqual(await found([high, policy(both, { suffix: "Patch" })]), []);
  });

  it("follows its configuration", async () => {
    assert.deepEqual(await found([high, policy()], { mandatoryLevels: ["top"] }), advised);
    assert.deepEqual(await found([high, policy()], { mandatoryLevels: [] }), advised);
    assert.deepEqual(await found(policy(), { namespaceLevels: { erlmcp: "high" } }), blocked);
    assert.deepEqual(await found(policy(), { namespaceLevels: { erlmcp: "low", other: "high" } }), advised);
    assert.deepEqual(await found(policy(both, { namespace: unknown }), { mandatoryLevels: [] }), [
      ["advisory", "NetworkPolicy (namespace not known)/deny: protect is not set."],
    ]);
  });

  it("takes what is not known for high, and tells it from what is wrong", async () => {
    const levelUnknown = [
      [
        "mandatory",
        "NetworkPolicy erlmcp/deny cannot be verified: protect is not set, and it is not known in the preview: the security-level of its namespace.",
      ],
    ];
    for (const labels of [unknown, { "security-level": unknown }])
      assert.deepEqual(await found([namespace(labels), policy()]), levelUnknown);
    assert.deepEqual(
      await found([resource("kubernetes:core/v1:Namespace", { metadata: unknown }), policy()]),
      levelUnknown,
    );
    assert.deepEqual(
      await found([namespace({ "security-level": "high" }, { name: unknown }), policy()]),
      levelUnknown,
    );
    assert.deepEqual(
      await found([namespace({ "security-level": "low" }, { name: unknown }), policy()]),
      advised,
    );
    const perhaps = namespace({ "security-level": "high" }, { name: unknown });
    assert.deepEqual(await found([perhaps, high, policy()]), blocked);
    assert.deepEqual(await found(policy(both, { namespace: unknown })), [
      [
        "mandatory",
        "NetworkPolicy (namespace not known)/deny cannot be verified: protect is not set, and it is not known in the preview: the security-level of its namespace.",
      ],
    ]);
    assert.deepEqual(await found([high, policy(unknown)]), [
      [
        "mandatory",
        "NetworkPolicy erlmcp/deny cannot be verified: protect is not set, and it is not known in the preview: whether it is default-deny (podSelector, policyTypes or rules).",
      ],
    ]);
    assert.deepEqual(await found([namespace({}), policy({ ...both, podSelector: unknown })]), [
      [
        "advisory",
        "NetworkPolicy erlmcp/deny cannot be verified: protect is not set, and it is not known in the preview: whether it is default-deny (podSelector, policyTypes or rules).",
      ],
    ]);
  });

  it("does not judge what Pulumi does not deploy", () => {
    const { opts, ...manifest } = policy();
    assert.deepEqual(opts, { protect: false });
    assert.deepEqual(rule.judge([high, manifest]).violations, []);
    assert.deepEqual(
      rule.judge([high, policy()]).violations.map(({ mandatory }) => mandatory),
      [true],
    );
    assert.deepEqual(
      rule.judge([policy()]).violations.map(({ mandatory }) => mandatory),
      [undefined],
    );
  });

  it("judges each item of a List, which is protected as a whole", async () => {
    const items = [{ metadata: { name: "deny", namespace: "erlmcp" }, spec: both }];
    const list = resource("kubernetes:networking.k8s.io/v1:NetworkPolicyList", { items }, "list");
    assert.deepEqual(await found([high, list]), blocked);
    assert.deepEqual(await found([high, { ...list, opts: { protect: true } }]), []);
  });

  it("knows every version of a policy", async () => {
    const old = resource(
      "kubernetes:extensions/v1beta1:NetworkPolicy",
      { metadata: { name: "deny", namespace: "erlmcp" }, spec: both },
      "deny",
    );
    assert.deepEqual(await found([high, old]), blocked);
  });

  it("lets pass what is excepted", async () => {
    const exceptions = [
      { resource: "NetworkPolicy erlmcp/deny", reason: "moves to another stack", until: "9999-12-31" },
    ];
    assert.deepEqual(await found([high, policy()], { exceptions }), []);
  });
});
