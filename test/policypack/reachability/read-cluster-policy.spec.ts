import assert from "node:assert/strict";
import { fromCidr, union } from "../../../policypack/address-set";
import { Unknown, type Plain } from "../../../policypack/plain-data";
import type { ClusterPolicy, TierRule } from "../../../policypack/reachability/model";
import { describeReadProblem, readCluster } from "../../../policypack/reachability/read-cluster";

const versions = {
  ClusterNetworkPolicy: "policy.networking.k8s.io/v1alpha2",
  AdminNetworkPolicy: "policy.networking.k8s.io/v1alpha1",
  BaselineAdminNetworkPolicy: "policy.networking.k8s.io/v1alpha1",
};

type Kind = keyof typeof versions;

function read(kind: Kind, spec: unknown, name = "default"): ReturnType<typeof readCluster> {
  const body = { apiVersion: versions[kind], kind, metadata: { name }, spec: spec as Plain };
  return readCluster([{ body, source: "p.yaml" }]);
}

function policy(kind: Kind, spec: unknown): ClusterPolicy {
  const { cluster, problems } = read(kind, spec);
  assert.deepEqual(problems.map(describeReadProblem), []);
  const [only] = cluster.clusterPolicies;
  assert.ok(only);
  return only;
}

function problems(kind: Kind, spec: unknown, name = "default"): string[] {
  const reading = read(kind, spec, name);
  assert.deepEqual(reading.cluster.clusterPolicies, []);
  return reading.problems.map((problem) =>
    describeReadProblem(problem).replace(`p.yaml: ${kind} ${name}: `, ""),
  );
}

const all = { namespaces: {} };
const everything = { requirements: [] };
const appA = { matchLabels: { app: "a" } };
const selectsAppA = { requirements: [{ key: "app", operator: "In", values: ["a"] }] };

/** A spec with what every kind needs, and the rest as given. */
function spec(kind: Kind, rest: object): object {
  if (kind === "ClusterNetworkPolicy") return { tier: "Admin", priority: 7, subject: all, ...rest };
  return kind === "AdminNetworkPolicy" ? { priority: 7, subject: all, ...rest } : { subject: all, ...rest };
}

/** The only egress rule of a policy, which accepts and goes to all pods unless it says otherwise. */
function egress(kind: Kind, rule: object): object {
  const action = kind === "ClusterNetworkPolicy" ? "Accept" : "Allow";
  return spec(kind, { egress: [{ action, to: [all], ...rule }] });
}

function egressRule(kind: Kind, rule: object): TierRule | undefined {
  return policy(kind, egress(kind, rule)).egress[0];
}

