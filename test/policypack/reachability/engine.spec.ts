import assert from "node:assert/strict";
import { fromCidr, noAddresses, toCidrs, union } from "../../../policypack/address-set";
import { formatPorts, hasNoPorts } from "../../../policypack/port-set";
import { analyse } from "../../../policypack/reachability/engine";
import type { Cluster, Workload } from "../../../policypack/reachability/model";
import type { Ends, Reachability } from "../../../policypack/reachability/reachability";
import { clusterOf } from "../../helpers/cluster-of";

function pod(id: string, spec = ""): string {
  const [namespace = "", name = ""] = id.split("/");
  return `{apiVersion: v1, kind: Pod, metadata: {name: ${name}, namespace: ${namespace}, labels: {app: ${name}}}, spec: {${spec}}}`;
}

/** @param app the pods that it selects; absent means all */
function policy(rest: string, app?: string, namespace = "shop"): string {
  const selector = app === undefined ? "{}" : `{matchLabels: {app: ${app}}}`;
  return `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ${app ?? "all"}, namespace: ${namespace}}, spec: {podSelector: ${selector}, ${rest}}}`;
}

/** An AdminNetworkPolicy, or the BaselineAdminNetworkPolicy, for the pods of a namespace. */
function ofCluster(kind: "AdminNetworkPolicy" | "BaselineAdminNetworkPolicy", rest: string): string {
  const [name, priority] = kind === "AdminNetworkPolicy" ? ["guard", "priority: 1, "] : ["default", ""];
  return `{apiVersion: policy.networking.k8s.io/v1alpha1, kind: ${kind}, metadata: {name: ${name}}, spec: {${priority}subject: {namespaces: {matchLabels: {kubernetes.io/metadata.name: shop}}}, ${rest}}}`;
}

const appPeer = (app: string): string =>
  `{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: ${app}}}}}`;

function namesOf(ends: Ends): string {
  return "addresses" in ends
    ? toCidrs(ends.addresses).join()
    : ends.map(({ namespace, name }) => `${namespace}/${name}`).join();
}

function groupsOf(reachability: Reachability): string[] {
  return reachability
    .groups()
    .map(({ from, to, ports }) => `${namesOf(from)} -> ${namesOf(to)}: ${formatPorts(ports)}`);
}

function workload(cluster: Cluster, name: string): Workload {
  const found = cluster.workloads.find((one) => one.name === name);
  assert.ok(found, name);
  return found;
}

const anywhere = "0.0.0.0/0,::/0";
const denyAll = policy("policyTypes: [Ingress, Egress]");

describe("what is open to all and from all", () => {
  const pods = [pod("shop/web"), pod("shop/db"), pod("shop/agent", "hostNetwork: true"), pod("batch/job")];
  const open = (...policies: string[]): string[] => {
    const { openToAll, openFromAll } = analyse(clusterOf(...pods, ...policies));
    return [namesOf(openToAll), namesOf(openFromAll)];
  };
  const everyone = "batch/job,shop/db,shop/web";

  it("is every pod without a policy, sorted, but for those on the network of their node", () => {
    assert.deepEqual(open(), [everyone, everyone]);
  });

  it("is no pod that a NetworkPolicy isolates in that direction, whatever it allows", () => {
    assert.deepEqual(open(policy("ingress: [{}]", "web")), ["batch/job,shop/db", everyone]);
    assert.deepEqual(open(policy("policyTypes: [Egress]", "db")), [everyone, "batch/job,shop/web"]);
    assert.deepEqual(open(denyAll), ["batch/job", "batch/job"]);
  });

  it("is no pod for which a cluster policy denies something, and any for which none does", () => {
    const rules = (...actions: string[]): string =>
      `ingress: [${actions.map((action) => `{action: ${action}, from: [{namespaces: {}}], ports: [{portNumber: {protocol: TCP, port: 80}}]}`).join()}]`;
    for (const kind of ["AdminNetworkPolicy", "BaselineAdminNetworkPolicy"] as const) {
      assert.deepEqual(open(ofCluster(kind, rules("Allow"))), [everyone, everyone]);
      assert.deepEqual(open(ofCluster(kind, rules("Deny"))), ["batch/job", everyone]);
      assert.deepEqual(open(ofCluster(kind, rules("Allow", "Deny"))), ["batch/job", everyone]);
    }
    assert.deepEqual(open(ofCluster("AdminNetworkPolicy", rules("Pass"))), [everyone, everyone]);
    const outward =
      "egress: [{action: Deny, to: [{networks: [10.0.0.0/8]}]}, {action: Allow, to: [{namespaces: {}}]}]";
    assert.deepEqual(open(ofCluster("AdminNetworkPolicy", outward)), [everyone, "batch/job"]);
  });
});

