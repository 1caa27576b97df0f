import { fromCidr, noAddresses } from "./address-set";
import type { CommunicationMatrix, MatrixEnd, MatrixFlow, MatrixService } from "./communication-matrix";
import { boolean, labelValue, list, listOf, mappingOf, namespaceName, reason, record } from "./config-field";
import { declaredReach, portRange, type DeclaredReach } from "./declared-reach";
import { allPorts, portSet, readPortRange, type PortSet } from "./port-set";
import type {
  Cluster,
  ClusterPolicy,
  Labels,
  NetworkPolicy,
  Peer,
  Requirement,
  Selector,
  Workload,
} from "./reachability/model";
import { isClusterPolicy } from "./reachability/policy-compiler";
import { nameLabel } from "./reachability/read-notes";
import { selectorKey, selects } from "./reachability/selector";

/** Pods by namespace and labels. */
interface NamedPods {
  readonly namespace: string;
  /** All of them; none means every pod of the namespace. */
  readonly labels: Labels;
}

/** Pods that may reach protected pods in other ways than by their policy's own word. */
export interface Client extends NamedPods {
  /** Which protected pods; absent means all. */
  readonly of?: NamedPods;
  /** Absent means all ports. */
  readonly ports?: readonly string[];
  readonly reason: string;
}

/** Who may reach protected pods where no matrix says it. */
export interface DeclaredClients {
  readonly clients: readonly Client[];
  readonly clientAddresses: readonly DeclaredReach[];
  readonly pinnedClients: boolean;
}

const labels = mappingOf(labelValue, { keys: "label keys", example: { app: "web" } });

/** The keys of a rule's configuration by which it knows the clients of protected pods. */
export const declaredClientsFields = {
  clients: list(
    record<Client>({
      allowed:
        "an object with namespace, labels ({} for every pod) and reason, and with of (namespace and labels) and ports where it is not for all protected pods and ports",
      example: {
        namespace: "reports",
        labels: { app: "export" },
        of: { namespace: "shop", labels: { app: "db" } },
        ports: ["TCP 5432"],
        reason: "nightly figures for the board",
      },
      values: {
        namespace: namespaceName,
        labels,
        of: record<NamedPods>({
          allowed: "an object with namespace and labels",
          example: { namespace: "shop", labels: { app: "db" } },
          values: { namespace: namespaceName, labels },
        }),
        ports: listOf(portRange),
        reason,
      },
      optional: ["of", "ports"],
    }),
    {
      description:
        "Pods that may reach protected pods, besides those that these pods' own policies name in their own namespace. Where a communication matrix decides about the namespace, it alone counts. The default are operators, as their own manifests install them.",
      default: [
        {
          namespace: "cnpg-system",
          labels: { "app.kubernetes.io/name": "cloudnative-pg" },
          reason: "the CloudNativePG operator runs PostgreSQL",
        },
        {
          namespace: "elastic-system",
          labels: { "control-plane": "elastic-operator" },
          reason: "the ECK operator runs Elasticsearch",
        },
        {
          namespace: "rabbitmq-system",
          labels: { "app.kubernetes.io/name": "rabbitmq-cluster-operator" },
          reason: "the RabbitMQ Cluster Operator runs RabbitMQ",
        },
      ],
    },
  ),
  pinnedClients: boolean({
    description:
      "Whether pods of another namespace are declared as well by a policy that names them by a label and their namespace by kubernetes.io/metadata.name.",
    default: false,
  }),
  clientAddresses: list(
    declaredReach({ cidr: "10.20.0.0/28", ports: ["TCP 5432"], reason: "database administrators' VPN" }),
    {
      description:
        "Networks that may reach protected pods. Where a communication matrix decides about the namespace, it alone counts. The default are the addresses from which Istio's ambient mode passes the kubelet's probes on.",
      default: [
        { cidr: "169.254.7.127/32", reason: "kubelet's probes in Istio's ambient mode" },
        {
          cidr: "fd16:9254:7127:1337:ffff:ffff:ffff:ffff/128",
          reason: "kubelet's probes in Istio's ambient mode",
        },
      ],
    },
  ),
};

/** Labels that whole applications have in common: a peer that asks for nothing else names no client. */
const sharedLabels = new Set([
  "app.kubernetes.io/managed-by",
  "app.kubernetes.io/part-of",
  "app.kubernetes.io/version",
  "helm.sh/chart",
]);

/** Labels that most pods have: a peer that asks only whether they are there names no client. */
const usualLabels = new Set([
  ...sharedLabels,
  "app",
  "app.kubernetes.io/component",
  "app.kubernetes.io/instance",
  "app.kubernetes.io/name",
  "k8s-app",
  "name",
  "pod-template-hash",
]);

/** Whether a peer's selector says who the client is, in a label and not merely who it is not. */
function namesClients(pods: Selector | undefined): pods is Selector {
  return (
    pods?.requirements.some(
      ({ key, operator }) =>
        (operator === "In" && !sharedLabels.has(key)) || (operator === "Exists" && !usualLabels.has(key)),
    ) === true
  );
}

/**
 * What is declared for protected pods in namespaces about which no matrix decides, written as a matrix: the clients of the configuration,
 * and those in the pods' own namespace that a policy for these pods names by their labels.
 *
 * @param subjects the protected pods; they need not be deployed
 */
