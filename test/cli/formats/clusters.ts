import { fromCidr, subtract, union, type AddressSet } from "../../../policypack/address-set";
import { allPorts, portSet, readPortRange, type PortSet } from "../../../policypack/port-set";
import { analyse } from "../../../policypack/reachability/engine";
import type {
  AllowRule,
  Cluster,
  NetworkPolicy,
  Peer,
  Selector,
  Workload,
} from "../../../policypack/reachability/model";
import type { Flow, FlowGroup, Reachability } from "../../../policypack/reachability/reachability";
import type {
  LabelSelector,
  NetworkPolicy as Manifest,
  NetworkPolicyPeer,
  NetworkPolicyRule,
} from "../../../matrix/kubernetes";
import type { CompiledNetwork } from "../../../matrix";
import { policiesOf } from "../../helpers/stack-network";

/** `ns/name`, or `ns/name[Kind]` where it is no Deployment. */
export function workload(id: string, more: Partial<Workload> = {}): Workload {
  const [, namespace = "", name = "", kind = "Deployment"] =
    /^([^/]*)\/([^[]*)(?:\[(.*)\])?$/s.exec(id) ?? [];
  return {
    namespace,
    name,
    kind,
    labels: { app: name },
    namedPorts: [],
    hostNetwork: false,
    addresses: [],
    ...more,
  };
}

export function clusterOf(
  workloads: readonly Workload[],
  networkPolicies: readonly NetworkPolicy[] = [],
): Cluster {
  const namespaces = [...new Set(workloads.map(({ namespace }) => namespace))];
  return {
    namespaces: namespaces.map((name) => ({ name, labels: { "kubernetes.io/metadata.name": name } })),
    workloads,
    networkPolicies,
    clusterPolicies: [],
    nodes: [],
  };
}

/** An answer made up for a test: the groups as given, and their pairs as flows. */
export function answer(
  workloads: readonly Workload[],
  groups: readonly FlowGroup[],
  more: Partial<Reachability> = {},
): Reachability {
  return {
    cluster: clusterOf(workloads),
    notes: [],
    openToAll: [],
    openFromAll: [],
    ports: () => {
      throw new Error("no format asks for one pair");
    },
    flows: () => groups.flatMap(pairs),
    groups: () => groups,
    ...more,
  };
}

function pairs({ from, to, ports }: FlowGroup): Flow[] {
  const sources = "addresses" in from ? [from] : from;
  const destinations = "addresses" in to ? [to] : to;
  return sources.flatMap((source) =>
    destinations.map((destination) => ({ from: source, to: destination, ports })),
  );
}

/** `TCP 443, UDP 53`, or `all`. */
export function ports(text: string): PortSet {
  return text === "all" ? allPorts : portSet(text.split(", ").map((range) => readPortRange(range)!));
}

/** Names that no Kubernetes object can have, and that mean something in one format or another. */
export const hostileNames = [
  'a"]; click b "javascript:alert(1)"',
  "<script>alert(1)</script>",
  "`x` | *b* _c_ @octocat #1 https://example.com",
  "back\\slash\\",
  "\u001b[31mred\nline",
  "&quot;&#34;",
  "%%{init: {}}%%",
  "__proto__",
  "=1+1,2",
  "\u202ertl",
];

export function addresses(...cidrs: string[]): { readonly addresses: AddressSet } {
  return { addresses: union(...cidrs.map(fromCidr)) };
}

/** What the engine says of a stack whose services all run. */
export function stackAnswer(network: CompiledNetwork): Reachability {
  const workloads = network.definition.services.map(({ namespace, name, podSelector }) =>
    workload(`${namespace}/${name}`, { labels: podSelector.matchLabels ?? {} }),
  );
  return analyse(clusterOf(workloads, policiesOf(network).map(readPolicy)));
}

function readPolicy({ metadata, spec }: Manifest): NetworkPolicy {
  const rules = (direction: "ingress" | "egress", peers: "from" | "to") =>
    (spec[direction] ?? []).map((rule, index): AllowRule =>
      readRule(rule, `spec.${direction}[${index}]`, peers),
    );
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    podSelector: readSelector(spec.podSelector),
    ingress: spec.policyTypes.includes("Ingress") ? rules("ingress", "from") : undefined,
    egress: spec.policyTypes.includes("Egress") ? rules("egress", "to") : undefined,
  };
}

function readRule(rule: NetworkPolicyRule, at: string, peers: "from" | "to"): AllowRule {
  return {
    at,
    peers: rule[peers]?.map((peer, index) => readPeer(peer, `${at}.${peers}[${index}]`)),
    ports: rule.ports?.map(({ protocol, port, endPort = port }) => ({
      kind: "numbers",
      protocol,
      first: port,
      last: endPort,
    })),
  };
}

function readPeer({ ipBlock, namespaceSelector, podSelector }: NetworkPolicyPeer, at: string): Peer {
  if (ipBlock !== undefined) {
    const { cidr, except = [] } = ipBlock;
    return {
      at,
      kind: "addresses",
      addresses: subtract(fromCidr(cidr), union(...except.map(fromCidr))),
      text: [cidr, ...except].join(" except "),
    };
  }
  return {
    at,
    kind: "pods",
    namespaces: namespaceSelector && readSelector(namespaceSelector),
    pods: podSelector && readSelector(podSelector),
  };
}

function readSelector({ matchLabels = {}, matchExpressions = [] }: LabelSelector): Selector {
  return {
    requirements: [
      ...Object.entries(matchLabels).map(([key, value]) => ({
        key,
        operator: "In" as const,
        values: [value],
      })),
      ...matchExpressions.map(({ key, operator, values = [] }) => ({
        key,
        operator,
        values: [...values].sort(),
      })),
    ],
  };
}
