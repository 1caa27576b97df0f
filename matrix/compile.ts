import { servicesOf, type Endpoint, type Flow, type Service } from "./flow";
import type {
  CustomObject,
  Namespace,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  NetworkPolicyRule,
  PolicyType,
} from "./kubernetes";
import {
  meshAnnotations,
  meshedNamespaces,
  meshLabels,
  meshObjects,
  withTransportPort,
  type Mesh,
} from "./mesh";
import { hasDefaultDeny, isManaged, type NamespaceMode, type NetworkDefinition } from "./network";
import { declaredPrivateEndpoints } from "./private-endpoints";
import { InvalidNetworkError } from "./problem";
import { validateNetwork } from "./validate-network";

/** The only namespace label a peer may be selected by: the API server sets it, so nobody can forge it. */
export const namespaceNameLabel = "kubernetes.io/metadata.name";

/** Why a policy exists, one line a flow: `<flow id>: <purpose> (<from> to <to>, <ports>)`. */
export const purposeAnnotation = "zero-trust.erlmcp/purpose";

/** Private address ranges a policy opens on purpose, as JSON: `[{cidr, ports, reason}]`. */
export const privateEndpointsAnnotation = "zero-trust.erlmcp/private-endpoints";

/** The manifests of one namespace, in the order in which they have to exist. */
export interface CompiledNamespace {
  readonly name: string;
  readonly mode: Exclude<NamespaceMode, "reference">;
  /** What is created, or patched onto the existing namespace. */
  readonly manifest: Namespace;
  /** First in and last out; empty for an adopted namespace that did not ask for it. */
  readonly defaultDeny: readonly NetworkPolicy[];
  /** Each opens the flows of one service in one direction. A service without flows in a direction has no policy for it. */
  readonly policies: readonly NetworkPolicy[];
  /** Custom resources that make the mesh enforce mTLS. */
  readonly meshObjects: readonly CustomObject[];
}

/** A network as manifests, and the matrix they were derived from, the mesh's transport ports included. */
export interface CompiledNetwork {
  readonly definition: NetworkDefinition;
  readonly namespaces: readonly CompiledNamespace[];
}

/**
 * Derives every manifest of a network from its matrix. Both ends of a flow come from the same row, so they cannot drift apart.
 * Throws {@link InvalidNetworkError} with every problem of the definition.
 *
 * @param source what the definition was read from, for the error's first line
 */
export function compileNetwork(
  definition: NetworkDefinition,
  source = "The network definition",
): CompiledNetwork {
  const problems = validateNetwork(definition);
  if (problems.length > 0) throw new InvalidNetworkError(source, problems);

  const { mesh } = definition;
  const flows =
    mesh === undefined ? definition.flows : definition.flows.map((flow) => withTransportPort(flow, mesh));
  const effective: NetworkDefinition = { ...definition, flows };
  const custom = mesh === undefined ? [] : meshObjects(mesh, effective);

  return {
    definition: effective,
    namespaces: Object.entries(definition.namespaces).flatMap(([name, namespace]) => {
      if (namespace.mode === "reference") return [];
      const enabled = definition.policiesEnabled ?? true;
      return {
        name,
        mode: namespace.mode,
        manifest: namespaceManifest(name, effective),
        defaultDeny: enabled && hasDefaultDeny(namespace) ? defaultDeny(name) : [],
        policies: enabled ? servicePolicies(name, effective) : [],
        meshObjects: custom.filter(({ metadata }) => metadata.namespace === name),
      };
    }),
  };
}

/** Every manifest of the network, in the order in which they have to exist. */
export function manifestsOf({ namespaces }: CompiledNetwork): (Namespace | NetworkPolicy | CustomObject)[] {
  return namespaces.flatMap(({ manifest, defaultDeny, policies, meshObjects }) => [
    manifest,
    ...defaultDeny,
    ...policies,
    ...meshObjects,
  ]);
}

/** The policies that a flow opens its ends with, as `namespace/name`; a referenced end has none. */
export function policiesOfFlow(flow: Flow, definition: NetworkDefinition): { from: string[]; to: string[] } {
  const named = (endpoint: Endpoint, type: PolicyType) =>
    definition.services
      .filter(
        ({ name, namespace }) =>
          servicesOf(endpoint).includes(name) && isManagedNamespace(namespace, definition),
      )
      .map((service) => `${service.namespace}/${policyName(service, type)}`);
  if (definition.policiesEnabled === false) return { from: [], to: [] };
  return { from: flow.opens === "to" ? [] : named(flow.from, "Egress"), to: named(flow.to, "Ingress") };
}