export function declaredByPolicies(
  cluster: Cluster,
  subjects: readonly Workload[],
  { clients, clientAddresses, pinnedClients }: DeclaredClients,
): CommunicationMatrix {
  const services = new Map<string, MatrixService>();
  const service = (namespace: string, name: string, pods: Selector): MatrixService => {
    const key = `${namespace} ${selectorKey(pods)}`;
    const made = services.get(key) ?? { name, namespace, pods };
    services.set(key, made);
    return made;
  };
  const endOf = ({ namespace, labels }: NamedPods): MatrixEnd =>
    Object.keys(labels).length === 0
      ? end({ namespaces: [namespace] })
      : end({ services: [service(namespace, nameBy(labels), selectorOf(labels))] });

  const named = namedNamespaces(cluster);
  const flows: MatrixFlow[] = [];
  const addresses = clientAddresses.map(({ cidr, ports }) => ({
    from: end({ addresses: fromCidr(cidr) }),
    ports: portsOf(ports),
  }));
  for (const subject of distinct(subjects)) {
    const to = end({
      services: [service(subject.namespace, nameBy(subject.labels), selectorOf(subject.labels))],
    });
    const add = (from: MatrixEnd, ports: PortSet): void => {
      flows.push({ id: `client-${flows.length}`, from, to, ports, opensFrom: false });
    };
    for (const { from, ports } of addresses) add(from, ports);
    for (const client of clients) {
      // Of a namespace that nothing names there is nothing to tell.
      if (!named.has(client.namespace) || !isOf(client, subject)) continue;
      add(endOf(client), portsOf(client.ports));
    }
    // Stores of one kind are replicas of each other. Pods without labels cannot be told from others.
    if (Object.keys(subject.labels).length > 0) add(to, allPorts);
    for (const { namespace, pods } of clientsNamedFor(cluster, subject)) {
      if (namespace !== subject.namespace && !pinnedClients) continue;
      add(end({ services: [service(namespace, nameOf(pods), pods)] }), allPorts);
    }
  }
  const namespaces = [...new Set(subjects.map(({ namespace }) => namespace))];
  return { namespaces, services: [...services.values()], flows };
}

/** The pods that the policies for the subject name, in its own namespace and in those that they pin. */
function clientsNamedFor(
  { networkPolicies, clusterPolicies, namespaces }: Cluster,
  subject: Workload,
): { namespace: string; pods: Selector }[] {
  const own = namespaces.find(({ name }) => name === subject.namespace)?.labels ?? {
    [nameLabel]: subject.namespace,
  };
  const isFor = (policy: NetworkPolicy | ClusterPolicy): boolean =>
    isClusterPolicy(policy)
      ? selects(policy.subject.namespaces, own) &&
        (policy.subject.pods === undefined || selects(policy.subject.pods, subject.labels))
      : policy.namespace === subject.namespace && selects(policy.podSelector, subject.labels);
  return [...networkPolicies, ...clusterPolicies].filter(isFor).flatMap((policy) =>
    peersIn(policy.ingress).flatMap((peer) => {
      if (peer.kind !== "pods" || !namesClients(peer.pods)) return [];
      const { namespaces: selector, pods } = peer;
      const isHere = selector === undefined || selects(selector, own);
      const names = new Set([...(isHere ? [subject.namespace] : []), ...pinnedBy(selector)]);
      return [...names].map((namespace) => ({ namespace, pods }));
    }),
  );
}

/** The namespaces that a selector asks for by name; none where it selects others as well. */
function pinnedBy(selector: Selector | undefined): readonly string[] {
  const requirements = selector?.requirements ?? [];
  return requirements.find(({ key, operator }) => key === nameLabel && operator === "In")?.values ?? [];
}

function isOf({ of }: Client, { namespace, labels }: Workload): boolean {
  return of === undefined || (of.namespace === namespace && selects(selectorOf(of.labels), labels));
}

/** The namespaces that are there, or that a policy names. */
function namedNamespaces({ namespaces, networkPolicies, clusterPolicies }: Cluster): ReadonlySet<string> {
  const names = new Set(namespaces.map(({ name }) => name));
  for (const policy of [...networkPolicies, ...clusterPolicies]) {
    for (const peer of peersIn(policy.ingress)) {
      const requirements = peer.kind === "pods" ? (peer.namespaces?.requirements ?? []) : [];
      for (const { key, values } of requirements) {
        if (key === nameLabel) for (const value of values) names.add(value);
      }
    }
  }
  return names;
}

function peersIn(
  rules: readonly { readonly peers: readonly Peer[] | undefined }[] | undefined,
): readonly Peer[] {
  return (rules ?? []).flatMap(({ peers }) => peers ?? []);
}

function distinct(subjects: readonly Workload[]): Workload[] {
  const byPods = new Map<string, Workload>();
  for (const subject of subjects) {
    byPods.set(`${subject.namespace} ${selectorKey(selectorOf(subject.labels))}`, subject);
  }
  return [...byPods.values()];
}

function selectorOf(labels: Labels): Selector {
  return {
    requirements: Object.entries(labels).map(([key, value]): Requirement => ({
      key,
      operator: "In",
      values: [value],
    })),
  };
}

function end(part: Partial<Omit<MatrixEnd, "text">>): MatrixEnd {
  return { text: "", services: [], namespaces: [], addresses: noAddresses, ...part };
}

function portsOf(ranges: readonly string[] | undefined): PortSet {
  return ranges === undefined ? allPorts : portSet(ranges.flatMap((range) => readPortRange(range) ?? []));
}

/** How messages name pods that are not deployed. */
function nameBy(labels: Labels): string {
  const usual = ["app.kubernetes.io/name", "app", "k8s-app", "app.kubernetes.io/component"];
  const name = usual.map((key) => labels[key]).find((value) => value !== undefined && value !== "");
  return name ?? Object.values(labels)[0] ?? "any pod";
}

function nameOf({ requirements }: Selector): string {
  return nameBy(
    Object.fromEntries(
      requirements.flatMap(({ key, values: [value] }) => (value === undefined ? [] : [[key, value]])),
    ),
  );
}
