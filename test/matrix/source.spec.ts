import assert from "node:assert/strict";
import { manifestsOf, protectsDefaultDeny, type Protocol } from "../../matrix";
import { connects, type Party } from "../helpers/connectivity";
import { policiesOf, policyOf, stackNetwork, stacks } from "../helpers/stack-network";

const pod = (namespace: string, name: string, more: Record<string, string> = {}): Party => ({
  namespace,
  labels: { "app.kubernetes.io/name": name, ...more },
});
const erlmcp = pod("erlmcp", "erlmcp");
const postgres = pod("erlmcp", "postgres");
const redis = pod("erlmcp", "redis");
const rabbitmq = pod("erlmcp", "rabbitmq");
const otel = pod("erlmcp", "otel-collector");
const prometheus = pod("monitoring", "prometheus");
const grafana = pod("monitoring", "grafana");
const jaeger = pod("observability", "jaeger");
const ingress = pod("ingress-nginx", "ingress-nginx", { "app.kubernetes.io/component": "controller" });
const dns: Party = { namespace: "kube-system", labels: { "k8s-app": "kube-dns" } };
const example: Party = { address: "93.184.215.14" };

for (const stack of stacks) {
  describe(`what the source document asks of ${stack}`, () => {
    const network = stackNetwork(stack);
    const policies = policiesOf(network);
    const open = (from: Party, to: Party, port: number, protocol: Protocol = "TCP") =>
      connects(policies, from, to, protocol, port);

    it("passes its manual validation", () => {
      assert.equal(open(erlmcp, postgres, 5432), true, "erlmcp to postgres 5432");
      assert.equal(open(erlmcp, redis, 6379), true, "erlmcp to redis 6379");
      assert.equal(open(erlmcp, example, 443), true, "external HTTPS");
      assert.equal(open(erlmcp, postgres, 3306), false, "wrong port on postgres");
      assert.equal(open(erlmcp, { address: "10.0.0.1" }, 80), false, "internal HTTP");
      assert.equal(open(erlmcp, example, 80), false, "external HTTP");
      assert.equal(open(ingress, erlmcp, 80), false, "erlmcp on 80");
    });

    const rows: [string, Party, Party, number[], Protocol?][] = [
      ["erlmcp to postgres", erlmcp, postgres, [5432, 5433]],
      ["erlmcp to redis", erlmcp, redis, [6379, 6380]],
      ["erlmcp to rabbitmq", erlmcp, rabbitmq, [5671, 5672, 15672]],
      ["erlmcp to otel-collector", erlmcp, otel, [4317, 4318]],
      ["erlmcp to jaeger", erlmcp, jaeger, [14250, 14268]],
      ["erlmcp to jaeger's agent", erlmcp, jaeger, [6831], "UDP"],
      ["erlmcp to erlmcp", erlmcp, erlmcp, [4369, 9100, 9155]],
      ["ingress-nginx to erlmcp", ingress, erlmcp, [8080, 8443]],
      ["prometheus to erlmcp", prometheus, erlmcp, [9090]],
      ["grafana to erlmcp", grafana, erlmcp, [9090]],
      ["otel-collector to erlmcp", otel, erlmcp, [9090]],
      ["prometheus to rabbitmq", prometheus, rabbitmq, [15692]],
      ["redis to redis", redis, redis, [6379, 16379, 26379]],
      ["rabbitmq to rabbitmq", rabbitmq, rabbitmq, [4369, 25672]],
      ["otel-collector to prometheus", otel, prometheus, [9090]],
      ["otel-collector to jaeger", otel, jaeger, [14250]],
      ["otel-collector to external HTTPS", otel, example, [443]],
      ...Object.entries({ erlmcp, postgres, redis, rabbitmq, otel }).flatMap(([name, from]): typeof rows => [
        [`${name} to cluster DNS`, from, dns, [53], "UDP"],
        [`${name} to cluster DNS`, from, dns, [53], "TCP"],
      ]),
    ];
    for (const [name, from, to, ports, protocol = "TCP"] of rows) {
      it(`opens ${name} on ${protocol} ${ports.join(", ")} and on no port beside them`, () => {
        for (const port of ports) {
          assert.equal(open(from, to, port, protocol), true, `${protocol} ${port}`);
          for (const next of [port - 1, port + 1]) {
            const inside =
              ports.includes(next) || (name === "erlmcp to erlmcp" && next > 9100 && next < 9155);
            assert.equal(open(from, to, next, protocol), inside, `${protocol} ${next}`);
          }
        }
      });
    }

    it("keeps the databases from everyone but erlmcp, and from everything but DNS and their own cluster", () => {
      for (const database of [postgres, redis, rabbitmq]) {
        for (const client of [postgres, redis, rabbitmq, otel, grafana, jaeger, ingress]) {
          if (client === database) continue;
          for (const port of [5432, 6379, 5672, 15672]) assert.equal(open(client, database, port), false);
        }
        assert.equal(open(database, otel, 4317), false, "telemetry needs an egress of its own");
        assert.equal(open(database, example, 443), false);
        assert.equal(open(database, { address: "169.254.169.254" }, 80), false);
      }
      assert.equal(open(postgres, postgres, 5432), false, "postgres has no cluster of its own");
    });

    it("allows DNS to the cluster's DNS only", () => {
      assert.equal(open(erlmcp, { address: "8.8.8.8" }, 53, "UDP"), false);
      assert.equal(open(erlmcp, { namespace: "kube-system", labels: {} }, 53, "UDP"), false);
      assert.equal(open(erlmcp, { namespace: "evil", labels: { "k8s-app": "kube-dns" } }, 53, "UDP"), false);
    });

    it("is not fooled by a pod with the right labels in another namespace", () => {
      assert.equal(open(pod("default", "erlmcp"), postgres, 5432), false);
      assert.equal(open(pod("default", "prometheus"), erlmcp, 9090), false);
    });

    it("shuts unknown pods of the namespace in both directions", () => {
      const stranger: Party = { namespace: "erlmcp", labels: { app: "netshoot" } };
      assert.equal(open(stranger, postgres, 5432), false);
      assert.equal(open(stranger, dns, 53, "UDP"), false);
      assert.equal(open(erlmcp, stranger, 8080), false);
    });

    it("has the policies by the source's names", () => {
      const names = policies
        .filter(({ metadata }) => metadata.namespace === "erlmcp")
        .map(({ metadata }) => metadata.name);
      assert.deepEqual(names, [
        "erlmcp-deny-all-ingress",
        "erlmcp-deny-all-egress",
        ...["erlmcp", "postgres", "redis", "rabbitmq", "otel-collector"].flatMap((name) => [
          `${name}-ingress`,
          `${name}-egress`,
        ]),
        ...(stack === "prod" ? ["erlmcp-mtls-only"] : []),
      ]);
    });

    it("follows its best practices in every policy", () => {
      for (const { metadata, spec } of policies) {
        assert.notEqual(
          metadata.annotations?.["zero-trust.erlmcp/purpose"] ?? "",
          "",
          `${metadata.name} is documented`,
        );
        assert.equal(spec.policyTypes.length, 1);
        for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
          assert.notEqual(rule.ports?.length ?? 0, 0, `${metadata.name} names its ports`);
          const peers = [...(rule.from ?? []), ...(rule.to ?? [])];
          assert.notEqual(peers.length, 0, `${metadata.name} names its peers`);
          for (const peer of peers) {
            if (peer.ipBlock !== undefined) continue;
            assert.deepEqual(Object.keys(peer.namespaceSelector?.matchLabels ?? {}), [
              "kubernetes.io/metadata.name",
            ]);
          }
        }
      }
      const service = policies.filter(({ metadata }) => !metadata.name.includes("deny-all"));
      for (const { spec } of service) assert.notDeepEqual(spec.podSelector, {});
    });

    it("labels its namespaces", () => {
      const namespaces = manifestsOf(network).filter(({ kind }) => kind === "Namespace");
      assert.deepEqual(
        namespaces.map(({ metadata }) => metadata.name),
        ["erlmcp", "monitoring", "observability"],
      );
      for (const { metadata } of namespaces) {
        const { "istio-injection": injection, ...labels } = metadata.labels ?? {};
        assert.deepEqual(labels, {
          "network-policy": "zero-trust",
          "security-level": stack === "prod" ? "high" : "medium",
          "pod-security.kubernetes.io/enforce": "restricted",
          "pod-security.kubernetes.io/audit": "restricted",
          "pod-security.kubernetes.io/warn": "restricted",
        });
        assert.equal(injection, stack === "prod" && metadata.name === "erlmcp" ? "enabled" : undefined);
      }
    });
  });
}

