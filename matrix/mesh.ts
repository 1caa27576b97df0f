import { blocksOf, servicesOf, type Endpoint, type Flow, type Matrix, type Service } from "./flow";
import type { CustomObject, LabelSelector } from "./kubernetes";
import { lastPort, Port, type PortRange } from "./port";

/** Istio in either data plane, or Linkerd. */
export type Mesh = IstioMesh | LinkerdMesh;

interface MeshMembers {
  /** Names of the services whose pods are in the mesh; mTLS is enforced on them. */
  readonly members: readonly string[];
}

export interface IstioMesh extends MeshMembers {
  readonly provider: "istio";
  /** `sidecar`: an Envoy in every pod. `ambient`: a ztunnel on every node, pods talk to each other through HBONE. */
  readonly dataPlane: "sidecar" | "ambient";
}

export interface LinkerdMesh extends MeshMembers {
  readonly provider: "linkerd";
}

/**
 * The port through which meshed pods reach each other, whatever port they asked for; a NetworkPolicy sees only this one.
 * HBONE in Istio's ambient mode, the inbound proxy's port in Linkerd (transport headers are its default since 2.18).
 * Undefined for Istio's sidecars, which keep the port.
 */
export function transportPort(mesh: Mesh): PortRange | undefined {
  if (mesh.provider === "linkerd") return Port.tcp(4143);
  return mesh.dataPlane === "ambient" ? Port.tcp(15008) : undefined;
}

/**
 * The flow with the mesh's transport port added where both ends can be in the mesh. What the tunnel then carries is
 * limited to the flow's own ports by {@link meshObjects}.
 */
export function withTransportPort(flow: Flow, mesh: Mesh): Flow {
  const port = transportPort(mesh);
  const tunnelled =
    port !== undefined &&
    servicesOf(flow.to).some((service) => mesh.members.includes(service)) &&
    blocksOf(flow.from).length === 0 &&
    flow.ports.some(({ protocol }) => protocol === "TCP") &&
    !flow.ports.some((open) => open.protocol === "TCP" && open.port === port.port);
  return tunnelled ? { ...flow, ports: [...flow.ports, port] } : flow;
}

/** Labels that put the pods of a namespace into the mesh. */
export function meshLabels(mesh: Mesh): Record<string, string> {
  if (mesh.provider === "linkerd") return {};
  return mesh.dataPlane === "ambient"
    ? { "istio.io/dataplane-mode": "ambient" }
    : { "istio-injection": "enabled" };
}

/** Annotations that put the pods of a namespace into the mesh, and shut it for clients that no policy admits. */
export function meshAnnotations(mesh: Mesh): Record<string, string> {
  return mesh.provider === "linkerd"
    ? { "linkerd.io/inject": "enabled", "config.linkerd.io/default-inbound-policy": "deny" }
    : {};
}

/** Namespaces whose pods may be meshed: those of the members. */
export function meshedNamespaces(mesh: Mesh, services: readonly Service[]): string[] {
  const namespaces = services
    .filter(({ name }) => mesh.members.includes(name))
    .map(({ namespace }) => namespace);
  return [...new Set(namespaces)];
}

/**
 * The custom resources that enforce mTLS. NetworkPolicies cannot: they only ever add allows, and see addresses, not identities.
 * - Istio: one `PeerAuthentication` STRICT per meshed namespace; in ambient mode, where NetworkPolicies see nothing but HBONE,
 *   an `AuthorizationPolicy` per member that keeps each flow to its own ports and namespaces.
 * - Linkerd: a `Server` per port of each member, with the `AuthorizationPolicy` and `MeshTLSAuthentication` that admit the
 *   namespaces of the matrix; the namespace's default inbound policy `deny` shuts the rest.
 */
export function meshObjects(mesh: Mesh, { services, flows }: Matrix): CustomObject[] {
  const members = services.filter(({ name }) => mesh.members.includes(name));
  const admitted = (member: Service) => admissions(member, services, flows, mesh);
  if (mesh.provider === "linkerd")
    return members.flatMap((member) => linkerdObjects(member, admitted(member)));
  return [
    ...meshedNamespaces(mesh, services).map(strictPeerAuthentication),
    ...(mesh.dataPlane === "ambient"
      ? members
          .map((member) => istioAuthorization(member, admitted(member)))
          .filter((object) => object !== undefined)
      : []),
  ];
}

