import assert from "node:assert/strict";
import { fromCidr, noAddresses, subtract, union } from "../../../policypack/address-set";
import { Unknown, type Plain } from "../../../policypack/plain-data";
import type { NetworkPolicy } from "../../../policypack/reachability/model";
import { describeReadProblem, readCluster } from "../../../policypack/reachability/read-cluster";

function object(spec: unknown): { body: Plain; source: string } {
  const metadata = { name: "web", namespace: "shop" };
  return {
    body: { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec: spec as Plain },
    source: "web.yaml",
  };
}

/** The policy of this spec, which has no problem. */
function policy(spec: unknown): NetworkPolicy {
  const { cluster, problems } = readCluster([object(spec)]);
  assert.deepEqual(problems.map(describeReadProblem), []);
  const [read] = cluster.networkPolicies;
  assert.ok(read);
  return read;
}

/** The problems of this spec as sentences, without what they all begin with. The policy is left out. */
function problems(spec: unknown): string[] {
  const reading = readCluster([object(spec)]);
  assert.deepEqual(reading.cluster.networkPolicies, []);
  return reading.problems.map((problem) => {
    assert.equal(problem.object.source, "web.yaml");
    assert.equal(problem.title, "NetworkPolicy shop/web");
    return describeReadProblem(problem).replace("web.yaml: NetworkPolicy shop/web: ", "");
  });
}

/** The first peer of the first rule of each policy with it as its only ingress peer. */
function peer(given: unknown): unknown {
  return policy({ ingress: [{ from: [given] }] }).ingress?.[0]?.peers?.[0];
}

function ports(...given: unknown[]): unknown {
  return policy({ ingress: [{ ports: given }] }).ingress?.[0]?.ports;
}

const everything = { requirements: [] };

