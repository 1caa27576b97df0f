import assert from "node:assert/strict";
import { fromCidr } from "../../../policypack/address-set";
import { formatPorts, hasNoPorts } from "../../../policypack/port-set";
import { analyse } from "../../../policypack/reachability/engine";
import { clusterOf } from "../../helpers/cluster-of";

/** `a/web` is what the policy is about; the others are its possible peers. */
const pods = `
{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {team: one}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: b, labels: {team: two}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: a, labels: {app: web}}, spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: a, labels: {app: db}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: b, labels: {app: web}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: bare, namespace: b}}
`;

type Expected = Partial<Record<"a/db" | "b/web" | "b/bare" | "outside", string>>;

const all = "all ports";
const everyone: Expected = { "a/db": all, "b/web": all, "b/bare": all, outside: all };
const everyPod: Expected = { "a/db": all, "b/web": all, "b/bare": all };
const nobody: Expected = {};

/**
 * What missing, null and empty mean, case by case (`networking.k8s.io/v1`): the spec of a policy in namespace `a`, and who may
 * then send what to `a/web`. Numbers are for reference and never change.
 */
const ingress: readonly (readonly [number, string, string, Expected])[] = [
  [1, "no ingress field", "{podSelector: {}}", nobody],
  [2, "null ingress", "{podSelector: {}, ingress: null}", nobody],
  [3, "empty ingress", "{podSelector: {}, ingress: []}", nobody],
  [4, "one empty rule", "{podSelector: {}, ingress: [{}]}", everyone],
  [5, "rule without from", "{podSelector: {}, ingress: [{ports: [{port: 80}]}]}", only("TCP 80", everyone)],
  [6, "null from", "{podSelector: {}, ingress: [{from: null}]}", everyone],
  [7, "empty from", "{podSelector: {}, ingress: [{from: []}]}", everyone],
  [8, "null ports", rule("{podSelector: {}}", "null"), { "a/db": all }],
  [9, "empty ports", rule("{podSelector: {}}", "[]"), { "a/db": all }],
  [10, "missing podSelector of the spec", "{ingress: []}", nobody],
  [11, "null podSelector of the spec", "{podSelector: null, ingress: []}", nobody],
  [12, "podSelector with empty matchLabels", "{podSelector: {matchLabels: {}}, ingress: []}", nobody],
  [
    13,
    "podSelector with empty matchExpressions",
    "{podSelector: {matchExpressions: []}, ingress: []}",
    nobody,
  ],
  [14, "podSelector that selects others", "{podSelector: {matchLabels: {app: db}}, ingress: []}", everyone],
  [15, "peer: empty podSelector alone is the policy's namespace", rule("{podSelector: {}}"), { "a/db": all }],
  [16, "peer: empty namespaceSelector alone is every pod", rule("{namespaceSelector: {}}"), everyPod],
  [17, "peer: both empty is every pod", rule("{namespaceSelector: {}, podSelector: {}}"), everyPod],
  [
    18,
    "peer: null namespaceSelector is a missing one",
    rule("{namespaceSelector: null, podSelector: {}}"),
    { "a/db": all },
  ],
  [
    19,
    "peer: null podSelector is a missing one",
    rule("{namespaceSelector: {}, podSelector: null}"),
    everyPod,
  ],
  [
    20,
    "peer: podSelector alone stays in the namespace",
    rule("{podSelector: {matchLabels: {app: web}}}"),
    nobody,
  ],
  [
    21,
    "peer: empty namespaceSelector AND podSelector",
    rule("{namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}"),
    { "b/web": all },
  ],
  [
    22,
    "two peers are OR",
    rule("{namespaceSelector: {matchLabels: {team: two}}}, {podSelector: {matchLabels: {app: db}}}"),
    { "a/db": all, "b/web": all, "b/bare": all },
  ],
  [
    23,
    "peer: namespaceSelector by the name that the API server sets",
    rule("{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: b}}}"),
    { "b/web": all, "b/bare": all },
  ],
  [
    24,
    "NotIn selects what lacks the label",
    rule(
      "{namespaceSelector: {}, podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [web]}]}}",
    ),
    { "a/db": all, "b/bare": all },
  ],
  [
    25,
    "DoesNotExist selects what lacks the label",
    rule("{namespaceSelector: {}, podSelector: {matchExpressions: [{key: app, operator: DoesNotExist}]}}"),
    { "b/bare": all },
  ],
  [
    26,
    "Exists with null values",
    rule(
      "{namespaceSelector: {}, podSelector: {matchExpressions: [{key: app, operator: Exists, values: null}]}}",
    ),
    { "a/db": all, "b/web": all },
  ],
  [
    27,
    "ipBlock lets in no pod",
    rule("{ipBlock: {cidr: 0.0.0.0/0}}, {ipBlock: {cidr: '::/0'}}"),
    { outside: all },
  ],
  [
    28,
    "ipBlock with null except",
    rule("{ipBlock: {cidr: 198.51.100.0/24, except: null}}"),
    { outside: all },
  ],
  [
    29,
    "ipBlock with an exception",
    rule("{ipBlock: {cidr: 198.51.100.0/24, except: [198.51.100.0/25]}}"),
    nobody,
  ],
  [
    30,
    "port without number is every port of the protocol",
    ports("{protocol: UDP}"),
    { "a/db": "UDP 1-65535" },
  ],
  [31, "port without protocol is TCP", ports("{port: 80}"), { "a/db": "TCP 80" }],
  [32, "empty port entry is every TCP port", ports("{}"), { "a/db": "TCP 1-65535" }],
  [33, "null endPort is a missing one", ports("{port: 80, endPort: null}"), { "a/db": "TCP 80" }],
  [34, "endPort equal to port", ports("{port: 80, endPort: 80}"), { "a/db": "TCP 80" }],
  [35, "named port that the pod has", ports("{port: http}"), { "a/db": "TCP 8080" }],
  [36, "named port under another protocol", ports("{port: http, protocol: UDP}"), nobody],
  [37, "named port that the pod does not have", ports("{port: https}"), nobody],
  [38, "policyTypes missing, with egress: both directions", "{podSelector: {}, egress: [{}]}", nobody],
  [39, "policyTypes empty is a missing one", "{podSelector: {}, policyTypes: []}", nobody],
  [
    40,
    "policyTypes Egress alone does not isolate",
    "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}",
    everyone,
  ],
  [
    41,
    "rules of a direction that policyTypes leaves out mean nothing",
    "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], ingress: [{from: [{podSelector: {}}]}]}",
    everyone,
  ],
];

