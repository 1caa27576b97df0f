import assert from "node:assert/strict";
import { netpolPeerAndNotOr as rule } from "../../../policypack/rules/netpol-peer-and-not-or";
import { findingsOf, messagesOf, resource, unknown, type WireResource } from "../../helpers/run-rule";
import { block, networkPolicy } from "../network-policy";

const name = "kubernetes.io/metadata.name";
const title = "NetworkPolicy erlmcp/web";

const namespace = (value: unknown): { namespaceSelector: unknown } => ({
  namespaceSelector: { matchLabels: { [name]: value } },
});
const pods = (app: unknown): { podSelector: unknown } => ({ podSelector: { matchLabels: { app } } });
const from = (...peers: unknown[]): WireResource => networkPolicy({ ingress: [{ from: peers }] });

/** What the message says of the last peer of the list. */
const pair =
  "selects pods of the policy's own namespace, right after spec.ingress[0].from[0] with a namespaceSelector only, as if one peer had got a second dash";
const noEffect = (index: number): string =>
  `has no effect beside spec.ingress[0].from[${index}], which allows every pod of the policy's own namespace already`;

describe("netpol-peer-and-not-or", () => {
  it("accepts both selectors in one peer, and peers that are alternatives on purpose", async () => {
    const accepted = [
      from({ ...namespace("monitoring"), ...pods("prometheus") }),
      from(namespace("monitoring"), namespace("observability")),
      from(pods("web"), pods("api")),
      from(pods("web"), namespace("ingress-nginx")),
      from(namespace("ingress-nginx"), { podSelector: {} }),
      from({ namespaceSelector: {} }, { podSelector: {} }),
      from({ podSelector: {} }, namespace(unknown)),
      from(pods(unknown), { namespaceSelector: { matchLabels: { project: "p" } } }),
      from(namespace("monitoring"), { ...namespace("monitoring"), ...pods("monitoring") }),
      from(block("203.0.113.0/24"), { namespaceSelector: { matchLabels: { project: "p" } } }, pods("web")),
      from(namespace("observability"), pods("web"), pods("api")),
      from(namespace("observability"), { ...namespace("a"), ...pods("b") }, pods("web")),
      networkPolicy({ ingress: [{ from: [namespace("monitoring")] }, { from: [pods("prometheus")] }] }),
      networkPolicy({ ingress: [{ from: [namespace("monitoring")] }], egress: [{ to: [pods("web")] }] }),
      from(namespace("observability"), pods("web"), pods("prometheus")),
      from(namespace("monitoring"), pods("web"), pods("api")),
      from(),
      networkPolicy({ podSelector: {} }),
      networkPolicy(undefined),
    ];
    assert.deepEqual(await findingsOf(rule, accepted), []);
  });

  it("reports a list of nothing but the two, in the order of one peer", async () => {
    assert.deepEqual(await messagesOf(rule, from(namespace("observability"), pods("web"))), [
      [
        `${title}: spec.ingress[0].from[1] ${pair}.`,
        "Why it is dangerous: two peers are alternatives (OR): spec.ingress[0].from[0] allows every pod of the namespaces it selects, whatever else the list says.",
        `Write instead: one peer, {namespaceSelector: {"matchLabels":{"${name}":"observability"}}, podSelector: {"matchLabels":{"app":"web"}}}; where both are meant, a rule for each.`,
        "See docs/rules.md#netpol-peer-and-not-or",
      ].join("\n"),
    ]);
    const egress = networkPolicy({
      egress: [{}, { to: [{ namespaceSelector: { matchLabels: { team: "a" } } }, pods("web")] }],
    });
    assert.deepEqual(
      (await findingsOf(rule, egress)).map((finding) => finding.split(" ")[2]),
      ["spec.egress[1].to[1]"],
    );
  });

  it("reports a podSelector that has no effect, since its namespace is allowed as a whole", async () => {
    const cases: [WireResource, string][] = [
      [from(pods("web"), namespace("erlmcp")), `spec.ingress[0].from[0] ${noEffect(1)}`],
      [
        from(block("203.0.113.0/24"), pods("web"), { namespaceSelector: {} }),
        `spec.ingress[0].from[1] ${noEffect(2)}`,
      ],
      [
        from(
          {
            namespaceSelector: { matchExpressions: [{ key: name, operator: "In", values: ["a", "erlmcp"] }] },
          },
          pods("web"),
        ),
        `spec.ingress[0].from[1] ${noEffect(0)}`,
      ],
      [
        from(namespace("observability"), pods("web"), namespace("erlmcp")),
        `spec.ingress[0].from[1] ${noEffect(2)}`,
      ],
    ];
    for (const [policy, found] of cases) {
      assert.deepEqual(await findingsOf(rule, policy), [`${title}: ${found}.`]);
    }
  });

  it("reports pods that are a part of the namespace beside them, in any order", async () => {
    const part = (label: string, of: string, index: number): string =>
      `selects pods of the policy's own namespace, although "${label}" is a part of the namespace "${of}", which spec.ingress[0].from[${index}] allows as a whole`;
    const cases: [WireResource, string][] = [
      [
        from(pods("prometheus"), block("203.0.113.0/24"), namespace("monitoring")),
        `spec.ingress[0].from[0] ${part("prometheus", "monitoring", 2)}`,
      ],
      [
        from(pods("web"), pods("ingress-nginx"), namespace("ingress-nginx")),
        `spec.ingress[0].from[1] ${part("ingress-nginx", "ingress-nginx", 2)}`,
      ],
      [
        from(
          { podSelector: { matchExpressions: [{ key: "app", operator: "In", values: ["istio"] }] } },
          namespace("istio-system"),
        ),
        `spec.ingress[0].from[0] ${part("istio", "istio-system", 1)}`,
      ],
    ];
    for (const [policy, found] of cases) {
      assert.deepEqual(await findingsOf(rule, policy), [`${title}: ${found}.`]);
    }
    const others = [
      { podSelector: { matchExpressions: [{ key: "app", operator: "NotIn", values: ["istio"] }] } },
      { podSelector: { matchExpressions: [{ key: "app", operator: "In", values: ["istio", "web"] }] } },
      { podSelector: { matchExpressions: [{ key: "istio", operator: "Exists" }] } },
    ];
    for (const other of others) {
      assert.deepEqual(await findingsOf(rule, from(other, namespace("istio-system"))), []);
    }
  });

  it("follows its configuration", async () => {
    const lonePair = from(namespace("observability"), pods("web"));
    assert.deepEqual(await findingsOf(rule, lonePair, { reportPairs: false }), []);
    const sure = from(namespace("erlmcp"), pods("web"));
    assert.equal((await findingsOf(rule, sure, { reportPairs: false })).length, 1);
    const dns = from(pods("kube-dns"), namespace("kube-system"));
    assert.equal((await findingsOf(rule, dns)).length, 1);
    assert.deepEqual(await findingsOf(rule, dns, { components: [] }), []);
    const tempo = from(pods("tempo"), namespace("observability"));
    assert.deepEqual(await findingsOf(rule, tempo), []);
    const components = [{ namespace: "observability", name: "tempo" }];
    assert.equal((await findingsOf(rule, tempo, { components })).length, 1);
  });

  it("tells what is not known from what looks like a slip", async () => {
    const cases: [unknown, string][] = [
      [unknown, "spec is not known in the preview."],
      [{ ingress: unknown }, "spec.ingress is not known in the preview."],
      [{ ingress: [unknown] }, "spec.ingress[0] is not known in the preview."],
      [{ ingress: [{ from: unknown }] }, "spec.ingress[0].from is not known in the preview."],
      [{ ingress: [{ from: [unknown] }] }, "spec.ingress[0].from[0] is not known in the preview."],
    ];
    for (const [spec, found] of cases) {
      assert.deepEqual(await findingsOf(rule, networkPolicy(spec)), [
        `${title} cannot be verified: ${found}`,
      ]);
    }
    const beside = (podsAt: number, wholeAt: number): string =>
      `${title} cannot be verified: spec.ingress[0].from[${podsAt}] stands beside spec.ingress[0].from[${wholeAt}], and it is not known whether the two are meant as one peer.`;
    const perhaps: [WireResource, string][] = [
      [from(pods("web"), namespace(unknown)), beside(0, 1)],
      [from(pods("web"), { namespaceSelector: unknown }), beside(0, 1)],
      [from(pods("web"), { namespaceSelector: { matchLabels: unknown } }), beside(0, 1)],
      [from(pods(unknown), namespace("observability")), beside(0, 1)],
      [from(namespace("observability"), { podSelector: unknown }), beside(1, 0)],
      [from({ namespaceSelector: { matchLabels: { team: "a" } } }, { podSelector: unknown }), beside(1, 0)],
      [from({ podSelector: { matchLabels: unknown } }, namespace("observability")), beside(0, 1)],
      [from({ podSelector: { matchExpressions: [unknown] } }, namespace("observability")), beside(0, 1)],
    ];
    for (const [policy, found] of perhaps) assert.deepEqual(await findingsOf(rule, policy), [found]);

    assert.deepEqual(await findingsOf(rule, from({ namespaceSelector: unknown }, pods("web"))), [
      `${title}: spec.ingress[0].from[1] ${pair}.`,
    ]);
    assert.deepEqual(await findingsOf(rule, from(pods("web"), namespace(unknown), namespace("erlmcp"))), [
      `${title}: spec.ingress[0].from[0] ${noEffect(2)}.`,
    ]);
    const nowhere = resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", {
      metadata: { name: "web", namespace: unknown },
      spec: { ingress: [{ from: [pods("web"), namespace("erlmcp")] }] },
    });
    assert.deepEqual(await findingsOf(rule, nowhere), [
      beside(0, 1).replace(title, "NetworkPolicy (namespace not known)/web"),
    ]);
  });

  it("judges the rules of a patch, the items of Lists, and the older version", async () => {
    const spec = { ingress: [{ from: [namespace("observability"), pods("web")] }] };
    const found = `spec.ingress[0].from[1] ${pair}.`;
    assert.deepEqual(await findingsOf(rule, networkPolicy({}, { suffix: "Patch" })), []);
    assert.deepEqual(await findingsOf(rule, networkPolicy(spec, { suffix: "Patch" })), [
      `NetworkPolicyPatch erlmcp/web: ${found}`,
    ]);
    const item = { metadata: { name: "web", namespace: "erlmcp" }, spec };
    const listed = resource("kubernetes:networking.k8s.io/v1:NetworkPolicyList", { items: [item] });
    assert.equal((await findingsOf(rule, listed))[0]?.split(" ")[2], "items[0].spec.ingress[0].from[1]");
    const older = resource("kubernetes:extensions/v1beta1:NetworkPolicy", item);
    assert.deepEqual(await findingsOf(rule, older), [`${title}: ${found}`]);
  });
});
