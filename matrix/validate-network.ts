import { cidrContains, cidrProblem, familyOf, reachOf } from "./address-ranges";
import { servicesOf, type AddressBlock, type Endpoint, type Flow, type Service } from "./flow";
import { lastPort, portsOverlap, formatPorts } from "./port";
import { hasDefaultDeny, isManaged, type NetworkDefinition } from "./network";
import type { Problem } from "./problem";

const name = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const labelKey = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/** Every Linkerd port needs a Server of its own, so a wide range would be hundreds of objects. */
const widestLinkerdRange = 16;

const nameRule =
  "lower-case letters, digits and '-', 63 characters at most, starting and ending with a letter or digit";

/**
 * Everything that is wrong with a network as a whole: names that lead nowhere, rows that contradict each other, ends that
 * would open more than they say. Empty where the network can be compiled.
 */
export function validateNetwork(network: NetworkDefinition): Problem[] {
  return [
    ...namespaceProblems(network),
    ...network.services.flatMap((service) => serviceProblems(service, network)),
    ...network.flows.flatMap((flow) => flowProblems(flow, network)),
    ...duplicates(network.services, "services", ({ name }) => name),
    ...duplicates(network.flows, "flows", ({ id }) => id),
    ...policyNameClashes(network),
    ...contradictions(network.flows),
    ...meshProblems(network),
  ];
}

function namespaceProblems({ namespaces, ipFamilies }: NetworkDefinition): Problem[] {
  const entries = Object.entries(namespaces);
  const problems: Problem[] = entries.flatMap(([key, { mode, defaultDeny }]) => {
    const found: Problem[] = [];
    if (!name.test(key)) {
      found.push({
        key: `namespaces.${key}`,
        value: key,
        message: "is not a namespace name",
        allowed: nameRule,
        fix: "rename it",
      });
    }
    if ((mode === "create" && defaultDeny === false) || (mode === "reference" && defaultDeny === true)) {
      found.push({
        key: `namespaces.${key}.defaultDeny`,
        value: defaultDeny,
        message:
          mode === "create"
            ? "a namespace that the stack creates always has default-deny"
            : "a namespace that is only referenced is touched by nothing, so it gets no default-deny",
        allowed: mode === "create" ? "true, or leave it out" : "false, or leave it out",
        fix: mode === "create" ? "remove the key" : "use mode adopt, or remove the key",
      });
    }
    return found;
  });
  if (!entries.some(([, namespace]) => isManaged(namespace))) {
    problems.push({
      key: "namespaces",
      value: Object.fromEntries(entries.map(([key, { mode }]) => [key, mode])),
      message: "no namespace is created or adopted, so there is nothing to deploy",
      allowed: "at least one namespace with mode create or adopt",
      fix: "give the namespace of your services mode create, or adopt if it exists already",
    });
  }
  if (ipFamilies?.length === 0) {
    problems.push({
      key: "ipFamilies",
      value: [],
      message: "no address family is left",
      allowed: "IPv4, IPv6 or both",
      fix: "list the families of your cluster, or remove the key for IPv4",
    });
  }
  return problems;
}

function serviceProblems(service: Service, { namespaces }: NetworkDefinition): Problem[] {
  const key = `services.${service.name}`;
  const { matchLabels = {}, matchExpressions = [] } = service.podSelector;
  const problems: Problem[] = [];
  if (!name.test(service.name)) {
    problems.push({
      key,
      value: service.name,
      message: "is not a name that policies can carry",
      allowed: nameRule,
      fix: "rename the service",
    });
  }
  if (!Object.hasOwn(namespaces, service.namespace)) {
    problems.push({
      key: `${key}.namespace`,
      value: service.namespace,
      message: "is not a namespace of this network",
      allowed: Object.keys(namespaces).join(", "),
      fix: `correct the name, or add namespaces.${service.namespace} with mode create, adopt or reference`,
    });
  }
  if (Object.keys(matchLabels).length === 0 && matchExpressions.length === 0) {
    problems.push({
      key: `${key}.podLabels`,
      value: matchLabels,
      message: "would select every pod of the namespace",
      allowed: "at least one label",
      fix: "name the labels that only this service's pods carry, such as app.kubernetes.io/name",
    });
  }
  for (const [label, value] of Object.entries(matchLabels)) {
    if (!labelKey.test(label) || !labelValue.test(value)) {
      problems.push({
        key: `${key}.podLabels.${label}`,
        value,
        message: "is not a Kubernetes label",
        allowed:
          "an optional DNS prefix and '/', then letters, digits, '-', '_' and '.', 63 characters at most",
        fix: "copy the label from the pods",
      });
    }
  }
  return problems;
}

