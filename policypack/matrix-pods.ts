import type { MatrixEnd, MatrixService } from "./communication-matrix";
import type {
  Cluster,
  ClusterPolicy,
  Labels,
  Namespace,
  NetworkPolicy,
  Selector,
  Workload,
} from "./reachability/model";
import { fewestLabels } from "./reachability/fewest-labels";
import { isClusterPolicy } from "./reachability/policy-compiler";
import { nameLabel } from "./reachability/read-notes";
import { OutOfSteps, SearchSteps } from "./reachability/search-steps";
import { formatSelector, selectorKey, selects } from "./reachability/selector";
import type { StackMatrix } from "./stack-cluster";

/** A cluster with pods for everything that a matrix, and the policies, could mean. */
export interface MatrixPods {
  readonly cluster: Cluster;
  /** What a workload of the cluster is to the matrices. */
  roleOf(workload: Workload): Role;
  /** Policies that ask for too much to find out which pods they could mean. */
  readonly undecided: readonly (NetworkPolicy | ClusterPolicy)[];
}

export interface Role {
  /**
   * `real`: pods that are deployed. `service`: stands for the pods of a service, or of a namespace that a matrix names, of which
   * none are deployed. `variant`: stands for pods of services that have more labels than these ask for. `stranger`: stands for pods
   * of no service, which somebody could deploy and a policy would match.
   */
  readonly standing: "real" | "service" | "variant" | "stranger";
  /** The name of the pods' namespace. In the cluster it has another one where the same namespace is there with other labels. */
  readonly namespace: string;
  /** The services that the pods belong to. */
  readonly services: readonly MatrixService[];
  /** Equal for pods that are the same to every matrix. */
  readonly key: string;
  /** `shop/web`, or for strangers `pods of namespace shop with labels app=web`. */
  readonly text: string;
}

/** Whether pods are at an end of a flow. */
export function isAt(end: MatrixEnd, workload: Workload, { namespace, services }: Role): boolean {
  if (workload.hostNetwork) return false;
  return end.namespaces.includes(namespace) || end.services.some((service) => services.includes(service));
}

/** Far beyond what people write; it keeps a hostile policy from taking for ever. */
const mostSteps = 100_000;

const everything: Selector = { requirements: [] };

/** Any namespace besides those that are known by name. */
const anyNamespace = "any-namespace";

/**
 * Adds the pods that are not deployed: for each service of the matrices that has none, and for the pods that policies name besides. A
 * policy that was widened matches pods which are nobody's yet, and they show what it opens.
 *
 * @param hasKnownLabels whether the labels of a namespace are known; otherwise it may have any besides its name
 */
export function withMatrixPods(
  cluster: Cluster,
  matrices: readonly StackMatrix[],
  hasKnownLabels: (namespace: string) => boolean,
): MatrixPods {
  return new MatrixPodMaker(cluster, matrices, hasKnownLabels).make();
}

class MatrixPodMaker {
  private readonly roles = new Map<Workload, Role>();
  private readonly added: Workload[] = [];
  private readonly undecided = new Set<NetworkPolicy | ClusterPolicy>();
  private readonly servicesIn = new Map<string, MatrixService[]>();
  private readonly namespaces = new Map<string, Namespace>();
  /** The namespaces that a matrix decides about. */
  private readonly decided: ReadonlySet<string>;
  private readonly serviceNumbers = new Map<MatrixService, number>();
  /** Pods with the same namespace and labels are there once. */
  private readonly seen = new Set<string>();
  /** How many pods have been added under a name. */
  private readonly names = new Map<string, number>();
  /** By pairs of selectors, whether the search came to its end. */
  private readonly searched = new Map<string, boolean>();
  private readonly matching = new Map<string, readonly Namespace[]>();
  /** Namespaces whose labels are not known, by the labels that a policy may find on them. */
  private readonly supposed = new Map<string, Namespace>();

  constructor(
    private readonly cluster: Cluster,
    private readonly matrices: readonly StackMatrix[],
    private readonly hasKnownLabels: (namespace: string) => boolean,
  ) {
    this.decided = new Set(matrices.flatMap(({ matrix }) => matrix.namespaces));
    for (const service of matrices.flatMap(({ matrix }) => matrix.services)) {
      this.serviceNumbers.set(service, this.serviceNumbers.size);
      const list = this.servicesIn.get(service.namespace);
      if (list === undefined) this.servicesIn.set(service.namespace, [service]);
      else list.push(service);
    }
    for (const namespace of cluster.namespaces) this.namespaces.set(namespace.name, namespace);
  }

