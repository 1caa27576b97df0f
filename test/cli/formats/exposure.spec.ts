import assert from "node:assert/strict";
import { formatExposure, type ExposureFormat } from "../../../cli/formats/exposure";
import type { Cluster } from "../../../policypack/reachability/model";
import { exposure, type ExposureOptions } from "../../../policypack/reachability/exposure";
import { clusterOf } from "../../helpers/cluster-of";

const pod = (namespace: string, app: string) =>
  `{apiVersion: v1, kind: Pod, metadata: {name: ${app}, namespace: ${namespace}, labels: {app: ${app}}}, spec: {containers: []}}`;
const policy = (namespace: string, name: string, spec: string) =>
  `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ${name}, namespace: ${namespace}}, spec: {${spec}}}`;
const deny = (namespace: string) =>
  policy(namespace, "deny", "podSelector: {}, policyTypes: [Ingress, Egress]");

const shop = [
  pod("shop", "web"),
  pod("shop", "db"),
  deny("shop"),
  policy(
    "shop",
    "web",
    `podSelector: {matchLabels: {app: web}},
     ingress: [{from: [{namespaceSelector: {matchLabels: {team: a}}}], ports: [{port: 8080}]}],
     egress: [{to: [{podSelector: {matchLabels: {app: db}}}], ports: [{port: 5432}]}], policyTypes: [Ingress, Egress]`,
  ),
  policy(
    "shop",
    "db",
    `podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 5432}]}]`,
  ),
  deny("bank"),
  deny("club"),
  policy(
    "lab",
    "some",
    "podSelector: {matchExpressions: [{key: app, operator: DoesNotExist}]}, policyTypes: [Egress]",
  ),
];

function formatted(
  cluster: Cluster,
  format: ExposureFormat,
  { colour = false, ...options }: ExposureOptions & { readonly colour?: boolean } = {},
): string {
  return [...formatExposure(exposure(cluster, options), cluster, format, colour)].join("");
}

