import { manifestsOf, type CompiledNetwork, type NamespaceMode } from "../../matrix";
import { field, type Plain } from "../../policypack/plain-data";
import type { Cluster, NetworkPolicy, Workload } from "../../policypack/reachability/model";
import { readCluster } from "../../policypack/reachability/read-cluster";
import { groupOf } from "../../policypack/reachability/read-kinds";
import { selects } from "../../policypack/reachability/selector";
import type { Note } from "../../policypack/reachability/reachability";
import { standIns } from "../inputs/stack-matrix";
import { policyKinds } from "../cluster/cluster-kinds";
import type { LiveObject } from "../cluster/live-objects";
import { effectOf } from "./effects";
import { ownFinding, type Finding } from "./finding";
import { titleOf, type LiveCluster } from "./live-cluster";
import { opensFor } from "./opens-for";
import { missingParts, objectDifferences, type ObjectDifference } from "./object-difference";

/** What of a cluster is not as a stack says. */
export interface StackDrift {
  /** By the check that fails because of it. */
  readonly findings: Readonly<
    Record<"default-deny" | "service-policies" | "namespaces" | "surroundings" | "strays", readonly Finding[]>
  >;
  readonly notes: readonly Note[];
}

type Manifest = ReturnType<typeof manifestsOf>[number];

/**
 * Compares a cluster with what a stack deploys: what is missing, what differs in a field that the stack sets, and what nobody
 * declared. Labels and annotations that others add make no difference, nor do defaults of the API server.
 *
 * @param scope namespaces that are looked at
 */
export function stackDrift(
  network: CompiledNetwork,
  live: LiveCluster,
  scope: ReadonlySet<string>,
): StackDrift {
  const wanted = network.namespaces.filter(({ name }) => scope.has(name));
  const known = new Set(manifestsOf(network).map((manifest) => keyOf(identityOf(manifest))));
  const { cluster, notes } = withStandIns(live.cluster, network);
  const isStray = (object: LiveObject, mode: NamespaceMode): boolean =>
    isPolicy(object) &&
    !known.has(keyOf(object)) &&
    (mode === "create" || selectsService(object, cluster, network));
  const strays = wanted.flatMap(({ name, mode }) =>
    live.objects
      .filter((object) => object.namespace === name && isStray(object, mode))
      .map((object) => ({ object, mode })),
  );
  const drift: DriftReader = {
    live: live.cluster,
    declared: asDeclared(cluster, network, new Set(strays.map(({ object }) => keyOf(object)))),
    objects: new Map(live.objects.map((object) => [keyOf(object), object])),
  };
  const judge = (manifests: readonly Manifest[]): Finding[] =>
    manifests.flatMap((manifest) => driftOf(manifest, drift));
  return {
    findings: {
      "default-deny": wanted.flatMap(({ defaultDeny }) => judge(defaultDeny)),
      "service-policies": wanted.flatMap(({ policies }) => judge(policies)),
      namespaces: wanted.flatMap(({ manifest }) => judge([manifest])),
      surroundings: wanted.flatMap(({ meshObjects }) => judge(meshObjects)),
      strays: [
        ...strays.map(({ object, mode }) => strayPolicy(object, mode, drift)),
        ...wanted
          .filter(({ mode }) => mode === "create")
          .flatMap(({ name }) => strayWorkloads(name, live.cluster, network)),
      ],
    },
    notes,
  };
}

interface DriftReader {
  readonly live: Cluster;
  /** The live cluster as it would be without any drift. */
  readonly declared: Cluster;
  readonly objects: ReadonlyMap<string, LiveObject>;
}

/** The cluster with the stack's policies as the stack declares them, and without what the stack does not know. */
function asDeclared(cluster: Cluster, network: CompiledNetwork, strays: ReadonlySet<string>): Cluster {
  const { networkPolicies } = readCluster(
    manifestsOf(network).map((body) => ({ body: body as unknown as Plain, source: "the stack" })),
  ).cluster;
  const replaced = new Set([...networkPolicies.map(policyKey), ...strays]);
  const others = cluster.networkPolicies.filter((policy) => !replaced.has(policyKey(policy)));
  return { ...cluster, networkPolicies: [...others, ...networkPolicies] };
}

function driftOf(manifest: Manifest, drift: DriftReader): Finding[] {
  const identity = identityOf(manifest);
  const object = drift.objects.get(keyOf(identity));
  const differences =
    object === undefined
      ? [{ at: "", found: "is missing, and the stack has it" }]
      : differencesOf(manifest, object);
  if (differences.length === 0) return [];
  const danger = dangerOf(manifest, identity, drift);
  const fix =
    object === undefined ? remedy : `where the change is wanted, make it in the stack; otherwise ${remedy}`;
  return differences.map(({ at, found }) =>
    ownFinding({ kind: "drift", about: titleOf(identity), at, found, danger, fix }),
  );
}

/** The official provider's refresh does not see an item that was added to a list. */
const remedy =
  "pulumi refresh and pulumi up; where these see no difference: zero-trust render --stack <name> --out - | kubectl apply --server-side --force-conflicts -f -";

function dangerOf(manifest: Manifest, identity: Identity, { live, declared }: DriftReader): string {
  if (manifest.kind === "Namespace") return "guards, audits and the admission of pods go by what it says.";
  if (identity.group !== "networking.k8s.io") return "the mesh no longer enforces what the stack declares.";
  const effect = effectOf(declared, policyName(identity), policyIn(live, identity));
  return isDefaultDeny(manifest)
    ? `every pod that no other policy selects is left open; by itself, it${effect}.`
    : `by itself, it${effect}.`;
}