function isManagedNamespace(name: string, { namespaces }: NetworkDefinition): boolean {
  const namespace = namespaces[name];
  return namespace !== undefined && isManaged(namespace);
}

function namespaceManifest(name: string, { securityLevel, mesh, services }: NetworkDefinition): Namespace {
  const inMesh: Mesh | undefined =
    mesh !== undefined && meshedNamespaces(mesh, services).includes(name) ? mesh : undefined;
  const annotations = inMesh === undefined ? {} : meshAnnotations(inMesh);
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name,
      labels: {
        "network-policy": "zero-trust",
        "security-level": securityLevel,
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/audit": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
        ...(inMesh === undefined ? {} : meshLabels(inMesh)),
      },
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
  };
}

function defaultDeny(namespace: string): NetworkPolicy[] {
  const deny = (type: PolicyType): NetworkPolicy =>
    networkPolicy(namespace, `${namespace}-deny-all-${type.toLowerCase()}`, {
      annotations: { [purposeAnnotation]: `Shuts all ${type.toLowerCase()} that no other policy opens` },
      spec: { podSelector: {}, policyTypes: [type] },
    });
  return [deny("Ingress"), deny("Egress")];
}

function servicePolicies(namespace: string, definition: NetworkDefinition): NetworkPolicy[] {
  return definition.services
    .filter((service) => service.namespace === namespace)
    .flatMap((service) => [
      servicePolicy(service, "Ingress", definition),
      servicePolicy(service, "Egress", definition),
    ])
    .filter((policy) => policy !== undefined);
}

function servicePolicy(
  service: Service,
  type: PolicyType,
  definition: NetworkDefinition,
): NetworkPolicy | undefined {
  const flows = definition.flows.filter((flow) =>
    type === "Ingress"
      ? servicesOf(flow.to).includes(service.name)
      : flow.opens !== "to" && servicesOf(flow.from).includes(service.name),
  );
  if (flows.length === 0) return undefined;

  const rules = flows.map((flow): NetworkPolicyRule => {
    const ports = flow.ports.map(networkPolicyPort);
    return type === "Ingress"
      ? { from: peersOf(flow.from, definition.services), ports }
      : { to: peersOf(flow.to, definition.services), ports };
  });
  const endpoints = type === "Egress" ? declaredPrivateEndpoints(flows) : [];
  return networkPolicy(service.namespace, policyName(service, type), {
    annotations: {
      [purposeAnnotation]: flows.map((flow) => `${flow.id}: ${flow.purpose}`).join("\n"),
      ...(endpoints.length > 0 ? { [privateEndpointsAnnotation]: JSON.stringify(endpoints) } : {}),
    },
    spec: {
      podSelector: service.podSelector,
      policyTypes: [type],
      ...(type === "Ingress" ? { ingress: rules } : { egress: rules }),
    },
  });
}

function policyName({ name, policyNames }: Service, type: PolicyType): string {
  return type === "Ingress"
    ? (policyNames?.ingress ?? `${name}-ingress`)
    : (policyNames?.egress ?? `${name}-egress`);
}

function networkPolicy(
  namespace: string,
  name: string,
  { annotations, spec }: { annotations: Record<string, string>; spec: NetworkPolicy["spec"] },
): NetworkPolicy {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace, annotations },
    spec,
  };
}

/** Never empty for a validated network: an empty `from` or `to` would admit everyone. */
function peersOf(endpoint: Endpoint, services: readonly Service[]): NetworkPolicyPeer[] {
  switch (endpoint.kind) {
    case "service":
      return services
        .filter(({ name }) => name === endpoint.service)
        .map(({ namespace, podSelector }) => ({ namespaceSelector: named(namespace), podSelector }));
    case "namespaces":
      return endpoint.namespaces.map((namespace) => ({ namespaceSelector: named(namespace) }));
    case "addresses":
      return endpoint.blocks.map(({ cidr, except = [] }) => ({
        ipBlock: except.length > 0 ? { cidr, except: [...except] } : { cidr },
      }));
    case "group":
      return endpoint.members.flatMap((member) => peersOf(member, services));
  }
}

function named(namespace: string): { matchLabels: Record<string, string> } {
  return { matchLabels: { [namespaceNameLabel]: namespace } };
}

function networkPolicyPort({ protocol, port, endPort }: Flow["ports"][number]): NetworkPolicyPort {
  return endPort === undefined ? { protocol, port } : { protocol, port, endPort };
}