function flowProblems(flow: Flow, network: NetworkDefinition): Problem[] {
  const key = `flows.${flow.id}`;
  const problems: Problem[] = [];
  if (!name.test(flow.id)) {
    problems.push({
      key,
      value: flow.id,
      message: "is not a key that policies and outputs can carry",
      allowed: nameRule,
      fix: "rename the flow",
    });
  }
  if (flow.ports.length === 0) {
    problems.push({
      key: `${key}.ports`,
      value: flow.ports,
      message: "a flow without ports would open every port",
      allowed: "at least one port or port range",
      fix: "list the ports the receiving service listens on",
    });
  }
  if (flow.purpose.trim() === "") {
    problems.push({
      key: `${key}.purpose`,
      value: flow.purpose,
      message: "says nothing, and whoever audits the policy later has to know why it is there",
      allowed: "a text",
      fix: "say in a few words why the flow exists",
    });
  }
  problems.push(...endpointProblems(flow.from, `${key}.from`, network));
  problems.push(...endpointProblems(flow.to, `${key}.to`, network));
  if (problems.length === 0 && !opensSomething(flow, network)) {
    problems.push({
      key,
      value: { from: servicesOf(flow.from), to: servicesOf(flow.to) },
      message: "opens nothing: neither end lies in a namespace that this network creates or adopts",
      allowed: "a service of a created or adopted namespace on at least one end",
      fix: "remove the flow, or change the mode of a namespace",
    });
  }
  return problems;
}

function opensSomething({ from, to, opens }: Flow, { services, namespaces }: NetworkDefinition): boolean {
  const ends = [...(opens === "to" ? [] : servicesOf(from)), ...servicesOf(to)];
  return services.some((service) => {
    const namespace = namespaces[service.namespace];
    return ends.includes(service.name) && namespace !== undefined && isManaged(namespace);
  });
}

function endpointProblems(endpoint: Endpoint, key: string, network: NetworkDefinition): Problem[] {
  const known = network.services.map(({ name }) => name);
  const members =
    endpoint.kind === "group"
      ? endpoint.members
      : endpoint.kind === "namespaces"
        ? endpoint.namespaces
        : endpoint.kind === "addresses"
          ? endpoint.blocks
          : [endpoint.service];
  if (members.length === 0) {
    return [
      {
        key,
        value: endpoint,
        message: "names nobody, which a NetworkPolicy reads as everybody",
        allowed: "at least one service, namespace or address block",
        fix: "name the peer",
      },
    ];
  }
  switch (endpoint.kind) {
    case "service":
      return known.includes(endpoint.service)
        ? []
        : [
            {
              key,
              value: endpoint.service,
              message: "is not a service of the matrix",
              allowed: known.join(", "),
              fix: `correct the name, or add services.${endpoint.service}`,
            },
          ];
    case "namespaces":
      return endpoint.namespaces
        .filter((namespace) => !Object.hasOwn(network.namespaces, namespace))
        .map((namespace) => ({
          key,
          value: namespace,
          message: "is not a namespace of this network",
          allowed: Object.keys(network.namespaces).join(", "),
          fix: `correct the name, or add namespaces.${namespace} with mode reference`,
        }));
    case "addresses":
      return endpoint.blocks.flatMap((block) => blockProblems(block, key, network));
    case "group":
      return endpoint.members.flatMap((member) => endpointProblems(member, key, network));
  }
}

function blockProblems(
  block: AddressBlock,
  key: string,
  { ipFamilies = ["IPv4"] }: NetworkDefinition,
): Problem[] {
  const cidrs = [block.cidr, ...(block.except ?? [])];
  const malformed = cidrs.flatMap((cidr): Problem[] => {
    const message = cidrProblem(cidr);
    return message === undefined
      ? []
      : [
          {
            key,
            value: cidr,
            message,
            allowed: "a network such as 192.0.2.0/24 or 2001:db8::/32",
            fix: "correct it",
          },
        ];
  });
  if (malformed.length > 0) return malformed;

  const outside = (block.except ?? []).filter((cidr) => !cidrContains(block.cidr, cidr));
  if (outside.length > 0) {
    return outside.map((cidr) => ({
      key,
      value: cidr,
      message: `is not within ${block.cidr}, so excepting it does nothing and the API server refuses it`,
      allowed: `ranges within ${block.cidr}`,
      fix: "remove the exception or widen the block",
    }));
  }
  const family = familyOf(block.cidr);
  if (!ipFamilies.includes(family)) {
    return [
      {
        key,
        value: block.cidr,
        message: `is ${family}, which this cluster does not have; some enforcers fail on it`,
        allowed: ipFamilies.join(" and "),
        fix: `remove it, or add ${family} to ipFamilies`,
      },
    ];
  }
  return reachOf(block) === "mixed"
    ? [
        {
          key,
          value: block.cidr,
          message: "holds public and private addresses, so what it opens cannot be told from its name",
          allowed: "public ranges only, private ranges only, or internet for all public addresses",
          fix: "split it, and name private ranges one by one",
        },
      ]
    : [];
}