describe("a cluster policy that is read", () => {
  it("has tier, priority, subject and rules in their order", () => {
    const given = {
      tier: "Baseline",
      priority: 1000,
      subject: { pods: { podSelector: appA } },
      ingress: [
        { name: "first", action: "Pass", from: [{ namespaces: appA }] },
        {
          name: "",
          action: "Deny",
          from: [{ pods: { namespaceSelector: appA, podSelector: {} } }],
          protocols: null,
        },
      ],
      egress: null,
    };
    assert.deepEqual(policy("ClusterNetworkPolicy", given), {
      kind: "ClusterNetworkPolicy",
      name: "default",
      tier: "Baseline",
      priority: 1000,
      subject: { namespaces: everything, pods: selectsAppA },
      ingress: [
        {
          at: "spec.ingress[0]",
          name: "first",
          action: "Pass",
          peers: [{ at: "spec.ingress[0].from[0]", kind: "pods", namespaces: selectsAppA, pods: undefined }],
          ports: undefined,
        },
        {
          at: "spec.ingress[1]",
          name: undefined,
          action: "Deny",
          peers: [{ at: "spec.ingress[1].from[0]", kind: "pods", namespaces: selectsAppA, pods: everything }],
          ports: undefined,
        },
      ],
      egress: [],
    });
  });

  it("is of the Admin or the Baseline tier in v1alpha1, by its kind", () => {
    const rules = { ingress: [{ action: "Allow", from: [all] }] };
    const admin = policy("AdminNetworkPolicy", spec("AdminNetworkPolicy", rules));
    assert.deepEqual([admin.tier, admin.priority, admin.ingress[0]?.action], ["Admin", 7, "Accept"]);
    const baseline = policy("BaselineAdminNetworkPolicy", spec("BaselineAdminNetworkPolicy", rules));
    assert.deepEqual(
      [baseline.tier, baseline.priority, baseline.ingress[0]?.action],
      ["Baseline", 0, "Accept"],
    );
    assert.deepEqual(baseline.subject, { namespaces: everything, pods: undefined });
  });

  it("has the peers of egress: pods, nodes, networks all together, and domains", () => {
    const to = [
      { namespaces: {}, pods: null },
      { nodes: appA },
      { networks: ["10.0.0.1/8", "fd00::/8"] },
      { domainNames: ["*.example.com", "Example.org."] },
    ];
    const at = (index: number): string => `spec.egress[0].to[${index}]`;
    for (const kind of ["ClusterNetworkPolicy", "AdminNetworkPolicy"] as const) {
      assert.deepEqual(egressRule(kind, { to })?.peers, [
        { at: at(0), kind: "pods", namespaces: everything, pods: undefined },
        { at: at(1), kind: "nodes", nodes: selectsAppA },
        {
          at: at(2),
          kind: "addresses",
          addresses: union(fromCidr("10.0.0.0/8"), fromCidr("fd00::/8")),
          text: "10.0.0.1/8, fd00::/8",
        },
        { at: at(3), kind: "domains", names: ["*.example.com", "Example.org."] },
      ]);
    }
  });

  it("has ports by protocol and number, range or name in v1alpha2", () => {
    const protocols = [
      { tcp: { destinationPort: { number: 80 } } },
      { udp: { destinationPort: { range: { start: 53, end: 54 } } } },
      { sctp: { destinationPort: { number: 9, range: null } } },
      { destinationNamedPort: "http" },
    ];
    assert.deepEqual(egressRule("ClusterNetworkPolicy", { protocols })?.ports, [
      { kind: "numbers", protocol: "TCP", first: 80, last: 80 },
      { kind: "numbers", protocol: "UDP", first: 53, last: 54 },
      { kind: "numbers", protocol: "SCTP", first: 9, last: 9 },
      { kind: "name", protocol: undefined, name: "http" },
    ]);
  });

  it("has ports of TCP by default, ranges and names in v1alpha1", () => {
    const ports = [
      { portNumber: { port: 80 } },
      { portNumber: { port: 53, protocol: "UDP" } },
      { portRange: { protocol: null, start: 1, end: 65535 } },
      { namedPort: "http" },
    ];
    for (const kind of ["AdminNetworkPolicy", "BaselineAdminNetworkPolicy"] as const) {
      assert.deepEqual(egressRule(kind, { ports })?.ports, [
        { kind: "numbers", protocol: "TCP", first: 80, last: 80 },
        { kind: "numbers", protocol: "UDP", first: 53, last: 53 },
        { kind: "numbers", protocol: "TCP", first: 1, last: 65535 },
        { kind: "name", protocol: undefined, name: "http" },
      ]);
    }
  });

  it("can have a rule name of 100 characters, of whatever size each", () => {
    const name = "😀".repeat(100);
    assert.equal(egressRule("ClusterNetworkPolicy", { name })?.name, name);
  });
});

