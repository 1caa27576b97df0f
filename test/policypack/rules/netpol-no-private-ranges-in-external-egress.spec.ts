import assert from "node:assert/strict";
import { netpolNoPrivateRangesInExternalEgress as rule } from "../../../policypack/rules/netpol-no-private-ranges-in-external-egress";
import { findingsOf, messagesOf, resource, runRule, unknown } from "../../helpers/run-rule";
import { block, egressTo, networkPolicy } from "../network-policy";

const key = "zero-trust.erlmcp/private-endpoints";
const privateIpv4 = [
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.168.0.0/16",
];

function declaring(
  endpoints: unknown,
  cidr: unknown,
  ports: unknown = [{ protocol: "TCP", port: 443 }],
): ReturnType<typeof networkPolicy> {
  const value = typeof endpoints === "string" ? endpoints : JSON.stringify(endpoints);
  return networkPolicy({ egress: [{ to: [block(cidr)], ports }] }, { annotations: { [key]: value } });
}

describe("netpol-no-private-ranges-in-external-egress", () => {
  it("accepts public networks, the Internet without private ranges, and selectors", async () => {
    const accepted = egressTo(
      block("203.0.113.0/24"),
      block("0.0.0.0/0", ...privateIpv4),
      block("2000::/3", "2002::/16"),
      { podSelector: {} },
      { namespaceSelector: {} },
    );
    assert.deepEqual(await findingsOf(rule, accepted), []);
    const ingress = networkPolicy({ ingress: [{ from: [block("10.0.0.0/8")] }] });
    assert.deepEqual(await findingsOf(rule, ingress), []);
  });

  it("names the ranges reached, the ports, and both ways out", async () => {
    assert.deepEqual(
      await messagesOf(rule, egressTo(block("0.0.0.0/0", ...privateIpv4.slice(0, 3), "192.168.0.0/17"))),
      [
        [
          "NetworkPolicy erlmcp/web: spec.egress[0].to[0].ipBlock reaches 172.16.0.0/12 (private, RFC 1918), 192.168.128.0/17 (private, RFC 1918), 169.254.0.0/16 (link-local, RFC 3927) on TCP 443.",
          "Why it is dangerous: egress meant for the outside then also opens the internal networks: databases, control planes and metadata services that trust whoever can connect.",
          "Write instead: except these ranges from the block: 169.254.0.0/16, 172.16.0.0/12, 192.168.128.0/17.",
          "Or, if the private network is meant, declare it, in the pack's configuration (privateEndpoints) or in the annotation:",
          `  ${key}: '[{"cidr":"169.254.0.0/16","ports":["TCP 443"],"reason":"why it is reached"}]'`,
          "See docs/rules.md#netpol-no-private-ranges-in-external-egress",
        ].join("\n"),
      ],
    );
  });

  it("knows every private range, and IPv6 addresses that lead to one", async () => {
    for (const cidr of [
      ...privateIpv4,
      "10.1.2.3/8",
      "fc00::/7",
      "fd00:ec2::254/128",
      "fe80::/10",
      "::1/128",
      "::ffff:10.0.0.1/128",
      "::ffff:192.168.0.0/112",
      "64:ff9b::a00:0/104",
      "64:ff9b::10.0.0.1/128",
      "64:ff9b:1::/48",
      "2002:a00::/24",
      "2002:c0a8:0101::/48",
      "::/0",
    ]) {
      assert.equal((await findingsOf(rule, egressTo(block(cidr)))).length, 1, cidr);
    }
    for (const cidr of [
      "11.0.0.0/8",
      "172.32.0.0/11",
      "64:ff9b::808:808/128",
      "2002:808::/24",
      "::ffff:8.8.8.8/128",
    ]) {
      assert.deepEqual(await findingsOf(rule, egressTo(block(cidr))), [], cidr);
    }
    assert.deepEqual(await findingsOf(rule, egressTo(block("64:ff9b::10.0.0.1/128"))), [
      "NetworkPolicy erlmcp/web: spec.egress[0].to[0].ipBlock reaches 64:ff9b::a00:1/128 (10.0.0.0/8 as NAT64, RFC 6052) on TCP 443.",
    ]);
  });

  it("asks nobody to except what no packet of a pod reaches, the loopback and private addresses as 6to4", async () => {
    const accepted = [
      egressTo(block("0.0.0.0/0", ...privateIpv4.filter((cidr) => cidr !== "127.0.0.0/8"))),
      egressTo(block("126.0.0.0/7")),
      egressTo(block("2000::/3")),
    ];
    assert.deepEqual(await findingsOf(rule, accepted), []);
    for (const cidr of ["127.0.0.1/32", "::ffff:127.0.0.1/128", "2002:7f00::/24", "2002::/16"]) {
      assert.equal((await findingsOf(rule, egressTo(block(cidr)))).length, 1, cidr);
    }
  });

  it("takes a block that holds nothing of the Internet for none of external egress", async () => {
    const found = async (cidr: string): Promise<string> =>
      (await findingsOf(rule, egressTo(block(cidr))))
        .join()
        .replace("NetworkPolicy erlmcp/web: spec.egress[0].to[0].ipBlock reaches ", "");
    for (const [cidr, name] of [
      ["0.0.0.0/8", "this network, RFC 1122"],
      ["0.0.0.0/32", "this network, RFC 1122"],
      ["198.18.0.0/15", "benchmarking, RFC 2544"],
      ["224.0.0.0/4", "multicast, RFC 5771"],
      ["239.255.0.1/32", "multicast, RFC 5771"],
      ["240.0.0.0/4", "reserved, RFC 1112"],
      ["255.255.255.255/32", "reserved, RFC 1112"],
      ["ff00::/8", "multicast, RFC 4291"],
      ["ff02::fb/128", "multicast, RFC 4291"],
      ["fec0::/10", "site-local, RFC 3879"],
      ["::/128", "IPv4-compatible, RFC 4291"],
      ["::a00:0/104", "IPv4-compatible, RFC 4291"],
      ["100::/64", "outside of global unicast, RFC 4291"],
      ["5f00::/16", "outside of global unicast, RFC 4291"],
      ["::ffff:0:a00:0/104", "outside of global unicast, RFC 4291"],
    ] as const)
      assert.equal(await found(cidr), `${cidr} (${name}) on TCP 443.`);
    assert.equal(
      await found("224.0.0.0/3"),
      "224.0.0.0/4 (multicast, RFC 5771), 240.0.0.0/4 (reserved, RFC 1112) on TCP 443.",
    );
    assert.match(await found("::/80"), /10\.0\.0\.0\/8 as IPv4-mapped, RFC 4291/);
    for (const cidr of ["64:ff9b::808:0/112", "203.0.113.0/24", "2001:db8::/32", "2001::/32"])
      assert.equal(await found(cidr), "");
  });

  it("asks nobody to except what a wide block reaches nothing by, nor what API servers refuse as an exception", async () => {
    const nat64 = ["64:ff9b::/96", "64:ff9b:1::/48"];
    for (const accepted of [
      block("0.0.0.0/0", ...privateIpv4),
      block("192.0.0.0/2", "192.168.0.0/16"),
      block("0.0.0.0/5"),
      block("::/0", "fc00::/7", "fe80::/10", ...nat64),
      block("::/1", ...nat64),
    ])
      assert.deepEqual(await findingsOf(rule, egressTo(accepted)), []);
    const clusterCidrs = ["34.118.224.0/20"];
    const wide = egressTo(block("::/1", ...nat64));
    assert.deepEqual(await findingsOf(rule, wide, { clusterCidrs }), []);
  });

  it("opens multicast and the like where they are declared", async () => {
    const endpoint = { cidr: "224.0.0.0/4", ports: ["UDP 5353"], reason: "mDNS" };
    const ports = [{ protocol: "UDP", port: 5353 }];
    assert.deepEqual(await findingsOf(rule, declaring([endpoint], "224.0.0.251/32", ports)), []);
    assert.equal((await findingsOf(rule, declaring([endpoint], "224.0.0.251/32"))).length, 1);
    const classE = { clusterCidrs: ["240.10.0.0/16"] };
    assert.deepEqual(await findingsOf(rule, egressTo(block("0.0.0.0/0", ...privateIpv4)), classE), [
      "NetworkPolicy erlmcp/web: spec.egress[0].to[0].ipBlock reaches 240.10.0.0/16 (cluster network) on TCP 443.",
    ]);
  });

  it("counts the cluster's own networks as private, wherever they lie", async () => {
    const clusterCidrs = ["34.118.224.0/20", "2600:1900::/28"];
    assert.deepEqual(
      await findingsOf(rule, egressTo(block("34.0.0.0/8"), block("2600::/16")), { clusterCidrs }),
      [
        "NetworkPolicy erlmcp/web: spec.egress[0].to[0].ipBlock reaches 34.118.224.0/20 (cluster network) on TCP 443.",
        "NetworkPolicy erlmcp/web: spec.egress[0].to[1].ipBlock reaches 2600:1900::/28 (cluster network) on TCP 443.",
      ],
    );
  });

  it("counts the cluster's own IPv4 networks in their IPv6 forms too", async () => {
    const config = { clusterCidrs: ["34.118.224.0/20"] };
    assert.deepEqual(await findingsOf(rule, egressTo(block("64:ff9b::2276:e000/116")), config), [
      "NetworkPolicy erlmcp/web: spec.egress[0].to[0].ipBlock reaches 64:ff9b::2276:e000/116 (cluster network) on TCP 443.",
    ]);
  });

  it("judges what all blocks of a policy reach, whatever another one excepts", async () => {
    const policy = networkPolicy({
      egress: [
        { to: [block("0.0.0.0/1", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8")], ports: [{ port: 443 }] },
        { to: [block("203.0.113.0/24"), block("8.0.0.0/6", "8.0.0.0/8")], ports: [{ port: 8443 }] },
      ],
    });
    assert.deepEqual(await findingsOf(rule, policy), [
      "NetworkPolicy erlmcp/web: spec.egress[1].to[1].ipBlock reaches 10.0.0.0/8 (private, RFC 1918) on TCP 8443.",
    ]);
  });

  it("shows the annotation for the ports that are opened", async () => {
    const ports = [{ port: 5432 }, { protocol: "UDP", port: 5000, endPort: 5009 }, { port: "http" }];
    const [message] = await messagesOf(
      rule,
      networkPolicy({ egress: [{ to: [block("10.1.0.0/16")], ports }] }),
    );
    assert.ok(
      message?.includes(
        `${key}: '[{"cidr":"10.1.0.0/16","ports":["TCP 5432","UDP 5000-5009"],"reason":"why it is reached"}]'`,
      ),
      message,
    );
  });

  it("shows an annotation with a port by number where no port has one", async () => {
    for (const ports of [[], [{ port: "http" }], [{ port: unknown }]]) {
      const policy = networkPolicy({ egress: [{ to: [block("10.1.0.0/16")], ports }] });
      assert.match((await messagesOf(rule, policy)).join(), /"ports":\["TCP 443"\],"reason"/);
    }
  });

  it("names the first of many ranges, and counts the rest", async () => {
    const policy = egressTo(block("10.0.0.0/6", "10.0.0.1/32", "11.0.0.0/8"));
    const [message] = await messagesOf(rule, policy);
    assert.match(
      message ?? "",
      /: spec\.egress\[0\]\.to\[0\]\.ipBlock reaches 10\.0\.0\.0\/32, 10\.0\.0\.2\/31, .*, 10\.128\.0\.0\/9 \(private, RFC 1918\) on TCP 443\.$/m,
    );
    const [more] = await messagesOf(rule, egressTo(block("10.0.0.0/8", "10.0.0.1/32", "10.128.0.1/32")));
    assert.match(
      more ?? "",
      /ipBlock reaches 10\.0\.0\.0\/32, .* and 22 more \(private, RFC 1918\) on TCP 443\.$/m,
    );
  });

  it("says what is wrong with the endpoints of its configuration", async () => {
    const privateEndpoints = [{ cidr: "10.0.0.0/8", ports: ["TCP 90-80"], reason: "x" }];
    const [diagnostic] = await runRule(rule, egressTo(block("10.0.0.0/8")), { privateEndpoints });
    assert.match(
      diagnostic?.message ?? "",
      /^- privateEndpoints\[0\]\.ports\[0\] is "TCP 90-80"; allowed: /m,
    );
  });

  it("accepts a declared endpoint on its ports, from the annotation or the configuration", async () => {
    const endpoint = { cidr: "10.0.0.0/8", ports: ["TCP 443", "TCP 8000-8100"], reason: "internal API" };
    assert.deepEqual(await findingsOf(rule, declaring([endpoint], "10.1.0.0/16")), []);
    assert.deepEqual(
      await findingsOf(rule, declaring([endpoint], "10.1.0.0/16", [{ port: 8000, endPort: 8100 }])),
      [],
    );
    assert.deepEqual(
      await findingsOf(rule, egressTo(block("10.1.0.0/16")), { privateEndpoints: [endpoint] }),
      [],
    );
    const allPorts = { cidr: "10.0.0.0/8", reason: "VPN" };
    assert.deepEqual(await findingsOf(rule, declaring([allPorts], "10.0.0.0/9", [])), []);
    assert.deepEqual(await findingsOf(rule, declaring([allPorts], "10.0.0.0/9", [{ port: unknown }])), []);
  });

  it("blocks what goes beyond the declared network or the declared ports", async () => {
    const endpoint = { cidr: "10.1.0.0/16", ports: ["TCP 443"], reason: "internal API" };
    assert.deepEqual(await findingsOf(rule, declaring([endpoint], "10.0.0.0/15")), [
      "NetworkPolicy erlmcp/web: spec.egress[0].to[0].ipBlock reaches 10.0.0.0/16 (private, RFC 1918) on TCP 443.",
    ]);
    const ports = [{ port: 443 }, { port: 80 }, { protocol: "UDP", port: 443 }, { port: "https" }];
    assert.deepEqual(await findingsOf(rule, declaring([endpoint], "10.1.0.0/16", ports)), [
      "NetworkPolicy erlmcp/web: spec.egress[0].to[0].ipBlock reaches 10.1.0.0/16 (private, RFC 1918) on TCP 80; UDP 443; TCP https.",
    ]);
    assert.deepEqual(await findingsOf(rule, declaring([endpoint], "10.1.0.0/16", [])), [
      "NetworkPolicy erlmcp/web: spec.egress[0].to[0].ipBlock reaches 10.1.0.0/16 (private, RFC 1918) on TCP 1-442, 444-65535; UDP 1-65535; SCTP 1-65535.",
    ]);
  });

  it("does not accept annotations where the configuration says so", async () => {
    const policy = declaring([{ cidr: "10.0.0.0/8", reason: "VPN" }], "10.0.0.0/8");
    assert.equal((await findingsOf(rule, policy, { acceptAnnotations: false })).length, 1);
  });

  it("reports a declaration that cannot be used, and goes by the rest", async () => {
    const entries = [
      { cidr: "10.0.0.0/8", ports: ["TCP 443"], reason: " " },
      { cidr: "10.0.0.1/8", reason: "x" },
      { cidr: "10.0.0.0/8", ports: ["443"], reason: "x", note: 1 },
      { cidr: "10.0.0.0/8", ports: ["TCP 90-80"], reason: "x" },
      { cidr: "0.0.0.0/0", reason: "x" },
      { reason: "x" },
      7,
    ];
    const at = `metadata.annotations["${key}"]`;
    assert.deepEqual(await findingsOf(rule, declaring(entries, "203.0.113.0/24")), [
      `NetworkPolicy erlmcp/web: ${at} has a wrong entry: [0].reason is " "; allowed: a text that says why. Fix: write, for instance, [0].reason: "payment provider over the VPN".`,
      `NetworkPolicy erlmcp/web: ${at} has a wrong entry: [1].cidr is "10.0.0.1/8"; allowed: a network in CIDR notation with no bits set beyond its prefix. Fix: write, for instance, [1].cidr: "10.0.0.0/8".`,
      `NetworkPolicy erlmcp/web: ${at} has a wrong entry: [2].note is 1; allowed: only the keys cidr, ports, reason. Fix: write, for instance, [2]: {"cidr":"10.20.0.0/16","ports":["TCP 443"],"reason":"payment provider over the VPN"}. [2].ports[0] is "443"; allowed: a protocol and a port or range, as in TCP 443 or TCP 9100-9155. Fix: write, for instance, [2].ports[0]: "TCP 443".`,
      `NetworkPolicy erlmcp/web: ${at} has in [3] a port that is not from 1 to 65535, or a range that ends before it starts: {"cidr":"10.0.0.0/8","ports":["TCP 90-80"],"reason":"x"}.`,
      `NetworkPolicy erlmcp/web: ${at} declares in [4] the network "0.0.0.0/0", which holds public addresses besides private ones.`,
      `NetworkPolicy erlmcp/web: ${at} has a wrong entry: [5].cidr is missing; allowed: a network in CIDR notation with no bits set beyond its prefix. Fix: write, for instance, [5].cidr: "10.20.0.0/16".`,
      `NetworkPolicy erlmcp/web: ${at} has a wrong entry: [6] is 7; allowed: an object with cidr, ports (optional, as in TCP 443 or TCP 9100-9155; absent means all) and reason. Fix: write, for instance, [6]: {"cidr":"10.20.0.0/16","ports":["TCP 443"],"reason":"payment provider over the VPN"}.`,
    ]);
    for (const text of ["not JSON", '{"cidr":"10.0.0.0/8","reason":"x"}']) {
      assert.deepEqual(await findingsOf(rule, declaring(text, "10.0.0.0/8")), [
        `NetworkPolicy erlmcp/web: ${at} is ${JSON.stringify(text)}, which is no JSON list.`,
        "NetworkPolicy erlmcp/web: spec.egress[0].to[0].ipBlock reaches 10.0.0.0/8 (private, RFC 1918) on TCP 443.",
      ]);
    }
    // The whole annotation, as it may be written.
    for (const wrong of ["not JSON", [7]]) {
      const [message = ""] = await messagesOf(rule, declaring(wrong, "203.0.113.0/24"));
      assert.equal(
        message.split("\n")[2],
        'Write instead: [{"cidr":"10.20.0.0/16","ports":["TCP 443"],"reason":"payment provider over the VPN"}]',
      );
    }
    const [entry = ""] = await messagesOf(rule, declaring([{ reason: "x", cidr: 7 }], "203.0.113.0/24"));
    assert.match(
      entry,
      /^Why it is dangerous: such an entry declares no private endpoint, and opens nothing\.$/m,
    );
  });

  it("opens NodeLocal DNSCache to DNS only", async () => {
    const dns = [{ protocol: "UDP", port: 53 }, { port: 53 }];
    const to = (cidr: string, ports: unknown[]): ReturnType<typeof networkPolicy> =>
      networkPolicy({ egress: [{ to: [block(cidr)], ports }] });
    assert.deepEqual(await findingsOf(rule, to("169.254.20.10/32", dns)), []);
    assert.deepEqual(await findingsOf(rule, to("169.254.20.10/32", [...dns, { port: 80 }])), [
      "NetworkPolicy erlmcp/web: spec.egress[0].to[0].ipBlock reaches 169.254.20.10/32 (link-local, RFC 3927) on TCP 80.",
    ]);
    assert.equal((await findingsOf(rule, to("169.254.20.0/24", dns))).length, 1);
    assert.equal((await findingsOf(rule, to("169.254.20.10/32", dns), { dnsAddresses: [] })).length, 1);
    assert.deepEqual(
      await findingsOf(rule, to("10.96.0.10/32", dns), { dnsAddresses: ["10.96.0.10/32"] }),
      [],
    );
  });

  it("tells what is not known from what is wrong", async () => {
    const cases: [ReturnType<typeof networkPolicy>, string][] = [
      [networkPolicy(unknown), "spec is not known in the preview."],
      [networkPolicy({ egress: unknown }), "spec.egress is not known in the preview."],
      [networkPolicy({ egress: [{ to: unknown }] }), "spec.egress[0].to is not known in the preview."],
      [egressTo(unknown), "spec.egress[0].to[0] is not known in the preview."],
      [egressTo(block(unknown)), "spec.egress[0].to[0].ipBlock.cidr is not known in the preview."],
      [
        egressTo(block("undefined/32")),
        'spec.egress[0].to[0].ipBlock.cidr is "undefined/32", in which a value is not known yet.',
      ],
      [
        egressTo(block("010.0.0.0/8")),
        'spec.egress[0].to[0].ipBlock.cidr is "010.0.0.0/8", which is no network in CIDR notation: its address is neither IPv4 nor IPv6.',
      ],
      [
        egressTo(block("0.0.0.0/0", "10.0.0.0")),
        'spec.egress[0].to[0].ipBlock.except[0] is "10.0.0.0", which is no network in CIDR notation: it has no prefix length.',
      ],
      [
        declaring([{ cidr: "10.0.0.0/8", ports: ["TCP 443"], reason: "x" }], "10.0.0.0/8", [
          { port: unknown },
        ]),
        "spec.egress[0].ports are not all known or valid.",
      ],
    ];
    for (const [policy, found] of cases) {
      assert.deepEqual(await findingsOf(rule, policy), [
        `NetworkPolicy erlmcp/web cannot be verified: ${found}`,
      ]);
    }
    const unknownPort = networkPolicy({
      egress: [{ to: [block("10.0.0.0/8")], ports: [{ port: unknown }] }],
    });
    assert.deepEqual(await findingsOf(rule, unknownPort), [
      "NetworkPolicy erlmcp/web: spec.egress[0].to[0].ipBlock reaches 10.0.0.0/8 (private, RFC 1918) on ports that are not all known or valid.",
    ]);
    const annotated = networkPolicy(
      { egress: [{ to: [block("10.0.0.0/8")], ports: [{ port: 443 }] }] },
      { annotations: unknown },
    );
    assert.deepEqual(await findingsOf(rule, annotated), [
      `NetworkPolicy erlmcp/web cannot be verified: spec.egress[0].to[0].ipBlock reaches 10.0.0.0/8 (private, RFC 1918) on TCP 443, and whether metadata.annotations["${key}"] declares that is not known in the preview.`,
    ]);
    const harmless = networkPolicy({ egress: [{ to: [block("203.0.113.0/24")] }] }, { annotations: unknown });
    assert.deepEqual(await findingsOf(rule, harmless), []);
  });

  it("judges the egress rules of a patch in full", async () => {
    const patch = { suffix: "Patch" } as const;
    assert.deepEqual(await findingsOf(rule, networkPolicy({}, patch)), []);
    const [found] = await findingsOf(rule, networkPolicy({ egress: [{ to: [block("10.0.0.0/8")] }] }, patch));
    assert.equal(
      found,
      "NetworkPolicyPatch erlmcp/web: spec.egress[0].to[0].ipBlock reaches 10.0.0.0/8 (private, RFC 1918) on all ports.",
    );
  });

  it("judges Lists and the version that is served no more", async () => {
    const metadata = { name: "web", namespace: "erlmcp" };
    const items = [{ metadata, spec: { egress: [{ to: [block("10.0.0.0/8")], ports: [{ port: 443 }] }] } }];
    for (const type of ["networking.k8s.io/v1:NetworkPolicyList", "extensions/v1beta1:NetworkPolicyList"]) {
      assert.deepEqual(await findingsOf(rule, resource(`kubernetes:${type}`, { items })), [
        "NetworkPolicy erlmcp/web: items[0].spec.egress[0].to[0].ipBlock reaches 10.0.0.0/8 (private, RFC 1918) on TCP 443.",
      ]);
    }
    const legacy = resource("kubernetes:extensions/v1beta1:NetworkPolicy", items[0]);
    assert.equal((await findingsOf(rule, legacy)).length, 1);
  });
});
