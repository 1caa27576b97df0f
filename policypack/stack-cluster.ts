import { baselineBeside, type Baseline } from "./baseline";
import { communicationMatrix, type CommunicationMatrix } from "./communication-matrix";
import type { ConfigProblem } from "./config-field";
import type { Stack, StackResource, Subject } from "./define-rule";
import {
  namespaceKind,
  networkPolicyKind,
  workloadKinds,
  type Kind,
  type KubernetesObject,
} from "./kubernetes-object";
import { field, isList, isObject, isUnknown, type Plain, type PlainObject } from "./plain-data";
import type { Cluster, ClusterPolicy, NetworkPolicy, Workload } from "./reachability/model";
import { policyTitle } from "./reachability/notes";
import { readCluster, type ReadProblem, type SourceObject } from "./reachability/read-cluster";
import { knownKinds } from "./reachability/read-kinds";

/** The component whose outputs carry the communication matrix of a network. */
export const networkComponent = "erlmcp:network:ZeroTrustNetwork";

/** Policies of the whole cluster (`policy.networking.k8s.io`). */
export const clusterPolicyKinds: readonly Kind[] = [
  "ClusterNetworkPolicy",
  "AdminNetworkPolicy",
  "BaselineAdminNetworkPolicy",
].map((kind) => ({ groups: ["policy.networking.k8s.io"], kind, clusterScoped: true }));

/** The kinds that decide who may talk to whom. */
export const reachabilityKinds: readonly Kind[] = [
  namespaceKind,
  networkPolicyKind,
  ...clusterPolicyKinds,
  ...workloadKinds,
];

/** The rules that report what of these kinds cannot be read, so that the rules that judge them together need not. */
export const unreadReporters: readonly string[] = [
  "reachability-known",
  "namespace-default-deny",
  "netpol-valid",
];

/** The cluster as it will be with the stack deployed. */
export interface StackCluster {
  /** What the stack deploys, and what the baseline holds besides. */
  readonly cluster: Cluster;
  /** What is declared of it; none where nothing is. */
  readonly matrices: readonly StackMatrix[];
  /** What decides who may talk to whom, and is not in `cluster`, since it cannot be read. */
  readonly unread: readonly Unread[];
  /** Whether everything that may shut or open something for pods of the namespace could be read. */
  readonly isKnown: (namespace: string) => boolean;
  /** Whether the labels of the namespace are known, as those of one are which the stack or the baseline holds. */
  readonly hasKnownLabels: (namespace: string) => boolean;
  /** The object of the stack that it was read from; undefined for what is of the baseline. */
  readonly objectOf: (part: Workload | NetworkPolicy | ClusterPolicy) => KubernetesObject | undefined;
  /** The template of a workload's pods, or a Pod itself, as it is written; undefined where it cannot be read. */
  readonly templateOf: (workload: Workload) => Plain | undefined;
  /** How messages name it: `NetworkPolicy erlmcp/erlmcp-egress`. */
  readonly titleOf: (part: Workload | NetworkPolicy | ClusterPolicy) => string;
  /** The stack's own Namespace, or NamespacePatch; undefined where it has none. */
  readonly namespaceObject: (name: string) => KubernetesObject | undefined;
}

export interface StackMatrix {
  readonly matrix: CommunicationMatrix;
  /** Whether it is the baseline's and not one that the stack brings. */
  readonly isBaseline: boolean;
}

/** Something that cannot be read, at one place of it. */
export interface Unread {
  readonly subject: Subject;
  readonly at: string;
  /** As in `is not known in the preview`. */
  readonly found: string;
  /** What to write instead. */
  readonly fix: string;
  /** Whether it may be right, and is only not known yet. */
  readonly unknown: boolean;
  /** The rule that reports it by itself, on every object for itself; undefined where none does. */
  readonly reportedBy: string | undefined;
}

/** Reads what the rules of a stack reason about: the one way from a stack's resources to a {@link Cluster}. */
export function readStackCluster(stack: Stack, baseline: readonly Baseline[]): StackCluster {
  const last = lastRead.get(stack);
  if (last !== undefined && isSame(last.baseline, baseline)) return last.reading;
  const reading = read(stack, baseline);
  lastRead.set(stack, { baseline, reading });
  return reading;
}

