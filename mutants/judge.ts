import { manifestsOf, networkMatrix, type CompiledNetwork } from "../matrix";
import type { NetworkPolicy } from "../matrix/kubernetes";
import type { ObservedResource } from "../policypack/kubernetes-object";
import { snapshot } from "../policypack/plain-data";
import { difference } from "../policypack/reachability/difference";
import type { Cluster, Workload } from "../policypack/reachability/model";
import { readCluster } from "../policypack/reachability/read-cluster";
import { rules } from "../policypack/rules";
import { withOtherValues, type Mutant } from "./mutants";

/** What became of one mutant. */
export interface Verdict {
  readonly mutant: Mutant;
  /** Whether it should be blocked: it changes what is open, or takes a safeguard away, or cannot be read at all. */
  readonly isHarmful: boolean;
  /** The mandatory rules that block it. */
  readonly blockedBy: readonly string[];
}

/** Whether the pack lets a harmful mutant through. */
export function isMissed({ isHarmful, blockedBy }: Verdict): boolean {
  return isHarmful && blockedBy.length === 0;
}

/** Whether the pack blocks a mutant that changes nothing. */
export function isFalseAlarm({ isHarmful, blockedBy }: Verdict): boolean {
  return !isHarmful && blockedBy.length > 0;
}

type Manifest = Mutant["objects"][number];

/**
 * Judges mutants of a stack's objects by the pack as it comes, with the stack's matrix as its component registers it, and by what the
 * mutants open and shut between the matrix's services.
 */
export function judgeMutants(network: CompiledNetwork, mutants: readonly Mutant[]): Verdict[] {
  const { services } = network.definition;
  const original = manifestsOf(network);
  const pods = services.flatMap(({ name, namespace, podSelector: { matchLabels = {} } }) => [
    workload(namespace, name, matchLabels),
    // Of no service: nothing is declared for them.
    workload(namespace, `${name}-stranger`, withOtherValues(matchLabels)),
  ]);
  const component: ObservedResource = {
    type: "erlmcp:network:ZeroTrustNetwork",
    urn: "urn:pulumi:mutants::erlmcp::erlmcp:network:ZeroTrustNetwork::network",
    name: "network",
    props: { matrix: networkMatrix(network) },
  };
  const reach = new Reach(
    original,
    pods,
    network.namespaces.map(({ name }) => guestPolicy(name)),
  );
  return mutants.map((mutant) => {
    const resources = [component, ...mutant.objects.map(resourceOf)];
    const blockedBy = rules
      .filter((rule) => rule.enforcementLevel === "mandatory" && rule.judge(resources).violations.length > 0)
      .map(({ name }) => name);
    return { mutant, isHarmful: mutant.dropsSafeguard || reach.isChangedBy(mutant.objects), blockedBy };
  });
}

/** What is open between the services of a stack, and to and from the outside. */
class Reach {
  private readonly base: Cluster | undefined;
  private readonly baseWithGuests: Cluster | undefined;
  private readonly guests: readonly Workload[];

  constructor(
    original: readonly Manifest[],
    private readonly pods: readonly Workload[],
    private readonly guestPolicies: readonly Manifest[],
  ) {
    this.guests = pods.map(({ namespace, name, labels }) =>
      workload(namespace, `${name}-guest`, { ...labels, ...guestLabels }),
    );
    this.base = clusterOf(original, pods);
    this.baseWithGuests = this.withGuests(original);
  }

  /** What cannot be read counts as changed. */
  isChangedBy(objects: readonly Manifest[]): boolean {
    const [head, headWithGuests] = [clusterOf(objects, this.pods), this.withGuests(objects)];
    if (!this.base || !head || !this.baseWithGuests || !headWithGuests) return true;
    if (difference(this.base, head).changes.length > 0) return true;
    return difference(this.baseWithGuests, headWithGuests).changes.some(
      ({ kind, to }) =>
        (kind !== "opened" && kind !== "widened") ||
        (!("addresses" in to) && to.some(({ name }) => shutByThemselves.has(name))),
    );
  }

  /** With guests it shows what is shut at the receiver's end alone; what opens to them, the services' own egress shuts. */
  private withGuests(objects: readonly Manifest[]): Cluster | undefined {
    return clusterOf([...objects, ...this.guestPolicies], [...this.pods, ...this.guests]);
  }
}

/** The services with data: what they shut is shut at their end, whoever else shuts it. */
const shutByThemselves = new Set(["postgres", "redis", "rabbitmq"]);

/** Pods of a service with an egress policy of their own: flows that open the receiver's end alone are for them. */
const guestLabels = { guest: "yes" };

function guestPolicy(namespace: string): NetworkPolicy {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "guest", namespace },
    spec: { podSelector: { matchLabels: guestLabels }, policyTypes: ["Egress"], egress: [{}] },
  };
}

function workload(namespace: string, name: string, labels: Readonly<Record<string, string>>): Workload {
  return {
    namespace,
    name,
    kind: "MatrixService",
    labels,
    namedPorts: [],
    hostNetwork: false,
    addresses: [],
  };
}

/** The cluster of some objects and pods; undefined where an object cannot be read. */
function clusterOf(objects: readonly Manifest[], pods: readonly Workload[]): Cluster | undefined {
  const { cluster, problems } = readCluster(
    objects.map((object) => ({ body: snapshot(object), source: object.metadata.name })),
  );
  if (problems.length > 0) return undefined;
  const known = new Set(cluster.namespaces.map(({ name }) => name));
  const others = new Set(pods.map(({ namespace }) => namespace).filter((name) => !known.has(name)));
  return {
    ...cluster,
    namespaces: [
      ...cluster.namespaces,
      ...[...others].map((name) => ({ name, labels: { "kubernetes.io/metadata.name": name } })),
    ],
    workloads: [...cluster.workloads, ...pods],
  };
}

function resourceOf(object: Manifest): ObservedResource {
  const { apiVersion, kind, metadata } = object;
  const type = `kubernetes:${apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`}:${kind}`;
  const name = [metadata.namespace, metadata.name].filter((part) => part !== undefined).join("-");
  return { type, urn: `urn:pulumi:mutants::erlmcp::${type}::${name}`, name, props: object };
}
