import assert from "node:assert/strict";
import { netpolNoEmptyPodSelector as rule } from "../../../policypack/rules/netpol-no-empty-pod-selector";
import { findingsOf, messagesOf, resource, unknown } from "../../helpers/run-rule";
import { block, networkPolicy } from "../network-policy";

const title = "NetworkPolicy erlmcp/web";
const name = "kubernetes.io/metadata.name";
const web = { podSelector: { matchLabels: { app: "web" } } };
const kubeDns = {
  namespaceSelector: { matchLabels: { [name]: "kube-system" } },
  podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
};
const udpAndTcp = [
  { protocol: "UDP", port: 53 },
  { protocol: "TCP", port: 53 },
];

/** A policy for every pod, with one egress rule. */
const forAll = (rule: unknown): ReturnType<typeof networkPolicy> =>
  networkPolicy({ podSelector: {}, policyTypes: ["Egress"], egress: [rule] });
const dns = (to: unknown, ports: unknown = udpAndTcp): ReturnType<typeof networkPolicy> =>
  forAll({ to, ports });

describe("netpol-no-empty-pod-selector", () => {
  it("accepts rules for pods that are named, and any selector where nothing is allowed", async () => {
    const accepted = [
      networkPolicy({ ...web, ingress: [{}], egress: [{}] }),
      networkPolicy({
        podSelector: { matchExpressions: [{ key: "app", operator: "Exists" }] },
        egress: [{}],
      }),
      networkPolicy({
        podSelector: {
          matchExpressions: [
            { key: "canary", operator: "DoesNotExist" },
            { key: "app", operator: "In", values: ["web"] },
          ],
        },
        egress: [{}],
      }),
      networkPolicy({ podSelector: {}, policyTypes: ["Ingress", "Egress"] }),
      networkPolicy({ policyTypes: ["Ingress"], ingress: [], egress: null }),
      networkPolicy({ podSelector: unknown, policyTypes: ["Ingress"] }),
      networkPolicy(undefined),
    ];
    assert.deepEqual(await findingsOf(rule, accepted), []);
  });

  it("blocks every rule for all pods, each at its place", async () => {
    const open = networkPolicy({ podSelector: {}, ingress: [{ from: [web] }], egress: [{ to: [web] }, {}] });
    const [first, ...more] = await messagesOf(rule, open);
    assert.equal(
      first,
      [
        `${title}: spec.ingress[0] allows something to every pod, since spec.podSelector is {}.`,
        "Why it is dangerous: every pod of the namespace, and any that comes to it later, gets what the rule allows, whether it needs it or not.",
        "Write instead: the labels of the pods that need the rule, as in podSelector: {matchLabels: {app: web}}; for a default-deny, no rules at all.",
        "See docs/rules.md#netpol-no-empty-pod-selector",
      ].join("\n"),
    );
    assert.deepEqual(
      more.map((message) => message.split(" ")[2]),
      ["spec.egress[0]", "spec.egress[1]"],
    );
  });

  it("blocks other ways to select all pods", async () => {
    const selectors: [unknown, string][] = [
      [undefined, "is missing, which means every pod"],
      [null, "is missing, which means every pod"],
      [{ matchLabels: {}, matchExpressions: [] }, 'is {"matchLabels":{},"matchExpressions":[]}'],
      [
        { matchExpressions: [{ key: "a", operator: "DoesNotExist" }] },
        'is {"matchExpressions":[{"key":"a","operator":"DoesNotExist"}]}, which selects every pod that it does not exclude',
      ],
      [
        { matchExpressions: [{ key: "a", operator: "NotIn", values: ["b"] }] },
        'is {"matchExpressions":[{"key":"a","operator":"NotIn","values":["b"]}]}, which selects every pod that it does not exclude',
      ],
      [
        { matchLabels: {}, matchExpressions: [{ key: "a", operator: "DoesNotExist" }] },
        'is {"matchLabels":{},"matchExpressions":[{"key":"a","operator":"DoesNotExist"}]}, which selects every pod that it does not exclude',
      ],
    ];
    for (const [podSelector, how] of selectors) {
      assert.deepEqual(await findingsOf(rule, networkPolicy({ podSelector, egress: [{}] })), [
        `${title}: spec.egress[0] allows something to every pod, since spec.podSelector ${how}.`,
      ]);
    }
  });

  it("accepts name resolution for the whole namespace, from cluster DNS only and on port 53 only", async () => {
    const accepted = [
      dns([kubeDns]),
      dns([kubeDns], [{ protocol: "UDP", port: 53 }]),
      dns([
        {
          namespaceSelector: { matchExpressions: [{ key: name, operator: "In", values: ["kube-system"] }] },
          podSelector: { matchLabels: { "app.kubernetes.io/name": "coredns", tier: "dns" } },
        },
        block("169.254.20.10/32"),
      ]),
    ];
    assert.deepEqual(await findingsOf(rule, accepted), []);
    const refused = [
      dns([kubeDns], [...udpAndTcp, { port: 443 }]),
      dns([kubeDns], [{ port: "dns" }]),
      dns([kubeDns], [{ protocol: "UDP", port: 53, endPort: 54 }]),
      dns([kubeDns], []),
      forAll({ to: [kubeDns] }),
      dns([kubeDns, web]),
      dns([]),
      dns(undefined),
      dns("all"),
      dns([{ namespaceSelector: kubeDns.namespaceSelector }]),
      dns([{ ...kubeDns, namespaceSelector: {} }]),
      dns([{ ...kubeDns, namespaceSelector: { matchLabels: { name: "kube-system" } } }]),
      dns([{ ...kubeDns, namespaceSelector: { matchLabels: { [name]: "team" } } }]),
      dns([{ ...kubeDns, podSelector: { matchLabels: { "k8s-app": "other" } } }]),
      dns([
        {
          ...kubeDns,
          podSelector: { matchExpressions: [{ key: "k8s-app", operator: "In", values: ["kube-dns", "x"] }] },
        },
      ]),
      dns([{ podSelector: kubeDns.podSelector }]),
      dns([block("169.254.20.0/24")]),
      dns([{ ...kubeDns, ipBlock: { cidr: "169.254.20.10/32" } }]),
      networkPolicy({ podSelector: {}, ingress: [{ from: [kubeDns], to: [kubeDns], ports: udpAndTcp }] }),
    ];
    for (const policy of refused) {
      assert.match(
        (await findingsOf(rule, policy)).join(),
        /allows something to every pod|cannot be verified/,
      );
    }
  });

  it("knows cluster DNS in its own namespace", async () => {
    const props = {
      metadata: { name: "dns", namespace: "kube-system" },
      spec: { podSelector: {}, egress: [{ to: [{ podSelector: kubeDns.podSelector }], ports: udpAndTcp }] },
    };
    const policy = resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", props);
    assert.deepEqual(await findingsOf(rule, policy), []);
  });

  it("follows its configuration of DNS", async () => {
    assert.equal((await findingsOf(rule, dns([kubeDns]), { namespaceWideDns: false })).length, 1);
    const own = { clusterDns: [{ namespace: "dns", labels: { app: "bind" } }] };
    assert.equal((await findingsOf(rule, dns([kubeDns]), own)).length, 1);
    const bind = {
      namespaceSelector: { matchLabels: { [name]: "dns" } },
      podSelector: { matchLabels: { app: "bind" } },
    };
    assert.deepEqual(await findingsOf(rule, dns([bind]), own), []);
    const anyPod = { clusterDns: [{ namespace: "dns", labels: {} }] };
    assert.deepEqual(
      await findingsOf(rule, dns([{ namespaceSelector: bind.namespaceSelector }]), anyPod),
      [],
    );
    const service = dns([block("10.96.0.10/32"), block("fd00::a/128")]);
    assert.equal((await findingsOf(rule, service)).length, 1);
    const addresses = { clusterDnsAddresses: ["10.96.0.10/32", "fd00::/64"] };
    assert.deepEqual(await findingsOf(rule, service, addresses), []);
    const elsewhere = dns([bind], [{ protocol: "UDP", port: 5353 }]);
    assert.equal((await findingsOf(rule, elsewhere, own)).length, 1);
    assert.deepEqual(await findingsOf(rule, elsewhere, { ...own, dnsPort: 5353 }), []);
    assert.deepEqual(await findingsOf(rule, dns([bind]), { ...own, dnsPort: 5353 }), []);
    assert.equal((await findingsOf(rule, elsewhere, { ...own, dnsPort: 5300 })).length, 1);
    await assert.rejects(findingsOf(rule, service, { clusterDns: [{ namespace: "dns" }] }));
    await assert.rejects(
      findingsOf(rule, service, { clusterDns: [{ namespace: "dns", labels: "app=bind" }] }),
    );
  });

  it("tells what is not known from what is wrong", async () => {
    const cases: [unknown, string][] = [
      [unknown, "spec is not known in the preview."],
      [{ podSelector: unknown, egress: [{}] }, "spec.podSelector is not known in the preview."],
      [{ podSelector: "web", egress: [{}] }, 'spec.podSelector is "web" and not an object.'],
      [
        { podSelector: { matchLabels: unknown }, ingress: [{}], egress: [{}] },
        'spec.podSelector is {"matchLabels":"(not known)"}, of which it is not known whether it selects every pod, next to spec.ingress[0], spec.egress[0].',
      ],
      [
        { podSelector: { matchExpressions: [unknown] }, egress: [{}] },
        'spec.podSelector is {"matchExpressions":["(not known)"]}, of which it is not known whether it selects every pod, next to spec.egress[0].',
      ],
      [
        { podSelector: { matchExpressions: unknown }, egress: [{}] },
        'spec.podSelector is {"matchExpressions":"(not known)"}, of which it is not known whether it selects every pod, next to spec.egress[0].',
      ],
      [
        {
          podSelector: { matchExpressions: [{ key: "a", operator: "DoesNotExist" }, unknown] },
          egress: [{}],
        },
        'spec.podSelector is {"matchExpressions":[{"key":"a","operator":"DoesNotExist"},"(not known)"]}, of which it is not known whether it selects every pod, next to spec.egress[0].',
      ],
      [{ podSelector: {}, egress: unknown }, "spec.egress is not known in the preview."],
      [{ podSelector: {}, egress: [unknown] }, "spec.egress[0] is not known in the preview."],
    ];
    for (const [spec, found] of cases) {
      assert.deepEqual(await findingsOf(rule, networkPolicy(spec)), [
        `${title} cannot be verified: ${found}`,
      ]);
    }
    const [message] = await messagesOf(rule, dns(unknown));
    assert.equal(
      message?.split("\n")[0],
      `${title} cannot be verified: spec.egress[0] is {"to":"(not known)","ports":[{"protocol":"UDP","port":53},{"protocol":"TCP","port":53}]}, of which it is not known whether it is for name resolution alone, and spec.podSelector is {}.`,
    );
  });

  it("waits for what a rule for DNS still leaves open, unless it is none in any case", async () => {
    const perhaps = [
      dns([unknown]),
      dns([kubeDns], unknown),
      dns([kubeDns], [{ port: unknown }]),
      dns([block(unknown)]),
      dns([{ ipBlock: unknown }]),
      dns([{ ...kubeDns, podSelector: unknown }]),
      dns([{ ...kubeDns, namespaceSelector: unknown }]),
      dns([{ ...kubeDns, namespaceSelector: { matchLabels: unknown } }]),
      dns([{ ...kubeDns, namespaceSelector: { matchLabels: { [name]: unknown } } }]),
      dns([{ ...kubeDns, podSelector: { matchLabels: { "k8s-app": unknown } } }]),
      dns([{ ...kubeDns, podSelector: { matchExpressions: unknown } }]),
      resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", {
        metadata: { name: "web", namespace: unknown },
        spec: { podSelector: {}, egress: [{ to: [{ podSelector: kubeDns.podSelector }], ports: udpAndTcp }] },
      }),
    ];
    for (const policy of perhaps) {
      assert.match((await findingsOf(rule, policy)).join(), /cannot be verified: .* name resolution alone/);
    }
    const never = [dns([unknown, web]), dns(unknown, [{ port: 443 }]), dns(unknown, [{ port: "dns" }])];
    for (const policy of never) {
      assert.match((await findingsOf(rule, policy)).join(), /: spec\.egress\[0\] allows something/);
    }
  });

  it("judges patches by what they carry and what they leave to the live object", async () => {
    const patch = { suffix: "Patch" } as const;
    const cases: [unknown, string[]][] = [
      [{}, []],
      [{ podSelector: web.podSelector }, []],
      [{ podSelector: {}, ingress: [], egress: [] }, []],
      [{ egress: [{ to: [kubeDns], ports: udpAndTcp }] }, []],
      [
        { egress: [{}] },
        [" cannot be verified: spec.podSelector is not part of this patch, which carries spec.egress[0]."],
      ],
      [
        { podSelector: {}, egress: [{}] },
        [
          ": spec.egress[0] allows something to every pod, since spec.podSelector is {}.",
          " cannot be verified: spec.ingress is not part of this patch, whose spec.podSelector is {}.",
        ],
      ],
      [
        { podSelector: unknown, egress: [] },
        [
          " cannot be verified: spec.ingress is not part of this patch, whose spec.podSelector may select every pod.",
        ],
      ],
    ];
    for (const [spec, found] of cases) {
      assert.deepEqual(
        await findingsOf(rule, networkPolicy(spec, patch)),
        found.map((one) => `NetworkPolicyPatch erlmcp/web${one}`),
      );
    }
  });

  it("judges the items of Lists, and the older version", async () => {
    const item = { metadata: { name: "web", namespace: "erlmcp" }, spec: { podSelector: {}, egress: [{}] } };
    const found = "spec.egress[0] allows something to every pod, since spec.podSelector is {}.";
    const listed = resource("kubernetes:networking.k8s.io/v1:NetworkPolicyList", { items: [item] });
    assert.deepEqual(await findingsOf(rule, listed), [`${title}: items[0].${found}`]);
    const older = resource("kubernetes:extensions/v1beta1:NetworkPolicy", item);
    assert.deepEqual(await findingsOf(rule, older), [`${title}: ${found}`]);
  });
});
