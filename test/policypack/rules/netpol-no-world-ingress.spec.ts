import assert from "node:assert/strict";
import { netpolNoWorldIngress as rule } from "../../../policypack/rules/netpol-no-world-ingress";
import { findingsOf, messagesOf, resource, runRule, unknown } from "../../helpers/run-rule";
import { block, egressTo, networkPolicy } from "../network-policy";

const policy = "NetworkPolicy erlmcp/web";
const privateIpv4 = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

/** One ingress rule from these peers on TCP 443. */
function ingressFrom(...from: unknown[]): ReturnType<typeof networkPolicy> {
  return networkPolicy({
    policyTypes: ["Ingress"],
    ingress: [{ from, ports: [{ protocol: "TCP", port: 443 }] }],
  });
}

describe("netpol-no-world-ingress", () => {
  it("accepts pods, private networks and a few public ones", async () => {
    for (const accepted of [
      ingressFrom({ podSelector: {} }, { namespaceSelector: {} }),
      ingressFrom(...privateIpv4.map((cidr) => block(cidr)), block("100.64.0.0/10"), block("fc00::/7")),
      ingressFrom(block("203.0.113.0/24"), block("192.30.252.0/22"), block("185.199.108.0/22")),
      ingressFrom(block("2001:db8:1::/48"), block("2001:db8:2::/48")),
      networkPolicy({ ingress: [] }),
      egressTo(block("0.0.0.0/0")),
    ]) {
      assert.deepEqual(await findingsOf(rule, accepted), []);
    }
  });

  it("accepts the load balancers of Google Cloud", async () => {
    const health = ingressFrom(block("35.191.0.0/16"), block("130.211.0.0/22"), block("198.51.100.0/24"));
    assert.deepEqual(await findingsOf(rule, health), []);
    assert.deepEqual(await findingsOf(rule, health, { sources: [] }), [
      `${policy}: spec.ingress lets in 66816 public IPv4 addresses, where a /20 of them is allowed (ipv4Prefix), with spec.ingress[0].from[0].ipBlock, spec.ingress[0].from[1].ipBlock, spec.ingress[0].from[2].ipBlock together.`,
    ]);
  });

  it("says how much is let in, why that is dangerous and what to write instead", async () => {
    assert.deepEqual(await messagesOf(rule, ingressFrom(block("203.0.0.0/16"))), [
      [
        `${policy}: spec.ingress[0].from[0].ipBlock lets in 65536 public IPv4 addresses, where a /20 of them is allowed (ipv4Prefix).`,
        "Why it is dangerous: whoever scans the Internet reaches the selected pods as soon as anything leads there: a load balancer, a node port, a peered network.",
        "Write instead: an ingress controller or gateway as the only peer, pinned by namespace and labels; or the networks of the callers that are meant.",
        "Or, if so many callers are meant, declare their networks in the pack's configuration (sources), or the namespace of an ingress controller (entrances).",
        "See docs/rules.md#netpol-no-world-ingress",
      ].join("\n"),
    ]);
  });

  it("counts all blocks of a policy together, each address once", async () => {
    const halves = networkPolicy({
      ingress: [
        { from: [block("0.0.0.0/1", "10.0.0.0/8")], ports: [{ port: 80 }] },
        { from: [{ podSelector: {} }, block("128.0.0.0/1")], ports: [{ port: 443 }] },
      ],
    });
    const [found] = await findingsOf(rule, halves);
    assert.match(
      found ?? "",
      /spec\.ingress lets in \d{10} public IPv4 addresses, .*, with spec\.ingress\[0\]\.from\[0\]\.ipBlock, spec\.ingress\[1\]\.from\[1\]\.ipBlock together\.$/,
    );
    const scattered = Array.from({ length: 17 }, (_, index) => block(`203.${index * 2}.0.0/24`));
    assert.deepEqual(await findingsOf(rule, ingressFrom(...scattered.slice(1))), []);
    const [many] = await findingsOf(rule, ingressFrom(...scattered));
    assert.match(
      many ?? "",
      /lets in 4352 public IPv4 addresses, .*from\[7\]\.ipBlock and 9 more together\.$/,
    );
    const twice = Array.from({ length: 17 }, () => block("203.0.0.0/24"));
    assert.deepEqual(await findingsOf(rule, ingressFrom(...twice)), []);
  });

  it("does not count private addresses, nor exceptions", async () => {
    assert.deepEqual(await findingsOf(rule, ingressFrom(block("8.0.0.0/6", "8.0.0.0/7", "11.0.0.0/8"))), []);
    assert.deepEqual(await findingsOf(rule, ingressFrom(block("34.118.0.0/16"))), [
      `${policy}: spec.ingress[0].from[0].ipBlock lets in 65536 public IPv4 addresses, where a /20 of them is allowed (ipv4Prefix).`,
    ]);
    assert.deepEqual(
      await findingsOf(rule, ingressFrom(block("34.118.0.0/16")), { clusterCidrs: ["34.118.0.0/16"] }),
      [],
    );
  });

  it("counts IPv6 apart, and IPv4 addresses in IPv6 form as IPv4", async () => {
    assert.deepEqual(await findingsOf(rule, ingressFrom(block("2000::/3"), block("203.0.113.0/24"))), [
      `${policy}: spec.ingress[0].from[0].ipBlock lets in public IPv6 addresses that would fill a /3, where a /44 of them is allowed (ipv6Prefix).`,
    ]);
    for (const cidr of ["64:ff9b::/96", "::ffff:0:0/96"]) {
      const [found, ...more] = await findingsOf(rule, ingressFrom(block(cidr)));
      assert.match(found ?? "", /lets in \d{10} public IPv4 addresses/, cidr);
      assert.deepEqual(more, []);
    }
    assert.deepEqual(await findingsOf(rule, ingressFrom(block("64:ff9b::cb00:7100/120"))), []);
    assert.deepEqual(
      (await findingsOf(rule, ingressFrom(block("::/0"), block("0.0.0.0/0")))).map((finding) =>
        finding.replace(/.* public (IPv\d) .*/, "$1"),
      ),
      ["IPv4", "IPv6"],
    );
  });

  it("blocks a rule without peers where the configuration lets in all of one address family only", async () => {
    const open = networkPolicy({ ingress: [{ ports: [{ port: 443 }] }] });
    for (const config of [{ ipv4Prefix: 0 }, { ipv6Prefix: 0 }])
      assert.equal((await findingsOf(rule, open, config)).length, 1);
    assert.deepEqual(await findingsOf(rule, open, { ipv4Prefix: 0, ipv6Prefix: 0 }), []);
    const unclear = networkPolicy({ ingress: [{ ports: [{ port: unknown }] }] });
    const entrances = [{ namespace: "erlmcp", ports: ["TCP 443"], reason: "x" }];
    const [found] = await findingsOf(rule, unclear, { entrances, ipv4Prefix: 0 });
    assert.match(found ?? "", / cannot be verified: spec\.ingress\[0\]\.from is missing, /);
  });

  it("names the IPv6 network that a block is, and the smallest that would hold a little more", async () => {
    const filled = async (...blocks: unknown[]): Promise<string> =>
      (await findingsOf(rule, ingressFrom(...blocks))).join().replace(/.* would fill a (\/\d+), .*/, "$1");
    assert.equal(await filled(block("2001:db8::/32")), "/32");
    assert.equal(await filled(block("2001:db8::/32"), block("2600::1/128")), "/31");
  });

  it("blocks a rule without peers, which lets in everybody", async () => {
    const open = networkPolicy({ ingress: [{ ports: [{ port: 443 }] }, { from: [] }] });
    assert.deepEqual(await findingsOf(rule, open), [
      `${policy}: spec.ingress[0].from is missing, so that the rule lets in the whole Internet.`,
      `${policy}: spec.ingress[1].from is [], so that the rule lets in the whole Internet.`,
    ]);
  });

  it("blocks a rule without peers where the configuration declares all of one address family", async () => {
    const open = networkPolicy({ ingress: [{ ports: [{ port: 443 }] }] });
    const found = [
      `${policy}: spec.ingress[0].from is missing, so that the rule lets in the whole Internet.`,
    ];
    for (const cidrs of [["0.0.0.0/1", "128.0.0.0/1"], ["2000::/3"]]) {
      const sources = cidrs.map((cidr) => ({ cidr, reason: "callers from everywhere" }));
      assert.deepEqual(await findingsOf(rule, open, { sources }), found);
    }
  });

  it("follows its configuration", async () => {
    const network = ingressFrom(block("203.0.0.0/16"));
    assert.deepEqual(await findingsOf(rule, network, { ipv4Prefix: 16 }), []);
    assert.equal((await findingsOf(rule, network, { ipv4Prefix: 17 })).length, 1);
    const site = ingressFrom(block("2001:db8::/40"));
    assert.deepEqual(await findingsOf(rule, site, { ipv6Prefix: 40 }), []);
    assert.equal((await findingsOf(rule, site, { ipv6Prefix: 41 })).length, 1);
    assert.equal(
      (await findingsOf(rule, ingressFrom(block("203.0.113.7/32")), { ipv4Prefix: 32 })).length,
      0,
    );
    const cdn = { cidr: "203.0.0.0/14", ports: ["TCP 443"], reason: "content delivery network" };
    assert.deepEqual(await findingsOf(rule, network, { sources: [cdn] }), []);
    assert.equal((await findingsOf(rule, network, { sources: [{ ...cdn, ports: ["TCP 80"] }] })).length, 1);
  });

  it("lets the policies of an entrance's namespace open its ports to everybody", async () => {
    const reason = "the ingress controller";
    const entrances = [{ namespace: "erlmcp", ports: ["TCP 80", "TCP 443"], reason }];
    for (const open of [ingressFrom(block("0.0.0.0/0"), block("::/0")), ingressFrom()]) {
      assert.deepEqual(await findingsOf(rule, open, { entrances }), []);
      assert.notDeepEqual(
        await findingsOf(rule, open, { entrances: [{ ...entrances[0], namespace: "traefik" }] }),
        [],
      );
      assert.notDeepEqual(
        await findingsOf(rule, open, { entrances: [{ namespace: "erlmcp", ports: ["UDP 443"], reason }] }),
        [],
      );
    }
    const more = networkPolicy({
      ingress: [{ from: [block("0.0.0.0/0", ...privateIpv4)], ports: [{ port: 443 }, { port: 9090 }] }],
    });
    assert.equal((await findingsOf(rule, more, { entrances })).length, 1);
    assert.deepEqual(await findingsOf(rule, more, { entrances: [{ namespace: "erlmcp", reason }] }), []);
  });

  it("says what is wrong with its configuration", async () => {
    const entrances = [{ namespace: "erlmcp", ports: ["TCP 0"], reason: "x" }];
    const [diagnostic] = await runRule(rule, ingressFrom(), { entrances });
    assert.match(diagnostic?.message ?? "", /^- entrances\[0\]\.ports\[0\] is "TCP 0"; allowed: /m);
  });

  it("tells what is not known from what is wrong", async () => {
    const cases: [ReturnType<typeof networkPolicy>, string][] = [
      [networkPolicy(unknown), "spec is not known in the preview."],
      [networkPolicy({ ingress: unknown }), "spec.ingress is not known in the preview."],
      [networkPolicy({ ingress: [unknown] }), "spec.ingress[0] is not known in the preview."],
      [networkPolicy({ ingress: [{ from: unknown }] }), "spec.ingress[0].from is not known in the preview."],
      [ingressFrom(unknown), "spec.ingress[0].from[0] is not known in the preview."],
      [ingressFrom({ ipBlock: unknown }), "spec.ingress[0].from[0].ipBlock is not known in the preview."],
      [ingressFrom(block(unknown)), "spec.ingress[0].from[0].ipBlock.cidr is not known in the preview."],
      [
        ingressFrom(block("undefined/0")),
        'spec.ingress[0].from[0].ipBlock.cidr is "undefined/0", in which a value is not known yet.',
      ],
      [
        ingressFrom(block("0.0.0.0/0", unknown)),
        "spec.ingress[0].from[0].ipBlock.except[0] is not known in the preview.",
      ],
    ];
    for (const [undecided, found] of cases) {
      assert.deepEqual(await findingsOf(rule, undecided), [`${policy} cannot be verified: ${found}`]);
    }
  });

  it("needs to know the ports only where the configuration goes by them", async () => {
    const unknownPorts = (from: unknown): ReturnType<typeof networkPolicy> =>
      networkPolicy({ ingress: [{ from, ports: [{ port: unknown }] }] });
    const wide = unknownPorts([block("203.0.0.0/16")]);
    assert.deepEqual(await findingsOf(rule, wide), [
      `${policy}: spec.ingress[0].from[0].ipBlock lets in 65536 public IPv4 addresses, where a /20 of them is allowed (ipv4Prefix).`,
    ]);
    const unless =
      ", and whether the configuration allows that depends on ports or a namespace that are not known or valid.";
    const sources = [{ cidr: "203.0.0.0/16", ports: ["TCP 443"], reason: "x" }];
    assert.deepEqual(await findingsOf(rule, wide, { sources }), [
      `${policy} cannot be verified: spec.ingress[0].from[0].ipBlock lets in 65536 public IPv4 addresses, where a /20 of them is allowed (ipv4Prefix)${unless}`,
    ]);
    const entrances = [{ namespace: "erlmcp", ports: ["TCP 443"], reason: "x" }];
    assert.deepEqual(await findingsOf(rule, unknownPorts([]), { entrances }), [
      `${policy} cannot be verified: spec.ingress[0].from is [], so that the rule lets in the whole Internet${unless}`,
    ]);
    assert.deepEqual(await findingsOf(rule, wide, { sources: [{ cidr: "203.0.0.0/16", reason: "x" }] }), []);
  });

  it("needs to know the namespace only where it may be an entrance", async () => {
    const spec = { ingress: [{ from: [block("203.0.0.0/16")], ports: [{ port: 443 }] }] };
    const nowhere = resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", {
      metadata: { name: "web", namespace: unknown },
      spec,
    });
    const found =
      "spec.ingress[0].from[0].ipBlock lets in 65536 public IPv4 addresses, where a /20 of them is allowed (ipv4Prefix)";
    const title = "NetworkPolicy (namespace not known)/web";
    assert.deepEqual(await findingsOf(rule, nowhere), [`${title}: ${found}.`]);
    const entrance = { namespace: "traefik", ports: ["TCP 443"], reason: "x" };
    assert.deepEqual(await findingsOf(rule, nowhere, { entrances: [entrance] }), [
      `${title} cannot be verified: ${found}, and whether the configuration allows that depends on ports or a namespace that are not known or valid.`,
    ]);
    assert.deepEqual(await findingsOf(rule, nowhere, { entrances: [{ ...entrance, ports: ["TCP 80"] }] }), [
      `${title}: ${found}.`,
    ]);
  });

  it("judges Patch twins, Lists and the version that is served no more", async () => {
    const spec = { ingress: [{ from: [block("0.0.0.0/1")], ports: [{ port: 80 }] }] };
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
        /^NetworkPolicy erlmcp\/web: items\[1\]\.spec\.ingress\[0\]\.from\[0\]\.ipBlock lets in /,
      );
    }
    const legacy = resource("kubernetes:extensions/v1beta1:NetworkPolicy", { metadata, spec });
    assert.equal((await findingsOf(rule, legacy)).length, 1);
  });
});
