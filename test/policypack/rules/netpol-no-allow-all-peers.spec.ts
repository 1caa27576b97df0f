import assert from "node:assert/strict";
import { netpolNoAllowAllPeers as rule } from "../../../policypack/rules/netpol-no-allow-all-peers";
import { assertClusterDnsException } from "../../helpers/cluster-dns-exception";
import { findingsOf, messagesOf, unknown } from "../../helpers/run-rule";
import { block, egressTo, networkPolicy } from "../network-policy";

const namespaces = (selector: unknown): unknown => ({
  namespaceSelector: selector,
  podSelector: { matchLabels: { app: "a" } },
});
const name = "kubernetes.io/metadata.name";

describe("netpol-no-allow-all-peers", () => {
  it("accepts peers that are named", async () => {
    const accepted = egressTo(
      { podSelector: { matchLabels: { app: "redis" } } },
      { podSelector: {} },
      namespaces({ matchLabels: { [name]: "monitoring" } }),
      namespaces({ matchLabels: { [name]: unknown } }),
      namespaces({ matchExpressions: [{ key: name, operator: "In", values: unknown }] }),
      namespaces({ matchExpressions: [{ key: "team", operator: "Exists" }, unknown] }),
      block("203.0.113.0/24"),
      block("0.0.0.0/0", "10.0.0.0/8"),
    );
    assert.deepEqual(await findingsOf(rule, accepted), []);
    assert.deepEqual(await findingsOf(rule, networkPolicy({ ingress: [], egress: null })), []);
  });

  it("blocks missing and empty peers in both directions", async () => {
    assert.deepEqual(
      await messagesOf(rule, networkPolicy({ ingress: [{ ports: [] }], egress: [{ to: [] }, { to: null }] })),
      [
        [
          "NetworkPolicy erlmcp/web: spec.ingress[0].from is missing.",
          "Why it is dangerous: the rule then allows all sources, inside the cluster and outside.",
          "Write instead: from: with the peers that are meant; to allow nothing, remove the rule spec.ingress[0].",
          "See docs/rules.md#netpol-no-allow-all-peers",
        ].join("\n"),
        [
          "NetworkPolicy erlmcp/web: spec.egress[0].to is [].",
          "Why it is dangerous: the rule then allows all destinations, inside the cluster and outside.",
          "Write instead: to: with the peers that are meant; to allow nothing, remove the rule spec.egress[0].",
          "See docs/rules.md#netpol-no-allow-all-peers",
        ].join("\n"),
        [
          "NetworkPolicy erlmcp/web: spec.egress[1].to is missing.",
          "Why it is dangerous: the rule then allows all destinations, inside the cluster and outside.",
          "Write instead: to: with the peers that are meant; to allow nothing, remove the rule spec.egress[1].",
          "See docs/rules.md#netpol-no-allow-all-peers",
        ].join("\n"),
      ],
    );
  });

  it("blocks a peer that selects nothing", async () => {
    assert.deepEqual(await findingsOf(rule, egressTo({}, { ipBlock: null })), [
      "NetworkPolicy erlmcp/web: spec.egress[0].to[0] is {}, which selects nothing in particular.",
      'NetworkPolicy erlmcp/web: spec.egress[0].to[1] is {"ipBlock":null}, which selects nothing in particular.',
    ]);
  });

  it("blocks selectors of every namespace, with and without a podSelector", async () => {
    assert.deepEqual(
      await messagesOf(
        rule,
        egressTo({ namespaceSelector: {} }, namespaces({ matchLabels: {}, matchExpressions: [] })),
      ),
      [
        [
          "NetworkPolicy erlmcp/web: spec.egress[0].to[0].namespaceSelector is {}, which selects every namespace.",
          "Why it is dangerous: every pod of the cluster is a peer, in namespaces made later too.",
          `Write instead: the namespace that is meant, by the label that nobody can forge: namespaceSelector: {matchLabels: {${name}: monitoring}}`,
          "See docs/rules.md#netpol-no-allow-all-peers",
        ].join("\n"),
        [
          'NetworkPolicy erlmcp/web: spec.egress[0].to[1].namespaceSelector is {"matchLabels":{},"matchExpressions":[]}, which selects every namespace.',
          "Why it is dangerous: whoever can create a pod in any namespace can give it the labels of the podSelector, in namespaces made later too.",
          `Write instead: the namespace that is meant, by the label that nobody can forge: namespaceSelector: {matchLabels: {${name}: monitoring}}`,
          "See docs/rules.md#netpol-no-allow-all-peers",
        ].join("\n"),
      ],
    );
  });

  it("blocks selectors that only leave some namespaces out", async () => {
    const expressions = (...matchExpressions: unknown[]) => ({ matchExpressions });
    for (const selector of [
      expressions({ key: name, operator: "NotIn", values: ["kube-system"] }),
      expressions({ key: "untrusted", operator: "DoesNotExist" }),
      expressions({ key: name, operator: "Exists" }),
      { matchLabels: {}, ...expressions({ key: "untrusted", operator: "DoesNotExist" }) },
      // Whichever label it turns out to be.
      expressions({ key: unknown, operator: "NotIn", values: ["kube-system"] }),
      expressions({ key: unknown, operator: "DoesNotExist" }),
    ]) {
      const found = JSON.stringify(selector).replace(unknown, "(not known)");
      assert.deepEqual(await findingsOf(rule, egressTo(namespaces(selector))), [
        `NetworkPolicy erlmcp/web: spec.egress[0].to[0].namespaceSelector is ${found}, which selects every namespace that it does not exclude.`,
      ]);
    }
  });

  it("adds up the blocks of a rule, less their exceptions", async () => {
    assert.deepEqual(await messagesOf(rule, egressTo(block("0.0.0.0/0"))), [
      [
        "NetworkPolicy erlmcp/web: spec.egress[0].to[0].ipBlock covers the whole IPv4 address space.",
        "Why it is dangerous: the rule allows all destinations there are, private networks and cloud metadata services included.",
        "Write instead: the networks that are meant; for the Internet, 0.0.0.0/0 with the private ranges under except.",
        "See docs/rules.md#netpol-no-allow-all-peers",
      ].join("\n"),
    ]);
    // What it takes for egress, netpol-no-world-ingress would block.
    assert.deepEqual(await messagesOf(rule, networkPolicy({ ingress: [{ from: [block("0.0.0.0/0")] }] })), [
      [
        "NetworkPolicy erlmcp/web: spec.ingress[0].from[0].ipBlock covers the whole IPv4 address space.",
        "Why it is dangerous: the rule allows all sources there are, private networks and cloud metadata services included.",
        "Write instead: the networks that are meant; for callers from the Internet, an ingress controller or gateway as the only peer, pinned by namespace and labels.",
        "See docs/rules.md#netpol-no-allow-all-peers",
      ].join("\n"),
    ]);
    assert.deepEqual(await findingsOf(rule, egressTo(block("0.0.0.0/1"), block("128.0.0.0/1"))), [
      "NetworkPolicy erlmcp/web: spec.egress[0].to covers the whole IPv4 address space, with 2 ipBlocks together.",
    ]);
    assert.deepEqual(
      await findingsOf(rule, egressTo(block("0.0.0.0/0", "10.0.0.0/8"), block("10.0.0.0/8"))),
      [
        "NetworkPolicy erlmcp/web: spec.egress[0].to covers the whole IPv4 address space, with 2 ipBlocks together.",
      ],
    );
    assert.deepEqual(await findingsOf(rule, egressTo(block("7f00::1/0"))), [
      "NetworkPolicy erlmcp/web: spec.egress[0].to[0].ipBlock covers the whole IPv6 address space.",
    ]);
    // All IPv4 addresses as IPv4-mapped ones are not the IPv4 address space.
    assert.deepEqual(await findingsOf(rule, egressTo(block("::ffff:0.0.0.0/96"))), []);
  });

  it("adds up rules that share a port, and only those", async () => {
    const halves = (first: unknown[], second: unknown[]): ReturnType<typeof networkPolicy> =>
      networkPolicy({
        egress: [
          { to: [block("0.0.0.0/1")], ports: first },
          { to: [block("128.0.0.0/1")], ports: second },
        ],
      });
    assert.deepEqual(await findingsOf(rule, halves([{ port: 443 }], [{ port: 400, endPort: 500 }])), [
      "NetworkPolicy erlmcp/web: spec.egress covers the whole IPv4 address space on TCP 443, with spec.egress[0], spec.egress[1] together.",
    ]);
    assert.equal((await findingsOf(rule, halves([], [{ port: "https" }]))).length, 0);
    assert.equal((await findingsOf(rule, halves([{ port: 443 }], [{ port: unknown }]))).length, 0);
    assert.equal((await findingsOf(rule, halves([{ port: "https" }], [{ port: "https" }]))).length, 1);
    assert.equal((await findingsOf(rule, halves([{ port: 443 }], [{ port: 80 }]))).length, 0);
    assert.equal(
      (await findingsOf(rule, halves([{ port: 443 }], [{ protocol: "UDP", port: 443 }]))).length,
      0,
    );
    const otherDirections = networkPolicy({
      ingress: [{ from: [block("0.0.0.0/1")], ports: [{ port: 443 }] }],
      egress: [{ to: [block("128.0.0.0/1")], ports: [{ port: 443 }] }],
    });
    assert.deepEqual(await findingsOf(rule, otherDirections), []);
  });

  it("tells what is not known from what is wrong, at every level", async () => {
    const cases: [unknown, string][] = [
      [unknown, "spec.egress[0].to[0] is not known in the preview."],
      [{ namespaceSelector: unknown }, "spec.egress[0].to[0].namespaceSelector is not known in the preview."],
      [
        { namespaceSelector: { matchLabels: unknown } },
        'spec.egress[0].to[0].namespaceSelector is {"matchLabels":"(not known)"}, whose requirements are not known in the preview.',
      ],
      [
        { namespaceSelector: { matchExpressions: [{ key: "a", operator: unknown }] } },
        'spec.egress[0].to[0].namespaceSelector is {"matchExpressions":[{"key":"a","operator":"(not known)"}]}, whose requirements are not known in the preview.',
      ],
      [
        { namespaceSelector: { matchExpressions: [{ key: unknown, operator: "Exists" }] } },
        'spec.egress[0].to[0].namespaceSelector is {"matchExpressions":[{"key":"(not known)","operator":"Exists"}]}, whose requirements are not known in the preview.',
      ],
      [
        { namespaceSelector: { matchExpressions: unknown } },
        'spec.egress[0].to[0].namespaceSelector is {"matchExpressions":"(not known)"}, whose requirements are not known in the preview.',
      ],
      [{ ipBlock: unknown }, "spec.egress[0].to[0].ipBlock is not known in the preview."],
      [{ ipBlock: {} }, "spec.egress[0].to[0].ipBlock.cidr is missing."],
      [block(unknown), "spec.egress[0].to[0].ipBlock.cidr is not known in the preview."],
      [
        block("undefined/32"),
        'spec.egress[0].to[0].ipBlock.cidr is "undefined/32", in which a value is not known yet.',
      ],
      [
        block("10/8"),
        'spec.egress[0].to[0].ipBlock.cidr is "10/8", which is no network in CIDR notation: its address is neither IPv4 nor IPv6.',
      ],
      [block("10.0.0.0/8", unknown), "spec.egress[0].to[0].ipBlock.except[0] is not known in the preview."],
      [
        { ipBlock: { cidr: "10.0.0.0/8", except: unknown } },
        "spec.egress[0].to[0].ipBlock.except is not known in the preview.",
      ],
    ];
    for (const [peer, found] of cases) {
      assert.deepEqual(await findingsOf(rule, egressTo(peer)), [
        `NetworkPolicy erlmcp/web cannot be verified: ${found}`,
      ]);
    }
    const paths: [unknown, string][] = [
      [unknown, "spec"],
      [{ ingress: unknown }, "spec.ingress"],
      [{ ingress: [unknown] }, "spec.ingress[0]"],
      [{ ingress: [{ from: unknown }] }, "spec.ingress[0].from"],
    ];
    for (const [spec, at] of paths) {
      assert.deepEqual(await findingsOf(rule, networkPolicy(spec)), [
        `NetworkPolicy erlmcp/web cannot be verified: ${at} is not known in the preview.`,
      ]);
    }
  });

  it("judges the rules of a patch in full", async () => {
    assert.deepEqual(await findingsOf(rule, networkPolicy({}, { suffix: "Patch" })), []);
    assert.deepEqual(await findingsOf(rule, networkPolicy({ egress: [{}] }, { suffix: "Patch" })), [
      "NetworkPolicyPatch erlmcp/web: spec.egress[0].to is missing.",
    ]);
  });

  it("lets every namespace ask the cluster's own DNS pods for names, and nothing more", async () => {
    await assertClusterDnsException(rule);
  });
});