/** What was read last of a stack: most rules see the same of it, and have the same baseline. */
const lastRead = new WeakMap<
  Stack,
  { readonly baseline: readonly Baseline[]; readonly reading: StackCluster }
>();

function isSame(some: readonly Baseline[], others: readonly Baseline[]): boolean {
  return some === others || (some.length === 0 && others.length === 0);
}

function read(stack: Stack, baseline: readonly Baseline[]): StackCluster {
  const reading = new StackReading();
  const others = baselineBeside(stack, baseline);
  const own = inOrder(stack.objects);
  for (const object of own) if (!object.patch) reading.add(object);
  for (const { objects = [] } of others) for (const body of objects) reading.addExisting(body);
  // After what they patch.
  for (const object of own) if (object.patch) reading.addPatch(object);
  if (stack.unreadable.length > 0) reading.unsettle(undefined);
  for (const resource of stack.resources) {
    if (resource.type === networkComponent) reading.addNetwork(resource);
  }
  for (const { matrix } of others) {
    if (matrix !== undefined) reading.matrices.push({ matrix, isBaseline: true });
  }
  return reading.finish();
}

/** By kind and name, so that the engine and a file of manifests, with orders of their own, lead to the same words. */
function inOrder(objects: readonly KubernetesObject[]): KubernetesObject[] {
  return [...objects].sort((a, b) => (a.title < b.title ? -1 : a.title > b.title ? 1 : 0));
}

interface Entry extends SourceObject {
  readonly kind: string;
  /** Undefined for what is of the baseline. */
  readonly object: KubernetesObject | undefined;
}

/** Labels of one namespace, from all that give it some. */
interface NamespaceParts {
  object: KubernetesObject | undefined;
  /** Whether one of them is the namespace itself and not a patch of it. */
  isWhole: boolean;
  readonly labels: Plain[];
}

class StackReading {
  readonly matrices: StackMatrix[] = [];
  private readonly unread: Unread[] = [];
  /** By kind, namespace and name. */
  private readonly entries = new Map<string, Entry[]>();
  private readonly namespaces = new Map<string, NamespaceParts>();
  private readonly objects = new Map<string, KubernetesObject>();
  /** Namespaces for which something cannot be read. */
  private readonly unsettled = new Set<string>();
  private everythingIsUnsettled = false;
  private unnamed = 0;

  /** An object that the stack deploys. */
  add(object: KubernetesObject): void {
    const { kind, name } = object;
    if (kind === namespaceKind.kind) {
      // A name that is not known is reported with the default-deny that the namespace may lack.
      if (name !== undefined) this.addLabels(name, object.body, object);
      return;
    }
    // Names make no difference to who may talk to whom, so one that is not known is replaced.
    const known = name ?? `unnamed-${++this.unnamed}`;
    const metadata = field(object.body, "metadata");
    const body =
      name === undefined
        ? { ...object.body, metadata: { ...(isObject(metadata) ? metadata : {}), name: known } }
        : object.body;
    const key = identity(kind, object.namespace, known);
    this.objects.set(key, object);
    this.put(key, { kind, object, body: withKind(kind, body), source: sourceOf(object) });
  }

  /** An object of the baseline: the stack's own of the same name takes its place. */
  addExisting(body: Plain): void {
    const kind = field(body, "kind");
    const metadata = field(body, "metadata");
    const [name, namespace] = [field(metadata, "name"), field(metadata, "namespace")];
    if (typeof kind !== "string" || typeof name !== "string") return;
    if (kind === namespaceKind.kind) {
      this.addLabels(name, body, undefined);
      return;
    }
    const key = identity(kind, typeof namespace === "string" ? namespace : undefined, name);
    const [first] = this.entries.get(key) ?? [];
    if (first?.object !== undefined) return;
    this.put(key, { kind, object: undefined, body, source: "the baseline" });
  }

