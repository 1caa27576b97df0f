import assert from "node:assert/strict";
import { netpolNoMetadataEndpoint as rule } from "../../../policypack/rules/netpol-no-metadata-endpoint";
import { findingsOf, messagesOf, resource, runRule, unknown } from "../../helpers/run-rule";
import { block, egressTo, networkPolicy } from "../network-policy";

const linkLocal = "169.254.0.0/16";
const at = "NetworkPolicy erlmcp/web: spec.egress[0].to[0].ipBlock";

/** One egress rule to this network on these ports. */
function onPorts(cidr: unknown, ports: unknown): ReturnType<typeof networkPolicy> {
  return networkPolicy({ egress: [{ to: [block(cidr)], ports }] });
}

const endpoint = (cidr: string) => ({ cidr, service: "metadata", credentials: "node" });

describe("netpol-no-metadata-endpoint", () => {
  it("accepts blocks that hold no metadata service, and peers that are pods", async () => {
    for (const policy of [
      egressTo(block("203.0.113.0/24"), block("10.0.0.0/8"), block("2000::/3")),
      egressTo(
        block("0.0.0.0/0", linkLocal, "168.63.129.16/32", "100.64.0.0/10", "192.0.0.0/24"),
        block("169.254.0.0/17", "169.254.0.0/24", "169.254.42.42/32"),
      ),
      egressTo({ podSelector: {} }, { namespaceSelector: {} }),
      networkPolicy({ egress: [] }),
      networkPolicy({ ingress: [{}, { from: [block("169.254.169.254/32")] }] }),
    ]) {
      assert.deepEqual(await findingsOf(rule, policy), []);
    }
  });

  it("accepts a block that only opens NodeLocal DNSCache", async () => {
    const dns = [
      { protocol: "UDP", port: 53 },
      { protocol: "TCP", port: 53 },
    ];
    assert.deepEqual(await findingsOf(rule, onPorts("169.254.20.10/32", dns)), []);
    assert.deepEqual(await findingsOf(rule, onPorts("169.254.20.0/24", dns)), []);
  });

  it("names the services reached, why that is dangerous and both ways out", async () => {
    assert.deepEqual(await messagesOf(rule, egressTo(block("0.0.0.0/0", linkLocal, "100.64.0.0/10"))), [
      [
        `${at} reaches 168.63.129.16/32 (Azure WireServer), 192.0.0.192/32 (instance metadata of Oracle Cloud Classic) on TCP 443.`,
        "Why it is dangerous: whoever takes over one of the selected pods asks there for the machine's credentials and start-up data, and goes on as the machine.",
        "Write instead: except these addresses from the block: 168.63.129.16/32, 192.0.0.192/32.",
        "Or, if every pod may reach them, declare them in the pack's configuration (allowed).",
        "See docs/rules.md#netpol-no-metadata-endpoint",
      ].join("\n"),
    ]);
    const [message] = await messagesOf(rule, egressTo(block("100.100.100.200/32")));
    assert.match(
      message ?? "",
      /^Write instead: nothing instead of this block: let pods get credentials of their own/m,
    );
  });

  it("knows the endpoints of the clouds, alone and within wider networks", async () => {
    for (const [cidr, wider] of [
      ["169.254.169.254/32", "169.254.0.0/16"],
      ["fd00:ec2::254/128", "fd00:ec2::/64"],
      ["fd20:ce::254/128", "fc00::/7"],
      ["168.63.129.16/32", "168.0.0.0/6"],
      ["100.100.100.200/32", "100.64.0.0/10"],
      ["fd00:100::100:200/128", "fd00:100::/32"],
      ["fd00:c1::a9fe:a9fe/128", "fd00:c1::/96"],
      ["192.0.0.192/32", "192.0.0.0/24"],
      ["fe80::a9fe:a9fe/128", "fe80::/10"],
      ["fd00:a9fe:a9fe::1/128", "fd00:a9fe:a9fe::/64"],
      ["169.254.42.42/32", "169.254.42.0/24"],
      ["fd00:42::42/128", "fd00:42::/64"],
      ["169.254.0.23/32", "169.254.0.0/24"],
      ["169.254.170.2/32", "169.254.170.0/28"],
      ["64:ff9b::a9fe:a9fe/128", "64:ff9b::/96"],
      ["64:ff9b::168.63.129.16/128", "64:ff9b::a83f:0/112"],
      ["::ffff:169.254.169.254/128", "::ffff:0:0/96"],
    ]) {
      assert.equal((await findingsOf(rule, egressTo(block(cidr)))).length, 1, cidr);
      assert.equal((await findingsOf(rule, egressTo(block(wider)))).length, 1, wider);
    }
    assert.deepEqual(await findingsOf(rule, egressTo(block("169.254.169.254/31"))), [
      `${at} reaches 169.254.169.254/32 (instance metadata of AWS, Azure, Google Cloud, Oracle Cloud, OpenStack, DigitalOcean and most others) on TCP 443.`,
    ]);
  });

  it("asks for no exception that API servers refuse, of IPv4-mapped addresses, in a wide block", async () => {
    const wide = block("::/0", "fc00::/7", "fe80::/10", "64:ff9b::/96");
    assert.deepEqual(await findingsOf(rule, egressTo(wide)), []);
    const [finding] = await findingsOf(rule, egressTo(block("::/0", "fc00::/7", "fe80::/10")));
    assert.doesNotMatch(finding ?? "", /::ffff:/);
    assert.match(finding ?? "", /reaches 64:ff9b::a9fe:a9fe\/128 \(/);
    assert.match(
      (await findingsOf(rule, egressTo(block("::/80")))).join(),
      /reaches ::ffff:a9fe:a9fe\/128 \(/,
    );
  });

  it("lets pods reach what hands out their own credentials by naming it, and not by accident", async () => {
    for (const [cidr, wider, service] of [
      ["169.254.170.23/32", "169.254.170.16/28", "EKS Pod Identity agent"],
      ["fd00:ec2::23/128", "fd00:ec2::/120", "EKS Pod Identity agent"],
      ["169.254.169.252/32", "169.254.169.252/31", "GKE metadata server"],
    ] as const) {
      assert.deepEqual(await findingsOf(rule, onPorts(cidr, [{ port: 80 }])), []);
      assert.deepEqual(await findingsOf(rule, onPorts(wider, [{ port: 80 }])), [
        `${at} reaches ${cidr} (${service}) on TCP 80.`,
      ]);
    }
  });

  it("finds it in each block of each rule, exceptions of other blocks notwithstanding", async () => {
    const policy = networkPolicy({
      egress: [
        { to: [block("169.254.0.0/16", "169.254.169.254/32", "169.254.170.0/24", "169.254.42.0/24")] },
        { to: [block("169.254.168.0/22", "169.254.170.0/23"), block("203.0.113.0/24")], ports: [] },
      ],
    });
    assert.deepEqual(
      (await findingsOf(rule, policy)).map((finding) => finding.replace(/ \([^)]*\)/g, "")),
      [
        "NetworkPolicy erlmcp/web: spec.egress[0].to[0].ipBlock reaches 169.254.0.23/32, 169.254.169.252/32 on all ports.",
        "NetworkPolicy erlmcp/web: spec.egress[1].to[0].ipBlock reaches 169.254.169.254/32, 169.254.169.252/32 on all ports.",
      ],
    );
  });

  it("blocks a rule without peers, which opens every address", async () => {
    assert.deepEqual(
      await findingsOf(rule, networkPolicy({ egress: [{ ports: [{ port: 80 }] }, { to: [] }] })),
      [
        "NetworkPolicy erlmcp/web: spec.egress[0].to is missing, so that the rule opens every address, metadata services included.",
        "NetworkPolicy erlmcp/web: spec.egress[1].to is [], so that the rule opens every address, metadata services included.",
      ],
    );
  });

  it("follows its configuration", async () => {
    const allowed = [
      { cidr: "169.254.169.254/32", ports: ["TCP 80", "TCP 987-988"], reason: "workload identity" },
    ];
    const metadata = (...ports: unknown[]): ReturnType<typeof networkPolicy> =>
      onPorts("169.254.169.254/32", ports);
    assert.deepEqual(await findingsOf(rule, metadata({ port: 80 }, { port: 988 }), { allowed }), []);
    assert.deepEqual(
      (await findingsOf(rule, metadata({ port: 80 }, { port: 443 }, { port: "http" }), { allowed })).map(
        (finding) => finding.replace(/.* on /, ""),
      ),
      ["TCP 443; TCP http."],
    );
    const wireServer = egressTo(block("168.63.129.16/32"));
    assert.deepEqual(
      await findingsOf(rule, wireServer, {
        allowed: [{ cidr: "168.63.129.0/24", reason: "the cluster is not on Azure" }],
      }),
      [],
    );
    const own = [{ cidr: "10.255.255.1/32", service: "our metadata proxy", credentials: "node" }];
    assert.deepEqual(await findingsOf(rule, wireServer, { endpoints: own }), []);
    assert.deepEqual(await findingsOf(rule, egressTo(block("10.0.0.0/8")), { endpoints: own }), [
      `${at} reaches 10.255.255.1/32 (our metadata proxy) on TCP 443.`,
    ]);
  });

  it("says what is wrong with its configuration, and judges nothing by it", async () => {
    const wrong = { allowed: [{ cidr: "169.254.169.254/32", ports: ["TCP 90-80"], reason: "x" }] };
    const [diagnostic] = await runRule(rule, egressTo(block("10.0.0.0/8")), wrong);
    assert.match(
      diagnostic?.message ?? "",
      /^- allowed\[0\]\.ports\[0\] is "TCP 90-80"; allowed: a protocol and a port or range from 1 to 65535, as in TCP 443 or TCP 9100-9155\. Fix: write, for instance, allowed\[0\]\.ports\[0\]: "TCP 443"\.$/m,
    );
  });

  it("tells what is not known from what is wrong", async () => {
    const cases: [ReturnType<typeof networkPolicy>, string][] = [
      [networkPolicy(unknown), "spec is not known in the preview."],
      [networkPolicy({ egress: unknown }), "spec.egress is not known in the preview."],
      [networkPolicy({ egress: [unknown] }), "spec.egress[0] is not known in the preview."],
      [networkPolicy({ egress: [{ to: unknown }] }), "spec.egress[0].to is not known in the preview."],
      [egressTo(unknown), "spec.egress[0].to[0] is not known in the preview."],
      [egressTo({ ipBlock: unknown }), "spec.egress[0].to[0].ipBlock is not known in the preview."],
      [egressTo(block(unknown)), "spec.egress[0].to[0].ipBlock.cidr is not known in the preview."],
      [
        egressTo(block("undefined/32")),
        'spec.egress[0].to[0].ipBlock.cidr is "undefined/32", in which a value is not known yet.',
      ],
      [
        egressTo(block("169.254.0.0/16", unknown)),
        "spec.egress[0].to[0].ipBlock.except[0] is not known in the preview.",
      ],
      [
        egressTo(block("169.254.169.254")),
        'spec.egress[0].to[0].ipBlock.cidr is "169.254.169.254", which is no network in CIDR notation: it has no prefix length.',
      ],
    ];
    for (const [policy, found] of cases) {
      assert.deepEqual(await findingsOf(rule, policy), [
        `NetworkPolicy erlmcp/web cannot be verified: ${found}`,
      ]);
    }
    const unknownPort = onPorts("169.254.42.42/32", [{ port: unknown }]);
    assert.deepEqual(await findingsOf(rule, unknownPort), [
      `${at} reaches 169.254.42.42/32 (instance metadata of Scaleway) on ports that are not all known or valid.`,
    ]);
    const onePort = { cidr: "169.254.42.42/32", ports: ["TCP 80"], reason: "x" };
    assert.deepEqual(await findingsOf(rule, unknownPort, { allowed: [onePort] }), [
      "NetworkPolicy erlmcp/web cannot be verified: spec.egress[0].ports are not all known or valid.",
    ]);
    // What is allowed on some port is left out where the ports are not known, and named where they are others.
    const both = { endpoints: ["169.254.42.42/32", "169.254.43.43/32"].map(endpoint), allowed: [onePort] };
    const [known, notKnown] = [443, unknown].map((port) => onPorts("169.254.42.0/23", [{ port }]));
    assert.deepEqual(await findingsOf(rule, known ?? [], both), [
      `${at} reaches 169.254.42.42/32 (metadata), 169.254.43.43/32 (metadata) on TCP 443.`,
    ]);
    assert.deepEqual(await findingsOf(rule, notKnown ?? [], both), [
      `${at} reaches 169.254.43.43/32 (metadata) on ports that are not all known or valid.`,
    ]);
    const everyPort = { cidr: "169.254.42.42/32", reason: "x" };
    assert.deepEqual(await findingsOf(rule, unknownPort, { allowed: [everyPort] }), []);
  });

  it("judges Patch twins, Lists and the version that is served no more", async () => {
    const spec = { egress: [{ to: [block("169.254.169.254/32")], ports: [{ port: 80 }] }] };
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
        /^NetworkPolicy erlmcp\/web: items\[1\]\.spec\.egress\[0\]\.to\[0\]\.ipBlock reaches 169\.254\.169\.254\/32 /,
      );
    }
    const legacy = resource("kubernetes:extensions/v1beta1:NetworkPolicy", { metadata, spec });
    assert.equal((await findingsOf(rule, legacy)).length, 1);
  });
});
