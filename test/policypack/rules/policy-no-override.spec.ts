import assert from "node:assert/strict";
import { policyNoOverride as rule } from "../../../policypack/rules/policy-no-override";
import {
  findingsOf,
  messagesOf,
  resource,
  runRule,
  unknown,
  type WireResource,
} from "../../helpers/run-rule";

const policy = (type: string, spec: unknown, namespace?: unknown): WireResource =>
  resource(`kubernetes:${type}`, { metadata: { name: "p", namespace }, spec }, "p");
const cluster = (spec: unknown, suffix = ""): WireResource =>
  policy(`policy.networking.k8s.io/v1alpha2:ClusterNetworkPolicy${suffix}`, spec);
const admin = (spec: unknown): WireResource =>
  policy("policy.networking.k8s.io/v1alpha1:AdminNetworkPolicy", spec);
const globalCalico = (spec: unknown, suffix = ""): WireResource =>
  policy(`projectcalico.org/v3:GlobalNetworkPolicy${suffix}`, spec);
const calico = (spec: unknown): WireResource => policy("projectcalico.org/v3:NetworkPolicy", spec, "team");
const cilium = (spec: unknown, suffix = ""): WireResource =>
  policy(`cilium.io/v2:CiliumNetworkPolicy${suffix}`, spec, "team");
const clusterwide = (spec: unknown): WireResource =>
  policy("cilium.io/v2:CiliumClusterwideNetworkPolicy", spec);
const antrea = (spec: unknown, suffix = ""): WireResource =>
  policy(`crd.antrea.io/v1beta1:ClusterNetworkPolicy${suffix}`, spec);
const antreaNamespaced = (spec: unknown): WireResource =>
  policy("crd.antrea.io/v1beta1:NetworkPolicy", spec, "team");

const seeRule = "See docs/rules.md#policy-no-override";
const writeInstead =
  "Write instead: NetworkPolicies for what is meant to be open. What denies, or leaves the decision to them, may stay. Where it is meant to go beyond them, an entry with the reason under this rule's allow.";