  /** Fields that the stack applies onto an object which is there already. */
  addPatch(object: KubernetesObject): void {
    const { kind, name, namespace, body } = object;
    if (kind === namespaceKind.kind) {
      if (name !== undefined && field(field(body, "metadata"), "labels") !== undefined) {
        this.addLabels(name, body, object);
      }
      return;
    }
    if (isPolicy(kind) ? field(body, "spec") === undefined : !changesPods(kind, body)) return;
    if (kind === networkPolicyKind.kind && name !== undefined) {
      const key = identity(kind, namespace, name);
      const whole = withSpec(this.entries.get(key)?.[0]?.body, field(body, "spec"));
      if (whole !== undefined) {
        this.objects.set(key, object);
        this.entries.set(key, [{ kind, object, body: whole, source: sourceOf(object) }]);
        return;
      }
    }
    if (isPolicy(kind)) this.unsettle(isClusterPolicy(kind) ? undefined : namespace);
    this.unread.push({
      subject: object,
      at: isPolicy(kind) ? "spec" : podsPath(kind),
      found: "changes an object of which the stack does not hold the rest",
      fix: "the whole object in this stack or, for a NetworkPolicy, in the baseline (key baseline), so that what comes of the patch can be told.",
      unknown: true,
      reportedBy: undefined,
    });
  }

  /** The matrix that a network puts out. */
  addNetwork(resource: StackResource): void {
    const { name, urn } = resource;
    const outputs = resource.props();
    const matrix = field(outputs, "matrix");
    const subject = { title: `ZeroTrustNetwork ${name}`, path: "", urn };
    const report = (at: string, found: string, fix: string, unknown: boolean): void => {
      this.unread.push({ subject, at, found, fix, unknown, reportedBy: undefined });
    };
    const unknown = placeOfUnknown(matrix ?? outputs, "matrix");
    if (unknown !== undefined) {
      report(
        unknown,
        "is not known in the preview",
        "a matrix that depends on no output of a resource.",
        true,
      );
      return;
    }
    if (matrix === undefined) return;
    const problems: ConfigProblem[] = [];
    const read = communicationMatrix.read(matrix, "matrix", problems);
    if (read !== undefined && problems.length === 0) this.matrices.push({ matrix: read, isBaseline: false });
    for (const { key, found, allowed, fix } of problems)
      report(key, `is ${found}`, `${allowed} (${fix}).`, false);
  }

  /**
   * Notes that a policy is not known that may apply to the pods of a namespace.
   *
   * @param namespace undefined: of any namespace
   */
  unsettle(namespace: string | undefined): void {
    if (namespace === undefined) this.everythingIsUnsettled = true;
    else this.unsettled.add(namespace);
  }

  finish(): StackCluster {
    const asked = this.askedLabels();
    const sources = [...this.namespaceEntries(), ...[...this.entries.values()].flat()].map((entry) =>
      isPolicy(entry.kind) ? entry : { ...entry, body: withoutUnasked(entry.kind, entry.body, asked) },
    );
    const { cluster, problems } = readCluster(sources, { defaultNamespace: "" });
    const seen = new Set<SourceObject>();
    for (const problem of problems) {
      const entry = problem.object as Entry;
      // One message for each object: when its first problem is mended the next one shows.
      if (seen.has(entry)) continue;
      seen.add(entry);
      this.addProblem(entry, problem);
    }
    const objectOf = (part: Workload | NetworkPolicy | ClusterPolicy) => this.objects.get(identityOf(part));
    return {
      cluster,
      matrices: this.matrices,
      unread: this.unread,
      isKnown: (namespace) => !this.everythingIsUnsettled && !this.unsettled.has(namespace),
      hasKnownLabels: (namespace) => this.namespaces.get(namespace)?.isWhole === true,
      objectOf,
      templateOf: (workload) => {
        const [entry] = this.entries.get(identityOf(workload)) ?? [];
        return entry && isObject(entry.body)
          ? podTemplate({ kind: entry.kind, body: entry.body })
          : undefined;
      },
      titleOf: (part) =>
        objectOf(part)?.title ??
        ("labels" in part ? `${part.kind} ${part.namespace}/${part.name}` : policyTitle(part)),
      namespaceObject: (name) => this.namespaces.get(name)?.object,
    };
  }

