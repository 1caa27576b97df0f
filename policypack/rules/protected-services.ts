import { baselineField } from "../baseline";
import { list, namespaceName } from "../config-field";
import { declaredByPolicies, declaredClientsFields, type DeclaredClients } from "../declared-clients";
import { defineRule } from "../define-rule";
import { nistZeroTrust, nsaNetworkSeparation, owaspSegmentation, pciStoredData } from "../frameworks";
import { undeclaredConnections, type Comparison, type Deviation } from "../matrix-comparison";
import { matrixFindings, type FindingWords } from "../matrix-findings";
import { hasNoPorts, intersectPorts } from "../port-set";
import { protectedPodsFields, protectionOf, type ProtectedPods, type Protection } from "../protected-pods";
import { fewestLabels } from "../reachability/fewest-labels";
import type { NetworkPolicy, Requirement, Workload } from "../reachability/model";
import { isClusterPolicy } from "../reachability/policy-compiler";
import { SearchSteps } from "../reachability/search-steps";
import { selects } from "../reachability/selector";
import {
  labelsPath,
  reachabilityKinds,
  readStackCluster,
  unreadReporters,
  type StackCluster,
} from "../stack-cluster";

const whoeverReaches =
  "whoever takes over one of these reads, changes or deletes the data, or keeps the service from its clients.";

const words: FindingWords = {
  opened: {
    found: "lets in what is no declared client of a database, cache or queue",
    danger: whoeverReaches,
    fix: "the clients alone, by podSelector and labels, on the ports that they need. Clients in other namespaces, and addresses, are declared in the communication matrix or, without one, in this rule's clients and clientAddresses.",
  },
  unisolated: {
    ingress: {
      found: "has databases, caches or queues that no policy isolates for ingress",
      danger: `everything reaches them on every port: ${whoeverReaches}`,
    },
    egress: { found: "is open", danger: whoeverReaches },
  },
};

const unknownWords: FindingWords = {
  ...words,
  opened: {
    found:
      "lets in clients of pods that may be a database, cache or queue, which is not known in the preview",
    danger: whoeverReaches,
    fix: "images, container ports and labels that are known in the preview, or the clients alone, by podSelector and labels.",
  },
};

const database = (from: string, port = 5432): string => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: db-ingress
  namespace: shop
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: orders
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector:
            matchLabels:
              app.kubernetes.io/name: web
      ports:
        - protocol: TCP
          port: 5432
    - from:
        - ${from}
      ports:
        - protocol: TCP
          port: ${port}
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: orders
  namespace: shop
spec:
  serviceName: orders
  selector:
    matchLabels:
      app.kubernetes.io/name: orders
  template:
    metadata:
      labels:
        app.kubernetes.io/name: orders
    spec:
      containers:
        - name: db
          image: registry.example/library/postgres:17
