import assert from "node:assert/strict";
import { netpolDnsOnlyToClusterDns as rule } from "../../../policypack/rules/netpol-dns-only-to-cluster-dns";
import { findingsOf, messagesOf, resource, runRule, unknown } from "../../helpers/run-rule";
import { block, networkPolicy } from "../network-policy";

const name = "kubernetes.io/metadata.name";
const inNamespace = (namespace: unknown): object => ({ matchLabels: { [name]: namespace } });
const kubeDns = {
  namespaceSelector: inNamespace("kube-system"),
  podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
};
const dns = [
  { protocol: "UDP", port: 53 },
  { protocol: "TCP", port: 53 },
];
const title = "NetworkPolicy erlmcp/web";
const elsewhere = { podSelector: { matchLabels: { app: "db" } } };

/** One egress rule to these peers. */
function egress(to: unknown, ports: unknown = dns): ReturnType<typeof networkPolicy> {
  return networkPolicy({ policyTypes: ["Egress"], egress: [{ to, ports }] });
}

/** The policy of these pods of a namespace, with one egress rule to a resolver outside. */
function resolverPolicy(namespace: unknown, podSelector: unknown, suffix = ""): ReturnType<typeof resource> {
  return resource(`kubernetes:networking.k8s.io/v1:NetworkPolicy${suffix}`, {
    metadata: { name: "upstream", namespace },
    spec: { podSelector, egress: [{ to: [block("10.0.0.2/32")], ports: dns }] },
  });
}