  /** The keys of all labels that a selector asks for. */
  private askedLabels(): ReadonlySet<string> {
    const asked = new Set<string>();
    for (const { kind, body } of [...this.entries.values()].flat()) {
      if (isPolicy(kind)) addSelectorKeys(field(body, "spec") ?? null, asked);
    }
    for (const { matrix } of this.matrices) {
      for (const { pods } of matrix.services) for (const { key } of pods.requirements) asked.add(key);
    }
    return asked;
  }

  private put(key: string, entry: Entry): void {
    const same = this.entries.get(key);
    if (same === undefined) this.entries.set(key, [entry]);
    else same.push(entry);
  }

  private addLabels(name: string, body: Plain, object: KubernetesObject | undefined): void {
    let parts = this.namespaces.get(name);
    if (parts === undefined) this.namespaces.set(name, (parts = { object, isWhole: false, labels: [] }));
    parts.isWhole ||= object?.patch !== true;
    parts.object ??= object;
    const metadata = field(body, "metadata");
    const labels = isUnknown(metadata) ? metadata : field(metadata, "labels");
    if (labels !== undefined) parts.labels.push(labels);
  }

  private namespaceEntries(): Entry[] {
    return [...this.namespaces].map(([name, { object, labels }]) => {
      const strange = labels.find((part) => !isObject(part));
      const merged = strange ?? (Object.assign({}, ...labels) as PlainObject);
      const body = withKind(namespaceKind.kind, { metadata: { name, labels: merged } });
      return {
        kind: namespaceKind.kind,
        object,
        body,
        source: object === undefined ? "the baseline" : sourceOf(object),
      };
    });
  }

  private addProblem(
    { kind, object }: Entry,
    { title, at, problem, allowed, fix, unknown }: ReadProblem,
  ): void {
    if (isPolicy(kind) || kind === namespaceKind.kind) {
      this.unsettle(kind === networkPolicyKind.kind ? object?.namespace : undefined);
    }
    const subject = object ?? { title: `${title} of the baseline`, path: "", urn: undefined };
    const isMissing = at === "metadata.namespace" && object?.namespace === undefined;
    // Only of objects that are there twice the reader has a problem with the whole.
    const isDouble = at === "";
    this.unread.push({
      subject,
      at: isDouble ? "metadata.name" : at,
      found: isMissing
        ? "is not known in the preview"
        : isDouble
          ? `is also that of ${problem.replace("differs from the one in ", "")}, and the two differ`
          : problem,
      fix: `${allowed} (${fix}).`,
      unknown: unknown || isMissing,
      reportedBy:
        isMissing && object?.patch === false
          ? "namespace-default-deny"
          : kind === networkPolicyKind.kind && !isDouble
            ? "netpol-valid"
            : undefined,
    });
  }
}

function identityOf(part: Workload | NetworkPolicy | ClusterPolicy): string {
  if ("labels" in part) return identity(part.kind, part.namespace, part.name);
  return "tier" in part
    ? identity(part.kind, undefined, part.name)
    : identity(networkPolicyKind.kind, part.namespace, part.name);
}

function sourceOf({ urn }: KubernetesObject): string {
  return `Pulumi resource ${urn.slice(urn.lastIndexOf("::") + 1).replace(/^:/, "")}`;
}

/** Where the labels of a workload's pods stand: `spec.template.metadata.labels`. */
export function labelsPath(kind: string): string {
  return [...templatePath(kind), "metadata", "labels"].join(".");
}

/** The template of a workload's pods, or a Pod itself; undefined where it cannot be read. */
export function podTemplate({ kind, body }: Pick<KubernetesObject, "kind" | "body">): Plain | undefined {
  return templatePath(kind).reduce<Plain | undefined>((part, key) => field(part, key), body);
}