  make(): MatrixPods {
    for (const workload of this.cluster.workloads) {
      const { namespace, name, hostNetwork, labels } = workload;
      this.setRole(workload, "real", `${namespace}/${name}`);
      if (!hostNetwork) this.seen.add(podsKey(namespace, labels));
    }
    const present = new Set([...this.roles.values()].flatMap(({ services }) => services));
    for (const service of this.serviceNumbers.keys()) if (!present.has(service)) this.addService(service);
    this.addNamedNamespaces();
    for (const policy of this.cluster.networkPolicies) {
      if (this.decided.has(policy.namespace)) this.addStrangers(policy);
    }
    for (const policy of this.cluster.clusterPolicies) this.addStrangers(policy);
    const { workloads } = this.cluster;
    return {
      cluster: {
        ...this.cluster,
        namespaces: [...this.namespaces.values()],
        workloads: [...workloads, ...this.added],
      },
      roleOf: (workload) => this.roles.get(workload) ?? this.setRole(workload, "real", workload.name),
      undecided: [...this.undecided],
    };
  }

  private setRole(workload: Workload, standing: Role["standing"], text: string): Role {
    const namespace = this.namespaces.get(workload.namespace)?.labels[nameLabel] ?? workload.namespace;
    const services = workload.hostNetwork
      ? []
      : (this.servicesIn.get(namespace) ?? []).filter(({ pods }) => selects(pods, workload.labels));
    const numbers = services.map((service) => this.serviceNumbers.get(service));
    const key = `${namespace} ${numbers.join()}`;
    const role = { standing, namespace, services, key, text };
    this.roles.set(workload, role);
    return role;
  }

  private add(
    namespace: string,
    labels: Labels,
    standing: Role["standing"],
    text: string,
    name = "any-pod",
  ): void {
    const key = podsKey(namespace, labels);
    if (this.seen.has(key)) return;
    this.seen.add(key);
    const workload: Workload = {
      namespace,
      name: this.uniqueName(namespace, name),
      kind: "MatrixService",
      labels,
      namedPorts: [],
      hostNetwork: false,
      addresses: [],
    };
    if (!this.namespaces.has(namespace)) {
      this.namespaces.set(namespace, { name: namespace, labels: { [nameLabel]: namespace } });
    }
    this.added.push(workload);
    this.setRole(workload, standing, text);
  }

  private addService({ name, namespace, pods }: MatrixService): void {
    const labels = fewestLabels([pods], [], new SearchSteps(mostSteps));
    if (labels !== undefined) this.add(namespace, labels, "service", `${namespace}/${name}`, name);
  }

  private uniqueName(namespace: string, name: string): string {
    const key = `${namespace}/${name}`;
    const number = (this.names.get(key) ?? 0) + 1;
    this.names.set(key, number);
    return number === 1 ? name : `${name}-${number}`;
  }

  /** Flows may name every pod of a namespace, of which none is known. */
  private addNamedNamespaces(): void {
    const ends = this.matrices.flatMap(({ matrix }) => matrix.flows.flatMap(({ from, to }) => [from, to]));
    const inhabited = new Set([...this.cluster.workloads, ...this.added].map(({ namespace }) => namespace));
    for (const namespace of ends.flatMap((end) => end.namespaces)) {
      if (!inhabited.has(namespace)) this.add(namespace, {}, "service", `any pod in ${namespace}`);
    }
  }

  private addStrangers(policy: NetworkPolicy | ClusterPolicy): void {
    try {
      if (isClusterPolicy(policy)) this.search(policy.subject.namespaces, policy.subject.pods);
      else this.search(policy.namespace, policy.podSelector);
      for (const rule of [...(policy.ingress ?? []), ...(policy.egress ?? [])]) {
        for (const peer of rule.peers ?? []) {
          if (peer.kind !== "pods") continue;
          this.search(
            peer.namespaces ?? (isClusterPolicy(policy) ? everything : policy.namespace),
            peer.pods,
          );
        }
      }
    } catch (error) {
      if (!(error instanceof OutOfSteps)) throw error;
      this.undecided.add(policy);
    }
  }

