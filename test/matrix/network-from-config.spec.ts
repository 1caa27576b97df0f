import assert from "node:assert/strict";
import { InvalidNetworkError, matrixRows, networkFromConfig, type CompiledNetwork } from "../../matrix";
import { networkWith, policiesOf, policyOf } from "../helpers/stack-network";

/** Every problem, as `key: message (found …)`. */
function problemsOf(config: Record<string, unknown>): string[] {
  try {
    networkFromConfig(config, "The configuration of stack test");
  } catch (error) {
    if (error instanceof InvalidNetworkError) {
      return error.problems.map(
        ({ key, message, value }) => `${key}: ${message} (found ${JSON.stringify(value)})`,
      );
    }
    throw error;
  }
  return [];
}

/** Names of the policies in which the two networks differ. */
function changed(before: CompiledNetwork, after: CompiledNetwork): string[] {
  const specs = (network: CompiledNetwork) =>
    new Map(
      policiesOf(network).map((policy) => [
        `${policy.metadata.namespace}/${policy.metadata.name}`,
        JSON.stringify(policy),
      ]),
    );
  const [old, fresh] = [specs(before), specs(after)];
  return [...new Set([...old.keys(), ...fresh.keys()])]
    .filter((name) => old.get(name) !== fresh.get(name))
    .sort();
}

