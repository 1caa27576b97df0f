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
    assert.deepEqual(
      await findingsOf(rule, egress({ port: 1, endPort: 100 }, { port: 102, endPort: 200 })),
      [],
    );
  });

  it("adds up the rules that name the same peer, and no others", async () => {
    const db = { podSelector: { matchLabels: { app: "db", tier: "data" } } };
    const dbAgain = { podSelector: { matchLabels: { tier: "data", app: "db" } } };
    const cache = { podSelector: { matchLabels: { app: "cache" } } };
    const low = [{ port: 1000, endPort: 1099 }];
    const high = [{ port: 1100, endPort: 1150 }];
    const rules = (...egress: unknown[]): ReturnType<typeof networkPolicy> => networkPolicy({ egress });
    const together =
      "NetworkPolicy erlmcp/web: spec.egress opens TCP 1000-1150, which is 151 ports in a row, with spec.egress[0] and spec.egress[1] together, to the same peer.";
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

  it("knows a peer in any order of its keys, and takes none that is not known for another", async () => {
    const low = [{ port: 1000, endPort: 1099 }];
    const high = [{ port: 1100, endPort: 1150 }];
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
    const db = { podSelector: { matchLabels: { app: "db", tier: "data" } } };
    const dbAgain = { podSelector: { matchLabels: { tier: "data", app: "db" } } };
    assert.equal((await sharing(db, dbAgain)).length, 1);
    assert.equal((await sharing(dbAgain, db)).length, 1);
    assert.deepEqual(await sharing({ podSelector: unknown }, { podSelector: unknown }), []);
  });

  it("reports a range that is wide by itself once, and beside it what is wide only together", async () => {
    const found = async (alone: unknown, low: unknown, high: unknown): Promise<readonly string[]> =>
      findingsOf(rule, networkPolicy({ egress: [{ ports: [alone, low] }, { ports: [high] }] }));
    const alone =
      "NetworkPolicy erlmcp/web: spec.egress[0].ports opens TCP 3000-3120, which is 121 ports in a row.";
    const together = (ports: string): string =>
      `NetworkPolicy erlmcp/web: spec.egress opens TCP ${ports}, which is 151 ports in a row, with spec.egress[0] and spec.egress[1] together, to the same peer.`;
    const wide = { port: 3000, endPort: 3120 };
    assert.deepEqual(await found(wide, { port: 1000, endPort: 1099 }, { port: 1100, endPort: 1150 }), [
      alone,
      together("1000-1150"),
    ]);
    assert.deepEqual(await found(wide, { port: 5000, endPort: 5099 }, { port: 5100, endPort: 5150 }), [
      alone,
      together("5000-5150"),
    ]);
    const udp = { ...wide, protocol: "UDP" };
    assert.deepEqual(await found(udp, { port: 3000, endPort: 3099 }, { port: 3100, endPort: 3150 }), [
      alone.replace("TCP", "UDP"),
      together("3000-3150"),
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