`;

const prometheus = `namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: monitoring
          podSelector:
            matchLabels:
              app.kubernetes.io/name: prometheus`;

export const protectedServices = defineRule({
  name: "protected-services",
  description: "Nothing but its declared clients reaches a database, cache or queue.",
  severity: "critical",
  enforcementLevel: "mandatory",
  frameworks: [nsaNetworkSeparation, nistZeroTrust, owaspSegmentation, pciStoredData],
  remediation: [
    "Let in the clients alone, by podSelector and labels, in a policy that selects the database's pods.",
    "Declare clients in other namespaces, and networks, in the communication matrix of the namespace's owner or, where there is none, in this rule's clients and clientAddresses, with the reason.",
    "Where the pods are no such store, correct their labels, or set protectedLabels, protectedImages and protectedPorts.",
  ],
  config: {
    ...protectedPodsFields,
    ...declaredClientsFields,
    ...baselineField,
    exclude: list(namespaceName, {
      description:
        "Namespaces whose pods are not judged. The default are those of Kubernetes' own components.",
      default: ["kube-node-lease", "kube-public", "kube-system"],
    }),
  },
  kinds: reachabilityKinds,
  leavesUnreadTo: unreadReporters,
  patches:
    "A NetworkPolicyPatch counts with the policy that it changes, where the stack or the baseline holds that. A patch of a workload runs no pods of its own, and is not judged.",
  limits:
    "Declared clients are those of the communication matrix that decides about the namespace. Where none does, they are the pods of the same namespace that a policy for the database names by a label of their own, and those of clients and clientAddresses; a peer that names no pods, or only by labels which whole applications share (part-of, managed-by, version, chart), names no client. What the policies of the other end shut counts as open here: whoever deploys there can open it. A policy that selects pods by a protected label is judged also where the pods are deployed elsewhere. Managed databases outside the cluster, and ports of which neither label nor image nor port tells that a store answers there, are not seen.",
  examples: {
    good: [
      {
        title: "The web pods by their label, and measurements for Prometheus",
        yaml: database(prometheus, 9187),
      },
      {
        title: "A client in another namespace that is declared",
        yaml: database(`namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: reports
          podSelector:
            matchLabels:
              app: export`),
        config: {
          clients: [
            {
              namespace: "reports",
              labels: { app: "export" },
              ports: ["TCP 5432"],
              reason: "nightly figures for the board",
            },
          ],
        },
      },
    ],
    bad: [
      { title: "Every pod of the namespace", yaml: database("podSelector: {}") },
      { title: "Prometheus at the port of the data", yaml: database(prometheus) },
      {
        title: "The addresses of the nodes, and of all that runs on their network",
        yaml: database(`ipBlock:
            cidr: 10.0.0.0/16`),
      },
    ],
  },
  validateStack: (stack, { baseline, exclude, ...settings }, reportOn) => {
    const reading = readStackCluster(stack, baseline);
    const judged = new Judged(reading, settings, exclude);
    for (const workload of judged.onNodes) {
      const object = reading.objectOf(workload);
      if (object === undefined) continue;
      reportOn(object).violation({
        at: labelsPath(object.kind).replace(/metadata\.labels$/, "spec.hostNetwork"),
        found: "is true, for a database, cache or queue",
        danger: `no policy selects pods on their node's network, so everything reaches them: ${whoeverReaches}`,
        fix: "nothing, or false, and policies that let in the clients.",
      });
    }
    const comparison = judged.compare();
    if (comparison === undefined) return;
    const { certain, uncertain } = judged.split(comparison.deviations);
    for (const { subject, ...finding } of matrixFindings(
      reading,
      { ...comparison, deviations: certain },
      words,
    )) {
      reportOn(subject).violation(finding);
    }
    const unknown = { ...comparison, deviations: uncertain };
    for (const { subject, ...finding } of matrixFindings(reading, unknown, unknownWords)) {
      reportOn(subject).unverifiable(finding);
    }
    for (const policy of comparison.undecided) {
      const object = reading.objectOf(policy);
      // What a matrix decides about is reported by matrix-conformance.
      const isReported = !isClusterPolicy(policy) && judged.isDecided(policy.namespace);
      if (object === undefined || isReported) continue;
      reportOn(object).unverifiable({
        at: "spec",
        found: "has selectors that are too intricate to find out which pods they match",
        danger: `it may open a database, cache or queue: ${whoeverReaches}`,
        fix: "selectors with fewer requirements, best one label with one value each.",
      });
    }
  },
});

interface ProtectedWorkload {
  readonly workload: Workload;
  readonly protection: Protection;
}

/** Far beyond what people write. */
const mostSteps = 10_000;

/** The protected pods of a stack and its baseline. */
class Judged {
  /** Those on their node's network. */
  readonly onNodes: Workload[] = [];
  /** By what policies know pods by. */
  private readonly deployed = new Map<string, ProtectedWorkload>();
  /** The keys of those that are not deployed here, where no matrix says which there are. */
  private readonly meant = new Set<string>();
  private readonly decided: ReadonlySet<string>;

  constructor(
    private readonly reading: StackCluster,
    private readonly settings: ProtectedPods & DeclaredClients,
    private readonly exclude: readonly string[],
  ) {
    this.decided = new Set(reading.matrices.flatMap(({ matrix }) => matrix.namespaces));
    for (const workload of reading.cluster.workloads) {
      if (exclude.includes(workload.namespace)) continue;
      const { kind, labels, hostNetwork } = workload;
      const protection = protectionOf(kind, labels, reading.templateOf(workload), settings);
      if (protection === undefined) continue;
      if (hostNetwork && protection.unknownAt === undefined) this.onNodes.push(workload);
      if (hostNetwork) continue;
      const known = this.deployed.get(podsKey(workload))?.protection;
      if (known === undefined || (known.unknownAt !== undefined && protection.unknownAt === undefined)) {
        this.deployed.set(podsKey(workload), { workload, protection });
      }
    }
  }

  isDecided(namespace: string): boolean {
    return this.decided.has(namespace);
  }