describe("configuration", () => {
  it("needs none at all", () => {
    const { definition, namespaces } = networkWith();
    assert.equal(definition.securityLevel, "high");
    assert.deepEqual(
      namespaces.map(({ name, mode }) => [name, mode]),
      [
        ["erlmcp", "create"],
        ["monitoring", "create"],
        ["observability", "create"],
      ],
    );
    assert.deepEqual(
      matrixRows(networkWith())
        .filter(({ id }) => ["app-private", "ingress-app", "mesh-app"].includes(id))
        .map(({ id, from }) => [id, from]),
      [["ingress-app", "ingress controllers: ingress-nginx/ingress-nginx"]],
      "no private endpoint and no mesh unless asked for",
    );
  });

  it("tells every problem at once, each with key, value, allowed values and fix", () => {
    const config = {
      securitylevel: "high",
      networking: { policies: { ingress: { controllers: ["nginx"] } } },
      privateEndpoints: [{ cidr: "10.0.0.0/33", reason: "VPN" }, { cidr: "10.1.0.0/16" }],
      services: { worker: { namespace: "workers", podLabels: { app: "worker" } } },
      flows: [
        { id: "worker-postgres", from: "worker", to: "postgres", ports: [70000], purpose: "Jobs" },
        { id: "app-postgres-again", from: "erlmcp", to: "postgres", ports: [5432], purpose: "Jobs" },
      ],
    };
    assert.throws(() => networkFromConfig(config, "The configuration of stack test"), {
      name: "InvalidNetworkError",
      message: `The configuration of stack test has 7 problems; nothing was deployed.

  privateEndpoints[0].cidr: has a prefix longer than an address
    found:   "10.0.0.0/33"
    allowed: a network such as 192.0.2.0/24 or 2001:db8::/32
    fix:     correct it

  privateEndpoints[1].reason: is missing
    found:   nothing
    allowed: a text
    fix:     add it

  flows[0].ports[0]: cannot be read: port 70000 is not a whole number from 1 to 65535
    found:   70000
    allowed: a port from 1 to 65535 or a range: 5432, "UDP 53", "TCP 9100-9155"
    fix:     name the port the service listens on

  securitylevel: is not a key that this project knows
    found:   "high"
    allowed: securityLevel, protectDefaultDeny, namespaces, networking, mesh, dns, ipFamilies, erlangDistribution, externalHttps, privateEndpoints, services, flows, disabledFlows
    fix:     correct its spelling or remove it

  networking.policies.ingress.controllers[0]: is not an ingress controller that this project knows
    found:   "nginx"
    allowed: ingress-nginx, traefik, gateway-api, worker
    fix:     correct its spelling, or describe its pods under services and use that name

  services.worker.namespace: is not a namespace of this network
    found:   "workers"
    allowed: erlmcp, monitoring, observability, kube-system
    fix:     correct the name, or add namespaces.workers with mode create, adopt or reference

  flows.app-postgres-again.ports: contradicts app-postgres, which opens the same ports between the same two ends
    found:   "TCP 5432"
    allowed: ports that app-postgres does not open
    fix:     remove them here, or turn app-postgres off`,
    });
  });

  const wrong: [string, Record<string, unknown>, string][] = [
    [
      "an unknown nested key",
      { dns: { peer: [] } },
      "dns.peer: is not a key that this project knows (found [])",
    ],
    [
      "an unknown security level",
      { securityLevel: "top" },
      'securityLevel: is not one of the values allowed (found "top")',
    ],
    [
      "a text where a list belongs",
      { ipFamilies: "IPv4" },
      'ipFamilies: is not of type array (found "IPv4")',
    ],
    [
      "an unknown address family",
      { ipFamilies: ["IPv5"] },
      'ipFamilies[0]: is not one of the values allowed (found "IPv5")',
    ],
    ["no address family", { ipFamilies: [] }, "ipFamilies: leaves no address family (found [])"],
    ["an unknown mesh", { mesh: { provider: "consul" } }, 'mesh.provider: names no mesh (found "consul")'],
    [
      "an unknown mesh key",
      { mesh: { provider: "istio", mode: "x" } },
      'mesh.mode: is not a key that this project knows (found "x")',
    ],
    [
      "an unknown mesh member",
      { mesh: { provider: "istio", members: ["jager"] } },
      'mesh.members: is not a service of a namespace that this network creates or adopts, so mTLS could not be enforced on it (found "jager")',
    ],
    [
      "an unknown mesh gateway",
      { mesh: { provider: "istio", gateway: "gw" } },
      'mesh.gateway: is not a service (found "gw")',
    ],
    [
      "a mode misspelled",
      { namespaces: { monitoring: { mode: "adapt" } } },
      'namespaces.monitoring.mode: is not one of the values allowed (found "adapt")',
    ],
    [
      "a created namespace without default-deny",
      { namespaces: { erlmcp: { mode: "create", defaultDeny: false } } },
      "namespaces.erlmcp.defaultDeny: a namespace that the stack creates always has default-deny (found false)",
    ],
    [
      "default-deny in a referenced namespace",
      { namespaces: { monitoring: { mode: "reference", defaultDeny: true } } },
      "namespaces.monitoring.defaultDeny: a namespace that is only referenced is touched by nothing, so it gets no default-deny (found true)",
    ],
    [
      "a namespace that cannot exist",
      { namespaces: { Foo_bar: { mode: "create" } } },
      'namespaces.Foo_bar: is not a namespace name (found "Foo_bar")',
    ],
    [
      "nobody to answer DNS",
      { dns: { peers: [] } },
      "dns.peers: is empty, and without DNS no service finds another (found [])",
    ],
    [
      "an unknown DNS server",
      { dns: { peers: ["bind"] } },
      'dns.peers[0]: is not a DNS server that this project knows (found "bind")',
    ],
    [
      "a DNS address that is none",
      { dns: { peers: ["nodelocal-dns"], nodeLocalAddresses: ["node"] } },
      'dns.nodeLocalAddresses[0]: is not an IP address (found "node")',
    ],
    [
      "a distribution range upside down",
      { erlangDistribution: { from: 9200, to: 9100 } },
      'erlangDistribution: port range 9200-9100 ends before it starts (found {"from":9200,"to":9100})',
    ],
    [
      "private ranges in external HTTPS",
      { externalHttps: { cidrs: ["10.0.0.0/8"] } },
      'externalHttps.cidrs[0]: holds addresses that are not public (found "10.0.0.0/8")',
    ],
    [
      "a public range as private endpoint",
      { privateEndpoints: [{ cidr: "8.8.8.0/24", reason: "x" }] },
      'privateEndpoints[0].cidr: holds public addresses (found "8.8.8.0/24")',
    ],
    [
      "everything as private endpoint",
      { privateEndpoints: [{ cidr: "0.0.0.0/0", reason: "x" }] },
      'privateEndpoints[0].cidr: holds public addresses (found "0.0.0.0/0")',
    ],
    [
      "a private endpoint with an empty reason",
      { privateEndpoints: [{ cidr: "10.0.0.0/8", reason: " " }] },
      'privateEndpoints[0].reason: is empty (found " ")',
    ],
    [
      "a private endpoint without ports",
      { privateEndpoints: [{ cidr: "10.0.0.0/8", reason: "x", ports: [] }] },
      "privateEndpoints[0].ports: is empty, which would open every port (found [])",
    ],
    [
      "an IPv6 range on an IPv4 cluster",
      { privateEndpoints: [{ cidr: "fd00::/8", reason: "x" }] },
      'flows.app-private.to: is IPv6, which this cluster does not have; some enforcers fail on it (found "fd00::/8")',
    ],
    [
      "a flow without purpose",
      { flows: [{ id: "a", from: "redis", to: "postgres", ports: [1] }] },
      "flows[0].purpose: is missing (found nothing)".replace("nothing", "undefined"),
    ],
    [
      "a flow without ports",
      { flows: [{ id: "a", from: "redis", to: "postgres", ports: [], purpose: "x" }] },
      "flows[0].ports: is empty, which would open every port (found [])",
    ],
    [
      "a flow to nowhere",
      { flows: [{ id: "a", from: "redis", to: "postgre", ports: [1], purpose: "x" }] },
      'flows.a.to: is not a service of the matrix (found "postgre")',
    ],
    [
      "a flow to a mixed range",
      { flows: [{ id: "a", from: "redis", to: { cidrs: ["0.0.0.0/1"] }, ports: [1], purpose: "x" }] },
      'flows.a.to: holds public and private addresses, so what it opens cannot be told from its name (found "0.0.0.0/1")',
    ],
    [
      "a flow to no range",
      { flows: [{ id: "a", from: "redis", to: { cidrs: [] }, ports: [1], purpose: "x" }] },
      "flows[0].to.cidrs: is empty, which a NetworkPolicy reads as everybody (found [])",
    ],
    [
      "a flow to an unknown namespace",
      { flows: [{ id: "a", from: "redis", to: { namespaces: ["x"] }, ports: [1], purpose: "x" }] },
      'flows.a.to: is not a namespace of this network (found "x")',
    ],
    [
      "a flow from cluster DNS",
      { flows: [{ id: "a", from: "cluster-dns", to: "redis", ports: [1], purpose: "x" }] },
      'flows.a.from: cluster DNS opens no connections of its own (found "cluster-dns")',
    ],
    [
      "a port that is none",
      { flows: [{ id: "a", from: "redis", to: "postgres", ports: [true], purpose: "x" }] },
      "flows[0].ports[0]: is not a port (found true)",
    ],
    [
      "an id taken by the matrix",
      { flows: [{ id: "app-redis", from: "redis", to: "postgres", ports: [1], purpose: "x" }] },
      'flows.app-redis: is defined more than once (found "app-redis")',
    ],
    [
      "a flow that reopens what is off",
      {
        disabledFlows: ["otel-app"],
        flows: [{ id: "a", from: "otel-collector", to: "erlmcp", ports: [9090], purpose: "x" }],
      },
      'flows.a: contradicts disabledFlows: it opens exactly what otel-app, which is turned off, would open (found "TCP 9090")',
    ],
    [
      "an unknown flow turned off",
      { disabledFlows: ["app-mysql"] },
      'disabledFlows[0]: is not a flow that this stack\'s matrix has (found "app-mysql")',
    ],
    [
      "a service without labels",
      { services: { x: { namespace: "erlmcp", podLabels: {} } } },
      "services.x.podLabels: would select every pod of the namespace (found {})",
    ],
    [
      "a service with a label that is none",
      { services: { x: { namespace: "erlmcp", podLabels: { app: "a b" } } } },
      'services.x.podLabels.app: is not a Kubernetes label (found "a b")',
    ],
    [
      "a service by a name of the matrix",
      { services: { internet: { namespace: "erlmcp", podLabels: { app: "x" } } } },
      'services.internet: is a name that the matrix uses itself (found "internet")',
    ],
    [
      "a wide distribution range with Linkerd",
      { mesh: { provider: "linkerd" } },
      'flows.app-cluster.ports: is too wide for Linkerd, where every port needs a Server of its own (found "TCP 9100-9155")',
    ],
  ];
  for (const [name, config, problem] of wrong) {
    it(`refuses ${name}`, () => {
      assert.deepEqual(problemsOf(config), [problem]);
    });
  }

  it("names what a service of one's own lacks", () => {
    assert.deepEqual(problemsOf({ services: { x: {} } }).slice(0, 2), [
      "services.x.namespace: is missing (found undefined)",
      "services.x.podLabels: is missing (found undefined)",
    ]);
  });

  it("refuses a service whose policies' names are taken", () => {
    const services = { "erlmcp-deny-all": { namespace: "erlmcp", podLabels: { app: "x" } } };
    assert.deepEqual(
      problemsOf({ services }),
      ["ingress", "egress"].map(
        (direction) =>
          `services.erlmcp-deny-all: its policy would have the name of a policy of default-deny (found "erlmcp-deny-all-${direction}")`,
      ),
    );
  });

  it("refuses a network with nothing to deploy", () => {
    const reference = { mode: "reference" };
    assert.match(
      problemsOf({ namespaces: { erlmcp: reference, monitoring: reference, observability: reference } }).join(
        "\n",
      ),
      /^namespaces: no namespace is created or adopted, so there is nothing to deploy/m,
    );
  });

  it("reads values that the engine and `pulumi config set` hand over as text", () => {
    const network = networkWith({
      protectDefaultDeny: "true",
      securityLevel: "low",
      dns: '{"peers":["coredns"]}',
    });
    assert.equal(network.definition.protectDefaultDeny, true);
    assert.equal(network.definition.securityLevel, "low");
    assert.equal(
      matrixRows(network).find(({ id }) => id === "app-dns")?.to,
      "cluster DNS: kube-system/coredns",
    );
  });

  it("never crashes on values of the wrong shape", () => {
    for (const value of [null, 0, "x", [], [null], {}, { a: null }, true]) {
      for (const key of [
        "namespaces",
        "networking",
        "mesh",
        "dns",
        "services",
        "flows",
        "privateEndpoints",
        "disabledFlows",
      ]) {
        try {
          networkFromConfig({ [key]: value }, "test");
        } catch (error) {
          assert.ok(
            error instanceof InvalidNetworkError,
            `${key}: ${JSON.stringify(value)} gave ${String(error)}`,
          );
        }
      }
    }
  });
});