describe("formatExposure", () => {
  const cluster = clusterOf(...shop);

  it("tells a person where a new pod is exposed, the most exposed place first, with the labels that it takes", () => {
    assert.equal(
      formatted(cluster, "text"),
      `A new pod can reach something, and be reached, in 2 of 4 namespaces.
In a namespace that is not in the input, it can reach 1 workload and addresses outside, and be reached from addresses outside.
A pod without labels is not isolated: ingress in 1 of 4 namespaces (lab).
Labels avoid isolation: egress in 1 of 4 namespaces (lab).

a namespace that is not in the input
  can reach (not isolated):
    0.0.0.0/0, ::/0  all ports  without labels
    shop/web         TCP 8080   without labels, in a namespace with team=a
  can be reached from (not isolated):
    0.0.0.0/0, ::/0  all ports  without labels

lab
  can reach (isolated, but not with app=any):
    0.0.0.0/0, ::/0  all ports  with app=any
  can be reached from (not isolated):
    0.0.0.0/0, ::/0  all ports  without labels

shop
  can reach (isolated):
    shop/db          TCP 5432  with app=web
  can be reached from (isolated):
    shop/web         TCP 5432  with app=db

2 namespaces alike (bank, club)
  can reach (isolated): nothing
  can be reached from (isolated): nothing

Pods on the host network are not meant: no policy concerns them.
`,
    );
  });

  it("says in one line that nothing is exposed in the namespaces of the input", () => {
    const [first] = formatted(clusterOf(pod("shop", "db"), deny("shop"), deny("bank")), "text").split("\n");
    assert.equal(first, "A new pod can reach nothing, and nothing can reach it, in all 2 namespaces.");
  });

  it("takes for open what could not be decided", () => {
    const undecided = formatted(cluster, "text", { steps: 0 });
    assert.match(undecided, /^A new pod can reach something, and be reached, in all 4 namespaces\.\n/);
    assert.match(undecided, /it can reach everything, as far as could be decided/);
    assert.match(undecided, /\n {2}can reach: could not be decided within 0 steps: assume everything\n/);
    assert.match(
      formatted(cluster, "md", { steps: 0 }),
      /\| can reach \| could not be decided within 0 steps: assume everything \|/,
    );
  });

  it("asks for the names of ports that the pod has to give", () => {
    const toNamed = (ports: string) =>
      formatted(
        clusterOf(
          pod("shop", "db"),
          policy("shop", "all", `podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [${ports}]}]`),
          policy(
            "shop",
            "db",
            "podSelector: {matchLabels: {app: db}}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}], ports: [{port: http}]}]",
          ),
        ),
        "text",
      );
    assert.match(toNamed("{protocol: TCP}"), /\n {4}shop\/db +TCP named http +without labels\n/);
    assert.match(toNamed("{port: 8080}"), /\n {4}shop\/db +TCP 8080 named http +without labels\n/);
    assert.match(toNamed("{port: web}"), /\n {4}shop\/db +TCP named http and web +without labels\n/);
  });

  it("shows what namespaces have in common as their own, and counts what is not shown", () => {
    const names = Array.from({ length: 25 }, (_, index) => `n${String(index).padStart(2, "0")}`);
    const own = (namespace: string) =>
      policy(
        namespace,
        "own",
        "podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{from: [{podSelector: {}}]}], egress: [{to: [{podSelector: {}}]}]",
      );
    const alike = formatted(clusterOf(...names.flatMap((name) => [pod(name, "db"), own(name)])), "text");
    assert.match(
      alike,
      /\n25 namespaces alike \(n00, n01, n02 and 22 more\)\n {2}can reach \(isolated\):\n {4}every workload of its own namespace +all ports +without labels\n/,
    );
    const labelled = (name: string) =>
      policy(
        name,
        "own",
        `podSelector: {matchExpressions: [{key: ${name}, operator: DoesNotExist}]}, policyTypes: [Ingress, Egress]`,
      );
    const different = formatted(clusterOf(...names.map(labelled)), "text");
    assert.match(different, /\nand 6 more places, less exposed\n/);
    assert.match(different, /\nLong lists are shortened; --format json has everything\.\n$/);
    assert.equal(formatted(clusterOf(...names.map(labelled)), "md").match(/^\| /gm)?.length, 2 + 52);
  });

  it("fits a comment on a pull request", () => {
    assert.equal(
      formatted(clusterOf(...shop.slice(0, 3)), "md"),
      `**A new pod can reach nothing, and nothing can reach it, in the only namespace.**

**In a namespace that is not in the input, it can reach addresses outside, and be reached from addresses outside.**

A pod without labels is isolated in the only namespace.

Pods on the host network are not meant: no policy concerns them.

| New pod in | | Other end | Ports | It takes |
| --- | --- | --- | --- | --- |
| a namespace that is not in the input | can reach | <code>0.0.0.0/0, ::/0</code> | all ports | without labels |
| a namespace that is not in the input | can be reached from | <code>0.0.0.0/0, ::/0</code> | all ports | without labels |
`,
    );
    const long = formatted(
      clusterOf(
        ...Array.from({ length: 600 }, (_, index) =>
          policy(
            "shop",
            `p${index}`,
            `podSelector: {matchLabels: {app: ${"long-name-".repeat(5)}${index}}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: ${index + 1}}]}]`,
          ),
        ),
        deny("shop"),
      ),
      "md",
    );
    assert.ok(long.length <= 65_536);
    assert.match(long, /\n\d+ more rows left out; `--format json` has everything\.\n$/);
  });

  it("shows names of a hostile manifest as they are, and steers no terminal with them", () => {
    const named: Cluster = {
      namespaces: [{ name: "a|b<i>\u001b[31m", labels: {} }],
      workloads: [],
      networkPolicies: [],
      clusterPolicies: [],
      nodes: [],
    };
    assert.match(formatted(named, "text"), /\na\|b<i>\\u\{1b\}\[31m\n/);
    assert.match(formatted(named, "md"), /\n\| a&#124;b&#60;i&#62;&#92;u&#123;1b&#125;&#91;31m \|/);
  });

  it("uses colours where it is told to", () => {
    assert.ok(formatted(cluster, "text", { colour: true }).startsWith("\u001b[1mA new pod"));
    assert.ok(!formatted(cluster, "text").includes("\u001b"));
  });

  it("gives scripts everything, one place a line", () => {
    const json = formatted(cluster, "json");
    const { version, steps, places } = JSON.parse(json) as {
      version: number;
      steps: number;
      places: object[];
    };
    assert.equal(version, 1);
    assert.equal(steps, 100_000);
    assert.equal(json.split("\n").filter((line) => line.startsWith("    {")).length, places.length);
    assert.deepEqual(places[2], {
      namespaces: ["shop"],
      egress: {
        isolated: true,
        unisolated: null,
        decided: true,
        openings: [
          {
            to: { workloads: ["shop/db[Pod]"] },
            ports: [{ protocol: "TCP", first: 5432, last: 5432 }],
            witness: { labels: { app: "web" }, namespaceLabels: {}, portNames: [] },
          },
        ],
      },
      ingress: {
        isolated: true,
        unisolated: null,
        decided: true,
        openings: [
          {
            from: { workloads: ["shop/web[Pod]"] },
            ports: [{ protocol: "TCP", first: 5432, last: 5432 }],
            witness: { labels: { app: "db" }, namespaceLabels: {}, portNames: [] },
          },
        ],
      },
    });
  });
});
