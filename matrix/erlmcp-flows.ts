import { hostCidr, publicInternet, type IpFamily } from "./address-ranges";
import { Peer, type AddressBlock, type Endpoint, type Flow, type Service } from "./flow";
import type { Mesh } from "./mesh";
import { formatPorts, Port, type PortRange } from "./port";
import { isPeerService } from "./presets";
import type { Settings } from "./settings";

/** Where Istio's ambient mode lets the kubelet's probes come from, by address family. */
const ambientProbeSource: Record<IpFamily, string> = {
  IPv4: "169.254.7.127/32",
  IPv6: "fd16:9254:7127:1337:ffff:ffff:ffff:ffff/128",
};

const dnsPorts = [Port.udp(53), Port.tcp(53)];

function flow(id: string, from: Endpoint, to: Endpoint, ports: readonly PortRange[], purpose: string): Flow {
  return { id, from, to, ports, purpose };
}

/**
 * The communication matrix of the source, as far as the stack's settings turn its rows on. Rows whose two ends lie in
 * namespaces that the stack only references are left out, since they open nothing.
 *
 * @param services every service the settings know, those of the user's own included
 * @param mesh the mesh the settings ask for; absent means none
 */
export function erlmcpFlows(
  settings: Settings,
  services: readonly Service[],
  mesh: Mesh | undefined,
): Flow[] {
  const { service } = Peer;
  const erlmcp = service("erlmcp");
  const otel = service("otel-collector");
  const dns = clusterDns(settings);
  const controllers = settings.networking.policies.ingress.controllers;
  const distribution = Port.tcpRange(settings.erlangDistribution.from, settings.erlangDistribution.to);
  const senders = services
    .filter(({ name }) => name !== "otel-collector" && name !== "erlmcp-mtls" && !isPeerService(name))
    .filter(({ namespace }) => (settings.namespaces[namespace]?.mode ?? "create") !== "reference")
    .map(({ name }) => service(name));

  return [
    flow("app-postgres", erlmcp, service("postgres"), [Port.tcp(5432), Port.tcp(5433)], "Database access"),
    flow("app-redis", erlmcp, service("redis"), [Port.tcp(6379), Port.tcp(6380)], "Cache access"),
    flow(
      "app-rabbitmq",
      erlmcp,
      service("rabbitmq"),
      [Port.tcp(5671), Port.tcp(5672), Port.tcp(15672)],
      "Message queue, over AMQP with and without TLS, and its management API",
    ),
    flow("app-otel", erlmcp, otel, [Port.tcp(4317), Port.tcp(4318)], "Telemetry export over OTLP"),
    flow(
      "app-jaeger",
      erlmcp,
      service("jaeger"),
      [Port.tcp(14250), Port.tcp(14268), Port.udp(6831)],
      "Trace export to Jaeger's agent and collector",
    ),
    flow(
      "app-cluster",
      erlmcp,
      erlmcp,
      [Port.tcp(4369), distribution],
      "Erlang clustering: EPMD and distribution",
    ),
    flow("app-https", erlmcp, internet(settings), [Port.tcp(443)], "External API calls over HTTPS"),
    ...privateFlows(settings, erlmcp),
    ...(controllers.length > 0
      ? [
          flow(
            "ingress-app",
            Peer.group("ingress controllers", controllers.map(service)),
            erlmcp,
            [Port.tcp(8080), Port.tcp(8443)],
            "External traffic through the ingress controllers",
          ),
        ]
      : []),
    ...meshFlows(settings, services, mesh),
    flow("prometheus-app", service("prometheus"), erlmcp, [Port.tcp(9090)], "Metrics scraping"),
    flow("grafana-app", service("grafana"), erlmcp, [Port.tcp(9090)], "Dashboard queries"),
    flow("otel-app", otel, erlmcp, [Port.tcp(9090)], "Metrics collection by the OpenTelemetry Collector"),
    flow("app-dns", erlmcp, dns, dnsPorts, "Name resolution"),
    flow("postgres-dns", service("postgres"), dns, dnsPorts, "Name resolution only"),
    flow("redis-dns", service("redis"), dns, dnsPorts, "Name resolution"),
    flow("rabbitmq-dns", service("rabbitmq"), dns, dnsPorts, "Name resolution"),
    flow("otel-dns", otel, dns, dnsPorts, "Name resolution"),
    flow(
      "redis-cluster",
      service("redis"),
      service("redis"),
      [Port.tcp(6379), Port.tcp(16379), Port.tcp(26379)],
      "Replication, cluster bus and Sentinel",
    ),
    flow(
      "rabbitmq-cluster",
      service("rabbitmq"),
      service("rabbitmq"),
      [Port.tcp(4369), Port.tcp(25672)],
      "Clustering: peer discovery through EPMD, and inter-node traffic",
    ),
    flow(
      "prometheus-rabbitmq",
      service("prometheus"),
      service("rabbitmq"),
      [Port.tcp(15692)],
      "Queue metrics scraping",
    ),
    {
      id: "any-otel",
      from: Peer.group("every zero-trust service", senders),
      to: otel,
      ports: [Port.tcp(4317), Port.tcp(4318)],
      purpose: "Telemetry of any service that is itself allowed to send it",
      opens: "to",
    } as const,
    flow("otel-prometheus", otel, service("prometheus"), [Port.tcp(9090)], "Metrics forwarding"),
    flow("otel-jaeger", otel, service("jaeger"), [Port.tcp(14250)], "Trace forwarding"),
    flow("otel-https", otel, internet(settings), [Port.tcp(443)], "Telemetry backends outside the cluster"),
    ...["prometheus", "grafana", "jaeger"].map((name) =>
      flow(`${name}-dns`, service(name), dns, dnsPorts, "Name resolution"),
    ),
  ].filter((row) => opensAManagedEnd(row, settings, services));
}