describe("netpol-dns-only-to-cluster-dns", () => {
  it("accepts cluster DNS by namespace and labels, and NodeLocal DNSCache", async () => {
    const named = (operator: string, ...values: string[]): object => ({
      matchExpressions: [{ key: name, operator, values }],
    });
    const labelled = (...values: string[]): object => ({
      matchLabels: { tier: "dns" },
      matchExpressions: [{ key: "k8s-app", operator: "In", values }],
    });
    const coredns = { matchLabels: { "app.kubernetes.io/name": "coredns", tier: "control-plane" } };
    for (const to of [
      [kubeDns],
      [kubeDns, { ...kubeDns, podSelector: coredns }, block("169.254.20.10/32")],
      [{ ...kubeDns, namespaceSelector: named("In", "kube-system") }],
      [{ ...kubeDns, podSelector: { matchLabels: { "k8s-app": "node-local-dns" } } }],
      [{ ...kubeDns, podSelector: labelled("kube-dns", "node-local-dns") }],
      [
        {
          ...kubeDns,
          podSelector: { matchExpressions: [{ key: "k8s-app", operator: "In", values: ["kube-dns"] }] },
        },
      ],
    ]) {
      assert.deepEqual(await findingsOf(rule, egress(to)), []);
      assert.deepEqual(await findingsOf(rule, egress(to, [])), []);
    }
  });

  it("accepts other ports to others, and sources that ask", async () => {
    for (const accepted of [
      egress([elsewhere, block("0.0.0.0/0")], [{ port: 443 }, { port: "https" }, { port: 54, endPort: 852 }]),
      egress([elsewhere], [{ protocol: "SCTP", port: 53 }, { port: 5353 }, { port: 8053 }]),
      networkPolicy({ ingress: [{ from: [elsewhere], ports: dns }, {}] }),
      networkPolicy({ egress: [] }),
    ]) {
      assert.deepEqual(await findingsOf(rule, accepted), []);
    }
  });

  it("says what is opened to whom, why that is dangerous and what to write instead", async () => {
    assert.deepEqual(await messagesOf(rule, egress([kubeDns, block("8.8.8.8/32")])), [
      [
        `${title}: spec.egress[0].to[1].ipBlock reaches 8.8.8.8/32, and the rule opens TCP 53; UDP 53 to it.`,
        "Why it is dangerous: pods can carry data out of the cluster in the names they ask for, and take answers from a resolver that nobody checked; neither shows in the logs of the cluster's DNS.",
        'Write instead: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {"k8s-app":"kube-dns"}}} or {ipBlock: {cidr: 169.254.20.10/32}} as the only peer of these ports, and no such port to others.',
        "Or, if this is the cluster's DNS too, declare it in the pack's configuration (clusterDns, clusterDnsAddresses).",
        "See docs/rules.md#netpol-dns-only-to-cluster-dns",
      ].join("\n"),
    ]);
  });

  it("knows port 53 within ranges, in all ports and by name, and DNS over TLS and QUIC", async () => {
    const cases: [unknown, string][] = [
      [[{ protocol: "UDP", port: 53 }], "UDP 53"],
      [[{ port: 53 }], "TCP 53"],
      [[{ protocol: "UDP", port: 50, endPort: 60 }, { port: 443 }], "UDP 53"],
      [[{ port: 1, endPort: 65535 }], "TCP 53, 853"],
      [[{ protocol: "UDP" }], "UDP 53, 853"],
      [[{ port: 853 }, { protocol: "UDP", port: 853 }], "TCP 853; UDP 853"],
      [[{ protocol: "UDP", port: "dns" }, { port: "dns-tcp" }, { port: "http" }], "TCP dns-tcp; UDP dns"],
      [[], "TCP 53, 853; UDP 53, 853"],
      [null, "TCP 53, 853; UDP 53, 853"],
    ];
    for (const [ports, opened] of cases) {
      assert.deepEqual(await findingsOf(rule, egress([elsewhere], ports)), [
        `${title}: spec.egress[0].to[0] is {"podSelector":{"matchLabels":{"app":"db"}}}, and no pinned cluster DNS, while the rule opens ${opened} to it.`,
      ]);
    }
  });

  it("blocks what is more than cluster DNS, or may be made by anyone", async () => {
    const exists = { matchExpressions: [{ key: "k8s-app", operator: "Exists" }] };
    for (const peer of [
      {},
      { podSelector: {} },
      { podSelector: kubeDns.podSelector },
      { namespaceSelector: {}, podSelector: kubeDns.podSelector },
      { namespaceSelector: kubeDns.namespaceSelector },
      { ...kubeDns, podSelector: {} },
      { ...kubeDns, podSelector: exists },
      {
        ...kubeDns,
        podSelector: {
          matchExpressions: [{ key: "k8s-app", operator: "In", values: ["kube-dns", "metrics-server"] }],
        },
      },
      { ...kubeDns, namespaceSelector: inNamespace("erlmcp") },
      { ...kubeDns, namespaceSelector: { matchLabels: { name: "kube-system" } } },
      {
        ...kubeDns,
        namespaceSelector: {
          matchExpressions: [{ key: name, operator: "In", values: ["kube-system", "team"] }],
        },
      },
      {
        ...kubeDns,
        namespaceSelector: { matchExpressions: [{ key: name, operator: "NotIn", values: ["team"] }] },
      },
    ]) {
      const findings = await findingsOf(rule, egress([peer]));
      assert.equal(findings.length, 1, JSON.stringify(peer));
      assert.match(
        findings[0] ?? "",
        /^NetworkPolicy erlmcp\/web: spec\.egress\[0\]\.to\[0\] is .*, and no pinned/,
      );
    }
  });

  it("judges namespace and pods of one peer together, and peers each for itself", async () => {
    const or = [{ namespaceSelector: kubeDns.namespaceSelector }, { podSelector: kubeDns.podSelector }];
    assert.equal((await findingsOf(rule, egress(or))).length, 2);
  });

  it("judges blocks by the addresses that are left of them", async () => {
    assert.deepEqual(await findingsOf(rule, egress([block("169.254.20.8/30")])), [
      `${title}: spec.egress[0].to[0].ipBlock reaches 169.254.20.8/31, 169.254.20.11/32, and the rule opens TCP 53; UDP 53 to it.`,
    ]);
    const rest = block("169.254.20.8/30", "169.254.20.8/31", "169.254.20.11/32");
    assert.deepEqual(await findingsOf(rule, egress([rest])), []);
    assert.equal(
      (await findingsOf(rule, egress([block("0.0.0.0/0", "10.0.0.0/8"), block("::/0")]))).length,
      2,
    );
  });

  it("blocks a rule without peers that opens name resolution", async () => {
    const open = networkPolicy({
      egress: [{ ports: dns }, { to: [], ports: dns }, { ports: [{ port: 443 }] }],
    });
    assert.deepEqual(await findingsOf(rule, open), [
      `${title}: spec.egress[0].to is missing, so that the rule opens TCP 53; UDP 53 to every destination.`,
      `${title}: spec.egress[1].to is [], so that the rule opens TCP 53; UDP 53 to every destination.`,
    ]);
  });

  it("leaves the policies of the DNS pods themselves, and of no others", async () => {
    const { podSelector } = kubeDns;
    assert.deepEqual(await findingsOf(rule, resolverPolicy("kube-system", podSelector)), []);
    assert.deepEqual(await findingsOf(rule, resolverPolicy("kube-system", podSelector, "Patch")), []);
    assert.equal((await findingsOf(rule, resolverPolicy("erlmcp", podSelector))).length, 1);
    assert.equal((await findingsOf(rule, resolverPolicy("kube-system", {}))).length, 1);
    for (const undecided of [resolverPolicy(unknown, podSelector), resolverPolicy("kube-system", unknown)]) {
      const [found, ...more] = await findingsOf(rule, undecided);
      assert.match(
        found ?? "",
        / cannot be verified: .* to it, and whether this is a policy of the cluster's DNS pods is not known in the preview\.$/,
      );
      assert.deepEqual(more, []);
    }
    assert.equal((await findingsOf(rule, resolverPolicy("kube-system", undefined, "Patch"))).length, 1);
  });

  it("finds a podSelector without namespaceSelector in the policy's own namespace", async () => {
    const own = resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", {
      metadata: { name: "metrics-server", namespace: "kube-system" },
      spec: {
        podSelector: { matchLabels: { "k8s-app": "metrics-server" } },
        egress: [{ to: [{ podSelector: kubeDns.podSelector }], ports: dns }],
      },
    });
    assert.deepEqual(await findingsOf(rule, own), []);
  });

  it("follows its configuration", async () => {
    const openshift = {
      namespaceSelector: inNamespace("openshift-dns"),
      podSelector: { matchLabels: { "dns.operator.openshift.io/daemonset-dns": "default" } },
    };
    const clusterDns = [
      { namespace: "openshift-dns", labels: { "dns.operator.openshift.io/daemonset-dns": "default" } },
      { namespace: "resolver", labels: {} },
    ];
    assert.equal((await findingsOf(rule, egress([openshift]))).length, 1);
    assert.deepEqual(await findingsOf(rule, egress([openshift]), { clusterDns }), []);
    assert.deepEqual(
      await findingsOf(rule, egress([{ namespaceSelector: inNamespace("resolver") }]), { clusterDns }),
      [],
    );
    assert.equal((await findingsOf(rule, egress([kubeDns]), { clusterDns })).length, 1);
    const clusterDnsAddresses = ["10.96.0.10/32", "10.0.0.0/30"];
    assert.deepEqual(
      await findingsOf(rule, egress([block("10.96.0.10/32"), block("10.0.0.2/32")]), { clusterDnsAddresses }),
      [],
    );
    assert.equal(
      (await findingsOf(rule, egress([block("169.254.20.10/32")]), { clusterDnsAddresses })).length,
      1,
    );
    const ports = ["UDP 5353"];
    assert.deepEqual(await findingsOf(rule, egress([elsewhere]), { ports }), []);
    assert.equal(
      (await findingsOf(rule, egress([elsewhere], [{ protocol: "UDP", port: 5353 }]), { ports })).length,
      1,
    );
    const portNames = ["resolve"];
    assert.deepEqual(await findingsOf(rule, egress([elsewhere], [{ port: "dns" }]), { portNames }), []);
    assert.equal(
      (await findingsOf(rule, egress([elsewhere], [{ port: "resolve" }]), { portNames })).length,
      1,
    );
  });

  it("loses nothing that is not known in a policy that may be one of the DNS pods", async () => {
    const undecided = resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", {
      metadata: { name: "upstream", namespace: "kube-system" },
      spec: { podSelector: unknown, egress: [{ to: unknown, ports: dns }] },
    });
    assert.deepEqual(await findingsOf(rule, undecided), [
      "NetworkPolicy kube-system/upstream cannot be verified: spec.egress[0].to is not known in the preview.",
    ]);
  });

  it("offers what the configuration has, and names the first of many networks", async () => {
    const fixOf = async (config: Record<string, unknown>): Promise<string | undefined> => {
      const message = (await messagesOf(rule, egress([block("8.8.8.8/32")]), config)).join();
      return /^Write instead: (.*) as the only peer/m.exec(message)?.[1];
    };
    assert.equal(await fixOf({ clusterDns: [] }), "{ipBlock: {cidr: 169.254.20.10/32}}");
    assert.equal(
      await fixOf({ clusterDnsAddresses: [] }),
      '{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {"k8s-app":"kube-dns"}}}',
    );
    assert.deepEqual(await findingsOf(rule, egress([block("8.0.0.0/22", "8.0.0.1/32")])), [
      `${title}: spec.egress[0].to[0].ipBlock reaches 8.0.0.0/32, 8.0.0.2/31, 8.0.0.4/30, 8.0.0.8/29, 8.0.0.16/28, 8.0.0.32/27, 8.0.0.64/26, 8.0.0.128/25 and 2 more, and the rule opens TCP 53; UDP 53 to it.`,
    ]);
    const eight = await findingsOf(rule, egress([block("8.0.0.0/24", "8.0.0.1/32")]));
    assert.match(eight.join(), /8\.0\.0\.128\/25, and the rule opens/);
  });

  it("says what is wrong with its configuration", async () => {
    const [diagnostic] = await runRule(rule, egress([kubeDns]), { ports: ["TCP 99999"] });
    assert.match(diagnostic?.message ?? "", /^- ports\[0\] is "TCP 99999"; allowed: /m);
  });

  it("tells what is not known from what is wrong", async () => {
    const cases: [ReturnType<typeof networkPolicy>, string][] = [
      [networkPolicy(unknown), "spec is not known in the preview."],
      [networkPolicy({ egress: unknown }), "spec.egress is not known in the preview."],
      [networkPolicy({ egress: [unknown] }), "spec.egress[0] is not known in the preview."],
      [egress(unknown), "spec.egress[0].to is not known in the preview."],
      [egress([unknown]), "spec.egress[0].to[0] is not known in the preview."],
      [egress([{ ipBlock: unknown }]), "spec.egress[0].to[0].ipBlock is not known in the preview."],
      [egress([block(unknown)]), "spec.egress[0].to[0].ipBlock.cidr is not known in the preview."],
      [
        egress([block("undefined/32")]),
        'spec.egress[0].to[0].ipBlock.cidr is "undefined/32", in which a value is not known yet.',
      ],
      [
        egress([{ ...kubeDns, namespaceSelector: unknown }]),
        'spec.egress[0].to[0] is {"namespaceSelector":"(not known)","podSelector":{"matchLabels":{"k8s-app":"kube-dns"}}}, of which it is not known whether it is cluster DNS.',
      ],
      [
        egress([elsewhere], [{ port: unknown }]),
        'spec.egress[0].to[0] is {"podSelector":{"matchLabels":{"app":"db"}}}, and no pinned cluster DNS, while the rule opens ports that are not all known or valid, and may be those of DNS, to it.',
      ],
      [
        egress([block("8.8.8.8/32")], unknown),
        "spec.egress[0].to[0].ipBlock reaches 8.8.8.8/32, and the rule opens ports that are not all known or valid, and may be those of DNS, to it.",
      ],
      [
        egress([], [{ protocol: unknown, port: 53 }]),
        "spec.egress[0].to is [], so that the rule opens ports that are not all known or valid, and may be those of DNS, to every destination.",
      ],
    ];
    for (const [policy, found] of cases) {
      assert.deepEqual(await findingsOf(rule, policy), [`${title} cannot be verified: ${found}`]);
    }
    assert.deepEqual(await findingsOf(rule, egress([kubeDns], unknown)), []);
    assert.deepEqual(await findingsOf(rule, egress([elsewhere], [{ port: unknown }, { port: 53 }])), [
      `${title}: spec.egress[0].to[0] is {"podSelector":{"matchLabels":{"app":"db"}}}, and no pinned cluster DNS, while the rule opens TCP 53 to it.`,
    ]);
    const wrongNamespace = { namespaceSelector: inNamespace("team"), podSelector: unknown };
    const [finding] = await findingsOf(rule, egress([wrongNamespace]));
    assert.match(finding ?? "", /^NetworkPolicy erlmcp\/web: /);
  });

  it("judges Patch twins, Lists and the version that is served no more", async () => {
    const spec = { egress: [{ to: [block("8.8.8.8/32")], ports: dns }] };
    const patch = { suffix: "Patch" } as const;
    assert.deepEqual(await findingsOf(rule, networkPolicy({}, patch)), []);
    assert.match(
      (await findingsOf(rule, networkPolicy(spec, patch))).join(),
      /^NetworkPolicyPatch erlmcp\/web: /,
    );
    const metadata = { name: "web", namespace: "erlmcp" };
    const items = [
      { metadata, spec: {} },
      { metadata, spec },
    ];
    for (const type of ["networking.k8s.io/v1:NetworkPolicyList", "extensions/v1beta1:NetworkPolicyList"]) {
      assert.match(
        (await findingsOf(rule, resource(`kubernetes:${type}`, { items }))).join(),
        /^NetworkPolicy erlmcp\/web: items\[1\]\.spec\.egress\[0\]\.to\[0\]\.ipBlock reaches 8\.8\.8\.8\/32/,
      );
    }
    const legacy = resource("kubernetes:extensions/v1beta1:NetworkPolicy", { metadata, spec });
    assert.equal((await findingsOf(rule, legacy)).length, 1);
  });
});