/** TCP ports of a member and the namespaces a flow admits to them; flows from addresses cannot carry mTLS. */
interface Admission {
  readonly namespaces: readonly string[];
  readonly ports: readonly number[];
}

function admissions(
  member: Service,
  services: readonly Service[],
  flows: readonly Flow[],
  mesh: Mesh,
): Admission[] {
  const tunnel = transportPort(mesh);
  return flows
    .filter(({ to }) => servicesOf(to).includes(member.name))
    .map(({ from, ports }) => ({
      namespaces: [...new Set(sourceNamespaces(from, services))],
      ports: ports
        .filter(({ protocol, port }) => protocol === "TCP" && port !== tunnel?.port)
        .flatMap(everyPort),
    }))
    .filter(({ namespaces, ports }) => namespaces.length > 0 && ports.length > 0);
}

function sourceNamespaces(endpoint: Endpoint, services: readonly Service[]): string[] {
  switch (endpoint.kind) {
    case "service":
      return services.filter(({ name }) => name === endpoint.service).map(({ namespace }) => namespace);
    case "namespaces":
      return [...endpoint.namespaces];
    case "group":
      return endpoint.members.flatMap((member) => sourceNamespaces(member, services));
    case "addresses":
      return [];
  }
}

function everyPort(range: PortRange): number[] {
  return Array.from({ length: lastPort(range) - range.port + 1 }, (_, offset) => range.port + offset);
}

function strictPeerAuthentication(namespace: string): CustomObject {
  return {
    apiVersion: "security.istio.io/v1",
    kind: "PeerAuthentication",
    metadata: { name: "default", namespace },
    spec: { mtls: { mode: "STRICT" } },
  };
}

function istioAuthorization(member: Service, admitted: readonly Admission[]): CustomObject | undefined {
  if (admitted.length === 0) return undefined;
  return {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: `${member.name}-flows`, namespace: member.namespace },
    spec: {
      selector: { matchLabels: { ...member.podSelector.matchLabels } },
      action: "ALLOW",
      rules: admitted.map(({ namespaces, ports }) => ({
        from: [{ source: { namespaces } }],
        to: [{ operation: { ports: ports.map(String) } }],
      })),
    },
  };
}

function linkerdObjects(member: Service, admitted: readonly Admission[]): CustomObject[] {
  const byPort = new Map<number, Set<string>>();
  for (const { namespaces, ports } of admitted) {
    for (const port of ports) byPort.set(port, new Set([...(byPort.get(port) ?? []), ...namespaces]));
  }
  return [...byPort]
    .sort(([a], [b]) => a - b)
    .flatMap(([port, namespaces]) => linkerdServer(member, port, [...namespaces].sort()));
}

function linkerdServer(
  { name, namespace, podSelector }: Service,
  port: number,
  clients: readonly string[],
): CustomObject[] {
  const metadata = { name: `${name}-${port}`, namespace };
  const selector: LabelSelector = podSelector;
  return [
    {
      apiVersion: "policy.linkerd.io/v1beta3",
      kind: "Server",
      metadata,
      spec: { podSelector: selector, port, accessPolicy: "deny" },
    },
    {
      apiVersion: "policy.linkerd.io/v1alpha1",
      kind: "MeshTLSAuthentication",
      metadata,
      spec: { identityRefs: clients.map((client) => ({ kind: "Namespace", name: client })) },
    },
    {
      apiVersion: "policy.linkerd.io/v1alpha1",
      kind: "AuthorizationPolicy",
      metadata,
      spec: {
        targetRef: { group: "policy.linkerd.io", kind: "Server", name: metadata.name },
        requiredAuthenticationRefs: [
          { group: "policy.linkerd.io", kind: "MeshTLSAuthentication", name: metadata.name },
        ],
      },
    },
  ];
}