describe("the groups of flows", () => {
  it("are sorted by their first source, then by their first destination, addresses last", () => {
    const cluster = clusterOf(
      pod("shop/web"),
      pod("shop/db"),
      pod("batch/job"),
      policy(
        "policyTypes: [Ingress, Egress], ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 5432}]}]",
        "db",
      ),
      policy("policyTypes: [Egress], egress: [{to: [{podSelector: {}}]}]", "web"),
      policy("ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 1}]}]", "job", "batch"),
    );
    assert.deepEqual(groupsOf(analyse(cluster)), [
      "batch/job -> batch/job: TCP 1",
      "batch/job,shop/web -> shop/web: all ports",
      `batch/job -> ${anywhere}: all ports`,
      "shop/web -> shop/db: TCP 5432",
      `${anywhere} -> shop/web: all ports`,
    ]);
  });

  it("list workloads by namespace, name and kind, whatever the order of the manifests", () => {
    const pods = ["shop/web", "shop/db", "batch/job", "batch/web"].map((id) => pod(id));
    const deployment =
      "{apiVersion: apps/v1, kind: Deployment, metadata: {name: db, namespace: shop}, spec: {selector: {matchLabels: {app: x}}, template: {metadata: {labels: {app: x}}}}}";
    const all = "batch/job,batch/web,shop/db,shop/db,shop/web";
    for (const manifests of [[deployment, ...pods], [...pods, deployment].reverse(), [...pods, deployment]]) {
      const reachability = analyse(clusterOf(...manifests));
      assert.deepEqual(groupsOf(reachability), [
        `${all} -> ${all}: all ports`,
        `${all} -> ${anywhere}: all ports`,
        `${anywhere} -> ${all}: all ports`,
      ]);
      const [group] = reachability.groups();
      assert.ok(group && !("addresses" in group.from));
      assert.deepEqual(
        group.from.map(({ kind }) => kind),
        ["Pod", "Pod", "Deployment", "Pod", "Pod"],
      );
    }
  });

  it("keep a destination that has more ports than the others, and name it again with all of them", () => {
    const cluster = clusterOf(
      ...["shop/a", "shop/b", "shop/c"].map((id) => pod(id)),
      policy("ingress: [{ports: [{port: 80}]}]"),
      policy("ingress: [{from: [{podSelector: {matchLabels: {app: a}}}], ports: [{port: 443}]}]", "b"),
    );
    assert.deepEqual(groupsOf(analyse(cluster)), [
      "shop/a,shop/b,shop/c -> shop/a,shop/b,shop/c: TCP 80",
      "shop/a -> shop/b: TCP 80, 443",
      `shop/a,shop/b,shop/c -> ${anywhere}: all ports`,
      `${anywhere} -> shop/a,shop/b,shop/c: TCP 80`,
    ]);
  });

  it("take out a destination that has fewer ports than the others", () => {
    const toJob = (action: string, ports = ""): string =>
      `{action: ${action}, to: [${appPeer("job")}]${ports}}`;
    const manifests = [
      ...["shop/a", "shop/b", "batch/job"].map((id) => pod(id)),
      ofCluster(
        "AdminNetworkPolicy",
        `egress: [${toJob("Allow", ", ports: [{portNumber: {protocol: TCP, port: 80}}]")}, ${toJob("Deny")}]`,
      ),
    ];
    assert.deepEqual(groupsOf(analyse(clusterOf(...manifests))), [
      "batch/job -> batch/job,shop/a,shop/b: all ports",
      `batch/job,shop/a,shop/b -> ${anywhere}: all ports`,
      "shop/a,shop/b -> batch/job: TCP 80",
      "shop/a,shop/b -> shop/a,shop/b: all ports",
      `${anywhere} -> batch/job,shop/a,shop/b: all ports`,
    ]);
    // No group is left without destinations where the one that is taken out was alone.
    const openJob = policy("ingress: [{}]", "job", "batch");
    assert.deepEqual(groupsOf(analyse(clusterOf(...manifests, openJob))), [
      "batch/job -> batch/job: all ports",
      "batch/job,shop/a,shop/b -> shop/a,shop/b: all ports",
      `batch/job,shop/a,shop/b -> ${anywhere}: all ports`,
      "shop/a,shop/b -> batch/job: TCP 80",
      `${anywhere} -> batch/job,shop/a,shop/b: all ports`,
    ]);
  });

  it("do not name a destination again for ports that the source may not send to", () => {
    const cluster = clusterOf(
      ...["shop/a", "shop/b", "shop/c"].map((id) => pod(id)),
      policy(
        "policyTypes: [Ingress, Egress], ingress: [{ports: [{port: 80}]}], egress: [{ports: [{port: 80}]}]",
      ),
      policy("ingress: [{from: [{podSelector: {matchLabels: {app: a}}}], ports: [{port: 443}]}]", "b"),
    );
    const all = "shop/a,shop/b,shop/c";
    assert.deepEqual(groupsOf(analyse(cluster)), [
      `${all} -> ${all}: TCP 80`,
      `${all} -> ${anywhere}: TCP 80`,
      `${anywhere} -> ${all}: TCP 80`,
    ]);
  });

  it("have one group for what several policies say in the same words", () => {
    const allow = (port: number): string =>
      `ingress: [{ports: [{port: 80}]}, {from: [{podSelector: {matchLabels: {app: a}}}], ports: [{port: ${port}}]}]`;
    const pods = ["shop/a", "shop/b", "shop/c"].map((id) => pod(id));
    // That a may reach b at port 80 is said twice.
    const cluster = clusterOf(...pods, policy(allow(80), "b"), policy(allow(81), "c"));
    assert.deepEqual(groupsOf(analyse(cluster)), [
      "shop/a,shop/b,shop/c -> shop/a: all ports",
      "shop/a,shop/b,shop/c -> shop/b,shop/c: TCP 80",
      "shop/a -> shop/c: TCP 80-81",
      `shop/a,shop/b,shop/c -> ${anywhere}: all ports`,
      `${anywhere} -> shop/a: all ports`,
      `${anywhere} -> shop/b,shop/c: TCP 80`,
    ]);
  });
});

