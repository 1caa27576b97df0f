import { publicInternet, reachOf } from "./address-ranges";
import { clusterDns, erlmcpFlows } from "./erlmcp-flows";
import { Peer, type Endpoint, type Flow, type Service } from "./flow";
import type { Mesh } from "./mesh";
import type { NetworkDefinition, NetworkNamespace } from "./network";
import { formatPorts } from "./port";
import { coreServices, dnsPeers, ingressControllers, isPeerService, peerServices } from "./presets";
import type { Problem } from "./problem";
import type { EndpointSetting, Settings } from "./settings";

/** Namespaces of the source, created where config says nothing of them. */
const coreNamespaces = ["erlmcp", "monitoring", "observability"] as const;

const reservedNames = ["internet", "cluster-dns"];

/** A network, and the names in the settings it was built from that mean nothing. */
export interface ErlmcpNetwork {
  /** Complete only where there are no problems: names that mean nothing are left out. */
  readonly definition: NetworkDefinition;
  readonly problems: readonly Problem[];
}

/**
 * The network of the erlmcp services as the stack's settings shape it: the source's communication matrix, with flows
 * turned off and the user's own services and flows added.
 */
export function erlmcpNetwork(settings: Settings): ErlmcpNetwork {
  const known = withoutProblems(settings);
  const all = everyService(known);
  const mesh = meshOf(known, all);
  const builtIn = erlmcpFlows(known, all, mesh);
  const own = known.flows.map((flow): Flow => ({
    id: flow.id,
    from: endpointOf(flow.from, known),
    to: endpointOf(flow.to, known),
    ports: flow.ports,
    purpose: flow.purpose,
  }));
  const flows = [...builtIn.filter(({ id }) => !known.disabledFlows.includes(id)), ...own];
  const services = all.filter(
    ({ name }) => !isPeerService(name) || flows.some((flow) => mentions(flow, name)),
  );
  return {
    definition: {
      securityLevel: known.securityLevel,
      namespaces: namespacesOf(known, services, flows),
      services,
      flows,
      policiesEnabled: known.networking.policies.enabled,
      ...(known.protectDefaultDeny === undefined ? {} : { protectDefaultDeny: known.protectDefaultDeny }),
      ...(mesh === undefined ? {} : { mesh }),
      ipFamilies: known.ipFamilies,
    },
    problems: [
      ...nameProblems(settings),
      ...disabledFlowProblems(settings, builtIn),
      ...reopened(own, builtIn, settings),
      ...reachProblems(settings),
    ],
  };
}

function disabledFlowProblems({ disabledFlows }: Settings, builtIn: readonly Flow[]): Problem[] {
  return disabledFlows.flatMap((id, index) =>
    builtIn.some((flow) => flow.id === id)
      ? []
      : [
          {
            key: `disabledFlows[${index}]`,
            value: id,
            message: "is not a flow that this stack's matrix has",
            allowed: builtIn.map((flow) => flow.id).join(", "),
            fix: "correct the id or remove it; a flow of your own is removed from flows instead",
          },
        ],
  );
}

/** A flow of the user's that opens again, between the same ends, what they turned off. */
function reopened(own: readonly Flow[], builtIn: readonly Flow[], { disabledFlows }: Settings): Problem[] {
  const off = builtIn.filter(({ id }) => disabledFlows.includes(id));
  const opening = ({ from, to, ports }: Flow) => JSON.stringify([from, to, ports]);
  return own.flatMap((flow): Problem[] =>
    off
      .filter((twin) => opening(twin) === opening(flow))
      .map((twin) => ({
        key: `flows.${flow.id}`,
        value: formatPorts(flow.ports),
        message: `contradicts disabledFlows: it opens exactly what ${twin.id}, which is turned off, would open`,
        allowed: "flows that differ from those turned off",
        fix: `remove ${twin.id} from disabledFlows, or remove this flow`,
      })),
  );
}

/** Private ranges in external HTTPS, and public ones among the private endpoints: each would open what its key denies. */
function reachProblems({ externalHttps, privateEndpoints }: Settings): Problem[] {
  return [
    ...(externalHttps.cidrs ?? []).flatMap((cidr, index) =>
      reachOf({ cidr }) === "public"
        ? []
        : [
            {
              key: `externalHttps.cidrs[${index}]`,
              value: cidr,
              message: "holds addresses that are not public",
              allowed: "public ranges",
              fix: "name private ranges under privateEndpoints, each with its reason",
            },
          ],
    ),
    ...privateEndpoints.flatMap(({ cidr }, index) =>
      reachOf({ cidr }) === "private"
        ? []
        : [
            {
              key: `privateEndpoints[${index}].cidr`,
              value: cidr,
              message: "holds public addresses",
              allowed: "private ranges, such as those of RFC 1918",
              fix: "name public ranges under externalHttps.cidrs, or in a flow of your own",
            },
          ],
    ),
  ];
}

