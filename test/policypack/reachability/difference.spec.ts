import assert from "node:assert/strict";
import fc from "fast-check";
import { contains, fromCidr, toCidrs } from "../../../policypack/address-set";
import { formatPorts, hasNoPorts, type PortSet } from "../../../policypack/port-set";
import { difference, opens, type Difference } from "../../../policypack/reachability/difference";
import { analyse } from "../../../policypack/reachability/engine";
import type { Cluster } from "../../../policypack/reachability/model";
import { workloadKey } from "../../../policypack/reachability/pod-classes";
import type { AnalysisOptions, Ends } from "../../../policypack/reachability/reachability";
import { clusterOf } from "../../helpers/cluster-of";
import { arbitraryInput } from "./arbitrary-cluster";
import { propertyRuns } from "../property-runs";

const pods = `
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: shop, labels: {app: db}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: job, namespace: batch, labels: {app: job}}}
`;
const denyAll = policy("deny", "{}", "policyTypes: [Ingress, Egress]");
const webToDb = policy("web", "{matchLabels: {app: web}}", to("db", 5432));
const dbFromWeb = policy("db", "{matchLabels: {app: db}}", from("web", "{port: 5432}"));

function policy(name: string, podSelector: string, rest: string): string {
  return `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ${name}, namespace: shop}, spec: {podSelector: ${podSelector}, ${rest}}}`;
}

function to(app: string, port: number): string {
  return `policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: ${app}}}}], ports: [{port: ${port}}]}]`;
}

function from(app: string, ...ports: string[]): string {
  return `policyTypes: [Ingress], ingress: [{from: [{podSelector: {matchLabels: {app: ${app}}}}], ports: [${ports.join()}]}]`;
}

function textOf(ends: Ends): string {
  return "addresses" in ends
    ? toCidrs(ends.addresses).join()
    : ends.map(({ namespace, name }) => `${namespace}/${name}`).join();
}

function lines({ changes }: Difference): string[] {
  return changes.map(
    ({ kind, from: source, to: destination, before, after }) =>
      `${kind} ${textOf(source)} -> ${textOf(destination)}: ${hasNoPorts(before) ? "" : formatPorts(before)} => ${hasNoPorts(after) ? "" : formatPorts(after)}`,
  );
}

