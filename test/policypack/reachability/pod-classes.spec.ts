import assert from "node:assert/strict";
import type { Cluster, Workload } from "../../../policypack/reachability/model";
import { classify } from "../../../policypack/reachability/pod-classes";

const plain: Omit<Workload, "name"> = {
  namespace: "shop",
  kind: "Deployment",
  labels: { app: "web", tier: "a" },
  namedPorts: [],
  hostNetwork: false,
  addresses: [],
};
const http = { name: "http", protocol: "TCP", number: 80 } as const;
const dns = { name: "dns", protocol: "UDP", number: 53 } as const;

/** A cluster with workloads by name, each like the plain one but for what is said of it. */
function clusterOf(workloads: Readonly<Record<string, Partial<Workload>>>): Cluster {
  return {
    namespaces: [],
    workloads: Object.entries(workloads).map(([name, own]) => ({ ...plain, name, ...own })),
    networkPolicies: [],
    clusterPolicies: [],
    nodes: [],
  };
}

/** The names of the workloads of each class. */
function classesOf(...clusters: readonly Cluster[]): string[][] {
  return classify(...clusters).members.map((lists) =>
    lists.map((workloads) => workloads.map(({ name }) => name).join()),
  );
}

describe("classes of pods", () => {
  it("hold workloads that differ in nothing that policies look at", () => {
    const others = { kind: "StatefulSet", node: "node-1" };
    assert.deepEqual(classesOf(clusterOf({ a: {}, b: others, c: { labels: { tier: "a", app: "web" } } })), [
      ["a,b,c"],
    ]);
    const both = { namedPorts: [http, dns], addresses: ["10.0.0.1", "10.0.0.2"] };
    const turned = { namedPorts: [dns, http], addresses: ["10.0.0.2", "10.0.0.1"] };
    assert.deepEqual(classesOf(clusterOf({ a: both, b: turned })), [["a,b"]]);
    assert.deepEqual(
      classesOf(clusterOf({ a: { ...both, hostNetwork: true }, b: { ...turned, hostNetwork: true } })),
      [["a,b"]],
    );
    const [one, two, three] = ["z", "b", "a"].map((key) => [key, "x"] as const);
    assert.ok(one && two && three);
    assert.deepEqual(
      classesOf(
        clusterOf({
          a: { labels: Object.fromEntries([one, two, three]) },
          b: { labels: Object.fromEntries([two, one, three]) },
          c: { labels: Object.fromEntries([three, two, one]) },
        }),
      ),
      [["a,b,c"]],
    );
  });

  it("tell apart workloads by all that policies look at", () => {
    const differences: Readonly<Record<string, Partial<Workload>>> = {
      namespace: { namespace: "bank" },
      value: { labels: { app: "web", tier: "b" } },
      lessLabels: { labels: { app: "web" } },
      noLabels: { labels: {} },
      port: { namedPorts: [http] },
      number: { namedPorts: [{ ...http, number: 81 }] },
      protocol: { namedPorts: [{ ...http, protocol: "UDP" }] },
      portName: { namedPorts: [{ ...http, name: "web" }] },
      ports: { namedPorts: [http, dns] },
      address: { addresses: ["10.0.0.1"] },
      otherAddress: { addresses: ["10.0.0.2"] },
      addresses: { addresses: ["10.0.0.1", "10.0.0.2"] },
      host: { hostNetwork: true },
      hostOnNode: { hostNetwork: true, node: "node-1" },
      hostOnOtherNode: { hostNetwork: true, node: "node-2" },
      hostWithAddress: { hostNetwork: true, addresses: ["10.0.0.1"] },
      hostWithPort: { hostNetwork: true, namedPorts: [http] },
    };
    const all = { plain: {}, ...differences };
    assert.deepEqual(classesOf(clusterOf(all)), [Object.keys(all)]);
  });

  it("are the same in several clusters where the workloads are alike in all of them", () => {
    const db = { labels: { app: "db" } };
    const before = clusterOf({ a: {}, b: {}, c: db, d: {}, gone: {} });
    const after = clusterOf({ a: {}, b: db, c: db, d: {}, new: {} });
    assert.deepEqual(classesOf(before, after), [
      ["a,d", "b", "c", "gone", ""],
      ["a,d", "b", "c", "", "new"],
    ]);
    assert.deepEqual(classesOf(after, before), [
      ["a,d", "b", "c", "new", ""],
      ["a,d", "b", "c", "", "gone"],
    ]);
  });

  it("know each workload by namespace, kind and name", () => {
    const before = clusterOf({ a: {}, b: {} });
    const after = clusterOf({ a: { kind: "StatefulSet" }, b: { namespace: "bank" } });
    const { count, members, classOf } = classify(before, after);
    assert.equal(count, 3);
    assert.deepEqual(
      members.map((lists) => lists.map((workloads) => workloads.map(({ name }) => name).join())),
      [
        ["a,b", "", ""],
        ["", "a", "b"],
      ],
    );
    assert.deepEqual(
      before.workloads.map((workload) => classOf[0]?.get(workload)),
      [0, 0],
    );
    assert.deepEqual(
      after.workloads.map((workload) => classOf[1]?.get(workload)),
      [1, 2],
    );
  });

  it("are none where there are no workloads", () => {
    assert.deepEqual(classify(clusterOf({})).members, [[]]);
    assert.equal(classify(clusterOf({})).count, 0);
  });
});