/** The settings without what {@link nameProblems} and {@link reachProblems} report, so that the rest of the network can be checked too. */
function withoutProblems(settings: Settings): Settings {
  const own = Object.keys(settings.services);
  const { policies } = settings.networking;
  const controllers = policies.ingress.controllers.filter((name) => isKnown(name, ingressControllers, own));
  const peers = settings.dns.peers.filter((name) => isKnown(name, dnsPeers, own));
  const externalCidrs = settings.externalHttps.cidrs?.filter((cidr) => reachOf({ cidr }) === "public");
  const { mesh } = settings;
  return {
    ...settings,
    networking: { policies: { ...policies, ingress: { controllers } } },
    externalHttps: externalCidrs === undefined || externalCidrs.length === 0 ? {} : { cidrs: externalCidrs },
    privateEndpoints: settings.privateEndpoints.filter(({ cidr }) => reachOf({ cidr }) === "private"),
    dns: { ...settings.dns, peers: peers.length > 0 ? peers : [dnsPeers[0]] },
    mesh:
      mesh.provider === "none" || isPeerService(mesh.gateway) || own.includes(mesh.gateway)
        ? mesh
        : { ...mesh, gateway: `${mesh.provider}-gateway` },
  };
}

function isKnown(name: string, presets: readonly string[], own: readonly string[]): boolean {
  return presets.includes(name) || own.includes(name);
}

function mentions({ from, to }: Flow, service: string): boolean {
  const names = (endpoint: Endpoint): boolean =>
    endpoint.kind === "service"
      ? endpoint.service === service
      : endpoint.kind === "group" && endpoint.members.some(names);
  return names(from) || names(to);
}

function everyService(settings: Settings): Service[] {
  const presets: Service[] = [...Object.values(coreServices), ...Object.values(peerServices)];
  const configured = presets.map((preset) => {
    const { namespace = preset.namespace, podLabels } = settings.services[preset.name] ?? {};
    return {
      ...preset,
      namespace,
      podSelector: podLabels === undefined ? preset.podSelector : { matchLabels: podLabels },
    };
  });
  const own = Object.entries(settings.services)
    .filter(([name]) => !presets.some((preset) => preset.name === name))
    .map(([name, { namespace = "", podLabels = {} }]) => ({
      name,
      namespace,
      podSelector: { matchLabels: podLabels },
    }));
  const erlmcp = configured.find(({ name }) => name === "erlmcp") ?? coreServices.erlmcp;
  const strict: Service[] =
    settings.mesh.provider === "none"
      ? []
      : [
          {
            name: "erlmcp-mtls",
            namespace: erlmcp.namespace,
            podSelector: { matchLabels: { ...erlmcp.podSelector.matchLabels, mtls: "strict" } },
            policyNames: { ingress: "erlmcp-mtls-only" },
          },
        ];
  return [...configured, ...own, ...strict];
}

/** The namespaces of the settings, those of the source, and those of peers outside, which are only referenced. */
function namespacesOf(
  settings: Settings,
  services: readonly Service[],
  flows: readonly Flow[],
): Record<string, NetworkNamespace> {
  const peers = services
    .filter(({ name }) => isPeerService(name) && settings.services[name]?.namespace === undefined)
    .map(({ namespace }) => namespace);
  const meshed = flows
    .filter(({ id }) => id === "mesh-mtls")
    .flatMap(({ from }) => (from.kind === "namespaces" ? from.namespaces : []));
  const defaults: Record<string, NetworkNamespace> = {};
  for (const name of coreNamespaces) defaults[name] = { mode: "create" };
  for (const name of [
    ...peers,
    ...(settings.mesh.provider === "none" || settings.mesh.namespaces ? [] : meshed),
  ]) {
    defaults[name] ??= { mode: "reference" };
  }
  const configured = Object.entries(settings.namespaces).map(([name, { mode, defaultDeny }]) => [
    name,
    defaultDeny === undefined ? { mode } : { mode, defaultDeny },
  ]);
  return { ...defaults, ...(Object.fromEntries(configured) as Record<string, NetworkNamespace>) };
}