/** A row of the source says nothing where this stack only references the namespaces of both its ends. */
function opensAManagedEnd({ from, to }: Flow, settings: Settings, services: readonly Service[]): boolean {
  const managed = (endpoint: Endpoint): boolean =>
    endpoint.kind === "group"
      ? endpoint.members.some(managed)
      : endpoint.kind === "service" &&
        services.some(
          ({ name, namespace }) =>
            name === endpoint.service &&
            !isPeerService(name) &&
            (settings.namespaces[namespace]?.mode ?? "create") !== "reference",
        );
  return managed(from) || managed(to);
}

/** Whoever answers DNS in the cluster, under one name. */
export function clusterDns({ dns }: Settings): Endpoint {
  return Peer.group(
    "cluster DNS",
    dns.peers.map((peer) =>
      peer === "nodelocal-dns"
        ? Peer.addresses(
            "NodeLocal DNSCache",
            dns.nodeLocalAddresses.map((address) => ({ cidr: hostCidr(address) })),
          )
        : Peer.service(peer),
    ),
  );
}

function internet({ externalHttps, ipFamilies }: Settings): Endpoint {
  return externalHttps.cidrs === undefined
    ? Peer.addresses("the public Internet", publicInternet(ipFamilies))
    : Peer.addresses(
        "named public ranges",
        externalHttps.cidrs.map((cidr) => ({ cidr })),
      );
}

/** One row for each set of ports: `app-private` for HTTPS, `app-private-<ports>` for others. */
function privateFlows({ privateEndpoints }: Settings, erlmcp: Endpoint): Flow[] {
  const byPorts = new Map<string, { ports: readonly PortRange[]; blocks: AddressBlock[] }>();
  for (const { cidr, ports, reason } of privateEndpoints) {
    const key = formatPorts(ports);
    const group = byPorts.get(key) ?? { ports, blocks: [] };
    group.blocks.push({ cidr, reason });
    byPorts.set(key, group);
  }
  return [...byPorts].map(([key, { ports, blocks }]) => ({
    id: key === "TCP 443" ? "app-private" : `app-private-${key.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}`,
    from: erlmcp,
    to: Peer.addresses(blocks.map(({ cidr }) => cidr).join(", "), blocks),
    ports,
    purpose: `Private endpoints: ${blocks.map(({ cidr, reason }) => `${cidr} (${reason ?? ""})`).join(", ")}`,
  }));
}

function meshFlows(
  { mesh: settings, ipFamilies }: Settings,
  services: readonly Service[],
  mesh: Mesh | undefined,
): Flow[] {
  if (settings.provider === "none" || mesh === undefined) return [];
  const istio = settings.provider === "istio";
  const controlPlane = istio
    ? { peer: Peer.service("istiod"), ports: [Port.tcp(15012)] }
    : {
        peer: Peer.group("linkerd control plane", [
          Peer.service("linkerd-identity"),
          Peer.service("linkerd-destination"),
        ]),
        ports: [Port.tcp(8080), Port.tcp(8086), Port.tcp(8090)],
      };
  const ambient = settings.provider === "istio" && settings.dataPlane === "ambient";
  const gateway = services.find(({ name }) => name === settings.gateway);
  const namespaces = settings.namespaces ?? [
    ...new Set([istio ? "istio-system" : "linkerd", ...(gateway === undefined ? [] : [gateway.namespace])]),
  ];
  return [
    {
      id: "mesh-app",
      from: Peer.service(settings.gateway),
      to: Peer.service("erlmcp"),
      ports: [Port.tcp(8080), Port.tcp(8443)],
      purpose: "Traffic through the service mesh's gateway, over mTLS",
    },
    // In ambient mode the node's ztunnel talks to the control plane, not the pod.
    ...(ambient
      ? []
      : mesh.members
          .filter((member) => member !== "erlmcp-mtls")
          .map((member) => ({
            id: member === "erlmcp" ? "app-mesh" : `${member}-mesh`,
            from: Peer.service(member),
            to: controlPlane.peer,
            ports: controlPlane.ports,
            purpose: "The sidecar's certificates and configuration",
          }))),
    ...(mesh.members.includes("erlmcp")
      ? [
          {
            id: "mesh-mtls",
            from: Peer.namespaces(...namespaces),
            to: Peer.service("erlmcp-mtls"),
            ports: [Port.tcp(8080), Port.tcp(8443), Port.tcp(9090), istio ? Port.tcp(15008) : Port.tcp(4143)],
            purpose:
              "Mesh traffic to pods that take mTLS only, for which the mesh checks the peer's identity",
          },
        ]
      : []),
    ...(ambient
      ? [
          {
            id: "probes-app",
            from: Peer.addresses(
              "kubelet probes",
              ipFamilies.map((family) => ({ cidr: ambientProbeSource[family] })),
            ),
            to: Peer.service("erlmcp"),
            ports: settings.probePorts,
            purpose: "Health probes, which ambient mode delivers from a link-local address",
          },
        ]
      : []),
  ];
}
