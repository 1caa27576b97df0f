import assert from "node:assert/strict";
import { netpolPinnedNamespaces as rule } from "../../../policypack/rules/netpol-pinned-namespaces";
import { assertClusterDnsException } from "../../helpers/cluster-dns-exception";
import { findingsOf, messagesOf, resource, unknown } from "../../helpers/run-rule";
import { block, egressTo, networkPolicy } from "../network-policy";

const name = "kubernetes.io/metadata.name";
const title = "NetworkPolicy erlmcp/web";
const selector = "spec.egress[0].to[0].namespaceSelector";

/** A policy with one peer, whose namespaceSelector has these labels or expressions. */
const withLabels = (matchLabels: unknown): ReturnType<typeof egressTo> =>
  egressTo({ namespaceSelector: { matchLabels }, podSelector: { matchLabels: { app: "db" } } });
const withExpressions = (...matchExpressions: unknown[]): ReturnType<typeof egressTo> =>
  egressTo({ namespaceSelector: { matchExpressions } });

describe("netpol-pinned-namespaces", () => {
  it("accepts namespaces by name, alone or among other requirements, and peers of the own namespace", async () => {
    const accepted = [
      withLabels({ [name]: "data" }),
      withLabels({ team: "data", [name]: "data" }),
      withExpressions({ key: name, operator: "In", values: ["a", "b"] }),
      withExpressions(
        { key: "team", operator: "Exists" },
        { key: name, operator: "NotIn", values: ["c"] },
        { key: name, operator: "In", values: ["a"] },
      ),
      egressTo({ podSelector: {} }, block("203.0.113.0/24"), {}),
      networkPolicy({ podSelector: {}, policyTypes: ["Ingress"], egress: [{}] }),
      networkPolicy(undefined),
    ];
    assert.deepEqual(await findingsOf(rule, accepted), []);
  });

  it("blocks a namespace by another label, and suggests the name that it copies", async () => {
    assert.deepEqual(await messagesOf(rule, withLabels({ name: "data" })), [
      [
        `${title}: ${selector} is {"matchLabels":{"name":"data"}}, which asks for no namespace by its name.`,
        "Why it is dangerous: whoever may create or edit a namespace can give it the labels, or leave them out, and whatever runs there is then a peer.",
        `Write instead: namespaceSelector: {matchLabels: {${name}: monitoring}}, with the name of the namespace that is meant, perhaps "data".`,
        "See docs/rules.md#netpol-pinned-namespaces",
      ].join("\n"),
    ]);
    const [message] = await messagesOf(rule, withLabels({ team: "data" }));
    assert.match(message ?? "", /^Write instead: .* the name of the namespace that is meant\.$/m);
  });

  it("blocks what names no namespace, in both directions and in every peer", async () => {
    const from = [
      { namespaceSelector: {} },
      { namespaceSelector: { matchLabels: { [name]: "a" } } },
      { namespaceSelector: { matchExpressions: [{ key: name, operator: "Exists" }] } },
    ];
    const to = [
      { namespaceSelector: { matchExpressions: [{ key: name, operator: "NotIn", values: ["a"] }] } },
    ];
    const at = (await findingsOf(rule, networkPolicy({ ingress: [{ from }], egress: [{}, { to }] }))).map(
      (finding) => finding.split(" ")[2],
    );
    assert.deepEqual(at, [
      "spec.ingress[0].from[0].namespaceSelector",
      "spec.ingress[0].from[2].namespaceSelector",
      "spec.egress[1].to[0].namespaceSelector",
    ]);
    assert.equal(
      (await findingsOf(rule, withExpressions({ key: name, operator: "In", values: [] }))).length,
      1,
    );
    assert.equal((await findingsOf(rule, withExpressions({ key: name, operator: "In" }))).length, 1);
    assert.equal((await findingsOf(rule, withExpressions("junk", null))).length, 1);
  });

  it("accepts the labels that the configuration trusts, with a value only", async () => {
    const config = {
      trustedLabels: [{ label: "capsule.clastix.io/tenant", reason: "guarded by its webhook" }],
    };
    const tenant = withLabels({ "capsule.clastix.io/tenant": "data" });
    assert.equal((await findingsOf(rule, tenant)).length, 1);
    assert.deepEqual(await findingsOf(rule, tenant, config), []);
    assert.deepEqual(await findingsOf(rule, withLabels({ [name]: "data" }), config), []);
    const anyTenant = withExpressions({ key: "capsule.clastix.io/tenant", operator: "Exists" });
    assert.equal((await findingsOf(rule, anyTenant, config)).length, 1);
    await assert.rejects(findingsOf(rule, tenant, { trustedLabels: ["team"] }));
  });

  it("tells what is not known from what is wrong, at every level", async () => {
    const cases: [unknown, string][] = [
      [unknown, "spec is not known in the preview."],
      [{ egress: unknown }, "spec.egress is not known in the preview."],
      [{ egress: [unknown] }, "spec.egress[0] is not known in the preview."],
      [{ egress: [{ to: unknown }] }, "spec.egress[0].to is not known in the preview."],
      [{ egress: [{ to: [unknown] }] }, "spec.egress[0].to[0] is not known in the preview."],
      [{ egress: [{ to: [{ namespaceSelector: unknown }] }] }, `${selector} is not known in the preview.`],
      [
        { egress: [{ to: [{ namespaceSelector: { matchLabels: unknown } }] }] },
        `${selector} is {"matchLabels":"(not known)"}, in which it is not known whether it asks for a name.`,
      ],
    ];
    for (const [spec, found] of cases) {
      assert.deepEqual(await findingsOf(rule, networkPolicy(spec)), [
        `${title} cannot be verified: ${found}`,
      ]);
    }
    const mayNameOne = [
      egressTo({ namespaceSelector: { matchExpressions: unknown } }),
      withExpressions(unknown),
      withExpressions({ key: unknown, operator: "In", values: ["a"] }),
      withExpressions({ key: name, operator: unknown, values: ["a"] }),
    ];
    for (const policy of mayNameOne) {
      const [finding, ...more] = await findingsOf(rule, policy);
      assert.match(finding ?? "", /cannot be verified: .* it is not known whether it asks for a name\.$/);
      assert.deepEqual(more, []);
    }
    const namesNone = [
      withExpressions({ key: unknown, operator: "Exists" }),
      withExpressions({ key: "team", operator: unknown, values: ["a"] }),
    ];
    for (const policy of namesNone) {
      assert.match((await findingsOf(rule, policy)).join(), /which asks for no namespace by its name\.$/);
    }
  });

  it("accepts a name that is not known, which is still the name of one namespace", async () => {
    const names = [
      withLabels({ [name]: unknown }),
      withExpressions({ key: name, operator: "In", values: [unknown] }),
      withExpressions({ key: name, operator: "In", values: unknown }),
      withExpressions(unknown, { key: name, operator: "In", values: ["a"] }),
    ];
    assert.deepEqual(await findingsOf(rule, names), []);
  });

  it("judges the rules of a patch, the items of Lists, and the older version", async () => {
    const spec = { egress: [{ to: [{ namespaceSelector: { matchLabels: { team: "a" } } }] }] };
    const found = `${selector} is {"matchLabels":{"team":"a"}}, which asks for no namespace by its name.`;
    assert.deepEqual(await findingsOf(rule, networkPolicy({}, { suffix: "Patch" })), []);
    assert.deepEqual(await findingsOf(rule, networkPolicy(spec, { suffix: "Patch" })), [
      `NetworkPolicyPatch erlmcp/web: ${found}`,
    ]);
    const item = { metadata: { name: "web", namespace: "erlmcp" }, spec };
    const listed = resource("kubernetes:networking.k8s.io/v1:NetworkPolicyList", { items: [item] });
    assert.deepEqual(await findingsOf(rule, listed), [`${title}: items[0].${found}`]);
    const older = resource("kubernetes:extensions/v1beta1:NetworkPolicy", item);
    assert.deepEqual(await findingsOf(rule, older), [`${title}: ${found}`]);
  });

  it("lets every namespace ask the cluster's own DNS pods for names, and nothing more", async () => {
    await assertClusterDnsException(rule);
  });
});