describe("difference", () => {
  const shut = [pods, denyAll];
  const open = [...shut, webToDb, dbFromWeb];

  it("finds nothing between equal clusters, in whatever order", () => {
    assert.deepEqual(difference(clusterOf(...open), clusterOf(...[...open].reverse())), {
      changes: [],
      added: [],
      removed: [],
    });
  });

  it("finds a flow opened and closed", () => {
    assert.deepEqual(lines(difference(clusterOf(...shut), clusterOf(...open))), [
      "opened shop/web -> shop/db:  => TCP 5432",
    ]);
    assert.deepEqual(lines(difference(clusterOf(...open), clusterOf(...shut))), [
      "closed shop/web -> shop/db: TCP 5432 => ",
    ]);
  });

  it("says nothing of a policy that opens one end only", () => {
    assert.deepEqual(lines(difference(clusterOf(...shut), clusterOf(...shut, webToDb))), []);
  });

  it("tells widened, narrowed and changed ports apart", () => {
    const allOut = policy("web", "{matchLabels: {app: web}}", "policyTypes: [Egress], egress: [{}]");
    const withPorts = (...ports: string[]) =>
      clusterOf(...shut, allOut, policy("db", "{matchLabels: {app: db}}", from("web", ...ports)));
    const of = (before: string[], after: string[]) =>
      lines(difference(withPorts(...before), withPorts(...after))).filter((line) => line.includes("shop/db"));
    assert.deepEqual(of(["{port: 1}"], ["{port: 1}", "{port: 2}"]), [
      "widened shop/web -> shop/db: TCP 1 => TCP 1-2",
    ]);
    assert.deepEqual(of(["{port: 1, endPort: 9}"], ["{port: 1}"]), [
      "narrowed shop/web -> shop/db: TCP 1-9 => TCP 1",
    ]);
    assert.deepEqual(of(["{port: 1}"], ["{port: 1, protocol: UDP}"]), [
      "changed shop/web -> shop/db: TCP 1 => UDP 1",
    ]);
  });

  it("shows the one change behind many pairs, what opens something first", () => {
    const found = difference(clusterOf(...shut), clusterOf(pods));
    assert.deepEqual(lines(found), [
      "opened shop/db,shop/web -> batch/job,shop/db,shop/web:  => all ports",
      "opened batch/job -> shop/db,shop/web:  => all ports",
      "opened shop/db,shop/web -> 0.0.0.0/0,::/0:  => all ports",
      "opened 0.0.0.0/0,::/0 -> shop/db,shop/web:  => all ports",
    ]);
    assert.ok(found.changes.every(opens));
    const reverse = difference(clusterOf(pods), clusterOf(...shut));
    assert.ok(!reverse.changes.some(opens));
  });

  it("lists workloads that come and go, with what they may do", () => {
    const more = `${pods}---\n{apiVersion: v1, kind: Pod, metadata: {name: new, namespace: batch}}\n`;
    const found = difference(clusterOf(...shut), clusterOf(more, denyAll));
    assert.deepEqual(
      found.added.map(({ name }) => name),
      ["new"],
    );
    assert.deepEqual(lines(found), [
      "opened batch/job -> batch/new:  => all ports",
      "opened batch/new -> batch/job,batch/new:  => all ports",
      "opened batch/new -> 0.0.0.0/0,::/0:  => all ports",
      "opened 0.0.0.0/0,::/0 -> batch/new:  => all ports",
    ]);
  });

  it("knows workloads that come and go by what their policies say, and no others", () => {
    const more = "{apiVersion: v1, kind: Pod, metadata: {name: new, namespace: batch, labels: {app: new}}}";
    const ofNew = `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: new, namespace: batch}, spec: {podSelector: {matchLabels: {app: new}}, policyTypes: [Ingress, Egress], ingress: [{from: [{podSelector: {matchLabels: {app: job}}}], ports: [{port: 80}]}], egress: [{to: [{podSelector: {matchLabels: {app: job}}}], ports: [{port: 81}]}]}}`;
    const [before, after] = [clusterOf(...shut), clusterOf(...shut, more, ofNew)];
    assert.deepEqual(lines(difference(before, after)), [
      "opened batch/job -> batch/new:  => TCP 80",
      "opened batch/new -> batch/job:  => TCP 81",
    ]);
    assert.deepEqual(lines(difference(after, before)), [
      "closed batch/job -> batch/new: TCP 80 => ",
      "closed batch/new -> batch/job: TCP 81 => ",
    ]);
  });

  it("shows every kind of change, those that open something first", () => {
    const sources = ["a", "b", "c", "d", "e"];
    const manifests = ["target", ...sources].map(
      (app) =>
        `{apiVersion: v1, kind: Pod, metadata: {name: ${app}, namespace: shop, labels: {app: ${app}}}}`,
    );
    const withPorts = (...ranges: (readonly [number, number] | undefined)[]): Cluster =>
      clusterOf(
        ...manifests,
        ...ranges.map((range, index) =>
          policy(
            `p${index}`,
            `{matchLabels: {app: ${sources[index]}}}`,
            `policyTypes: [Egress], egress: [${range === undefined ? "" : `{to: [{podSelector: {matchLabels: {app: target}}}], ports: [{port: ${range[0]}, endPort: ${range[1]}}]}`}]`,
          ),
        ),
      );
    const found = difference(
      withPorts([1, 1], [1, 2], [1, 1], [1, 1], undefined),
      withPorts(undefined, [1, 1], [2, 2], [1, 2], [1, 1]),
    );
    assert.deepEqual(lines(found), [
      "opened shop/e -> shop/target:  => TCP 1",
      "widened shop/d -> shop/target: TCP 1 => TCP 1-2",
      "changed shop/c -> shop/target: TCP 1 => TCP 2",
      "narrowed shop/b -> shop/target: TCP 1-2 => TCP 1",
      "closed shop/a -> shop/target: TCP 1 => ",
    ]);
    assert.deepEqual(found.changes.map(opens), [true, true, true, false, false]);
  });

  it("names a destination once, though it has more ports for some sources than others with the same change", () => {
    const manifests = ["a", "b", "c", "x"].map(
      (app) =>
        `{apiVersion: v1, kind: Pod, metadata: {name: ${app}, namespace: shop, labels: {app: ${app}}}}`,
    );
    const fromAny = (app: string, port: number, more = ""): string =>
      policy(app, `{matchLabels: {app: ${app}}}`, `ingress: [{ports: [{port: ${port}}]}${more}]`);
    const fromA = (port: number): string =>
      `, {from: [{podSelector: {matchLabels: {app: a}}}], ports: [{port: ${port}}]}`;
    const sendNothing = ["b", "c", "x"].map((app) =>
      policy(`no-${app}`, `{matchLabels: {app: ${app}}}`, "policyTypes: [Egress]"),
    );
    const ofPods = (...policies: string[]): Cluster => clusterOf(...manifests, ...sendNothing, ...policies);
    const inside = (before: Cluster, after: Cluster): string[] =>
      lines(difference(before, after)).filter((line) => !line.includes("0.0.0.0"));
    assert.deepEqual(
      inside(ofPods(), ofPods(fromAny("b", 80, fromA(443)), fromAny("c", 80), fromAny("x", 81, fromA(444)))),
      [
        "narrowed shop/a -> shop/c: all ports => TCP 80",
        "narrowed shop/a -> shop/b: all ports => TCP 80, 443",
        "narrowed shop/a -> shop/x: all ports => TCP 81, 444",
      ],
    );
    assert.deepEqual(
      inside(
        ofPods(fromAny("b", 80, fromA(443)), fromAny("c", 80, ", {ports: [{port: 443}]}")),
        ofPods(fromAny("b", 80), fromAny("c", 80)),
      ),
      ["narrowed shop/a -> shop/b,shop/c: TCP 80, 443 => TCP 80"],
    );
  });

  it("sorts the workloads that come and go by namespace and name", () => {
    const more = ["shop/z", "batch/new", "shop/a"].map((id) => {
      const [namespace = "", name = ""] = id.split("/");
      return `{apiVersion: v1, kind: Pod, metadata: {name: ${name}, namespace: ${namespace}}}`;
    });
    for (const given of [more, [...more].reverse()]) {
      const [before, after] = [clusterOf(pods), clusterOf(pods, ...given)];
      const names = ["batch/new", "shop/a", "shop/z"].join();
      assert.deepEqual(
        [difference(before, after), difference(after, before)].map(({ added, removed }) => [
          textOf(added),
          textOf(removed),
        ]),
        [
          [names, ""],
          ["", names],
        ],
      );
      assert.equal(
        lines(difference(before, after))[0],
        `opened batch/job,shop/db,shop/web -> ${names}:  => all ports`,
      );
    }
  });

  it("finds the addresses outside that changed, and no others", () => {
    const out = (cidr: string) =>
      clusterOf(
        ...shut,
        policy(
          "web",
          "{matchLabels: {app: web}}",
          `policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: ${cidr}}}], ports: [{port: 443}]}]`,
        ),
      );
    assert.deepEqual(lines(difference(out("10.0.0.0/9"), out("10.0.0.0/8"))), [
      "opened shop/web -> 10.128.0.0/9:  => TCP 443",
    ]);
  });

  it("says of every pair what both answers say of it", function () {
    this.timeout(120_000);
    const twoClusters = fc.tuple(arbitraryInput, arbitraryInput, fc.constantFrom(0, 1, 32), fc.boolean());
    fc.assert(
      fc.property(twoClusters, ([{ cluster: base, options }, { cluster: other }, few, samePods]) => {
        const head = samePods ? { ...base, networkPolicies: other.networkPolicies } : other;
        const expected = new Map<string, string>();
        const [before, after] = [opened(base, options), opened(head, options)];
        for (const pair of new Set([...before.keys(), ...after.keys()])) {
          const [was, is] = [before.get(pair) ?? "", after.get(pair) ?? ""];
          if (was !== is) expected.set(pair, `${was} => ${is}`);
        }
        const found = new Map<string, string>();
        for (const { from: sources, to: destinations, before: was, after: is } of difference(
          base,
          head,
          options,
          few,
        ).changes) {
          for (const source of endKeys(sources)) {
            for (const destination of endKeys(destinations)) {
              const pair = `${source} -> ${destination}`;
              assert.ok(!found.has(pair), `${pair} is in two changes`);
              found.set(pair, `${shown(was)} => ${shown(is)}`);
            }
          }
        }
        assert.deepEqual(sorted(found), sorted(expected));
      }),
      propertyRuns(1000, 20_240_229),
    );
  });
});