describe("a NetworkPolicy that is read", () => {
  it("isolates every pod of its namespace for ingress when it has no spec", () => {
    const denyIngress = {
      namespace: "shop",
      name: "web",
      podSelector: everything,
      ingress: [],
      egress: undefined,
    };
    for (const spec of [
      undefined,
      null,
      {},
      { podSelector: null, policyTypes: null, ingress: null, egress: null },
    ]) {
      assert.deepEqual(policy(spec), denyIngress);
    }
  });

  it("isolates egress by default only when it has a rule for it", () => {
    assert.deepEqual(policy({ egress: [{}] }).ingress, []);
    assert.equal(policy({ egress: [{}] }).egress?.length, 1);
    assert.equal(policy({ egress: [] }).egress, undefined);
    assert.equal(policy({ policyTypes: [], egress: [{}] }).egress?.length, 1);
  });

  it("isolates the directions that policyTypes names, and no other", () => {
    assert.equal(policy({ policyTypes: ["Egress"], ingress: [{}] }).ingress, undefined);
    assert.deepEqual(policy({ policyTypes: ["Egress"] }).egress, []);
    assert.equal(policy({ policyTypes: ["Ingress"], egress: [{}] }).egress, undefined);
    assert.deepEqual(policy({ policyTypes: ["Ingress", "Egress"] }).egress, []);
    assert.equal(policy({ policyTypes: ["Ingress", "Ingress"] }).egress, undefined);
  });

  it("has rules for any peer and port where those are missing, null or empty", () => {
    for (const rule of [{}, { from: null, ports: null }, { from: [], ports: [] }]) {
      assert.deepEqual(policy({ ingress: [rule] }).ingress, [
        { at: "spec.ingress[0]", peers: undefined, ports: undefined },
      ]);
    }
    assert.equal(policy({ egress: [{ ports: [{}] }, { to: [] }] }).egress?.[1]?.at, "spec.egress[1]");
  });

  it("has ports of TCP by default, all of a protocol where no number is given, ranges and names", () => {
    const all = { first: 1, last: 65535 };
    assert.deepEqual(ports({}), [{ kind: "numbers", protocol: "TCP", ...all }]);
    assert.deepEqual(ports({ protocol: "UDP", port: null }), [{ kind: "numbers", protocol: "UDP", ...all }]);
    assert.deepEqual(ports({ port: 80, endPort: null }), [
      { kind: "numbers", protocol: "TCP", first: 80, last: 80 },
    ]);
    assert.deepEqual(ports({ protocol: "SCTP", port: 80, endPort: 90 }), [
      { kind: "numbers", protocol: "SCTP", first: 80, last: 90 },
    ]);
    assert.deepEqual(ports({ port: 80, endPort: 80 }, { protocol: null, port: "http-alt" }), [
      { kind: "numbers", protocol: "TCP", first: 80, last: 80 },
      { kind: "name", protocol: "TCP", name: "http-alt" },
    ]);
  });

  it("tells selectors that are empty from those that are missing", () => {
    const at = "spec.ingress[0].from[0]";
    const app = { requirements: [{ key: "app", operator: "In", values: ["a"] }] };
    assert.deepEqual(peer({ podSelector: {} }), {
      at,
      kind: "pods",
      namespaces: undefined,
      pods: everything,
    });
    assert.deepEqual(peer({ namespaceSelector: {}, podSelector: null }), {
      at,
      kind: "pods",
      namespaces: everything,
      pods: undefined,
    });
    assert.deepEqual(peer({ namespaceSelector: {}, podSelector: { matchLabels: { app: "a" } } }), {
      at,
      kind: "pods",
      namespaces: everything,
      pods: app,
    });
  });

  it("has the addresses of an ipBlock without its exceptions, whatever bits are set beyond a prefix", () => {
    const at = "spec.ingress[0].from[0]";
    assert.deepEqual(peer({ ipBlock: { cidr: "10.0.0.1/8", except: null } }), {
      at,
      kind: "addresses",
      addresses: fromCidr("10.0.0.0/8"),
      text: "10.0.0.1/8",
    });
    const except = ["10.1.2.3/16", "10.9.0.0/16"];
    assert.deepEqual(peer({ ipBlock: { cidr: "10.0.0.0/8", except } }), {
      at,
      kind: "addresses",
      addresses: subtract(fromCidr("10.0.0.0/8"), union(fromCidr("10.1.0.0/16"), fromCidr("10.9.0.0/16"))),
      text: "10.0.0.0/8 except 10.1.2.3/16, 10.9.0.0/16",
    });
    const halves = { cidr: "::/0", except: ["::/1", "8000::/1"] };
    assert.deepEqual((peer({ ipBlock: halves }) as { addresses: unknown }).addresses, noAddresses);
  });

  it("says the place of each peer", () => {
    const rules = policy({
      egress: [{}, { to: [{ podSelector: {} }, { ipBlock: { cidr: "::/0" } }] }],
    }).egress;
    assert.deepEqual(
      rules?.[1]?.peers?.map(({ at }) => at),
      ["spec.egress[1].to[0]", "spec.egress[1].to[1]"],
    );
  });

  it("is the same in extensions/v1beta1", () => {
    const { body } = object({ egress: [{}] });
    const old = { ...(body as object), apiVersion: "extensions/v1beta1" } as Plain;
    assert.deepEqual(
      readCluster([{ body: old, source: "" }]).cluster.networkPolicies,
      readCluster([{ body, source: "" }]).cluster.networkPolicies,
    );
  });
});