function isDefaultDeny(manifest: Manifest): boolean {
  const spec = field(manifest as unknown as Plain, "spec");
  return field(spec, "ingress") === undefined && field(spec, "egress") === undefined;
}

function differencesOf(manifest: Manifest, { body }: LiveObject): ObjectDifference[] {
  const wanted = manifest as unknown as Plain;
  const metadata = [field(wanted, "metadata"), field(body, "metadata")] as const;
  const parts = ["labels", "annotations"].flatMap((key) =>
    missingParts(field(metadata[0], key) ?? {}, field(metadata[1], key) ?? {}, `metadata.${key}`),
  );
  // Of a namespace only what the stack sets is the stack's.
  if (manifest.kind === "Namespace") return parts;
  return [...objectDifferences(field(wanted, "spec"), field(body, "spec"), "spec"), ...parts];
}

function strayPolicy(object: LiveObject, mode: NamespaceMode, { live, declared }: DriftReader): Finding {
  const actual = policyIn(live, object);
  return ownFinding({
    kind: "stray",
    about: titleOf(object),
    found:
      mode === "create"
        ? "is not of the stack, which made the namespace and knows all of its policies"
        : "is not of the stack, and selects pods of its services",
    danger:
      object.group === "networking.k8s.io" && actual !== undefined
        ? `by itself, it${effectOf(declared, policyName(object), actual)}.`
        : "it changes what is allowed, past the communication matrix.",
    fix: `kubectl delete ${object.kind.toLowerCase()}.${object.group} ${object.name} -n ${object.namespace ?? ""}; where it is wanted, declare its flow in the stack.`,
  });
}

function isPolicy({ group, kind }: LiveObject): boolean {
  return policyKinds.some((known) => known.group === group && known.kind === kind);
}

function selectsService(
  object: LiveObject,
  { workloads, networkPolicies }: Cluster,
  network: CompiledNetwork,
): boolean {
  // Policies of other vendors say in ways of their own whom they select; the rules of the policy pack judge them.
  if (object.group !== "networking.k8s.io") return false;
  const policy = networkPolicies.find(
    ({ namespace, name }) => namespace === object.namespace && name === object.name,
  );
  return (
    policy !== undefined &&
    workloads.some(
      (workload) =>
        workload.namespace === policy.namespace &&
        selects(policy.podSelector, workload.labels) &&
        isOfService(workload, network),
    )
  );
}

function strayWorkloads(
  namespace: string,
  { workloads, networkPolicies }: Cluster,
  network: CompiledNetwork,
): Finding[] {
  return workloads
    .filter((workload) => workload.namespace === namespace && !isOfService(workload, network))
    .filter((workload) => networkPolicies.some((policy) => opensFor(policy, workload)))
    .map((workload) =>
      ownFinding({
        kind: "stray",
        about: titleOf(workload),
        found: `has the labels ${JSON.stringify(workload.labels)}, which no service of the stack has, and yet a policy is for it`,
        danger: "it may take part in flows that the communication matrix does not have.",
        fix: "give it the labels of its service, declare a service for it in the stack, or remove it.",
      }),
    );
}

function isOfService({ namespace, labels }: Workload, { definition }: CompiledNetwork): boolean {
  return definition.services.some(
    (service) => service.namespace === namespace && selects(selectorOf(service.podSelector), labels),
  );
}

function selectorOf({
  matchLabels = {},
  matchExpressions = [],
}: CompiledNetwork["definition"]["services"][number]["podSelector"]): NetworkPolicy["podSelector"] {
  return {
    requirements: [
      ...Object.entries(matchLabels).map(([key, value]) => ({
        key,
        operator: "In" as const,
        values: [value],
      })),
      ...matchExpressions.map(({ key, operator, values = [] }) => ({ key, operator, values })),
    ],
  };
}

/** A pod in the place of each service of which none runs, so that what policies do to the service can be told all the same. */
function withStandIns(cluster: Cluster, network: CompiledNetwork): { cluster: Cluster; notes: Note[] } {
  const { services } = network.definition;
  const idle = services.filter(
    ({ namespace, podSelector }) =>
      !cluster.workloads.some(
        (workload) => workload.namespace === namespace && selects(selectorOf(podSelector), workload.labels),
      ),
  );
  if (idle.length === 0) return { cluster, notes: [] };
  const workloads = [...cluster.workloads, ...standIns({ services: idle })];
  const known = new Set(cluster.namespaces.map(({ name }) => name));
  const others = [...new Set(idle.map(({ namespace }) => namespace))].filter((name) => !known.has(name));
  const namespaces = [
    ...cluster.namespaces,
    ...others.map((name) => ({ name, labels: { "kubernetes.io/metadata.name": name } })),
  ];
  const text = `no pods of these run: ${idle.map(({ name }) => name).join(", ")}. One each stands for them where it is told what a change of policies opens and closes`;
  return { cluster: { ...cluster, namespaces, workloads }, notes: [{ about: "The services", at: "", text }] };
}

interface Identity {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
}

function identityOf({ apiVersion, kind, metadata }: Manifest): Identity {
  return { group: groupOf(apiVersion), kind, namespace: metadata.namespace, name: metadata.name };
}

function keyOf({ group, kind, namespace, name }: Identity): string {
  return [group, kind, namespace ?? "", name].join("/");
}

function policyIn({ networkPolicies }: Cluster, identity: Identity): NetworkPolicy | undefined {
  const key = keyOf(identity);
  return networkPolicies.find((policy) => policyKey(policy) === key);
}

function policyKey(policy: NetworkPolicy): string {
  return keyOf({ group: "networking.k8s.io", kind: "NetworkPolicy", ...policy });
}

function policyName({ namespace = "", name }: Identity): Pick<NetworkPolicy, "namespace" | "name"> {
  return { namespace, name };
}