function duplicates<T>(rows: readonly T[], table: string, keyOf: (row: T) => string): Problem[] {
  const keys = rows.map(keyOf);
  return [...new Set(keys.filter((key, index) => keys.indexOf(key) !== index))].map((key) => ({
    key: `${table}.${key}`,
    value: key,
    message: "is defined more than once",
    allowed: "one definition for each name",
    fix: "rename one of them; to replace a flow of the matrix, list it in disabledFlows and give yours a name of its own",
  }));
}

function policyNameClashes({ services, namespaces }: NetworkDefinition): Problem[] {
  const taken = new Map<string, string>();
  for (const [namespace, settings] of Object.entries(namespaces)) {
    if (!hasDefaultDeny(settings)) continue;
    taken.set(`${namespace}/${namespace}-deny-all-ingress`, "default-deny");
    taken.set(`${namespace}/${namespace}-deny-all-egress`, "default-deny");
  }
  return services.flatMap(({ name, namespace, policyNames }) =>
    [policyNames?.ingress ?? `${name}-ingress`, policyNames?.egress ?? `${name}-egress`].flatMap(
      (policy): Problem[] => {
        const owner = taken.get(`${namespace}/${policy}`);
        taken.set(`${namespace}/${policy}`, name);
        return owner === undefined || owner === name
          ? []
          : [
              {
                key: `services.${name}`,
                value: policy,
                message: `its policy would have the name of a policy of ${owner}`,
                allowed: "a service name whose policies' names are free",
                fix: "rename the service",
              },
            ];
      },
    ),
  );
}

/** Two rows that open the same port between the same two services: turning one off would change nothing. */
function contradictions(flows: readonly Flow[]): Problem[] {
  return flows.flatMap((flow, index) =>
    flows.slice(0, index).flatMap((earlier): Problem[] => {
      if (earlier.id === flow.id) return [];
      if (JSON.stringify([earlier.from, earlier.to]) !== JSON.stringify([flow.from, flow.to])) return [];
      const shared = flow.ports.filter((port) => earlier.ports.some((other) => portsOverlap(port, other)));
      return shared.length === 0
        ? []
        : [
            {
              key: `flows.${flow.id}.ports`,
              value: formatPorts(shared),
              message: `contradicts ${earlier.id}, which opens the same ports between the same two ends`,
              allowed: `ports that ${earlier.id} does not open`,
              fix: `remove them here, or turn ${earlier.id} off`,
            },
          ];
    }),
  );
}

function meshProblems({ mesh, services, namespaces, flows }: NetworkDefinition): Problem[] {
  if (mesh === undefined) return [];
  const managed = services.filter(({ namespace }) => {
    const settings = namespaces[namespace];
    return settings !== undefined && isManaged(settings);
  });
  const strangers = mesh.members
    .filter((member) => !managed.some(({ name }) => name === member))
    .map((member) => ({
      key: "mesh.members",
      value: member,
      message:
        "is not a service of a namespace that this network creates or adopts, so mTLS could not be enforced on it",
      allowed: managed.map(({ name }) => name).join(", "),
      fix: "correct the name, or remove it",
    }));
  if (mesh.provider === "istio") {
    if (mesh.dataPlane === "sidecar") return strangers;
    const unselectable = managed
      .filter(
        ({ name, podSelector }) =>
          mesh.members.includes(name) && (podSelector.matchExpressions ?? []).length > 0,
      )
      .map(({ name, podSelector }) => ({
        key: `services.${name}.podSelector.matchExpressions`,
        value: podSelector.matchExpressions,
        message:
          "is not a selector that Istio's AuthorizationPolicy can have, so its policy would apply to other pods as well",
        allowed: "matchLabels alone, for a member of a mesh in ambient mode",
        fix: "give the pods a label of their own and select them by it, or take the service out of mesh.members",
      }));
    return [...strangers, ...unselectable];
  }
  const wide = flows
    .filter(({ to }) => servicesOf(to).some((service) => mesh.members.includes(service)))
    .flatMap(({ id, ports }) =>
      ports
        .filter((port) => lastPort(port) - port.port >= widestLinkerdRange)
        .map((port) => ({
          key: `flows.${id}.ports`,
          value: formatPorts([port]),
          message: "is too wide for Linkerd, where every port needs a Server of its own",
          allowed: `ranges of ${widestLinkerdRange} ports at most`,
          fix: "narrow the range; for Erlang distribution set erlangDistribution and the node's inet_dist_listen_min and _max",
        })),
    );
  return [...strangers, ...wide];
}
