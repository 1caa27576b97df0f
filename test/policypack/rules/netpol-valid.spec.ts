import assert from "node:assert/strict";
import { netpolValid as rule } from "../../../policypack/rules/netpol-valid";
import { findingsOf, fromYaml, messagesOf, resource, unknown } from "../../helpers/run-rule";
import { block, egressTo, networkPolicy } from "../network-policy";

const title = "NetworkPolicy erlmcp/web";

describe("netpol-valid", () => {
  it("accepts every field of the API, in each of its forms", async () => {
    const full = networkPolicy({
      podSelector: { matchLabels: { app: "web", tier: "" } },
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        {
          from: [
            { podSelector: {} },
            {
              namespaceSelector: { matchExpressions: [{ key: "a.b/c", operator: "NotIn", values: ["d"] }] },
              podSelector: { matchExpressions: [{ key: "e", operator: "Exists" }] },
            },
          ],
          ports: [{ port: "https" }, { protocol: "SCTP", port: 1, endPort: 65535 }, { protocol: "UDP" }],
        },
        {},
      ],
      egress: [
        { to: [block("2001:db8::/32", "2001:db8:1::/48"), block("10.0.0.0/8"), block("2001:DB8::/48")] },
      ],
    });
    assert.deepEqual(await findingsOf(rule, full), []);
    assert.deepEqual(await findingsOf(rule, networkPolicy({ podSelector: {}, ingress: null })), []);
    assert.deepEqual(await findingsOf(rule, networkPolicy(undefined)), []);
  });

  it("blocks networks and exceptions that are none", async () => {
    assert.deepEqual(await messagesOf(rule, egressTo(block("10.0.0.0/33"))), [
      [
        `${title}: spec.egress[0].to[0].ipBlock.cidr is "10.0.0.0/33", which is no network: its prefix length is not a number from 0 to 32.`,
        "Why it is dangerous: the API server refuses the policy, so that the pods stay as open as they are without it, or drops the part, so that the rest allows more than was meant.",
        "Write instead: a network such as 203.0.113.0/24 or 2001:db8::/48 (write the network as address/prefix length, without leading zeros).",
        "See docs/rules.md#netpol-valid",
      ].join("\n"),
    ]);
    const broken = egressTo(
      block("10.0.0.0"),
      block("010.0.0.0/8"),
      block("10.0.0.0/8", "11.0.0.0/16", "10.0.0.0/8", "::/0", "x"),
      { ipBlock: {} },
      { ipBlock: { cidr: "10.0.0.0/8", exept: ["10.1.0.0/16"] } },
    );
    assert.deepEqual(await findingsOf(rule, broken), [
      `${title}: spec.egress[0].to[0].ipBlock.cidr is "10.0.0.0", which is no network: it has no prefix length.`,
      `${title}: spec.egress[0].to[1].ipBlock.cidr is "010.0.0.0/8", which is no network: its address is neither IPv4 nor IPv6.`,
      `${title}: spec.egress[0].to[2].ipBlock.except[0] is "11.0.0.0/16".`,
      `${title}: spec.egress[0].to[2].ipBlock.except[1] is "10.0.0.0/8".`,
      `${title}: spec.egress[0].to[2].ipBlock.except[2] is "::/0".`,
      `${title}: spec.egress[0].to[2].ipBlock.except[3] is "x", which is no network: it has no prefix length.`,
      `${title}: spec.egress[0].to[3].ipBlock.cidr is missing.`,
      `${title}: spec.egress[0].to[4].ipBlock.exept is not a field of the API.`,
    ]);
  });

  it("blocks networks that can be taken for others, in either direction and among exceptions", async () => {
    assert.deepEqual(await messagesOf(rule, egressTo(block("10.0.0.5/8"))), [
      [
        `${title}: spec.egress[0].to[0].ipBlock.cidr is "10.0.0.5/8", with bits beyond its prefix.`,
        "Why it is dangerous: API servers refuse the policy from Kubernetes 1.36 on. Before that, it is the whole of 10.0.0.0/8, which is more than whoever means 10.0.0.5 wants.",
        "Write instead: 10.0.0.5/32 for the one address, or 10.0.0.0/8 for the network.",
        "See docs/rules.md#netpol-valid",
      ].join("\n"),
    ]);
    assert.deepEqual(await messagesOf(rule, egressTo(block("::ffff:10.0.0.0/104"))), [
      [
        `${title}: spec.egress[0].to[0].ipBlock.cidr is "::ffff:10.0.0.0/104", an IPv4 network written as IPv6.`,
        "Why it is dangerous: API servers refuse the policy from Kubernetes 1.36 on. Before that, some enforcers take it for IPv4, and others for IPv6 addresses that no packet has.",
        "Write instead: 10.0.0.0/8, in IPv4's own notation.",
        "See docs/rules.md#netpol-valid",
      ].join("\n"),
    ]);
    const spec = {
      ingress: [
        {},
        { from: [{ podSelector: {} }, block("2001:db8::1/32", "2001:db8:1::/48", "2001:db8:2::/47")] },
      ],
      egress: [
        { to: [block("0.0.0.0/0", "10.1.0.0/8"), block("::ffff:10.0.0.5/104"), block("::ffff:1.1.1.0/24")] },
      ],
    };
    const found = [
      'spec.ingress[1].from[1].ipBlock.cidr is "2001:db8::1/32", with bits beyond its prefix.',
      'spec.egress[0].to[0].ipBlock.except[0] is "10.1.0.0/8", with bits beyond its prefix.',
      'spec.egress[0].to[1].ipBlock.cidr is "::ffff:10.0.0.5/104", an IPv4 network written as IPv6.',
      'spec.egress[0].to[2].ipBlock.cidr is "::ffff:1.1.1.0/24", an IPv4 network written as IPv6.',
    ];
    assert.deepEqual(
      await findingsOf(rule, networkPolicy(spec)),
      found.map((finding) => `${title}: ${finding}`),
    );
    assert.deepEqual(
      await findingsOf(rule, networkPolicy(spec, { suffix: "Patch" })),
      found.map((finding) => `NetworkPolicyPatch erlmcp/web: ${finding}`),
    );
    const fixes = (await messagesOf(rule, networkPolicy(spec))).map((message) => message.split("\n")[2]);
    assert.deepEqual(fixes.slice(0, 1).concat(fixes.slice(2)), [
      "Write instead: 2001:db8::1/128 for the one address, or 2001:db8::/32 for the network.",
      "Write instead: 10.0.0.0/8, in IPv4's own notation.",
      "Write instead: the network, in IPv4's own notation.",
    ]);
    const [all] = await messagesOf(rule, egressTo(block("::ffff:0:0/96")));
    assert.match(all ?? "", /^Write instead: 0\.0\.0\.0\/0, in IPv4's own notation\.$/m);
    assert.deepEqual(await findingsOf(rule, egressTo(block("::ffff:10.0.0.0/200"))), [
      `${title}: spec.egress[0].to[0].ipBlock.cidr is "::ffff:10.0.0.0/200", which is no network: its prefix length is not a number from 0 to 128.`,
    ]);
    for (const cidr of ["::/0", "64:ff9b::10.0.0.0/104", "::10.0.0.0/104", "203.0.113.7/32"])
      assert.deepEqual(await findingsOf(rule, egressTo(block(cidr))), []);
  });

  it("blocks ports that no rule can have", async () => {
    const ports = [
      { protocol: "TPC", port: 1 },
      { protocol: "tcp", port: 1 },
      { port: 90, endPort: 80 },
      { port: "http", endPort: 90 },
      { endPort: 90 },
      { port: "443" },
      { port: 0 },
      { port: "HTTP" },
    ];
    assert.deepEqual(await findingsOf(rule, networkPolicy({ ingress: [{ ports }] })), [
      `${title}: spec.ingress[0].ports[0].protocol is "TPC".`,
      `${title}: spec.ingress[0].ports[1].protocol is "tcp".`,
      `${title}: spec.ingress[0].ports[2].endPort is 80.`,
      `${title}: spec.ingress[0].ports[3].endPort is 90.`,
      `${title}: spec.ingress[0].ports[4].endPort is 90.`,
      `${title}: spec.ingress[0].ports[5].port is "443".`,
      `${title}: spec.ingress[0].ports[6].port is 0.`,
      `${title}: spec.ingress[0].ports[7].port is "HTTP".`,
    ]);
    const [message] = await messagesOf(rule, networkPolicy({ ingress: [{ ports: [{ port: "443" }] }] }));
    assert.match(message ?? "", /^Write instead: .* \(write 443 without quotes\)\.$/m);
  });

  it("blocks selectors, peers and policyTypes that the API does not have", async () => {
    const spec = {
      podSelector: { matchExpressions: [{ key: "app", operator: "in", values: ["web"] }] },
      policyTypes: ["ingress", "Egress", "Egress"],
      ingress: [
        { from: [{}, { ipBlock: { cidr: "10.0.0.0/8" }, podSelector: {} }], form: [] },
        { from: [{ podSelector: { app: "web" } }] },
        { from: [{ podSelector: { matchLabels: { app: 1, "no label": "x" } } }] },
        null,
      ],
    };
    assert.deepEqual(await findingsOf(rule, networkPolicy(spec)), [
      `${title}: spec.podSelector.matchExpressions[0].operator is "in".`,
      `${title}: spec.ingress[0].form is not a field of the API.`,
      `${title}: spec.ingress[0].from[0] sets no peer.`,
      `${title}: spec.ingress[0].from[1] sets ipBlock together with a selector.`,
      `${title}: spec.ingress[1].from[0].podSelector.app is not a field of the API.`,
      `${title}: spec.ingress[2].from[0].podSelector.matchLabels.app is 1.`,
      `${title}: spec.ingress[2].from[0].podSelector.matchLabels has the label key "no label".`,
      `${title}: spec.ingress[3] is null.`,
      `${title}: spec.policyTypes[0] is "ingress".`,
      `${title}: spec.policyTypes has 3 items.`,
    ]);
  });

  it("blocks fields beside the spec, and names that no policy can have", async () => {
    const misplaced = fromYaml(`apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: Web, namespace: erl_mcp }
policyTypes: [Ingress]
`);
    assert.deepEqual(await findingsOf(rule, misplaced), [
      'NetworkPolicy erl_mcp/Web: metadata.namespace is "erl_mcp".',
      'NetworkPolicy erl_mcp/Web: metadata.name is "Web".',
      "NetworkPolicy erl_mcp/Web: policyTypes is not a field of the API.",
    ]);
    const nameless = fromYaml("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy}");
    assert.deepEqual(await findingsOf(rule, nameless), [
      "NetworkPolicy (namespace not known)/(Pulumi resource it): metadata.name is missing.",
    ]);
    const called = (metadata: object): Promise<string[]> =>
      findingsOf(
        rule,
        resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", {
          metadata: { ...metadata, namespace: "erlmcp" },
          spec: {},
        }),
      );
    assert.deepEqual(await called({ generateName: "web-" }), []);
    assert.deepEqual(await called({ name: "Web", generateName: "web-" }), [
      'NetworkPolicy erlmcp/Web: metadata.name is "Web".',
    ]);
    assert.deepEqual(await called({}), [
      "NetworkPolicy erlmcp/(Pulumi resource it): metadata.name is missing.",
    ]);
  });

  it("tells what is not known from what is wrong, at every level", async () => {
    assert.deepEqual(await messagesOf(rule, egressTo(block("undefined/32"))), [
      [
        `${title} cannot be verified: spec.egress[0].to[0].ipBlock.cidr is "undefined/32", in which a value is not known yet.`,
        "Why it blocks: the API server may refuse what it turns out to be, in the middle of the update, and the pods stay as open as they are without the policy. What cannot be verified is not compliant.",
        "Write instead: a network such as 203.0.113.0/24 or 2001:db8::/48 (write the value itself, or take it from stack config or from another object's input: an output of a resource that does not exist yet is not known in the preview).",
        "See docs/rules.md#netpol-valid",
      ].join("\n"),
    ]);
    const cases: [unknown, string][] = [
      [unknown, "spec"],
      [{ podSelector: unknown }, "spec.podSelector"],
      [{ podSelector: { matchLabels: { app: unknown } } }, "spec.podSelector.matchLabels.app"],
      [{ policyTypes: unknown }, "spec.policyTypes"],
      [{ policyTypes: [unknown] }, "spec.policyTypes[0]"],
      [{ egress: unknown }, "spec.egress"],
      [{ egress: [unknown] }, "spec.egress[0]"],
      [{ egress: [{ to: unknown }] }, "spec.egress[0].to"],
      [{ egress: [{ to: [unknown] }] }, "spec.egress[0].to[0]"],
      [{ egress: [{ to: [{ ipBlock: unknown }] }] }, "spec.egress[0].to[0].ipBlock"],
      [{ egress: [{ to: [block(unknown)] }] }, "spec.egress[0].to[0].ipBlock.cidr"],
      [{ egress: [{ ports: [{ port: unknown }] }] }, "spec.egress[0].ports[0].port"],
    ];
    for (const [spec, at] of cases) {
      assert.deepEqual(await findingsOf(rule, networkPolicy(spec)), [
        `${title} cannot be verified: ${at} is not known in the preview.`,
      ]);
    }
    const nowhere = resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", {
      metadata: { name: "web", namespace: unknown },
    });
    assert.deepEqual(await findingsOf(rule, nowhere), [
      "NetworkPolicy (namespace not known)/web cannot be verified: metadata.namespace is not known in the preview.",
    ]);
  });

  it("judges what a patch carries, the items of Lists, and the older version", async () => {
    const spec = { ingress: [{ ports: [{ port: 0 }] }] };
    const found = "spec.ingress[0].ports[0].port is 0.";
    assert.deepEqual(await findingsOf(rule, networkPolicy({}, { suffix: "Patch" })), []);
    assert.deepEqual(await findingsOf(rule, networkPolicy(spec, { suffix: "Patch" })), [
      `NetworkPolicyPatch erlmcp/web: ${found}`,
    ]);
    const item = { metadata: { name: "web", namespace: "erlmcp" }, spec };
    const lists = [
      resource("kubernetes:networking.k8s.io/v1:NetworkPolicyList", { items: [item] }),
      resource("kubernetes:core/v1:List", {
        items: [{ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", ...item }],
      }),
    ];
    assert.deepEqual(
      await findingsOf(rule, lists),
      lists.map(() => `${title}: items[0].${found}`),
    );
    const older = resource("kubernetes:extensions/v1beta1:NetworkPolicy", {
      apiVersion: "extensions/v1beta1",
      ...item,
    });
    assert.deepEqual(await findingsOf(rule, older), [`${title}: ${found}`]);
  });
});
