import assert from "node:assert/strict";
import { protectedServices as rule } from "../../../policypack/rules/protected-services";
import { findingsOf, resource, runRule, unknown, type WireResource } from "../../helpers/run-rule";

const workload = (
  name: string,
  labels: unknown,
  containers: unknown,
  type = "apps/v1:StatefulSet",
  spec: object = {},
): WireResource =>
  resource(
    `kubernetes:${type}`,
    {
      metadata: { name, namespace: "shop" },
      spec: { template: { metadata: { labels }, spec: { containers, ...spec } } },
    },
    name,
  );
const policy = (name: string, spec: unknown, namespace = "shop"): WireResource =>
  resource(
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace }, spec },
    `${namespace}-${name}`,
  );
const deny = policy("deny", { podSelector: {}, policyTypes: ["Ingress", "Egress"] });
const store = workload("store", { app: "x" }, [{ image: "postgres:17" }]);
const web = workload("web", { app: "web" }, [{ image: "registry.example/web:1" }], "apps/v1:Deployment");

const namespaceCalled = (name: string) => ({
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } },
});
const labelled = (labels: object) => ({ podSelector: { matchLabels: labels } });
const asked = (...matchExpressions: object[]) => ({ podSelector: { matchExpressions } });
const port = (number: unknown, more: object = {}) => [{ protocol: "TCP", port: number, ...more }];
const ofX = { matchLabels: { app: "x" } };
const opening = (from: unknown, ports: unknown = port(5432), podSelector: unknown = ofX): WireResource =>
  policy("p", { podSelector, policyTypes: ["Ingress"], ingress: [{ from, ports }] });

/** What the rule finds of a policy with one peer, beside the database and a default-deny. */
const openedBy = async (peer: unknown, ports: unknown = port(5432), config: object = {}): Promise<string[]> =>
  (await findingsOf(rule, [store, web, deny, opening([peer], ports)], { ...config })).map((finding) =>
    finding.replace(
      "NetworkPolicy shop/p: spec.ingress[0].from[0] lets in what is no declared client of a database, cache or queue: ",
      "",
    ),
  );