describe("a NetworkPolicy with a problem", () => {
  const cases: [name: string, spec: unknown, ...problems: string[]][] = [
    [
      "a spec that is no object",
      [],
      "spec is []; allowed: an object with the fields podSelector, policyTypes, ingress, egress. Fix: write an object, or leave it out.",
    ],
    [
      "misspelt fields",
      { podselector: {}, ingres: [], egress: [{ from: [], port: [] }] },
      "spec.podselector is not a field of the API; allowed: podSelector, policyTypes, ingress, egress. Fix: write podSelector.",
      "spec.ingres is not a field of the API; allowed: podSelector, policyTypes, ingress, egress. Fix: write ingress.",
      "spec.egress[0].from is not a field of the API; allowed: to, ports. Fix: remove it, or move it to where it belongs.",
      "spec.egress[0].port is not a field of the API; allowed: to, ports. Fix: write ports.",
    ],
    [
      "swapped letters",
      { ingress: [{ form: [] }] },
      "spec.ingress[0].form is not a field of the API; allowed: from, ports. Fix: write from.",
    ],
    [
      "policy types that are none",
      { policyTypes: ["ingress", null, 5] },
      'spec.policyTypes[0] is "ingress"; allowed: "Ingress" or "Egress". Fix: write "Ingress".',
      'spec.policyTypes[1] is null; allowed: "Ingress" or "Egress". Fix: write "Ingress" or "Egress".',
      'spec.policyTypes[2] is 5; allowed: "Ingress" or "Egress". Fix: write "Ingress" or "Egress".',
      "spec.policyTypes has 3 items; allowed: at most 2 types. Fix: list each type once.",
    ],
    [
      "policy types that are no list",
      { policyTypes: "Ingress" },
      'spec.policyTypes is "Ingress"; allowed: a list of Ingress and Egress. Fix: write a list, or leave it out.',
    ],
    [
      "rules that are no list of objects",
      { ingress: {}, egress: [null, "all"] },
      "spec.ingress is {}; allowed: a list of rules. Fix: write a list, or leave it out.",
      "spec.egress[0] is null; allowed: an object with the fields to, ports. Fix: write an object, or leave it out.",
      'spec.egress[1] is "all"; allowed: an object with the fields to, ports. Fix: write an object, or leave it out.',
    ],
    [
      "a wrong value in a direction that is not isolated",
      { policyTypes: ["Egress"], ingress: [{ ports: [{ port: 0 }] }] },
      "spec.ingress[0].ports[0].port is 0; allowed: a whole number from 1 to 65535, or a name of 1 to 15 lower-case letters, digits and single hyphens inside, with a letter. Fix: write the port.",
    ],
    [
      "protocols",
      {
        ingress: [
          { ports: [{ protocol: "TPC" }, { protocol: "" }, { protocol: "udp" }, { protocol: ["TCP"] }] },
        ],
      },
      'spec.ingress[0].ports[0].protocol is "TPC"; allowed: "TCP", "UDP" or "SCTP". Fix: write "TCP".',
      'spec.ingress[0].ports[1].protocol is ""; allowed: "TCP", "UDP" or "SCTP". Fix: write "TCP", "UDP" or "SCTP".',
      'spec.ingress[0].ports[2].protocol is "udp"; allowed: "TCP", "UDP" or "SCTP". Fix: write "UDP".',
      'spec.ingress[0].ports[3].protocol is ["TCP"]; allowed: "TCP", "UDP" or "SCTP". Fix: write "TCP", "UDP" or "SCTP".',
    ],
    [
      "a number in quotes",
      { egress: [{ ports: [{ port: "443" }] }] },
      'spec.egress[0].ports[0].port is "443"; allowed: a whole number from 1 to 65535, or a name of 1 to 15 lower-case letters, digits and single hyphens inside, with a letter. Fix: write 443 without quotes.',
    ],
    [
      "ranges",
      {
        egress: [
          {
            ports: [
              { endPort: 90 },
              { port: "http", endPort: 90 },
              { port: 80, endPort: 79 },
              { port: 80, endPort: "90" },
            ],
          },
        ],
      },
      "spec.egress[0].ports[0].endPort is 90; allowed: endPort only with a port number. Fix: add port, the first port of the range.",
      "spec.egress[0].ports[1].endPort is 90; allowed: endPort only with a port number. Fix: remove endPort, or write port as a number.",
      "spec.egress[0].ports[2].endPort is 79; allowed: a whole number from 80 to 65535. Fix: write a whole number from 80 to 65535.",
      'spec.egress[0].ports[3].endPort is "90"; allowed: a whole number from 80 to 65535. Fix: write 90 without quotes.',
    ],
    [
      "peers",
      {
        ingress: [
          {
            from: [
              {},
              { podSelector: null },
              { podSelector: {}, ipBlock: { cidr: "10.0.0.0/8" } },
              { pods: {} },
            ],
          },
        ],
      },
      ...["[0]", "[1]"].map(
        (index) =>
          `spec.ingress[0].from${index} sets no peer; allowed: podSelector, namespaceSelector, both of them, or ipBlock. Fix: set one of them; for every pod of the cluster write namespaceSelector: {}, and for every peer leave out the list.`,
      ),
      "spec.ingress[0].from[2] sets ipBlock together with a selector; allowed: ipBlock alone, or selectors. Fix: write ipBlock as a peer of its own.",
      "spec.ingress[0].from[3].pods is not a field of the API; allowed: podSelector, namespaceSelector, ipBlock. Fix: remove it, or move it to where it belongs.",
      "spec.ingress[0].from[3] sets no peer; allowed: podSelector, namespaceSelector, both of them, or ipBlock. Fix: set one of them; for every pod of the cluster write namespaceSelector: {}, and for every peer leave out the list.",
    ],
    [
      "address blocks",
      {
        egress: [
          {
            to: [
              { ipBlock: {} },
              { ipBlock: { cidr: "10.0.0.0" } },
              { ipBlock: { cidr: "010.0.0.0/8", expect: [] } },
              { ipBlock: { cidr: "10.0.0.0/8", except: ["10.0.0.0/8", "192.168.0.0/16", "fd00::/8", 10] } },
            ],
          },
        ],
      },
      "spec.egress[0].to[0].ipBlock.cidr is missing; allowed: a network such as 203.0.113.0/24 or 2001:db8::/48. Fix: write the network as address/prefix length, without leading zeros.",
      'spec.egress[0].to[1].ipBlock.cidr is "10.0.0.0", which is no network: it has no prefix length; allowed: a network such as 203.0.113.0/24 or 2001:db8::/48. Fix: write the network as address/prefix length, without leading zeros.',
      "spec.egress[0].to[2].ipBlock.expect is not a field of the API; allowed: cidr, except. Fix: write except.",
      'spec.egress[0].to[2].ipBlock.cidr is "010.0.0.0/8", which is no network: its address is neither IPv4 nor IPv6; allowed: a network such as 203.0.113.0/24 or 2001:db8::/48. Fix: write the network as address/prefix length, without leading zeros.',
      ...["10.0.0.0/8", "192.168.0.0/16", "fd00::/8"].map(
        (cidr, index) =>
          `spec.egress[0].to[3].ipBlock.except[${index}] is "${cidr}"; allowed: a network within "10.0.0.0/8", smaller than it. Fix: write a part of cidr, or remove the exception: it takes nothing from cidr, or all of it.`,
      ),
      "spec.egress[0].to[3].ipBlock.except[3] is 10; allowed: a network such as 203.0.113.0/24 or 2001:db8::/48. Fix: write the network as address/prefix length, without leading zeros.",
    ],
    [
      "keys of a prototype",
      JSON.parse('{"__proto__": {"ingress": [{}]}, "constructor": 1}'),
      "spec.__proto__ is not a field of the API; allowed: podSelector, policyTypes, ingress, egress. Fix: remove it, or move it to where it belongs.",
      "spec.constructor is not a field of the API; allowed: podSelector, policyTypes, ingress, egress. Fix: remove it, or move it to where it belongs.",
    ],
  ];
  for (const [name, spec, ...expected] of cases) {
    it(`is left out, and told of with place, value and fix: ${name}`, () => {
      assert.deepEqual(problems(spec), expected);
    });
  }

  it("may be right where a value is not known in the preview, and is left out all the same", () => {
    const literal =
      "write the value itself, or take it from stack config or from another object's input: an output of a resource that does not exist yet is not known in the preview";
    const unknowns: [spec: unknown, at: string, problem: string][] = [
      [new Unknown(), "spec", "is not known in the preview"],
      [{ podSelector: new Unknown() }, "spec.podSelector", "is not known in the preview"],
      [{ policyTypes: [new Unknown()] }, "spec.policyTypes[0]", "is not known in the preview"],
      [{ ingress: [{ from: new Unknown() }] }, "spec.ingress[0].from", "is not known in the preview"],
      [{ ingress: [{ from: [new Unknown()] }] }, "spec.ingress[0].from[0]", "is not known in the preview"],
      [
        { egress: [{ ports: [{ port: new Unknown() }] }] },
        "spec.egress[0].ports[0].port",
        "is not known in the preview",
      ],
      [
        { egress: [{ to: [{ ipBlock: { cidr: new Unknown("undefined/32") } }] }] },
        "spec.egress[0].to[0].ipBlock.cidr",
        'is "undefined/32", in which a value is not known yet',
      ],
    ];
    for (const [spec, at, problem] of unknowns) {
      const reading = readCluster([object(spec)]);
      assert.deepEqual(reading.cluster.networkPolicies, []);
      const [found, ...more] = reading.problems;
      assert.deepEqual(more, []);
      assert.deepEqual([found?.at, found?.problem, found?.fix, found?.unknown], [at, problem, literal, true]);
    }
  });

  it("is told of where a field stands beside the spec, but for what Pulumi's provider keeps there", () => {
    const { body } = object({});
    const given = { ...(body as object), egress: [], __inputs: {}, status: {} } as Plain;
    assert.deepEqual(readCluster([{ body: given, source: "web.yaml" }]).problems.map(describeReadProblem), [
      "web.yaml: NetworkPolicy shop/web: egress is not a field of the API; allowed: apiVersion, kind, metadata, spec, status. Fix: remove it, or move it to where it belongs.",
    ]);
  });
});