describe("policy-no-override", () => {
  it("accepts what denies, or leaves the decision to NetworkPolicies", async () => {
    const deniesAndPasses = {
      ingress: [{ action: "Deny" }, { action: "Pass" }],
      egress: [{ action: "Deny" }],
    };
    for (const harmless of [
      cluster({ tier: "Admin", ...deniesAndPasses }),
      cluster({ tier: "Admin" }),
      admin(deniesAndPasses),
      globalCalico({ tier: "security", ...deniesAndPasses, egress: [{ action: "Log" }, { action: "Deny" }] }),
      globalCalico({ types: ["Ingress", "Egress"] }),
      calico({ ingress: [{ action: "Deny" }] }),
      antrea({
        tier: "securityops",
        ingress: [{ action: "Drop" }, { action: "Reject" }, { action: "Pass" }],
      }),
      antreaNamespaced({ egress: [{ action: "Drop" }] }),
      clusterwide({ endpointSelector: {}, egressDeny: [{ toCIDR: ["169.254.169.254/32"] }] }),
      cilium({ endpointSelector: {}, ingress: [{}], egress: [{}] }),
      cilium({ endpointSelector: {}, ingress: [], egress: [{ toEndpoints: [] }] }),
    ])
      assert.deepEqual(await findingsOf(rule, harmless), []);
  });

  it("accepts what decides about pods only that no NetworkPolicy isolates", async () => {
    const allows = { ingress: [{ action: "Allow" }], egress: [{ action: "Allow" }] };
    for (const late of [
      cluster({ tier: "Baseline", ingress: [{ action: "Accept" }] }),
      policy("policy.networking.k8s.io/v1alpha1:BaselineAdminNetworkPolicy", allows),
      globalCalico({ tier: "kube-baseline", ...allows }),
      calico({ tier: "baselineadminnetworkpolicy", ingress: [{ action: "Pass" }] }),
      antrea({ tier: "baseline", ...allows }),
      antrea({ tier: "Baseline", ...allows }),
      policy("projectcalico.org/v3:StagedGlobalNetworkPolicy", allows),
    ])
      assert.deepEqual(await findingsOf(rule, late), []);
  });

  it("blocks what is accepted before NetworkPolicies are asked", async () => {
    assert.deepEqual(
      await messagesOf(rule, cluster({ tier: "Admin", ingress: [{ action: "Deny" }, { action: "Accept" }] })),
      [
        [
          'ClusterNetworkPolicy p: spec.ingress[1].action is "Accept".',
          "Why it is dangerous: it is asked before all NetworkPolicies, so what it accepts is open whatever they and their default-deny say.",
          writeInstead,
          seeRule,
        ].join("\n"),
      ],
    );
    assert.deepEqual(
      await findingsOf(rule, admin({ egress: [{ action: "Allow" }, { action: "allow" }, { action: 7 }] })),
      [
        'AdminNetworkPolicy p: spec.egress[0].action is "Allow".',
        'AdminNetworkPolicy p: spec.egress[1].action is "allow".',
        "AdminNetworkPolicy p: spec.egress[2].action is 7.",
      ],
    );
    assert.deepEqual(await findingsOf(rule, cluster({ ingress: [{ action: "Accept" }] })), [
      'ClusterNetworkPolicy p: spec.ingress[0].action is "Accept".',
    ]);
    assert.deepEqual(
      await findingsOf(
        rule,
        policy("networking.k8s.aws/v1alpha1:ClusterNetworkPolicy", {
          tier: "Admin",
          ingress: [{ action: "Accept" }],
        }),
      ),
      ['ClusterNetworkPolicy p: spec.ingress[0].action is "Accept".'],
    );
  });

  it("blocks what Calico allows in any tier, and what passes over the tier of NetworkPolicies", async () => {
    assert.deepEqual(
      await messagesOf(rule, calico({ tier: "platform", order: 2000, ingress: [{ action: "Allow" }] })),
      [
        [
          'NetworkPolicy team/p: spec.ingress[0].action is "Allow".',
          "Why it is dangerous: what a policy of Calico allows is open, whatever NetworkPolicies and their default-deny say.",
          writeInstead,
          seeRule,
        ].join("\n"),
      ],
    );
    assert.deepEqual(await messagesOf(rule, globalCalico({ egress: [{ action: "Pass" }] })), [
      [
        'GlobalNetworkPolicy p: spec.egress[0].action is "Pass", in the tier default.',
        "Why it is dangerous: in Calico's default tier, which NetworkPolicies are in, it passes over them and over what they deny: what comes after is the profile of the namespace, which allows everything.",
        writeInstead,
        seeRule,
      ].join("\n"),
    ]);
    assert.deepEqual(
      await findingsOf(
        rule,
        policy("crd.projectcalico.org/v1:GlobalNetworkPolicy", {
          tier: "default",
          ingress: [{ action: "Pass" }],
        }),
      ),
      ['GlobalNetworkPolicy p: spec.ingress[0].action is "Pass", in the tier default.'],
    );
    assert.deepEqual(
      await findingsOf(
        rule,
        policy("crd.projectcalico.org/v1:NetworkPolicy", { ingress: [{ action: "Allow" }] }, "team"),
      ),
      ['NetworkPolicy team/p: spec.ingress[0].action is "Allow".'],
    );
  });

  it("blocks what Antrea allows before NetworkPolicies", async () => {
    assert.deepEqual(await messagesOf(rule, antrea({ ingress: [{ action: "Allow" }] })), [
      [
        'ClusterNetworkPolicy p: spec.ingress[0].action is "Allow".',
        "Why it is dangerous: Antrea asks it before all NetworkPolicies, so what it allows is open whatever they and their default-deny say.",
        writeInstead,
        seeRule,
      ].join("\n"),
    ]);
    assert.deepEqual(
      await findingsOf(rule, antreaNamespaced({ tier: "application", egress: [{ action: "Allow" }] })),
      ['NetworkPolicy team/p: spec.egress[0].action is "Allow".'],
    );
    const alpha = policy("crd.antrea.io/v1alpha1:ClusterNetworkPolicy", { ingress: [{ action: "Allow" }] });
    assert.equal((await findingsOf(rule, alpha)).length, 1);
  });

  it("blocks what policies open beside NetworkPolicies", async () => {
    const application = policy(
      "networking.k8s.aws/v1alpha1:ApplicationNetworkPolicy",
      { podSelector: {}, policyTypes: ["Egress"], egress: [{ to: [{ domainNames: ["example.com"] }] }] },
      "team",
    );
    assert.deepEqual(await messagesOf(rule, application), [
      [
        "ApplicationNetworkPolicy team/p: spec.egress[0] opens something beside the NetworkPolicies.",
        "Why it is dangerous: what it allows is open, beside what NetworkPolicies allow and whatever the communication matrix says.",
        writeInstead,
        seeRule,
      ].join("\n"),
    ]);
    const byName = policy(
      "networking.gke.io/v1alpha1:FQDNNetworkPolicy",
      { podSelector: {}, egress: [{ matches: [{ pattern: "*.example.com" }], ports: [{ port: 443 }] }] },
      "team",
    );
    assert.deepEqual(await findingsOf(rule, byName), [
      "FQDNNetworkPolicy team/p: spec.egress[0] opens something beside the NetworkPolicies.",
    ]);
    const dns = [{ ports: [{ port: "53", protocol: "ANY" }] }];
    assert.deepEqual(
      await messagesOf(rule, cilium({ endpointSelector: {}, egress: [{}, { toPorts: dns, toFQDNs: [] }] })),
      [
        [
          "CiliumNetworkPolicy team/p: spec.egress[1] opens something beside the NetworkPolicies, by toPorts.",
          "Why it is dangerous: Cilium opens what any of its policies allows, beside what NetworkPolicies allow and whatever the communication matrix says.",
          writeInstead,
          seeRule,
        ].join("\n"),
      ],
    );
    const several = resource("kubernetes:cilium.io/v2:CiliumClusterwideNetworkPolicy", {
      metadata: { name: "p" },
      specs: [
        { endpointSelector: {}, ingress: [{ fromEntities: ["cluster"] }] },
        { endpointSelector: {}, ingress: [{ fromRequires: [{}], authentication: { mode: "required" } }] },
      ],
    });
    assert.deepEqual(await findingsOf(rule, several), [
      "CiliumClusterwideNetworkPolicy p: specs[0].ingress[0] opens something beside the NetworkPolicies, by fromEntities.",
    ]);
  });

  it("leaves Cilium's policies for nodes, which only cluster-wide ones are", async () => {
    const forNodes = { nodeSelector: {}, ingress: [{ fromEntities: ["cluster"] }] };
    assert.deepEqual(await findingsOf(rule, clusterwide(forNodes)), []);
    assert.equal((await findingsOf(rule, cilium(forNodes))).length, 1);
    assert.equal((await findingsOf(rule, clusterwide({ ...forNodes, endpointSelector: unknown }))).length, 1);
  });

  it("blocks a Cilium policy that does not isolate, unless it only denies", async () => {
    const off = { enableDefaultDeny: { ingress: false, egress: false }, endpointSelector: {} };
    assert.deepEqual(await messagesOf(rule, cilium({ ...off, ingress: [{}] })), [
      [
        "CiliumNetworkPolicy team/p: spec.enableDefaultDeny.ingress is false.",
        "Why it is dangerous: the pods that it selects are then not isolated by it: where nothing else isolates them, everything is open to them but what it denies.",
        "Write instead: true, or nothing: the policy then isolates what it has ingress rules for.",
        seeRule,
      ].join("\n"),
    ]);
    assert.deepEqual(
      await findingsOf(rule, cilium({ ...off, ingress: [], egressDeny: [{ toCIDR: ["192.0.2.0/24"] }] })),
      [],
    );
    const on = { ...off, enableDefaultDeny: { ingress: true }, ingress: [{}] };
    assert.deepEqual(await findingsOf(rule, cilium(on)), []);
  });

  it("lets be what is allowed, by kind, namespace and name", async () => {
    const allow = [
      { kind: "CiliumNetworkPolicy", namespace: "team", name: "p", reason: "FQDNs" },
      { kind: "ClusterNetworkPolicy", name: "p", reason: "monitoring" },
    ];
    const config = { allow };
    const egress = [{ toFQDNs: [{ matchName: "example.com" }] }];
    assert.deepEqual(await findingsOf(rule, cilium({ egress }), config), []);
    assert.deepEqual(await findingsOf(rule, cilium({ egress: unknown }), config), []);
    assert.deepEqual(
      await findingsOf(rule, cluster({ tier: "Admin", egress: [{ action: "Accept" }] }), config),
      [],
    );
    assert.equal((await findingsOf(rule, admin({ egress: [{ action: "Allow" }] }), config)).length, 1);
    const elsewhere = policy("cilium.io/v2:CiliumNetworkPolicy", { egress }, "other");
    assert.equal((await findingsOf(rule, elsewhere, config)).length, 1);
    const somewhere = policy("cilium.io/v2:CiliumNetworkPolicy", { egress }, unknown);
    assert.deepEqual(await findingsOf(rule, somewhere, config), [
      "CiliumNetworkPolicy (namespace not known)/p cannot be verified: spec.egress[0] opens something beside the NetworkPolicies, by toFQDNs, and whether this rule's allow covers it depends on a value that is not known in the preview.",
    ]);
  });

  it("refuses an allowed policy with a namespace too many or too few", async () => {
    const allow = [
      { kind: "CiliumNetworkPolicy", name: "p", reason: "FQDNs" },
      { kind: "ClusterNetworkPolicy", namespace: "team", name: "p", reason: "monitoring" },
    ];
    const [message] = await messagesOf(rule, cluster({}), { allow });
    assert.deepEqual(message?.split("\n").slice(1, 3), [
      "- allow[0].namespace is missing; allowed: a namespace name (lower-case letters, digits and hyphens, at most 63). Fix: write the namespace of the CiliumNetworkPolicy.",
      '- allow[1].namespace is "team"; allowed: none: a ClusterNetworkPolicy is in no namespace. Fix: remove it.',
    ]);
    await assert.rejects(
      runRule(rule, cluster({}), { allow: [{ kind: "NetworkPolicies", name: "p", reason: "x" }] }),
      /refuses/,
    );
  });

  it("tells what is not known from what is wrong", async () => {
    const title = "ClusterNetworkPolicy p cannot be verified:";
    const accepts = [{ action: "Accept" }];
    const cases: [WireResource, string][] = [
      [cluster(unknown), `${title} spec is not known in the preview.`],
      [cluster("all"), `${title} spec is "all" and not an object.`],
      [cluster({ tier: "Admin", ingress: unknown }), `${title} spec.ingress is not known in the preview.`],
      [cluster({ tier: "Admin", egress: [unknown] }), `${title} spec.egress[0] is not known in the preview.`],
      [
        cluster({ tier: "Admin", egress: [{ action: unknown }] }),
        `${title} spec.egress[0].action is not known in the preview.`,
      ],
      [cluster({ tier: "Admin", egress: [{}] }), `${title} spec.egress[0].action is missing.`],
      [
        cluster({ tier: unknown, egress: accepts }),
        `${title} spec.egress[0].action is "Accept", in a tier that is not known.`,
      ],
      [
        globalCalico({ tier: unknown, egress: [{ action: "Pass" }] }),
        'GlobalNetworkPolicy p cannot be verified: spec.egress[0].action is "Pass", in a tier that is not known.',
      ],
      [cilium(unknown), "CiliumNetworkPolicy team/p cannot be verified: spec is not known in the preview."],
      [
        cilium({ egress: [{ toPorts: unknown }] }),
        "CiliumNetworkPolicy team/p cannot be verified: spec.egress[0].toPorts is not known in the preview.",
      ],
      [
        cilium({ egress: [{}], enableDefaultDeny: unknown }),
        "CiliumNetworkPolicy team/p cannot be verified: spec.enableDefaultDeny.egress is not known in the preview.",
      ],
      [
        cilium({ egress: [{}], enableDefaultDeny: { egress: unknown } }),
        "CiliumNetworkPolicy team/p cannot be verified: spec.enableDefaultDeny.egress is not known in the preview.",
      ],
    ];
    for (const [object, found] of cases) assert.deepEqual(await findingsOf(rule, object), [found]);
    assert.deepEqual(await findingsOf(rule, cluster({ tier: unknown, ingress: [{ action: "Pass" }] })), []);
    assert.deepEqual(await findingsOf(rule, cilium({ enableDefaultDeny: unknown })), []);
  });

  it("judges what a patch carries, and does not guess the rest", async () => {
    assert.deepEqual(await findingsOf(rule, cluster({ ingress: [{ action: "Accept" }] }, "Patch")), [
      'ClusterNetworkPolicyPatch p cannot be verified: spec.ingress[0].action is "Accept", in a tier that is not known.',
    ]);
    assert.deepEqual(
      await findingsOf(rule, cluster({ tier: "Admin", ingress: [{ action: "Accept" }] }, "Patch")),
      ['ClusterNetworkPolicyPatch p: spec.ingress[0].action is "Accept".'],
    );
    assert.deepEqual(await findingsOf(rule, globalCalico({ ingress: [{ action: "Pass" }] }, "Patch")), [
      'GlobalNetworkPolicyPatch p cannot be verified: spec.ingress[0].action is "Pass", in a tier that is not known.',
    ]);
    assert.deepEqual(await findingsOf(rule, antrea({ ingress: [{ action: "Allow" }] }, "Patch")), [
      'ClusterNetworkPolicyPatch p cannot be verified: spec.ingress[0].action is "Allow", in a tier that is not known.',
    ]);
    assert.deepEqual(await findingsOf(rule, cilium({ enableDefaultDeny: { ingress: false } }, "Patch")), [
      "CiliumNetworkPolicyPatch team/p cannot be verified: spec.enableDefaultDeny.ingress is false, and the live policy may have rules that are to isolate.",
    ]);
    assert.deepEqual(await findingsOf(rule, cilium({ enableDefaultDeny: { ingress: unknown } }, "Patch")), [
      "CiliumNetworkPolicyPatch team/p cannot be verified: spec.enableDefaultDeny.ingress is not known in the preview.",
    ]);
    const denies = { enableDefaultDeny: { ingress: false }, ingressDeny: [{ fromEntities: ["world"] }] };
    assert.deepEqual(await findingsOf(rule, cilium(denies, "Patch")), []);
    assert.deepEqual(await findingsOf(rule, cluster(undefined, "Patch")), []);
  });

  it("judges each item of a List by its own group", async () => {
    const item = (apiVersion: string, kind: string, spec: unknown): unknown => ({
      apiVersion,
      kind,
      metadata: { name: "p", namespace: "team" },
      spec,
    });
    const items = [
      item("networking.k8s.io/v1", "NetworkPolicy", { ingress: [{}] }),
      item("projectcalico.org/v3", "NetworkPolicy", { ingress: [{ action: "Pass" }] }),
      item("crd.antrea.io/v1beta1", "NetworkPolicy", { ingress: [{ action: "Pass" }, { action: "Allow" }] }),
    ];
    assert.deepEqual(await findingsOf(rule, resource("kubernetes:core/v1:List", { items })), [
      'NetworkPolicy team/p: items[1].spec.ingress[0].action is "Pass", in the tier default.',
      'NetworkPolicy team/p: items[2].spec.ingress[1].action is "Allow".',
    ]);
    const list = resource("kubernetes:cilium.io/v2:CiliumNetworkPolicyList", {
      items: [{ metadata: { name: "p", namespace: "team" }, spec: { ingress: [{ fromEntities: ["all"] }] } }],
    });
    assert.deepEqual(await findingsOf(rule, list), [
      "CiliumNetworkPolicy team/p: items[0].spec.ingress[0] opens something beside the NetworkPolicies, by fromEntities.",
    ]);
  });
});