describe("a cluster policy with a problem", () => {
  const cases: [name: string, kind: Kind, spec: unknown, ...problems: string[]][] = [
    [
      "no spec",
      "ClusterNetworkPolicy",
      undefined,
      "spec is missing; allowed: an object with the fields tier, priority, subject, ingress, egress. Fix: write spec.",
    ],
    [
      "nothing set",
      "ClusterNetworkPolicy",
      {},
      'spec.tier is missing; allowed: "Admin" or "Baseline". Fix: write "Admin" or "Baseline".',
      "spec.priority is missing; allowed: a whole number from 0 to 1000. Fix: write a whole number from 0 to 1000.",
      "spec.subject is missing; allowed: an object that sets exactly one of namespaces, pods. Fix: write an object that sets exactly one of namespaces, pods.",
    ],
    [
      "tier and priority",
      "ClusterNetworkPolicy",
      { tier: "admin", priority: 1001, subject: all },
      'spec.tier is "admin"; allowed: "Admin" or "Baseline". Fix: write "Admin".',
      "spec.priority is 1001; allowed: a whole number from 0 to 1000. Fix: write a whole number from 0 to 1000.",
    ],
    [
      "fields that another kind has",
      "BaselineAdminNetworkPolicy",
      {
        subject: all,
        priority: 5,
        egress: [{ action: "Allow", to: [{ domainNames: ["a.b"] }], protocols: [] }],
      },
      "spec.priority is not a field of the API; allowed: subject, ingress, egress. Fix: remove it, or move it to where it belongs.",
      "spec.egress[0].protocols is not a field of the API; allowed: name, action, to, ports. Fix: remove it, or move it to where it belongs.",
      "spec.egress[0].to[0].domainNames is not a field of the API; allowed: namespaces, pods, nodes, networks. Fix: remove it, or move it to where it belongs.",
      "spec.egress[0].to[0] sets nothing; allowed: exactly one of namespaces, pods, nodes, networks. Fix: set namespaces, pods, nodes or networks.",
    ],
    [
      "subjects",
      "AdminNetworkPolicy",
      { priority: 0, subject: { namespaces: {}, pods: {} } },
      "spec.subject sets namespaces and pods; allowed: exactly one of namespaces, pods. Fix: keep one of them, and write an item of its own for each other.",
    ],
    [
      "selectors of pods that v1alpha1 requires",
      "AdminNetworkPolicy",
      { priority: 0, subject: { pods: {} } },
      "spec.subject.pods.namespaceSelector is missing; allowed: a label selector. Fix: write namespaceSelector; {} selects every namespace.",
      "spec.subject.pods.podSelector is missing; allowed: a label selector. Fix: write podSelector; {} selects every pod.",
    ],
    [
      "the shape of peers up to v0.1.1",
      "AdminNetworkPolicy",
      spec("AdminNetworkPolicy", {
        ingress: [{ action: "Deny", from: [{ namespaces: { namespaceSelector: {} } }] }],
      }),
      "spec.ingress[0].from[0].namespaces.namespaceSelector is not a field of the API; allowed: matchLabels, matchExpressions. Fix: remove it, or move it to where it belongs.",
    ],
    [
      "actions",
      "ClusterNetworkPolicy",
      spec("ClusterNetworkPolicy", { ingress: [{ action: "Allow", from: [all] }, { from: [all] }] }),
      'spec.ingress[0].action is "Allow"; allowed: "Accept", "Deny" or "Pass". Fix: write "Accept", "Deny" or "Pass".',
      'spec.ingress[1].action is missing; allowed: "Accept", "Deny" or "Pass". Fix: write "Accept", "Deny" or "Pass".',
    ],
    [
      "actions of the baseline",
      "BaselineAdminNetworkPolicy",
      spec("BaselineAdminNetworkPolicy", { ingress: [{ action: "Pass", from: [all] }] }),
      'spec.ingress[0].action is "Pass"; allowed: "Allow" or "Deny". Fix: write "Allow" or "Deny".',
    ],
    [
      "peers",
      "ClusterNetworkPolicy",
      spec("ClusterNetworkPolicy", {
        ingress: [
          { action: "Deny", from: [] },
          { action: "Deny" },
          {
            action: "Deny",
            from: [{}, null, { namespaces: {}, pods: { podSelector: {} } }, { networks: ["::/0"] }],
          },
        ],
      }),
      "spec.ingress[0].from is []; allowed: a list of 1 to 25 peers. Fix: write the peers; namespaces: {} is every pod of the cluster.",
      "spec.ingress[1].from is missing; allowed: a list of 1 to 25 peers. Fix: write the peers; namespaces: {} is every pod of the cluster.",
      "spec.ingress[2].from[0] sets nothing; allowed: exactly one of namespaces, pods. Fix: set namespaces or pods.",
      "spec.ingress[2].from[1] is null; allowed: an object that sets exactly one of namespaces, pods. Fix: write an object that sets exactly one of namespaces, pods.",
      "spec.ingress[2].from[2] sets namespaces and pods; allowed: exactly one of namespaces, pods. Fix: keep one of them, and write an item of its own for each other.",
      "spec.ingress[2].from[3].networks is not a field of the API; allowed: namespaces, pods. Fix: remove it, or move it to where it belongs.",
      "spec.ingress[2].from[3] sets nothing; allowed: exactly one of namespaces, pods. Fix: set namespaces or pods.",
    ],
    [
      "networks",
      "ClusterNetworkPolicy",
      egress("ClusterNetworkPolicy", {
        to: [
          { networks: ["10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/33", "::ffff:10.0.0.0/104"] },
          { networks: [] },
        ],
      }),
      'spec.egress[0].to[0].networks[1] is "10.0.0.0/8", which is listed already; allowed: each item once. Fix: remove it.',
      'spec.egress[0].to[0].networks[2] is "10.0.0.0/33", which is no network: its prefix length is not a number from 0 to 32; allowed: a network such as 203.0.113.0/24 or 2001:db8::/48. Fix: write the network as address/prefix length, without leading zeros.',
      'spec.egress[0].to[0].networks[3] is "::ffff:10.0.0.0/104"; allowed: a network such as 203.0.113.0/24 or 2001:db8::/48, not IPv4 mapped into IPv6, of at most 43 characters. Fix: write an IPv4 network in its own notation, and an IPv6 one without leading zeros.',
      "spec.egress[0].to[1].networks is []; allowed: a list of 1 to 25 networks. Fix: write the networks.",
    ],
    [
      "domain names",
      "ClusterNetworkPolicy",
      egress("ClusterNetworkPolicy", {
        to: [{ domainNames: ["localhost", "a.*.com", "*.a.com", "*.a.com"] }],
      }),
      'spec.egress[0].to[0].domainNames[3] is "*.a.com", which is listed already; allowed: each item once. Fix: remove it.',
      ...["localhost", "a.*.com"].map(
        (name, index) =>
          `spec.egress[0].to[0].domainNames[${index}] is "${name}"; allowed: a domain name of two labels or more, such as example.com or *.example.com. Fix: write the whole domain name.`,
      ),
    ],
    [
      "domain names that are not to be accepted",
      "AdminNetworkPolicy",
      egress("AdminNetworkPolicy", { action: "Deny", to: [{ domainNames: ["a.com"] }] }),
      "spec.egress[0].to[0].domainNames is in a rule with the action Deny; allowed: domainNames only with the action Allow. Fix: name the networks, or allow the domains and deny the rest in a rule after it.",
    ],
    [
      "ports of v1alpha2",
      "ClusterNetworkPolicy",
      egress("ClusterNetworkPolicy", {
        protocols: [
          {},
          { tcp: {} },
          { udp: { destinationPort: {} } },
          { tcp: { destinationPort: { number: 0 } }, udp: { destinationPort: { number: 5 } } },
          { tcp: { destinationPort: { number: 70000 } } },
          { tcp: { destinationPort: { range: { start: 9, end: 9 } } } },
          { tcp: { destinationPort: { range: { start: "9" } } } },
          { destinationNamedPort: "" },
        ],
      }),
      "spec.egress[0].protocols[0] sets nothing; allowed: exactly one of tcp, udp, sctp, destinationNamedPort. Fix: set tcp, udp, sctp or destinationNamedPort.",
      "spec.egress[0].protocols[1].tcp sets nothing; allowed: destinationPort. Fix: set destinationPort.",
      "spec.egress[0].protocols[2].udp.destinationPort sets nothing; allowed: exactly one of number, range. Fix: set number or range.",
      "spec.egress[0].protocols[3] sets tcp and udp; allowed: exactly one of tcp, udp, sctp, destinationNamedPort. Fix: keep one of them, and write an item of its own for each other.",
      "spec.egress[0].protocols[4].tcp.destinationPort.number is 70000; allowed: a whole number from 1 to 65535. Fix: write a whole number from 1 to 65535.",
      "spec.egress[0].protocols[5].tcp.destinationPort.range.end is 9; allowed: a port after the start of the range, 9. Fix: write the last port of the range, or a single port.",
      'spec.egress[0].protocols[6].tcp.destinationPort.range.start is "9"; allowed: a whole number from 1 to 65535. Fix: write 9 without quotes.',
      "spec.egress[0].protocols[6].tcp.destinationPort.range.end is missing; allowed: a whole number from 1 to 65535. Fix: write a whole number from 1 to 65535.",
      'spec.egress[0].protocols[7].destinationNamedPort is ""; allowed: a name of 1 to 15 lower-case letters, digits and single hyphens inside, with a letter. Fix: write the name that the container gives its port.',
    ],
    [
      "no ports where the list is there",
      "AdminNetworkPolicy",
      egress("AdminNetworkPolicy", { ports: [] }),
      "spec.egress[0].ports is []; allowed: a list of 1 to 100 ports. Fix: write the ports, or leave out ports for every port.",
    ],
    [
      "ports of v1alpha1",
      "AdminNetworkPolicy",
      egress("AdminNetworkPolicy", {
        ports: [{ portNumber: { protocol: "tcp" } }, { portRange: { start: 9, end: 5 } }, { port: 80 }],
      }),
      'spec.egress[0].ports[0].portNumber.protocol is "tcp"; allowed: "TCP", "UDP" or "SCTP". Fix: write "TCP".',
      "spec.egress[0].ports[0].portNumber.port is missing; allowed: a whole number from 1 to 65535. Fix: write a whole number from 1 to 65535.",
      "spec.egress[0].ports[1].portRange.end is 5; allowed: a port after the start of the range, 9. Fix: write the last port of the range, or a single port.",
      "spec.egress[0].ports[2].port is not a field of the API; allowed: portNumber, namedPort, portRange. Fix: remove it, or move it to where it belongs.",
      "spec.egress[0].ports[2] sets nothing; allowed: exactly one of portNumber, namedPort, portRange. Fix: set portNumber, namedPort or portRange.",
    ],
    [
      "a named port for what names no ports",
      "ClusterNetworkPolicy",
      egress("ClusterNetworkPolicy", {
        to: [all, { nodes: {} }],
        protocols: [{ destinationNamedPort: "http" }],
      }),
      'spec.egress[0].protocols[0].destinationNamedPort is "http" in a rule with a peer that names no ports, spec.egress[0].to[1]; allowed: named ports only with the peers namespaces and pods. Fix: write the number of the port, or give that peer a rule of its own.',
    ],
    [
      "too many of everything",
      "ClusterNetworkPolicy",
      spec("ClusterNetworkPolicy", {
        ingress: Array.from({ length: 26 }, () => ({ action: "Deny", from: [all] })),
        egress: [
          {
            name: "n".repeat(101),
            action: "Accept",
            to: Array.from({ length: 26 }, () => all),
            protocols: Array.from({ length: 26 }, () => ({ tcp: { destinationPort: { number: 1 } } })),
          },
          {
            action: "Accept",
            to: [{ networks: Array.from({ length: 26 }, (_, index) => `10.${index}.0.0/16`) }],
          },
        ],
      }),
      "spec.ingress has 26 items; allowed: at most 25 rules. Fix: write them in several policies.",
      `spec.egress[0].name is "${"n".repeat(101)}"; allowed: text of at most 100 characters. Fix: write a short name.`,
      "spec.egress[0].to has 26 items; allowed: at most 25 peers. Fix: write them in several rules.",
      "spec.egress[0].protocols has 26 items; allowed: at most 25 ports. Fix: write them in several rules.",
      "spec.egress[1].to[0].networks has 26 items; allowed: at most 25 networks. Fix: write them in several peers.",
    ],
  ];
  for (const [name, kind, given, ...expected] of cases) {
    it(`is left out, and told of with place, value and fix: ${name}`, () => {
      assert.deepEqual(problems(kind, given), expected);
    });
  }

  it("may have 100 rules, peers and ports in v1alpha1", () => {
    const ports = Array.from({ length: 100 }, (_, index) => ({ portNumber: { port: index + 1 } }));
    const rule = { action: "Allow", to: Array.from({ length: 100 }, () => all), ports };
    const given = spec("AdminNetworkPolicy", { egress: Array.from({ length: 100 }, () => rule) });
    assert.equal(policy("AdminNetworkPolicy", given).egress.length, 100);
  });

  it("is a BaselineAdminNetworkPolicy of another name than default", () => {
    assert.deepEqual(problems("BaselineAdminNetworkPolicy", { subject: all }, "other"), [
      'metadata.name is "other"; allowed: only "default": a cluster has one. Fix: write "default".',
    ]);
  });

  it("may be right where a value is not known in the preview, and is left out all the same", () => {
    const unknown = new Unknown();
    const unknowns: [spec: unknown, at: string][] = [
      [unknown, "spec"],
      [{ tier: unknown, priority: 1, subject: all }, "spec.tier"],
      [{ tier: "Admin", priority: unknown, subject: all }, "spec.priority"],
      [{ tier: "Admin", priority: 1, subject: unknown }, "spec.subject"],
      [egress("ClusterNetworkPolicy", { action: unknown }), "spec.egress[0].action"],
      [egress("ClusterNetworkPolicy", { to: unknown }), "spec.egress[0].to"],
      [egress("ClusterNetworkPolicy", { to: [{ networks: unknown }] }), "spec.egress[0].to[0].networks"],
      [egress("ClusterNetworkPolicy", { to: [{ networks: [unknown] }] }), "spec.egress[0].to[0].networks[0]"],
      [egress("ClusterNetworkPolicy", { protocols: [{ tcp: unknown }] }), "spec.egress[0].protocols[0].tcp"],
    ];
    for (const [given, at] of unknowns) {
      const reading = read("ClusterNetworkPolicy", given);
      assert.deepEqual(reading.cluster.clusterPolicies, []);
      assert.deepEqual(
        reading.problems.map((problem) => [problem.at, problem.problem, problem.unknown]),
        [[at, "is not known in the preview", true]],
      );
    }
  });
});
