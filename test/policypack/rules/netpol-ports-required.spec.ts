import assert from "node:assert/strict";
import { netpolPortsRequired as rule } from "../../../policypack/rules/netpol-ports-required";
import { findingsOf, messagesOf, resource, unknown } from "../../helpers/run-rule";
import { networkPolicy } from "../network-policy";

const egress = (...ports: unknown[]): ReturnType<typeof networkPolicy> =>
  networkPolicy({ egress: [{ ports }] });

describe("netpol-ports-required", () => {
  it("accepts numbers, names and the Erlang distribution range", async () => {
    const accepted = egress(
      { protocol: "TCP", port: 443 },
      { port: "https" },
      { protocol: "TCP", port: 9100, endPort: 9155 },
      { protocol: unknown, port: 53 },
    );
    assert.deepEqual(await findingsOf(rule, accepted), []);
    assert.deepEqual(await findingsOf(rule, networkPolicy({ ingress: [], egress: [] })), []);
  });

  it("blocks a rule without ports, by omission or empty", async () => {
    assert.deepEqual(await messagesOf(rule, networkPolicy({ egress: [{ to: [{ podSelector: {} }] }] })), [
      [
        "NetworkPolicy erlmcp/web: spec.egress[0].ports is missing.",
        "Why it is dangerous: the rule then opens every port of every protocol, a debug port or SSH included.",
        "Write instead: the ports that are spoken, as in ports: [{protocol: TCP, port: 8443}]",
        "See docs/rules.md#netpol-ports-required",
      ].join("\n"),
    ]);
    const both = networkPolicy({ ingress: [{ ports: [] }], egress: [{ ports: [{ port: 1 }] }, {}] });
    assert.deepEqual(await findingsOf(rule, both), [
      "NetworkPolicy erlmcp/web: spec.ingress[0].ports is [].",
      "NetworkPolicy erlmcp/web: spec.egress[1].ports is missing.",
    ]);
  });

  it("blocks entries that open more than a port, or none that can be told", async () => {
    const broken = egress(
      { protocol: "UDP" },
      { port: "443" },
      { port: 0 },
      { port: 1.5 },
      { port: 70000 },
      { port: "http", endPort: 90 },
      { port: 90, endPort: 80 },
      { port: 90, endPort: "x" },
    );
    assert.deepEqual(await findingsOf(rule, broken), [
      "NetworkPolicy erlmcp/web: spec.egress[0].ports[0].port is missing.",
      'NetworkPolicy erlmcp/web: spec.egress[0].ports[1].port is "443".',
      "NetworkPolicy erlmcp/web: spec.egress[0].ports[2].port is 0.",
      "NetworkPolicy erlmcp/web: spec.egress[0].ports[3].port is 1.5.",
      "NetworkPolicy erlmcp/web: spec.egress[0].ports[4].port is 70000.",
      'NetworkPolicy erlmcp/web: spec.egress[0].ports[5].endPort is 90, next to the port name "http".',
      "NetworkPolicy erlmcp/web: spec.egress[0].ports[6].endPort is 80, with port 90.",
      'NetworkPolicy erlmcp/web: spec.egress[0].ports[7].endPort is "x", with port 90.',
    ]);
  });

  it("adds up ranges, so that a wide one cannot be split; protocols stay apart", async () => {
    const split = egress(
      { port: 1000, endPort: 1060 },
      { port: 1061, endPort: 1120 },
      { protocol: "UDP", port: 1121, endPort: 1180 },
    );
    assert.deepEqual(await messagesOf(rule, split), [
      [
        "NetworkPolicy erlmcp/web: spec.egress[0].ports opens TCP 1000-1120, which is 121 ports in a row.",
        "Why it is dangerous: whatever listens there is open too; at most 100 are allowed (maxRangePorts).",
        "Write instead: the ports that are spoken, or the range to which the application is bound (for Erlang: inet_dist_listen_min and inet_dist_listen_max).",
        "See docs/rules.md#netpol-ports-required",
      ].join("\n"),
    ]);
  });

  it("adds up ranges that have gaps between them, and leaves a few narrow ones and single ports alone", async () => {
    const ranges = (width: number, gap: number, many: number): unknown[] =>
      Array.from({ length: many }, (_, index) => 1000 + index * (width + gap)).map((port) =>
        width === 1 ? { port } : { port, endPort: port + width - 1 },
      );
    assert.deepEqual(await findingsOf(rule, egress(...ranges(100, 1, 9))), [
      "NetworkPolicy erlmcp/web: spec.egress[0].ports opens TCP 1000-1099, 1101-1200, 1202-1301, 1303-1402, 1404-1503, 1505-1604, 1606-1705, 1707-1806 and 1 more, which is 900 ports in 9 ranges.",
    ]);
    assert.deepEqual(await findingsOf(rule, egress(...ranges(2, 1000, 51))), [
      "NetworkPolicy erlmcp/web: spec.egress[0].ports opens TCP 1000-1001, 2002-2003, 3004-3005, 4006-4007, 5008-5009, 6010-6011, 7012-7013, 8014-8015 and 43 more, which is 102 ports in 51 ranges.",
    ]);
    assert.deepEqual(await findingsOf(rule, egress(...ranges(1, 1, 101))), [
      "NetworkPolicy erlmcp/web: spec.egress[0].ports opens TCP 1000, 1002, 1004, 1006, 1008, 1010, 1012, 1014 and 93 more, which is 101 single ports.",
    ]);
    const accepted = [
      ranges(100, 1, 1).concat(ranges(1, 200, 12).slice(1)),
      ranges(10, 90, 10),
      ranges(1, 1, 100),
      ranges(1, 7, 12),
    ];
    for (const ports of accepted) assert.deepEqual(await findingsOf(rule, egress(...ports)), []);
  });

  it("adds up the rules that name the same peer, and no others", async () => {
    const db = { podSelector: { matchLabels: { app: "db", tier: "data" } } };
    const dbAgain = { podSelector: { matchLabels: { tier: "data", app: "db" } } };
    const cache = { podSelector: { matchLabels: { app: "cache" } } };
    const low = [{ port: 1000, endPort: 1099 }];
    const high = [{ port: 1100, endPort: 1150 }];
    const rules = (...egress: unknown[]): ReturnType<typeof networkPolicy> => networkPolicy({ egress });
    const together =
      "NetworkPolicy erlmcp/web: spec.egress opens TCP 1000-1150, which is 151 ports in a row, with spec.egress[0] and spec.egress[1] together, for the same peer.";
    assert.deepEqual(
      await findingsOf(rule, rules({ to: [db, cache], ports: low }, { to: [dbAgain, cache], ports: high })),
      [together],
    );
    assert.deepEqual(await findingsOf(rule, rules({ ports: low }, { to: [], ports: high })), [together]);
    assert.deepEqual(
      await findingsOf(rule, rules({ to: [db], ports: low }, { to: [cache], ports: high })),
      [],
    );
    const separate = networkPolicy({
      ingress: [{ from: [db], ports: low }],
      egress: [{ to: [db], ports: high }],
    });
    assert.deepEqual(await findingsOf(rule, separate), []);
    const wideAlone = [{ port: 1000, endPort: 1120 }];
    assert.deepEqual(
      await findingsOf(rule, rules({ to: [db], ports: wideAlone }, { to: [db], ports: high })),
      ["NetworkPolicy erlmcp/web: spec.egress[0].ports opens TCP 1000-1120, which is 121 ports in a row."],
    );
  });

  describe("adds up what is for one peer, however rules write it", () => {
    const low = [{ port: 1000, endPort: 1059 }];
    const high = [{ port: 2000, endPort: 2059 }];
    const together =
      "NetworkPolicy erlmcp/web: spec.egress opens TCP 1000-1059, 2000-2059, which is 120 ports in 2 ranges, with spec.egress[0] and spec.egress[1] together, for the same peer.";
    const sharing = (one: unknown, other: unknown): Promise<readonly string[]> =>
      findingsOf(
        rule,
        networkPolicy({
          egress: [
            { to: [one], ports: low },
            { to: [other], ports: high },
          ],
        }),
      );
    const labels = (matchLabels: unknown): unknown => ({ podSelector: { matchLabels } });
    const expressions = (...matchExpressions: unknown[]): unknown => ({ podSelector: { matchExpressions } });
    const inOne = (key: string, ...values: string[]): unknown => ({ key, operator: "In", values });
    const inNamespace = (name: string): object => ({
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } },
    });
    const block = (cidr: string, ...except: string[]): unknown => ({ ipBlock: { cidr, except } });
    const db = labels({ app: "db", tier: "data" });

    const same: [string, unknown, unknown][] = [
      ["labels in another order", db, labels({ tier: "data", app: "db" })],
      ["labels as expressions", db, expressions(inOne("tier", "data"), inOne("app", "db"))],
      [
        "a value twice, and an empty list",
        labels({ app: "db" }),
        {
          podSelector: { matchLabels: {}, matchExpressions: [inOne("app", "db", "db")] },
        },
      ],
      ["fewer labels", db, labels({ app: "db" })],
      ["all pods", db, { podSelector: {} }],
      ["one of several values", labels({ app: "db" }), expressions(inOne("app", "cache", "db"))],
      [
        "a value that both list",
        expressions(inOne("app", "db", "web")),
        expressions(inOne("app", "cache", "db")),
      ],
      [
        "a value that both expressions have",
        expressions(inOne("app", "a", "db"), inOne("app", "b", "db")),
        labels({ app: "db" }),
      ],
      [
        "what they do not have",
        labels({ app: "db" }),
        expressions({ key: "legacy", operator: "DoesNotExist" }),
      ],
      ["any value", labels({ app: "db" }), expressions({ key: "app", operator: "Exists" })],
      ["the policy's own namespace by name", db, { ...inNamespace("erlmcp"), ...(db as object) }],
      [
        "all namespaces",
        { ...inNamespace("data"), ...(db as object) },
        { namespaceSelector: {}, ...(db as object) },
      ],
      [
        "a namespace without a podSelector",
        { ...inNamespace("data"), ...(db as object) },
        inNamespace("data"),
      ],
      ["a network with bits beyond its prefix", block("203.0.113.0/24"), block("203.0.113.9/24")],
      ["a network within another", block("203.0.113.0/24"), block("203.0.112.0/20")],
      [
        "an exception of the one around the other",
        block("203.0.113.0/24", "203.0.113.0/25"),
        block("203.0.113.128/25"),
      ],
    ];
    for (const [title, one, other] of same) {
      it(title, async () => {
        assert.deepEqual(await sharing(one, other), [together]);
        assert.deepEqual(await sharing(other, one), [together]);
      });
    }

    const apart: [string, unknown, unknown][] = [
      ["other values", labels({ app: "db" }), labels({ app: "cache" })],
      ["other labels", labels({ app: "db" }), labels({ tier: "data" })],
      ["other namespaces", { ...inNamespace("data"), ...(db as object) }, db],
      ["another network", block("203.0.113.0/25"), block("203.0.113.128/25")],
      ["a network without the other", block("203.0.113.0/24", "203.0.113.0/25"), block("203.0.113.0/25")],
      ["pods and networks", { podSelector: {} }, block("0.0.0.0/0")],
      [
        "labels that no pod can have",
        expressions(inOne("app", "a"), inOne("app", "b")),
        labels({ app: "a" }),
      ],
      ["what is not known", { podSelector: unknown }, { podSelector: unknown }],
      ["what is not valid", labels({ app: 1 }), labels({ app: 1 })],
    ];
    for (const [title, one, other] of apart) {
      it(`and not ${title}`, async () => {
        assert.deepEqual(await sharing(one, other), []);
        assert.deepEqual(await sharing(other, one), []);
      });
    }

    it("with what is for every peer, one that is not known among them", async () => {
      const every = (to: unknown): Promise<readonly string[]> =>
        findingsOf(rule, networkPolicy({ egress: [{ ports: low }, { to, ports: high }] }));
      assert.deepEqual(await every([db]), [together]);
      assert.deepEqual(await every([{ podSelector: unknown }]), [together]);
    });

    it("where the policy's namespace is not known", async () => {
      const peers = (other: unknown): unknown => ({
        metadata: { name: "web", namespace: unknown },
        spec: {
          egress: [
            { to: [db], ports: low },
            { to: [other], ports: high },
          ],
        },
      });
      const found = (other: unknown): Promise<readonly string[]> =>
        findingsOf(rule, resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", peers(other)));
      assert.equal((await found({ podSelector: {} })).length, 1);
      assert.deepEqual(await found({ ...inNamespace("erlmcp"), ...(db as object) }), []);
    });

    it("over more than two rules, without those that are for others or open other ports", async () => {
      const piece = (first: number): unknown[] => [{ port: first, endPort: first + 39 }];
      const cache = labels({ app: "cache" });
      const policy = networkPolicy({
        ingress: [
          { from: [cache, db], ports: piece(1000) },
          { from: [cache], ports: piece(2000) },
          { from: [db], ports: piece(3000) },
          { from: [expressions(inOne("app", "db"), inOne("tier", "data"))], ports: piece(4000) },
          { from: [db], ports: [{ port: 443 }, { protocol: "UDP", port: 53 }] },
        ],
      });
      assert.deepEqual(await findingsOf(rule, policy), [
        "NetworkPolicy erlmcp/web: spec.ingress opens TCP 1000-1039, 3000-3039, 4000-4039, which is 120 ports in 3 ranges, with spec.ingress[0] and spec.ingress[2] and spec.ingress[3] together, for the same peer.",
      ]);
    });

    it("reports the rules of one group once, and each of two groups", async () => {
      const web = labels({ app: "web" });
      const rules = (...egress: unknown[]): Promise<readonly string[]> =>
        findingsOf(rule, networkPolicy({ egress }));
      assert.equal((await rules({ to: [db, web], ports: low }, { to: [web, db], ports: high })).length, 1);
      const two = await rules(
        { to: [db], ports: low },
        { to: [db], ports: high },
        { to: [web], ports: low },
        { to: [web], ports: high },
      );
      assert.deepEqual(
        two.map((finding) => /with (.*) together/.exec(finding)?.[1]),
        ["spec.egress[0] and spec.egress[1]", "spec.egress[2] and spec.egress[3]"],
      );
    });

    it("single ports too, each rule with fewer than are allowed", async () => {
      const odd = (first: number): unknown[] =>
        Array.from({ length: 60 }, (_, index) => ({ port: first + 2 * index }));
      assert.match(
        (
          await findingsOf(
            rule,
            networkPolicy({
              egress: [
                { to: [db], ports: odd(1001) },
                { to: [db], ports: odd(2001) },
              ],
            }),
          )
        ).join(),
        /, which is 120 single ports, with spec\.egress\[0\] and spec\.egress\[1\] together, for the same peer\.$/,
      );
    });
  });

  it("reports a range that is wide by itself once, and beside it what is wide only together", async () => {
    const found = async (alone: unknown, low: unknown, high: unknown): Promise<readonly string[]> =>
      findingsOf(rule, networkPolicy({ egress: [{ ports: [alone, low] }, { ports: [high] }] }));
    const alone = (ports: string): string =>
      `NetworkPolicy erlmcp/web: spec.egress[0].ports opens TCP ${ports}.`;
    const wide = { port: 3000, endPort: 3120 };
    assert.deepEqual(await found(wide, { port: 1000 }, { port: 1100, endPort: 1150 }), [
      alone("3000-3120, which is 121 ports in a row"),
    ]);
    assert.deepEqual(await found(wide, { port: 1000, endPort: 1099 }, { port: 1100, endPort: 1150 }), [
      alone("1000-1099, 3000-3120, which is 221 ports in 2 ranges"),
    ]);
    const udp = { ...wide, protocol: "UDP" };
    assert.deepEqual(await found(udp, { port: 3000, endPort: 3099 }, { port: 3100, endPort: 3150 }), [
      alone("3000-3120, which is 121 ports in a row").replace("TCP", "UDP"),
      "NetworkPolicy erlmcp/web: spec.egress opens TCP 3000-3150, which is 151 ports in a row, with spec.egress[0] and spec.egress[1] together, for the same peer.",
    ]);
  });

  it("adds up single ports, and takes a range of one port and a name with digits", async () => {
    const single = Array.from({ length: 101 }, (_, index) => ({ port: 1000 + index }));
    assert.deepEqual(await findingsOf(rule, egress(...single)), [
      "NetworkPolicy erlmcp/web: spec.egress[0].ports opens TCP 1000-1100, which is 101 ports in a row.",
    ]);
    assert.deepEqual(await findingsOf(rule, egress({ port: 90, endPort: 90 })), []);
    assert.deepEqual(await findingsOf(rule, egress({ port: "8080tcp" }, { port: "tcp8080" })), []);
  });

  it("says what is open without a port, where the protocol is not known either", async () => {
    const [message] = await messagesOf(rule, egress({ protocol: unknown }));
    assert.match(
      message ?? "",
      /^Why it is dangerous: the entry then opens every port of an unknown protocol\.$/m,
    );
  });

  it("follows its configuration", async () => {
    const range = egress({ port: 9100, endPort: 9155 });
    assert.equal((await findingsOf(rule, range, { maxRangePorts: 55 })).length, 1);
    assert.equal((await findingsOf(rule, range, { maxRangePorts: 56 })).length, 0);
    assert.deepEqual(await findingsOf(rule, egress({ port: "https" }), { allowNamedPorts: false }), [
      'NetworkPolicy erlmcp/web: spec.egress[0].ports[0].port is the name "https".',
    ]);
  });

  it("tells what is not known from what is wrong, at every level", async () => {
    const cases: [unknown, string][] = [
      [unknown, "spec is not known in the preview."],
      [{ egress: unknown }, "spec.egress is not known in the preview."],
      [{ egress: [unknown] }, "spec.egress[0] is not known in the preview."],
      [{ egress: [{ ports: unknown }] }, "spec.egress[0].ports is not known in the preview."],
      [{ egress: [{ ports: [unknown] }] }, "spec.egress[0].ports[0] is not known in the preview."],
      [
        { egress: [{ ports: [{ port: unknown }] }] },
        "spec.egress[0].ports[0].port is not known in the preview.",
      ],
      [
        { egress: [{ ports: [{ port: 1, endPort: unknown }] }] },
        "spec.egress[0].ports[0].endPort is not known in the preview.",
      ],
      [
        { egress: [{ ports: [{ port: "port-undefined" }] }] },
        `spec.egress[0].ports[0].port is "port-undefined", in which a value is not known yet.`,
      ],
      [{ egress: "none" }, 'spec.egress is "none" and not a list.'],
    ];
    for (const [spec, found] of cases) {
      assert.deepEqual(await findingsOf(rule, networkPolicy(spec)), [
        `NetworkPolicy erlmcp/web cannot be verified: ${found}`,
      ]);
    }
  });

  it("judges the rules of a patch in full, and leaves the directions it does not carry", async () => {
    const patch = { suffix: "Patch" } as const;
    assert.deepEqual(await findingsOf(rule, networkPolicy({}, patch)), []);
    assert.deepEqual(await findingsOf(rule, networkPolicy({ ingress: [{}] }, patch)), [
      "NetworkPolicyPatch erlmcp/web: spec.ingress[0].ports is missing.",
    ]);
  });

  it("judges Lists and the version that is served no more", async () => {
    const metadata = { name: "web", namespace: "erlmcp" };
    const items = [{ metadata, spec: { ingress: [{ from: [] }] } }];
    for (const type of ["networking.k8s.io/v1:NetworkPolicyList", "extensions/v1beta1:NetworkPolicyList"]) {
      assert.deepEqual(await findingsOf(rule, resource(`kubernetes:${type}`, { items })), [
        "NetworkPolicy erlmcp/web: items[0].spec.ingress[0].ports is missing.",
      ]);
    }
    const legacy = resource("kubernetes:extensions/v1beta1:NetworkPolicy", items[0]);
    assert.deepEqual(await findingsOf(rule, legacy), [
      "NetworkPolicy erlmcp/web: spec.ingress[0].ports is missing.",
    ]);
  });
});