describe("a change of configuration", () => {
  const before = networkWith();

  it("touches only erlmcp-ingress when an ingress controller is turned on", () => {
    const after = networkWith({
      networking: { policies: { ingress: { controllers: ["ingress-nginx", "gateway-api"] } } },
    });
    assert.deepEqual(changed(before, after), ["erlmcp/erlmcp-ingress"]);
  });

  it("removes a flow that is turned off on both ends, and nothing else", () => {
    const after = networkWith({ disabledFlows: ["app-redis"] });
    assert.deepEqual(changed(before, after), ["erlmcp/erlmcp-egress", "erlmcp/redis-ingress"]);
    for (const name of ["erlmcp/erlmcp-egress", "erlmcp/redis-ingress"]) {
      assert.ok(!JSON.stringify(policyOf(after, name)).includes("app-redis"));
    }
  });

  it("removes a policy that opens nothing any more", () => {
    assert.deepEqual(changed(before, networkWith({ disabledFlows: ["otel-jaeger", "app-jaeger"] })), [
      "erlmcp/erlmcp-egress",
      "erlmcp/otel-collector-egress",
      "observability/jaeger-ingress",
    ]);
  });

  it("opens a flow of one's own on both ends", () => {
    const after = networkWith({
      flows: [
        { id: "grafana-prometheus", from: "grafana", to: "prometheus", ports: [9090], purpose: "Dashboards" },
      ],
    });
    assert.deepEqual(changed(before, after), ["monitoring/grafana-egress", "monitoring/prometheus-ingress"]);
    const pod = (name: string) => ({
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } },
      podSelector: { matchLabels: { "app.kubernetes.io/name": name } },
    });
    const ports = [{ protocol: "TCP", port: 9090 }];
    assert.deepEqual(policyOf(after, "monitoring/grafana-egress").spec.egress?.at(-1), {
      to: [pod("prometheus")],
      ports,
    });
    assert.deepEqual(policyOf(after, "monitoring/prometheus-ingress").spec.ingress?.at(-1), {
      from: [pod("grafana")],
      ports,
    });
    assert.match(
      policyOf(after, "monitoring/grafana-egress").metadata.annotations?.["zero-trust.erlmcp/purpose"] ?? "",
      /^grafana-prometheus: Dashboards$/m,
    );
  });

  it("gives a service of one's own the policies of its flows and a place among the collector's senders", () => {
    const after = networkWith({
      services: { worker: { namespace: "erlmcp", podLabels: { app: "worker" } } },
      flows: [
        {
          id: "worker-dns",
          from: "worker",
          to: "cluster-dns",
          ports: ["UDP 53", 53],
          purpose: "Name resolution",
        },
        { id: "worker-web", from: "worker", to: "internet", ports: [443], purpose: "Webhooks" },
      ],
    });
    assert.deepEqual(changed(before, after), ["erlmcp/otel-collector-ingress", "erlmcp/worker-egress"]);
    assert.deepEqual(policyOf(after, "erlmcp/worker-egress").spec.podSelector, {
      matchLabels: { app: "worker" },
    });
  });

  it("moves a service of the matrix to other labels on every end that names it", () => {
    const after = networkWith({ services: { postgres: { podLabels: { app: "pg" } } } });
    const text = JSON.stringify(policiesOf(after));
    assert.ok(!text.includes('"app.kubernetes.io/name":"postgres"'));
    assert.equal(
      text.match(/"app":"pg"/g)?.length,
      4,
      "its two policies, erlmcp's egress and the collector's ingress",
    );
  });

  it("keeps a namespace-wide flow to the namespaces it names", () => {
    const after = networkWith({
      namespaces: { batch: { mode: "reference" } },
      flows: [
        {
          id: "batch-app",
          from: { namespaces: ["batch"] },
          to: "erlmcp",
          ports: [8443],
          purpose: "Nightly jobs",
        },
      ],
    });
    assert.deepEqual(changed(before, after), ["erlmcp/erlmcp-ingress"]);
    assert.deepEqual(policyOf(after, "erlmcp/erlmcp-ingress").spec.ingress?.at(-1)?.from, [
      { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "batch" } } },
    ]);
  });

  it("leaves out what a referenced namespace would have got, and keeps naming it as a peer", () => {
    const after = networkWith({ namespaces: { monitoring: { mode: "reference" } } });
    assert.deepEqual(
      after.namespaces.map(({ name }) => name),
      ["erlmcp", "observability"],
    );
    assert.ok(JSON.stringify(policyOf(after, "erlmcp/erlmcp-ingress")).includes("monitoring"));
    assert.equal(
      matrixRows(after).some(({ id }) => id === "grafana-dns"),
      false,
    );
  });

  it("adopts a namespace without default-deny unless asked", () => {
    const names = (defaultDeny?: boolean) =>
      networkWith({
        namespaces: { monitoring: { mode: "adopt", ...(defaultDeny === undefined ? {} : { defaultDeny }) } },
      })
        .namespaces.find(({ name }) => name === "monitoring")
        ?.defaultDeny.map(({ metadata }) => metadata.name);
    assert.deepEqual(names(), []);
    assert.deepEqual(names(true), ["monitoring-deny-all-ingress", "monitoring-deny-all-egress"]);
  });

  it("drops every policy and keeps the labels when policies are disabled", () => {
    const after = networkWith({ networking: { policies: { enabled: false } } });
    assert.deepEqual(policiesOf(after), []);
    assert.equal(after.namespaces[0]?.manifest.metadata.labels?.["network-policy"], "zero-trust");
    assert.deepEqual(
      matrixRows(after).flatMap(({ policies }) => policies),
      [],
    );
  });

  it("adds the IPv6 ranges on a dual-stack cluster", () => {
    const blocks = (ipFamilies: string[]) =>
      policyOf(networkWith({ ipFamilies }), "erlmcp/erlmcp-egress").spec.egress?.flatMap(({ to = [] }) =>
        to.flatMap(({ ipBlock }) => (ipBlock === undefined ? [] : [ipBlock.cidr])),
      );
    assert.deepEqual(blocks(["IPv4"]), ["0.0.0.0/0"]);
    assert.deepEqual(blocks(["IPv4", "IPv6"]), ["0.0.0.0/0", "2000::/3"]);
    assert.deepEqual(blocks(["IPv6"]), ["2000::/3"]);
  });

  it("limits external HTTPS to named ranges, on every service that has it", () => {
    const after = networkWith({ externalHttps: { cidrs: ["8.8.8.0/24"] } });
    assert.deepEqual(changed(before, after), ["erlmcp/erlmcp-egress", "erlmcp/otel-collector-egress"]);
  });

  it("reaches NodeLocal DNSCache by address", () => {
    const after = networkWith({ dns: { peers: ["kube-dns", "nodelocal-dns"] } });
    assert.deepEqual(policyOf(after, "erlmcp/postgres-egress").spec.egress?.[0]?.to?.[1], {
      ipBlock: { cidr: "169.254.20.10/32" },
    });
  });

  it("keeps private endpoints on other ports in rows of their own", () => {
    const rows = matrixRows(
      networkWith({
        privateEndpoints: [
          { cidr: "10.1.0.0/16", reason: "Vault", ports: ["TCP 8200"] },
          { cidr: "10.2.0.0/16", reason: "API" },
        ],
      }),
    ).filter(({ id }) => id.startsWith("app-private"));
    assert.deepEqual(
      rows.map(({ id, to, ports, purpose }) => [id, to, ports, purpose]),
      [
        ["app-private-tcp-8200", "10.1.0.0/16", "TCP 8200", "Private endpoints: 10.1.0.0/16 (Vault)"],
        ["app-private", "10.2.0.0/16", "TCP 443", "Private endpoints: 10.2.0.0/16 (API)"],
      ],
    );
  });
});