/** Addresses at which the drawn policies differ, as ends of their own. */
const addresses = ["10.0.0.1", "10.1.0.1", "192.168.1.1", "203.0.113.1", "2001:db8::1"].map((text) => ({
  text,
  set: fromCidr(`${text}/${text.includes(":") ? 128 : 32}`),
}));

function endKeys(ends: Ends): string[] {
  return "addresses" in ends
    ? addresses.filter(({ text }) => contains(ends.addresses, text)).map(({ text }) => text)
    : ends.map(workloadKey);
}

/** What is open between every two workloads, and between each and the addresses. */
function opened(cluster: Cluster, options: AnalysisOptions): Map<string, string> {
  const reachability = analyse(cluster, options);
  const ends = [
    ...cluster.workloads.map((workload) => ({ key: workloadKey(workload), end: workload })),
    ...addresses.map(({ text, set }) => ({ key: text, end: { addresses: set } })),
  ];
  const open = new Map<string, string>();
  for (const from of ends) {
    for (const to of ends) {
      const ports = reachability.ports(from.end, to.end);
      if (!hasNoPorts(ports)) open.set(`${from.key} -> ${to.key}`, formatPorts(ports));
    }
  }
  return open;
}

function shown(ports: PortSet): string {
  return hasNoPorts(ports) ? "" : formatPorts(ports);
}

function sorted(pairs: ReadonlyMap<string, string>): [string, string][] {
  return [...pairs].sort(([a], [b]) => (a < b ? -1 : 1));
}