describe("how the stacks differ", () => {
  const staging = stackNetwork("staging");
  const prod = stackNetwork("prod");

  it("lets staging reach 10.0.0.0/8 on 443, prod two named ranges only", () => {
    const reaches = (network: typeof prod, address: string, port: number) =>
      connects(policiesOf(network), erlmcp, { address }, "TCP", port);
    assert.equal(reaches(staging, "10.0.0.1", 443), true);
    assert.equal(reaches(prod, "10.0.0.1", 443), false);
    assert.equal(reaches(prod, "10.20.0.9", 443), true);
    assert.equal(reaches(prod, "10.30.4.17", 443), true);
    assert.equal(reaches(prod, "10.20.0.9", 80), false);
  });

  it("lets traefik in on staging only", () => {
    const traefik = pod("traefik", "traefik");
    assert.equal(connects(policiesOf(staging), traefik, erlmcp, "TCP", 8080), true);
    assert.equal(connects(policiesOf(prod), traefik, erlmcp, "TCP", 8080), false);
  });

  it("enforces mTLS on prod: STRICT, and a policy for pods labelled mtls=strict", () => {
    assert.deepEqual(
      manifestsOf(prod).filter(({ apiVersion }) => apiVersion.startsWith("security.istio.io")),
      [
        {
          apiVersion: "security.istio.io/v1",
          kind: "PeerAuthentication",
          metadata: { name: "default", namespace: "erlmcp" },
          spec: { mtls: { mode: "STRICT" } },
        },
      ],
    );
    assert.deepEqual(policyOf(prod, "erlmcp/erlmcp-mtls-only").spec, {
      podSelector: { matchLabels: { "app.kubernetes.io/name": "erlmcp", mtls: "strict" } },
      policyTypes: ["Ingress"],
      ingress: [
        {
          from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "istio-system" } } }],
          ports: [8080, 8443, 9090, 15008].map((port) => ({ protocol: "TCP", port })),
        },
      ],
    });
    assert.equal(staging.namespaces.flatMap(({ meshObjects }) => meshObjects).length, 0);
  });

  it("protects default-deny on both, and adopts on prod what staging creates", () => {
    for (const { definition } of [staging, prod]) assert.equal(protectsDefaultDeny(definition), true);
    assert.deepEqual(
      staging.namespaces.map(({ mode }) => mode),
      ["create", "create", "create"],
    );
    assert.deepEqual(
      prod.namespaces.map(({ mode }) => mode),
      ["create", "adopt", "adopt"],
    );
  });
});