describe("protected-services", () => {
  it("accepts the pods of the same namespace that the policy names by their labels", async () => {
    for (const peer of [
      labelled({ app: "web" }),
      { ...labelled({ app: "web" }), ...namespaceCalled("shop") },
      asked({ key: "app", operator: "In", values: ["web", "worker"] }),
      asked({ key: "store-client", operator: "Exists" }),
      labelled({ app: "web", "app.kubernetes.io/part-of": "shop" }),
      // Replicas of the store.
      labelled({ app: "x" }),
    ]) {
      assert.deepEqual(await openedBy(peer), []);
    }
  });

  it("reports peers that name no client", async () => {
    const anyPod = "any pod of namespace shop to shop/store (TCP 5432).";
    assert.deepEqual(await openedBy({ podSelector: {} }), [
      `shop/web to shop/store (TCP 5432) and ${anyPod}`,
    ]);
    assert.deepEqual(await openedBy(asked({ key: "app", operator: "NotIn", values: ["web"] })), [anyPod]);
    assert.deepEqual(await openedBy(asked({ key: "evil", operator: "DoesNotExist" })), [
      `shop/web to shop/store (TCP 5432) and ${anyPod}`,
    ]);
    assert.deepEqual(await openedBy(asked({ key: "app", operator: "Exists" })), [
      "shop/web to shop/store (TCP 5432) and pods of namespace shop with labels app=any to shop/store (TCP 5432).",
    ]);
    assert.deepEqual(await openedBy(labelled({ "app.kubernetes.io/part-of": "shop" })), [
      "pods of namespace shop with labels app.kubernetes.io/part-of=shop to shop/store (TCP 5432).",
    ]);
  });

  it("reports other namespaces, by whatever they are selected", async () => {
    assert.deepEqual(await openedBy({ ...namespaceCalled("reports"), ...labelled({ app: "export" }) }), [
      "pods of namespace reports with labels app=export to shop/store (TCP 5432).",
    ]);
    assert.deepEqual(await openedBy({ namespaceSelector: { matchLabels: { team: "shop" } } }), [
      "any pod of any namespace with labels team=shop to shop/store (TCP 5432).",
    ]);
    // The pods of the namespace itself are named, those of others are not.
    assert.deepEqual(await openedBy({ namespaceSelector: {}, ...labelled({ app: "web" }) }), [
      "pods of any namespace with labels app=web to shop/store (TCP 5432).",
    ]);
  });

  it("reports addresses of both families, and no peers at all", async () => {
    const of = (cidr: string) => openedBy({ ipBlock: { cidr } });
    assert.deepEqual(await of("10.0.0.0/16"), ["10.0.0.0/16 to shop/store (TCP 5432)."]);
    assert.deepEqual(await of("fd00::/16"), ["fd00::/16 to shop/store (TCP 5432)."]);
    assert.deepEqual(await of("::ffff:10.0.0.0/104"), ["::ffff:a00:0/104 to shop/store (TCP 5432)."]);
    assert.deepEqual(await of("::/0"), [
      "::/0 except fd16:9254:7127:1337:ffff:ffff:ffff:ffff/128 to shop/store (TCP 5432).",
    ]);
    assert.deepEqual(await of("fd00::/8"), [
      "fd00::/8 except fd16:9254:7127:1337:ffff:ffff:ffff:ffff/128 to shop/store (TCP 5432).",
    ]);
    assert.deepEqual(await of("169.254.7.127/32"), []);
    for (const ingress of [[{ ports: port(5432) }], [{ from: null, ports: port(5432) }], [{}]]) {
      const open = policy("p", { podSelector: ofX, policyTypes: ["Ingress"], ingress });
      assert.match(
        (await findingsOf(rule, [store, deny, open])).join(),
        /^NetworkPolicy shop\/p: spec\.ingress\[0\] lets in .*any pod of namespace shop to shop\/store \(TCP .* and 0\.0\.0\.0\/0 except/,
      );
    }
  });

  it("says where, why it is dangerous and what to write instead, on the policy's resource", async () => {
    const open = opening([{ podSelector: {} }]);
    const [found, ...more] = await runRule(rule, [store, deny, open]);
    assert.deepEqual(more, []);
    assert.equal(found?.urn, open.urn);
    assert.equal(found.enforcementLevel, "mandatory");
    assert.equal(
      found.message,
      `NetworkPolicy shop/p: spec.ingress[0].from[0] lets in what is no declared client of a database, cache or queue: any pod of namespace shop to shop/store (TCP 5432).
Why it is dangerous: whoever takes over one of these reads, changes or deletes the data, or keeps the service from its clients.
Write instead: the clients alone, by podSelector and labels, on the ports that they need. Clients in other namespaces, and addresses, are declared in the communication matrix or, without one, in this rule's clients and clientAddresses.
See docs/rules.md#protected-services`,
    );
  });

  it("looks at all ports of the store but those of metrics", async () => {
    const monitoring = namespaceCalled("monitoring");
    assert.deepEqual(await openedBy(monitoring, port(9187)), []);
    assert.deepEqual(await openedBy(monitoring, port(8008)), [
      "any pod of namespace monitoring to shop/store (TCP 8008).",
    ]);
    assert.deepEqual(await openedBy(monitoring, port(5000, { endPort: 6000 })), [
      "any pod of namespace monitoring to shop/store (TCP 5000-6000).",
    ]);
    assert.match((await openedBy(monitoring, [{ protocol: "SCTP" }])).join(), /\(SCTP 1-65535\)/);
    assert.deepEqual(await openedBy(monitoring, port(9999), { metricsPorts: ["TCP 9999"] }), []);
    assert.equal((await openedBy(monitoring, port(9187), { metricsPorts: [] })).length, 1);
    const named = (name: string, containerPort: number) =>
      workload("store", { app: "x" }, [{ image: "redis", ports: [{ name, containerPort }] }]);
    const finds = async (one: WireResource, name: string): Promise<number> =>
      (await findingsOf(rule, [one, deny, opening([monitoring], port(name))])).length;
    assert.equal(await finds(named("http-metrics", 9999), "http-metrics"), 0);
    assert.equal(await finds(named("redis", 7777), "redis"), 1);
    // A port at which stores answer is none of metrics, whatever its name.
    assert.equal(await finds(named("metrics", 6379), "metrics"), 1);
  });

  it("knows a store by labels, images and ports, in every kind and version", async () => {
    const finds = async (one: WireResource, ports: unknown = port(6379), config = {}): Promise<number> =>
      (await findingsOf(rule, [one, deny, opening([{ namespaceSelector: {} }], ports, {})], config)).length;
    for (const image of [
      "redis",
      "registry.example:5000/bitnami/redis:7@sha256:abc",
      "docker.io/library/Redis:7",
      "mcr.microsoft.com/mssql/server:2022-latest",
      "registry.example/postgres:undefined",
    ]) {
      assert.equal(await finds(workload("s", { app: "x" }, [{ image }])), 1, image);
    }
    for (const image of ["registry.example/redis-exporter", "server", "redisinsight", "my-postgres-client"]) {
      assert.equal(await finds(workload("s", { app: "x" }, [{ image }])), 0, image);
    }
    for (const labels of [
      { "app.kubernetes.io/component": "database" },
      { app: "rabbitmq" },
      { "cnpg.io/cluster": "orders" },
    ]) {
      assert.equal(await finds(workload("s", labels, [{ image: "registry.example/own:1" }])), 1);
    }
    const declares = (ports: unknown) => [{ image: "registry.example/own:1", ports }];
    assert.equal(await finds(workload("s", { app: "x" }, declares([{ containerPort: 6379 }]))), 1);
    assert.equal(await finds(workload("s", { app: "x" }, declares([{ containerPort: 6379 }])), port(80)), 0);
    assert.equal(await finds(workload("s", { app: "x" }, declares([{ containerPort: 8443 }]))), 0);
    for (const type of [
      "extensions/v1beta1:Deployment",
      "apps/v1beta2:DaemonSet",
      "core/v1:ReplicationController",
    ]) {
      assert.equal(await finds(workload("s", { app: "x" }, [{ image: "redis" }], type)), 1, type);
    }
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "s", namespace: "shop", labels: { app: "x" } },
      spec: { containers: [{ image: "redis" }] },
    };
    assert.equal(await finds(resource("kubernetes:core/v1:List", { items: [pod] })), 1);
    // Clients by the same image: Jobs, and containers that end.
    assert.equal(await finds(workload("s", { app: "x" }, [{ image: "redis" }], "batch/v1:Job")), 0);
    const init = { initContainers: [{ image: "redis" }] };
    assert.equal(await finds(workload("s", { app: "x" }, [{ image: "own" }], "apps/v1:Deployment", init)), 0);
    const sidecar = { initContainers: [{ image: "redis", restartPolicy: "Always" }] };
    assert.equal(
      await finds(workload("s", { app: "x" }, [{ image: "own" }], "apps/v1:Deployment", sidecar)),
      1,
    );
    const own = { protectedLabels: [{ key: "tier", values: ["data"] }], protectedImages: ["vault"] };
    assert.equal(await finds(workload("s", { tier: "data" }, []), port(8200), own), 1);
    assert.equal(await finds(workload("s", {}, [{ image: "hashicorp/vault" }]), port(8200), own), 1);
    assert.equal(await finds(workload("s", {}, [{ image: "redis" }]), port(8200), own), 0);
  });

  it("looks at the store's ports alone where other containers of the pod serve others", async () => {
    const pod = workload("web", { app: "x" }, [
      { image: "registry.example/web:1", ports: [{ containerPort: 8443 }] },
      { image: "redis:7", ports: [{ containerPort: 6380 }] },
    ]);
    const finds = (ports: unknown) =>
      findingsOf(rule, [pod, deny, opening([namespaceCalled("ingress-nginx")], ports)]);
    assert.deepEqual(await finds(port(8443)), []);
    assert.equal((await finds(port(6380))).length, 1);
    assert.equal((await finds(port(6379))).length, 1);
    const exporter = workload("store", { app: "x" }, [
      { image: "mysql:8" },
      { image: "prom/mysqld-exporter", ports: [{ containerPort: 9104 }] },
    ]);
    const alone = await findingsOf(rule, [exporter, deny, opening([{ podSelector: {} }], port(7000))]);
    assert.equal(alone.length, 1);
  });

  it("judges a policy for stores that are deployed elsewhere", async () => {
    const from = [{ ...namespaceCalled("reports"), ...labelled({ app: "export" }) }];
    for (const selector of [
      { matchLabels: { "app.kubernetes.io/name": "postgresql" } },
      { matchExpressions: [{ key: "app", operator: "In", values: ["web", "postgresql"] }] },
    ]) {
      assert.deepEqual(await findingsOf(rule, [deny, opening(from, port(5432), selector)]), [
        "NetworkPolicy shop/p: spec.ingress[0].from[0] lets in what is no declared client of a database, cache or queue: pods of namespace reports with labels app=export to shop/postgresql (TCP 5432).",
      ]);
    }
    const operated = { matchExpressions: [{ key: "cnpg.io/cluster", operator: "Exists" }] };
    assert.equal((await findingsOf(rule, [deny, opening(from, port(5432), operated)])).length, 1);
    assert.deepEqual(await findingsOf(rule, [deny, opening(from, port(5432), ofX)]), []);
  });

  it("accepts a database that an operator runs, with its clients and its scraper", async () => {
    const operator = {
      ...namespaceCalled("cnpg-system"),
      ...labelled({ "app.kubernetes.io/name": "cloudnative-pg" }),
    };
    const cluster = { "cnpg.io/cluster": "orders" };
    const spec = (from: unknown) => ({
      podSelector: { matchLabels: cluster },
      policyTypes: ["Ingress"],
      ingress: [
        { from: [labelled(cluster), labelled({ app: "web" })], ports: port(5432) },
        { from: [from], ports: [...port(8000), ...port(5432)] },
        { from: [namespaceCalled("monitoring")], ports: port(9187) },
      ],
    });
    assert.deepEqual(await findingsOf(rule, [deny, policy("p", spec(operator))]), []);
    const any = await findingsOf(rule, [deny, policy("p", spec(namespaceCalled("cnpg-system")))]);
    assert.match(any.join(), /any pod of namespace cnpg-system to shop\/orders \(TCP 5432, 8000\)\.$/);
  });

  it("takes the clients that the configuration declares, for the pods and ports that it says", async () => {
    const peer = { ...namespaceCalled("reports"), ...labelled({ app: "export" }) };
    const client = { namespace: "reports", labels: { app: "export" }, reason: "figures" };
    assert.deepEqual(await openedBy(peer, port(5432), { clients: [client] }), []);
    assert.deepEqual(await openedBy(peer, port(5432), { clients: [{ ...client, labels: {} }] }), []);
    const one = { ...client, ports: ["TCP 5432"], of: { namespace: "shop", labels: { app: "x" } } };
    assert.deepEqual(await openedBy(peer, port(5432, { endPort: 5433 }), { clients: [one] }), [
      "reports/export to shop/store (TCP 5433).",
    ]);
    for (const other of [
      { ...client, of: { namespace: "shop", labels: { app: "y" } } },
      { ...client, of: { namespace: "other", labels: {} } },
      { ...client, namespace: "reports-2" },
      { ...client, labels: { app: "import" } },
      { ...client, labels: { app: "export", tier: "batch" } },
    ]) {
      assert.equal((await openedBy(peer, port(5432), { clients: [other] })).length, 1);
    }
    const vpn = { cidr: "10.9.0.0/28", ports: ["TCP 5432"], reason: "administrators" };
    const block = { ipBlock: { cidr: "10.9.0.0/27", except: ["10.9.0.16/28"] } };
    assert.deepEqual(await openedBy(block, port(5432), { clientAddresses: [vpn] }), []);
    assert.deepEqual(
      await openedBy({ ipBlock: { cidr: "10.9.0.0/27" } }, port(5432), { clientAddresses: [vpn] }),
      ["10.9.0.16/28 to shop/store (TCP 5432)."],
    );
  });

  it("takes a matrix at its word where it decides about the namespace", async () => {
    const matrix = {
      namespaces: ["shop"],
      services: [
        { name: "web", namespace: "shop", podSelector: { matchLabels: { app: "web" } } },
        { name: "db", namespace: "shop", podSelector: { matchLabels: { app: "x" } } },
        { name: "export", namespace: "reports", podSelector: { matchLabels: { app: "export" } } },
      ],
      flows: [
        {
          id: "export-db",
          from: { kind: "service", service: "export" },
          to: { kind: "service", service: "db" },
          ports: [{ protocol: "TCP", port: 5432 }],
        },
      ],
    };
    const config = { baseline: [{ matrix }] };
    const declared = { ...namespaceCalled("reports"), ...labelled({ app: "export" }) };
    assert.deepEqual(await openedBy(declared, port(5432), config), []);
    assert.deepEqual(await openedBy(labelled({ app: "web" }), port(5432), config), [
      "shop/web to shop/store (TCP 5432).",
    ]);
    // A service of the matrix need not be deployed here.
    const selector = { matchLabels: { app: "postgres" } };
    const elsewhere = { ...matrix, services: [{ name: "pg", namespace: "shop", podSelector: selector }] };
    const open = opening([{ podSelector: {} }], port(5432), selector);
    assert.deepEqual(
      await findingsOf(rule, [deny, open], { baseline: [{ matrix: { ...elsewhere, flows: [] } }] }),
      [
        "NetworkPolicy shop/p: spec.ingress[0].from[0] lets in what is no declared client of a database, cache or queue: shop/pg to shop/pg (TCP 5432) and any pod of namespace shop to shop/pg (TCP 5432).",
      ],
    );
  });

  it("reports stores that nothing isolates, and those on their node's network", async () => {
    assert.deepEqual(await findingsOf(rule, [store, web]), [
      "StatefulSet shop/store: namespace shop has databases, caches or queues that no policy isolates for ingress: shop/store.",
    ]);
    const onNode = workload("store", { app: "x" }, [{ image: "redis" }], "apps/v1:DaemonSet", {
      hostNetwork: true,
    });
    assert.deepEqual(await findingsOf(rule, [onNode, deny]), [
      "DaemonSet shop/store: spec.template.spec.hostNetwork is true, for a database, cache or queue.",
    ]);
    assert.deepEqual(await findingsOf(rule, [store], { exclude: ["shop"] }), []);
  });

  it("counts what the other end's policies shut as open, since whoever deploys there can open it", async () => {
    const denied = policy("deny", { podSelector: {}, policyTypes: ["Ingress", "Egress"] }, "reports");
    const report = resource("kubernetes:core/v1:Pod", {
      metadata: { name: "export", namespace: "reports", labels: { app: "export" } },
      spec: { containers: [] },
    });
    const open = opening([{ ...namespaceCalled("reports"), ...labelled({ app: "export" }) }]);
    assert.deepEqual(await findingsOf(rule, [store, deny, denied, report, open]), [
      "NetworkPolicy shop/p: spec.ingress[0].from[0] lets in what is no declared client of a database, cache or queue: reports/export to shop/store (TCP 5432).",
    ]);
  });

  it("takes the name of a client from policies for the store itself only", async () => {
    const toWeb = [{ from: [labelled({ app: "web" })], ports: port(5432) }];
    const naming = (podSelector: unknown, namespace?: string): WireResource =>
      policy("names", { podSelector, policyTypes: ["Ingress"], ingress: toWeb }, namespace);
    const admin = (subject: object): WireResource =>
      resource("kubernetes:policy.networking.k8s.io/v1alpha1:AdminNetworkPolicy", {
        metadata: { name: "names" },
        spec: {
          priority: 5,
          subject,
          ingress: [
            {
              action: "Allow",
              from: [
                {
                  pods: {
                    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "shop" } },
                    podSelector: { matchLabels: { app: "web" } },
                  },
                },
              ],
              ports: [{ portNumber: { protocol: "TCP", port: 5432 } }],
            },
          ],
        },
      });
    const pods = (namespace: string, podSelector: object) => ({
      pods: {
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
        podSelector,
      },
    });
    const other = { matchLabels: { app: "other" } };
    const found = async (names: WireResource): Promise<string> =>
      (await findingsOf(rule, [store, web, deny, opening([{ podSelector: {} }]), names]))
        .filter((finding) => finding.startsWith("NetworkPolicy shop/p:"))
        .join();
    for (const names of [
      naming(ofX),
      naming({}),
      admin({ namespaces: {} }),
      admin(pods("shop", ofX)),
      admin(pods("shop", {})),
    ]) {
      assert.match(await found(names), /queue: any pod of namespace shop to shop\/store \(TCP 5432\)\.$/);
    }
    for (const names of [
      naming(other),
      naming(ofX, "other"),
      admin({ namespaces: { matchLabels: { "kubernetes.io/metadata.name": "other" } } }),
      admin(pods("other", ofX)),
      admin(pods("shop", other)),
    ]) {
      assert.match(
        await found(names),
        /queue: shop\/web to shop\/store \(TCP 5432\)(?:,| and) any pod of namespace shop/,
      );
    }
  });

  it("takes no label of a namespace, and no name to be avoided, for the name of one", async () => {
    const elsewhere = { key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["shop"] };
    for (const namespaceSelector of [{ matchLabels: { team: "shop" } }, { matchExpressions: [elsewhere] }]) {
      const peer = { namespaceSelector, ...labelled({ app: "web" }) };
      const found = await findingsOf(rule, [store, web, deny, opening([{ podSelector: {} }, peer])]);
      assert.match(found.join(), /from\[0\] lets in [^:]*: shop\/web to shop\/store \(TCP 5432\)/);
    }
  });

  it("tells what is not known from what is open, and only where stores may answer", async () => {
    for (const one of [
      workload("own", { app: "x" }, [{ image: unknown }]),
      workload("own", { app: "x", "app.kubernetes.io/component": unknown }, [{ image: "own" }]),
      workload("own", { app: "x" }, [{ image: "own", ports: [{ containerPort: unknown }] }]),
    ]) {
      const found = await findingsOf(rule, [one, deny, opening([{ podSelector: {} }])]);
      assert.match(
        found.join(),
        /^NetworkPolicy shop\/p cannot be verified: spec\.ingress\[0\]\.from\[0\] lets in clients of pods that may be a database, cache or queue, which is not known in the preview: /,
      );
      assert.deepEqual(await findingsOf(rule, [one, deny, opening([{ podSelector: {} }], port(8443))]), []);
      assert.deepEqual(await findingsOf(rule, [one, deny, opening([labelled({ app: "web" })])]), []);
    }
  });

  it("judges the baseline's database where the stack has a part in what is open", async () => {
    const spec = {
      podSelector: ofX,
      policyTypes: ["Ingress"],
      ingress: [{ from: [namespaceCalled("reports")] }],
    };
    const theirs = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "open", namespace: "shop" },
      spec,
    };
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "db", namespace: "shop", labels: { app: "x" } },
      spec: { containers: [{ image: "mongo" }] },
    };
    const stranger = resource("kubernetes:core/v1:Pod", { metadata: { name: "a", namespace: "other" } });
    const client = resource("kubernetes:core/v1:Pod", { metadata: { name: "a", namespace: "reports" } });
    const config = { baseline: [{ objects: [theirs, pod] }] };
    assert.deepEqual(await findingsOf(rule, stranger, config), []);
    assert.match(
      (await findingsOf(rule, client, config)).join(),
      /^NetworkPolicy shop\/open of the baseline: spec\.ingress\[0\]\.from\[0\] lets in .*: reports\/a to shop\/db/,
    );
    const ours = opening([namespaceCalled("reports")]);
    assert.match((await findingsOf(rule, ours, { baseline: [{ objects: [pod] }] })).join(), /to shop\/db/);
  });

  it("counts cluster policies and patches", async () => {
    const allow = resource("kubernetes:policy.networking.k8s.io/v1alpha1:AdminNetworkPolicy", {
      metadata: { name: "a" },
      spec: {
        priority: 1,
        subject: { namespaces: {} },
        ingress: [{ action: "Allow", from: [{ namespaces: { matchLabels: { team: "x" } } }] }],
      },
    });
    assert.match(
      (await findingsOf(rule, [store, deny, allow])).join(),
      /^AdminNetworkPolicy a: spec\.ingress\[0\]\.from\[0\] lets in .*any pod of any namespace with labels team=x/,
    );
    const narrow = opening([labelled({ app: "web" })]);
    const patch = resource(
      "kubernetes:networking.k8s.io/v1:NetworkPolicyPatch",
      {
        metadata: { name: "p", namespace: "shop" },
        spec: { ingress: [{ from: [{ podSelector: {} }] }] },
      },
      "patch",
    );
    assert.deepEqual(await findingsOf(rule, [store, deny, narrow]), []);
    assert.match(
      (await findingsOf(rule, [store, deny, narrow, patch])).join(),
      /^NetworkPolicyPatch shop\/p: spec\.ingress\[0\]\.from\[0\] lets in/,
    );
  });

  it("judges a policy for stores elsewhere by the labels that are protected, whatever else it asks for", async () => {
    const from = [namespaceCalled("reports")];
    const found = async (podSelector: unknown, config: object = {}, more: WireResource[] = []) =>
      (await findingsOf(rule, [deny, opening(from, port(5432), podSelector), ...more], { ...config })).map(
        (finding) => finding.replace(/^.*any pod of namespace reports to /, ""),
      );
    const either = (...values: string[]) => ({ matchExpressions: [{ key: "app", operator: "In", values }] });
    assert.deepEqual(await found(either("api", "postgresql")), ["shop/postgresql (TCP 5432)."]);
    assert.deepEqual(
      await found({ matchLabels: { app: "orders", "app.kubernetes.io/component": "database" } }),
      ["shop/orders (TCP 5432)."],
    );
    const labels = [
      { key: "tier", values: ["cache"] },
      { key: "tier", values: ["data"] },
    ];
    const tier = { matchLabels: { tier: "data" } };
    assert.deepEqual(await found(tier), []);
    assert.deepEqual(await found(tier, { protectedLabels: labels }), ["shop/data (TCP 5432)."]);
    // No pods have it.
    const without = [{ key: "app", operator: "NotIn", values: ["redis"] }];
    assert.deepEqual(await found({ matchLabels: { app: "redis" }, matchExpressions: without }), []);
    assert.deepEqual(await found({ matchLabels: { app: "redis" } }, { exclude: ["shop"] }), []);

    // Where the stack has such pods, it is about these.
    const redis = { matchLabels: { app: "redis" } };
    const deployed = (app: string, more: object = {}): WireResource[] => [
      workload("store", { app, role: "primary" }, [{ image: app }], "apps/v1:StatefulSet", more),
    ];
    assert.deepEqual(await found(redis, {}, deployed("redis")), ["shop/store (TCP 5432)."]);
    assert.deepEqual(await found(redis, {}, deployed("mongo")), ["shop/redis (TCP 5432)."]);
    const openOthers = policy("others", {
      podSelector: { matchExpressions: [{ key: "role", operator: "NotIn", values: ["primary"] }] },
      policyTypes: ["Ingress"],
      ingress: [{ from }],
    });
    const clients = opening([labelled({ app: "web" })], port(5432), redis);
    assert.deepEqual(await findingsOf(rule, [deny, clients, openOthers, ...deployed("redis")]), []);
    assert.match((await findingsOf(rule, [deny, clients, openOthers])).join(), /shop\/redis \(TCP .*\)\.$/);
    const [finding, ...others] = await found(redis, {}, deployed("redis", { hostNetwork: true }));
    assert.match(finding ?? "", /spec\.template\.spec\.hostNetwork is true/);
    assert.deepEqual(others, ["shop/redis (TCP 5432)."]);
    const elsewhere = resource("kubernetes:core/v1:Pod", {
      metadata: { name: "r", namespace: "other", labels: { app: "redis" } },
      spec: { containers: [{ image: "redis" }] },
    });
    assert.deepEqual((await found(redis, {}, [elsewhere])).at(-1), "shop/redis (TCP 5432).");
  });

  it("takes pods that a policy names as clients for no stores, whatever they are called", async () => {
    const all = policy("all", {
      podSelector: {},
      policyTypes: ["Ingress"],
      ingress: [{ from: [labelled({ app: "web" })], ports: port(5432) }],
    });
    assert.deepEqual(
      await findingsOf(rule, [store, web, deny, all, opening([labelled({ app: "redis" })])]),
      [],
    );
  });

  it("takes pods with the same labels for one store, whichever the order of labels and objects", async () => {
    const pods = (name: string, image: unknown, labels: object = { app: "x", tier: "y" }): WireResource =>
      workload(name, labels, [{ image }]);
    const turned = { tier: "y", app: "x" };
    const found = (...pair: WireResource[]): Promise<string[]> =>
      findingsOf(rule, [...pair, deny, opening([namespaceCalled("reports")])]);
    const certain =
      "NetworkPolicy shop/p: spec.ingress[0].from[0] lets in what is no declared client of a database, cache or queue: any pod of namespace reports to ";
    for (const [pair, name] of [
      [[pods("a", "redis"), pods("b", "redis")], "a"],
      [[pods("a", unknown), pods("b", "redis")], "b"],
      [[pods("a", "redis"), pods("b", unknown)], "a"],
      [[pods("a", "own", turned), pods("b", "redis")], "b"],
      [[pods("a", "own"), pods("b", "redis", turned)], "b"],
    ] as const) {
      assert.deepEqual(await found(...pair), [`${certain}shop/${name} (TCP 5432).`]);
    }
    assert.match((await found(pods("a", unknown), pods("b", unknown))).join(), / to shop\/a \(TCP 5432\)\.$/);
  });

  it("takes the stack's own matrix at its word too, for its services as far as they are stores", async () => {
    const service = (name: string) => ({
      name,
      namespace: "shop",
      podSelector: { matchLabels: { app: name } },
    });
    const matrix = { namespaces: ["shop"], services: [service("web"), service("redis")], flows: [] };
    const network = resource("erlmcp:network:ZeroTrustNetwork", { matrix }, "network");
    const to = (podSelector: unknown, more: object = {}): Promise<string[]> =>
      findingsOf(rule, [network, deny, opening([labelled({ app: "web" })], port(5432), podSelector)], {
        ...more,
      });
    const found =
      "NetworkPolicy shop/p: spec.ingress[0].from[0] lets in what is no declared client of a database, cache or queue: shop/web to shop/redis (TCP 5432).";
    assert.deepEqual(await to({ matchLabels: { app: "redis" } }), [found]);
    assert.deepEqual(await to({}), [found]);
    assert.deepEqual(await to({ matchLabels: { app: "web" } }), []);
    assert.deepEqual(await to({}, { exclude: ["shop"] }), []);
    const alone = { ...network, props: { matrix: { ...matrix, services: [service("redis")] } } };
    assert.deepEqual(
      await findingsOf(rule, [alone, deny, opening([labelled({ app: "web" })], port(5432), {})]),
      [found.replace("shop/web", "pods of namespace shop with labels app=web")],
    );
  });

  it("leaves to others what stores send, and what is not known of pods that nothing isolates", async () => {
    const sends = policy("sends", { podSelector: ofX, policyTypes: ["Egress"], egress: [{}] });
    assert.deepEqual(await findingsOf(rule, [store, deny, sends]), []);
    const own = workload("own", { app: "x" }, [{ image: unknown }]);
    assert.deepEqual(await findingsOf(rule, [own]), []);
    const node = { hostNetwork: true };
    const ownOnNode = workload("own", { app: "x" }, [{ image: unknown }], "apps/v1:DaemonSet", node);
    assert.deepEqual(await findingsOf(rule, [ownOnNode, deny]), []);
    const onNode = workload("store", { app: "x" }, [{ image: "redis" }], "apps/v1:DaemonSet", node);
    assert.deepEqual(await findingsOf(rule, [onNode, deny], { exclude: ["shop"] }), []);
    const { props } = onNode;
    const theirs = { apiVersion: "apps/v1", kind: "DaemonSet", ...(props as object) };
    assert.deepEqual(await findingsOf(rule, [web, deny], { baseline: [{ objects: [theirs] }] }), []);
  });

  it("blocks policies whose pods take too long to find, but those that matrix-conformance blocks", async function () {
    this.timeout(30_000);
    // Of four kinds: pods of no service have one label of each kind.
    const services = ["shop", "data"].flatMap((namespace) =>
      Array.from({ length: 500 }, (_, service) => ({
        name: `${namespace}-${service}`,
        namespace,
        podSelector: {
          matchExpressions: Array.from({ length: 10 }, (__, label) => ({
            key: `label-${service % 4}-${label}`,
            operator: "DoesNotExist",
          })),
        },
      })),
    );
    const matrix = { namespaces: ["shop"], services, flows: [] };
    const elsewhere = resource("kubernetes:core/v1:Pod", {
      metadata: { name: "store", namespace: "data", labels: { app: "x" } },
      spec: { containers: [{ image: "redis" }] },
    });
    const [theirs, ours] = [
      policy("theirs", { podSelector: {}, policyTypes: ["Ingress"] }, "data"),
      policy("ours", { podSelector: {}, policyTypes: ["Ingress"] }, "data"),
    ];
    const admin = resource("kubernetes:policy.networking.k8s.io/v1alpha1:AdminNetworkPolicy", {
      metadata: { name: "a" },
      spec: { priority: 1, subject: { namespaces: {} } },
    });
    const [first, ...more] = await runRule(rule, [store, elsewhere, deny, ours, admin], {
      baseline: [{ matrix, objects: [theirs.props] }],
    });
    assert.equal(first?.urn, ours.urn);
    assert.equal(first.enforcementLevel, "mandatory");
    assert.equal(
      first.message,
      `NetworkPolicy data/ours cannot be verified: spec has selectors that are too intricate to find out which pods they match.
Why it blocks: it may open a database, cache or queue: whoever takes over one of these reads, changes or deletes the data, or keeps the service from its clients. What cannot be verified is not compliant.
Write instead: selectors with fewer requirements, best one label with one value each.
See docs/rules.md#protected-services`,
    );
    assert.deepEqual(
      more.map(({ message }) => message.split("\n")[0]),
      [
        "AdminNetworkPolicy a cannot be verified: spec has selectors that are too intricate to find out which pods they match.",
      ],
    );
  });
});