function meshOf({ mesh }: Settings, services: readonly Service[]): Mesh | undefined {
  if (mesh.provider === "none") return undefined;
  const erlmcp = services.find(({ name }) => name === "erlmcp") ?? coreServices.erlmcp;
  // In ambient mode the namespace's label puts every pod in it into the mesh.
  const everyone = services
    .filter(({ name, namespace }) => namespace === erlmcp.namespace && !isPeerService(name))
    .map(({ name }) => name);
  if (mesh.provider === "linkerd")
    return { provider: "linkerd", members: withStrict(mesh.members ?? ["erlmcp"]) };
  return {
    provider: "istio",
    dataPlane: mesh.dataPlane,
    members: withStrict(mesh.members ?? (mesh.dataPlane === "ambient" ? everyone : ["erlmcp"])),
  };
}

/** Pods labelled mtls=strict are erlmcp's, so they are in the mesh when erlmcp is. */
function withStrict(members: readonly string[]): string[] {
  return [...new Set(members.includes("erlmcp") ? [...members, "erlmcp-mtls"] : members)];
}

function endpointOf(setting: EndpointSetting, settings: Settings): Endpoint {
  if (typeof setting !== "string") {
    return "cidrs" in setting
      ? Peer.addresses(
          setting.cidrs.join(", "),
          setting.cidrs.map((cidr) => ({ cidr })),
        )
      : Peer.namespaces(...setting.namespaces);
  }
  if (setting === "internet")
    return Peer.addresses("the public Internet", publicInternet(settings.ipFamilies));
  if (setting === "cluster-dns") return clusterDns(settings);
  return Peer.service(setting);
}

function nameProblems(settings: Settings): Problem[] {
  const own = Object.keys(settings.services);
  const unknown = (
    key: string,
    names: readonly string[],
    known: readonly string[],
    what: string,
    fix: string,
  ): Problem[] =>
    names.flatMap((name, index) =>
      isKnown(name, known, own)
        ? []
        : [
            {
              key: `${key}[${index}]`,
              value: name,
              message: `is not ${what}`,
              allowed: [...known, ...own].join(", "),
              fix,
            },
          ],
    );
  const { mesh } = settings;
  return [
    ...unknown(
      "networking.policies.ingress.controllers",
      settings.networking.policies.ingress.controllers,
      ingressControllers,
      "an ingress controller that this project knows",
      "correct its spelling, or describe its pods under services and use that name",
    ),
    ...unknown(
      "dns.peers",
      settings.dns.peers,
      dnsPeers,
      "a DNS server that this project knows",
      "correct its spelling, or describe its pods under services and use that name",
    ),
    ...(mesh.provider !== "none" && !isPeerService(mesh.gateway) && !own.includes(mesh.gateway)
      ? [
          {
            key: "mesh.gateway",
            value: mesh.gateway,
            message: "is not a service",
            allowed: ["istio-gateway", "linkerd-gateway", ...own].join(", "),
            fix: "correct its spelling, or describe its pods under services and use that name",
          },
        ]
      : []),
    ...own
      .filter((name) => reservedNames.includes(name) || name === "erlmcp-mtls")
      .map((name) => ({
        key: `services.${name}`,
        value: name,
        message: "is a name that the matrix uses itself",
        allowed: "any other name",
        fix: "rename the service",
      })),
    ...own
      .filter((name) => !Object.hasOwn(coreServices, name) && !isPeerService(name))
      .flatMap((name) => {
        const { namespace, podLabels } = settings.services[name] ?? {};
        return [
          ...(namespace === undefined
            ? [missing(`services.${name}.namespace`, "a namespace of namespaces")]
            : []),
          ...(podLabels === undefined ? [missing(`services.${name}.podLabels`, "labels of its pods")] : []),
        ];
      }),
    ...(["from", "to"] as const).flatMap((end) =>
      settings.flows
        .filter((flow) => end === "from" && flow[end] === "cluster-dns")
        .map((flow) => ({
          key: `flows.${flow.id}.${end}`,
          value: flow[end],
          message: "cluster DNS opens no connections of its own",
          allowed: "a service's name, internet, {cidrs: [...]} or {namespaces: [...]}",
          fix: "swap the two ends, or name the service",
        })),
    ),
  ];
}

function missing(key: string, allowed: string): Problem {
  return { key, value: undefined, message: "is missing", allowed, fix: "add it" };
}