describe("the ports between two ends", () => {
  const cluster = clusterOf(
    pod("shop/web"),
    pod(
      "shop/db",
      "containers: [{name: c, ports: [{name: sql, containerPort: 5432}, {name: sql2, containerPort: 5433}]}]",
    ),
    pod("batch/job", "containers: [{name: c, ports: [{name: sql, containerPort: 1521}]}]"),
    policy(
      "policyTypes: [Egress], egress: [{ports: [{port: sql}]}, {to: [{ipBlock: {cidr: 10.0.0.0/9}}], ports: [{port: 443}, {port: 80}]}, {to: [{ipBlock: {cidr: 10.128.0.0/9}}], ports: [{port: 443}, {port: 8443}]}]",
      "web",
    ),
  );
  const reachability = analyse(cluster);
  const [web, db, job] = ["web", "db", "job"].map((name) => workload(cluster, name));
  const outside = (...cidrs: string[]) => ({ addresses: union(...cidrs.map((cidr) => fromCidr(cidr))) });
  assert.ok(web && db && job);

  it("are those that the destination calls by the name in the rule, for any destination", () => {
    assert.equal(formatPorts(reachability.ports(web, db)), "TCP 5432");
    assert.equal(formatPorts(reachability.ports(web, job)), "TCP 1521");
    assert.ok(hasNoPorts(reachability.ports(web, web)));
    assert.deepEqual(
      groupsOf(reachability).filter((group) => group.startsWith("shop/web ->")),
      [
        "shop/web -> batch/job: TCP 1521",
        "shop/web -> shop/db: TCP 5432",
        "shop/web -> 10.0.0.0/9: TCP 80, 443",
        "shop/web -> 10.128.0.0/9: TCP 443, 8443",
      ],
    );
  });

  it("are those that each of some addresses has", () => {
    const to = (...cidrs: string[]): string => {
      const ports = reachability.ports(web, outside(...cidrs));
      return hasNoPorts(ports) ? "" : formatPorts(ports);
    };
    assert.equal(to("10.1.0.0/16"), "TCP 80, 443");
    assert.equal(to("10.200.0.0/16"), "TCP 443, 8443");
    assert.equal(to("10.1.0.0/16", "10.200.0.0/16"), "TCP 443");
    assert.equal(to("10.0.0.0/8"), "TCP 443");
    assert.equal(to("10.0.0.0/7"), "");
    assert.equal(to("192.0.2.0/24"), "");
  });

  it("are none for no address, and none that addresses outside have to say to each other", () => {
    assert.ok(hasNoPorts(reachability.ports(web, { addresses: noAddresses })));
    assert.ok(hasNoPorts(reachability.ports(outside("10.0.0.0/8"), outside("192.0.2.0/24"))));
    assert.equal(formatPorts(reachability.ports(outside("192.0.2.0/24"), db)), "all ports");
  });

  it("are not known of a workload that the cluster does not have", () => {
    const stranger = { ...db, name: "stranger" };
    assert.throws(
      () => reachability.ports(web, stranger),
      new RangeError("shop/stranger is no workload of the cluster"),
    );
  });
});