/** Where the pods of a workload stand: `spec.template`. */
function podsPath(kind: string): string {
  const [first, ...others] = templatePath(kind);
  return first === undefined ? "metadata" : [first, ...others].join(".");
}

function templatePath(kind: string): readonly string[] {
  return knownKinds.find((known) => known.kind === kind)?.template ?? [];
}

/** What no two objects of a cluster have in common. */
function identity(kind: string, namespace: string | undefined, name: string): string {
  return `${kind} ${namespace ?? ""}/${name}`;
}

function isPolicy(kind: string): boolean {
  return kind === networkPolicyKind.kind || isClusterPolicy(kind);
}

function isClusterPolicy(kind: string): boolean {
  return clusterPolicyKinds.some((candidate) => candidate.kind === kind);
}

/** The object in a version that the reader knows: for these kinds, all versions that are served read alike. */
function withKind(kind: string, body: PlainObject): PlainObject {
  const [apiVersion = ""] = knownKinds.find((known) => known.kind === kind)?.apiVersions ?? [];
  return { ...body, apiVersion, kind };
}

/** A policy with the spec that server-side apply makes of it: its lists and selectors are replaced as a whole. */
function withSpec(policy: Plain | undefined, patch: Plain | undefined): PlainObject | undefined {
  const spec = field(policy, "spec") ?? {};
  return isObject(policy) && isObject(spec) && isObject(patch)
    ? { ...policy, spec: { ...spec, ...patch } }
    : undefined;
}

/** Whether a patch of a workload changes what policies know pods by: labels, the node's network or named ports. */
function changesPods(kind: string, body: PlainObject): boolean {
  const parts = templatePath(kind).reduce<readonly (Plain | undefined)[]>(
    ([part, ...around], key) => [field(part, key), part, ...around],
    [body],
  );
  const [template] = parts;
  const [metadata, spec] = [field(template, "metadata"), field(template, "spec")];
  const containers = [field(spec, "containers"), field(spec, "initContainers")];
  const ports = containers.flatMap((list) =>
    isList(list) ? list.map((item) => (isUnknown(item) ? item : field(item, "ports"))) : [list],
  );
  return (
    [...parts, metadata, spec].some(isUnknown) ||
    [field(metadata, "labels"), field(spec, "hostNetwork"), ...ports].some((value) => value !== undefined)
  );
}

/** Adds the keys of the labels that the selectors anywhere in a policy ask for. */
function addSelectorKeys(part: Plain, keys: Set<string>): void {
  if (isList(part)) for (const item of part) addSelectorKeys(item, keys);
  if (!isObject(part)) return;
  const labels = field(part, "matchLabels");
  if (isObject(labels)) for (const key of Object.keys(labels)) keys.add(key);
  const key = field(part, "key");
  if (typeof key === "string") keys.add(key);
  for (const value of Object.values(part)) addSelectorKeys(value, keys);
}

/**
 * The pods or the namespace without labels whose value is not known and that no selector asks for: whatever it turns out to be, it
 * makes no difference.
 */
function withoutUnasked(kind: string, body: Plain, asked: ReadonlySet<string>): Plain {
  const inside = (part: Plain, [key, ...path]: readonly string[]): Plain => {
    const value = key === undefined ? undefined : field(part, key);
    if (key !== undefined) {
      return isObject(part) && value !== undefined ? { ...part, [key]: inside(value, path) } : part;
    }
    if (!isObject(part)) return part;
    return Object.fromEntries(
      Object.entries(part).filter(([label, text]) => !isUnknown(text) || asked.has(label)),
    );
  };
  return inside(body, [...templatePath(kind), "metadata", "labels"]);
}

/** Where the first value is that is not known; undefined where all are. */
function placeOfUnknown(value: Plain, at: string): string | undefined {
  if (isUnknown(value)) return at;
  if (isList(value)) {
    for (const [index, item] of value.entries()) {
      const place = placeOfUnknown(item, `${at}[${index}]`);
      if (place !== undefined) return place;
    }
  } else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      const place = placeOfUnknown(item, `${at}.${key}`);
      if (place !== undefined) return place;
    }
  }
  return undefined;
}