  /** What is open to the protected pods and not declared; undefined where there are none. */
  compare(): Comparison | undefined {
    const { cluster, matrices } = this.reading;
    const subjects = [
      ...[...this.deployed.values()].map(({ workload }) => workload),
      ...cluster.networkPolicies.flatMap((policy) => this.podsMeantBy(policy)),
    ];
    const services = matrices
      .flatMap(({ matrix }) => matrix.services)
      .filter(({ pods }) => this.storeLabel(pods.requirements) !== undefined);
    const namespaces = new Set([...subjects, ...services].map(({ namespace }) => namespace));
    if (namespaces.size === 0) return undefined;
    // A matrix decides about other namespaces as well, which are nothing to this rule.
    const deciding = matrices.map(({ matrix, ...rest }) => ({
      ...rest,
      matrix: { ...matrix, namespaces: matrix.namespaces.filter((name) => namespaces.has(name)) },
    }));
    const others = subjects.filter(({ namespace }) => !this.isDecided(namespace));
    for (const workload of others) this.meant.add(podsKey(workload));
    const matrix = declaredByPolicies(cluster, others, this.settings);
    return undeclaredConnections(
      { ...this.reading, matrices: [...deciding, { matrix, isBaseline: false }] },
      {
        isSubject: (subject, direction) => direction === "ingress" && this.protectedAs(subject) !== undefined,
        oneEndSuffices: true,
      },
    );
  }

  /** The deviations, with the ports that are protected, by whether it is known that they are. */
  split(deviations: readonly Deviation[]): { certain: Deviation[]; uncertain: Deviation[] } {
    const [certain, uncertain]: [Deviation[], Deviation[]] = [[], []];
    for (const deviation of deviations) {
      const found = this.protectedAs(deviation.subject);
      if (found === undefined) continue;
      const { workload, protection } = found;
      const isCertain = protection.unknownAt === undefined;
      if (deviation.kind === "not isolated") {
        if (isCertain) certain.push({ ...deviation, subject: workload });
      } else {
        const ports = intersectPorts(deviation.ports, protection.ports);
        if (hasNoPorts(ports)) continue;
        (isCertain ? certain : uncertain).push({ ...deviation, subject: workload, ports });
      }
    }
    return { certain, uncertain };
  }

  private protectedAs(subject: Workload): ProtectedWorkload | undefined {
    if (this.exclude.includes(subject.namespace)) return undefined;
    if (subject.kind !== standIn) return this.deployed.get(podsKey(subject));
    const isMeant = this.isDecided(subject.namespace) || this.meant.has(podsKey(subject));
    if (!isMeant) return undefined;
    const protection = protectionOf(subject.kind, subject.labels, undefined, this.settings);
    return protection && { workload: subject, protection };
  }

  /** The protected pods that a policy selects by their label, where none of them are deployed here. */
  private podsMeantBy({ namespace, podSelector, ingress }: NetworkPolicy): Workload[] {
    if (ingress === undefined || this.exclude.includes(namespace)) return [];
    const label = this.storeLabel(podSelector.requirements);
    if (label === undefined) return [];
    const isDeployed = [...this.deployed.values()].some(
      ({ workload }) => workload.namespace === namespace && selects(podSelector, workload.labels),
    );
    if (isDeployed) return [];
    const labels = fewestLabels([podSelector, { requirements: [label] }], [], new SearchSteps(mostSteps));
    return labels === undefined
      ? []
      : [{ namespace, name: "", kind: standIn, labels, namedPorts: [], hostNetwork: false, addresses: [] }];
  }

  /** What a selector asks for of which a protected label is made. */
  private storeLabel(requirements: readonly Requirement[]): Requirement | undefined {
    for (const requirement of requirements) {
      for (const { key, values } of this.settings.protectedLabels) {
        if (requirement.key !== key) continue;
        if (requirement.operator === "Exists" && values === undefined) return requirement;
        if (requirement.operator !== "In") continue;
        const stores = requirement.values.filter((value) => values === undefined || values.includes(value));
        if (stores.length > 0) return { ...requirement, values: stores };
      }
    }
    return undefined;
  }
}

/** The kind of workloads that stand for pods which are not deployed here. */
const standIn = "MatrixService";

/** Equal for pods that no policy can tell apart. */
function podsKey({ namespace, labels, namedPorts, hostNetwork }: Workload): string {
  return JSON.stringify([
    namespace,
    Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)),
    namedPorts,
    hostNetwork,
  ]);
}