  /** Adds pods that a pair of selectors matches: some of no service, and some of each service in the namespaces. */
  private search(namespaces: Selector | string, pods: Selector = everything): void {
    const key = `${typeof namespaces === "string" ? namespaces : `[${selectorKey(namespaces)}]`} ${selectorKey(pods)}`;
    const isDone = this.searched.get(key);
    // Whoever asks again is as undecided as who asked first.
    if (isDone === false) throw new OutOfSteps(mostSteps);
    if (isDone) return;
    this.searched.set(key, false);
    for (const { name, labels: namespaceLabels } of this.namespacesOf(namespaces)) {
      const services = (this.servicesIn.get(name) ?? []).filter((service) => agree(service.pods, pods));
      const steps = new SearchSteps(mostSteps);
      const others = services.map((service) => service.pods);
      const labels = fewestLabels([pods], others, steps);
      if (labels !== undefined) {
        this.addNamespace(name, namespaceLabels);
        this.add(name, labels, "stranger", strangersText(namespaceLabels, labels));
      }
      for (const service of services) {
        const own = fewestLabels([pods, service.pods], [], steps);
        if (own === undefined) continue;
        const text = `pods of ${name}/${service.name} with labels ${formatLabels(own)}`;
        this.add(name, own, "variant", text);
      }
    }
    this.searched.set(key, true);
  }

  private addNamespace(name: string, labels: Labels): void {
    if (!this.namespaces.has(name)) this.namespaces.set(name, { name, labels });
  }

  /**
   * The namespaces that a selector matches, as far as they differ to the matrices: each that has services or is decided about, one
   * of the others, and one that is not known.
   */
  private namespacesOf(selector: Selector | string): readonly Namespace[] {
    if (typeof selector === "string") {
      return [this.namespaces.get(selector) ?? { name: selector, labels: { [nameLabel]: selector } }];
    }
    const key = selectorKey(selector);
    let found = this.matching.get(key);
    if (found === undefined) this.matching.set(key, (found = this.findNamespaces(selector)));
    return found;
  }

  private findNamespaces(selector: Selector): readonly Namespace[] {
    const known = [...this.cluster.namespaces];
    const names = new Set(known.map(({ name }) => name));
    for (const name of [...this.servicesIn.keys(), ...this.decided]) {
      if (!names.has(name)) known.push({ name, labels: { [nameLabel]: name } });
      names.add(name);
    }
    const matching = known.filter(({ labels }) => selects(selector, labels));
    const isSpecial = ({ name }: Namespace) => this.servicesIn.has(name) || this.decided.has(name);
    const [other] = matching.filter((namespace) => !isSpecial(namespace));
    const isKnown: Selector = {
      requirements: [
        { key: nameLabel, operator: "In", values: [...names].filter(this.hasKnownLabels).sort() },
      ],
    };
    const labels = fewestLabels([selector], [isKnown], new SearchSteps(mostSteps));
    const unknown = labels === undefined ? [] : [this.suppose({ [nameLabel]: anyNamespace, ...labels })];
    return [...matching.filter(isSpecial), ...(other === undefined ? [] : [other]), ...unknown];
  }

  private suppose(labels: Labels): Namespace {
    const key = podsKey("", labels);
    let namespace = this.supposed.get(key);
    if (namespace === undefined) {
      const wanted = labels[nameLabel] ?? anyNamespace;
      const same = this.namespaces.get(wanted);
      const taken = new Set([
        ...this.namespaces.keys(),
        ...[...this.supposed.values()].map(({ name }) => name),
      ]);
      let name = wanted;
      for (let number = 2; taken.has(name); number++) name = `${wanted} (${number})`;
      namespace = same !== undefined && podsKey("", same.labels) === key ? same : { name, labels };
      this.supposed.set(key, namespace);
    }
    return namespace;
  }
}

/** Whether some pod could be selected by both, as far as a label that both ask for tells. */
function agree(a: Selector, b: Selector): boolean {
  return a.requirements.every(
    (one) =>
      one.operator !== "In" ||
      b.requirements.every(
        (other) =>
          other.key !== one.key ||
          other.operator !== "In" ||
          other.values.some((value) => one.values.includes(value)),
      ),
  );
}

function strangersText({ [nameLabel]: name = "", ...labels }: Labels, podLabels: Labels): string {
  const of =
    name !== anyNamespace
      ? `namespace ${name}`
      : Object.keys(labels).length === 0
        ? "any namespace"
        : `any namespace with labels ${formatLabels(labels)}`;
  return Object.keys(podLabels).length === 0
    ? `any pod of ${of}`
    : `pods of ${of} with labels ${formatLabels(podLabels)}`;
}

function formatLabels(labels: Labels): string {
  return formatSelector({
    requirements: Object.entries(labels).map(([key, value]) => ({ key, operator: "In", values: [value] })),
  });
}

function podsKey(namespace: string, labels: Labels): string {
  return `${namespace} ${JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))}`;
}