const egress: readonly (readonly [number, string, string, Expected])[] = [
  [51, "no egress field, no policyTypes", "{podSelector: {matchLabels: {app: web}}}", everyone],
  [
    52,
    "empty egress without policyTypes does not isolate",
    "{podSelector: {matchLabels: {app: web}}, egress: []}",
    everyone,
  ],
  [
    53,
    "a rule without policyTypes isolates",
    "{podSelector: {matchLabels: {app: web}}, egress: [{to: [{podSelector: {}}]}]}",
    { "a/db": all },
  ],
  [
    54,
    "policyTypes Egress without rules",
    "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}",
    nobody,
  ],
  [
    55,
    "policyTypes Egress with null rules",
    "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: null}",
    nobody,
  ],
  [
    56,
    "policyTypes Ingress alone, with egress rules",
    "{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], egress: [{to: [{podSelector: {}}]}]}",
    everyone,
  ],
  [
    57,
    "one empty rule",
    "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{}]}",
    everyone,
  ],
  [
    58,
    "empty to",
    "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [], ports: [{port: 53, protocol: UDP}]}]}",
    only("UDP 53", everyone),
  ],
  [
    59,
    "a named port is the destination's own, and no address has one",
    "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{ports: [{port: http}]}]}",
    nobody,
  ],
];

function only(ports: string, to: Expected): Expected {
  return Object.fromEntries(Object.keys(to).map((key) => [key, ports]));
}

function rule(peers: string, ports?: string): string {
  const rest = ports === undefined ? "" : `, ports: ${ports}`;
  return `{podSelector: {matchLabels: {app: web}}, ingress: [{from: [${peers}]${rest}}]}`;
}

function ports(entry: string): string {
  return rule("{podSelector: {}}", `[${entry}]`);
}

function found(spec: string, direction: "to" | "from"): Expected {
  const cluster = clusterOf(
    pods,
    `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: a}, spec: ${spec}}`,
  );
  const reachability = analyse(cluster);
  const others = cluster.workloads.map((workload) => ({
    name: `${workload.namespace}/${workload.name}`,
    workload,
  }));
  const subject = others.find(({ name }) => name === "a/web");
  assert.ok(subject);
  const open: [string, string][] = [];
  for (const { name, workload } of others) {
    if (workload === subject.workload) continue;
    const between =
      direction === "to"
        ? reachability.ports(workload, subject.workload)
        : reachability.ports(subject.workload, workload);
    if (!hasNoPorts(between)) open.push([name, formatPorts(between)]);
  }
  const outside = { addresses: fromCidr("198.51.100.7/32") };
  const between =
    direction === "to"
      ? reachability.ports(outside, subject.workload)
      : reachability.ports(subject.workload, outside);
  if (!hasNoPorts(between)) open.push(["outside", formatPorts(between)]);
  return Object.fromEntries(open);
}

describe("what missing, null and empty mean", () => {
  for (const [number, title, spec, expected] of ingress) {
    it(`${number}. ${title}`, () => {
      assert.deepEqual(found(spec, "to"), expected);
    });
  }

  for (const [number, title, spec, expected] of egress) {
    it(`${number}. ${title}`, () => {
      assert.deepEqual(found(spec, "from"), expected);
    });
  }

  it("numbers every case once", () => {
    const numbers = [...ingress, ...egress].map(([number]) => number);
    assert.equal(new Set(numbers).size, numbers.length);
  });
});
