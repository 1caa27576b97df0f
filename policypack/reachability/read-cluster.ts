import { isDeepStrictEqual } from "node:util";
import { field, isList, isObject, isUnknown, type Plain, type PlainObject } from "../plain-data";
import type { Cluster, ClusterPolicy, Labels, Namespace, NetworkPolicy, Node } from "./model";
import type { Note } from "./reachability";
import { AddressReader } from "./read-addresses";
import { ClusterPolicyReader } from "./read-cluster-policy";
import { fieldNames, reportUnknownField } from "./read-fields";
import type { KnownKind } from "./read-kinds";
import { isDnsLabel, isSubdomain, LabelReader } from "./read-labels";
import { NetworkPolicyReader } from "./read-network-policy";
import { controllerLabelNotes, nameLabel, namespaceLabelNotes, OtherKinds } from "./read-notes";
import { titleOf, visitObjects, type FoundObject, type ObjectVisitor } from "./read-objects";
import { standingWorkloads, WorkloadRegister } from "./read-owners";
import {
  notAllowed,
  type FieldProblem,
  type ReadProblem,
  type Report,
  type SourceObject,
} from "./read-problem";
import { Register } from "./read-register";
import { SelectorReader } from "./read-selector";
import { readAddress, WorkloadReader } from "./read-workload";

export { describeReadProblem, type ReadProblem, type SourceObject } from "./read-problem";

/** What was read of some objects. */
export interface ClusterReading {
  /** Without the objects that have a problem: with problems, no answer about it can be trusted. */
  readonly cluster: Cluster;
  readonly problems: readonly ReadProblem[];
  /** What the answer rests on: policies of other vendors, objects that make further objects, labels that are not known. */
  readonly notes: readonly Note[];
}

/**
 * Reads objects of the Kubernetes API, and the items of Lists, into what the engine reasons about. Fields of policies are read as
 * strictly as the API server reads them, in all their versions, with the defaults it sets; of other kinds, the parts that matter
 * to policies. Never throws, whatever the objects are: what cannot be read is a problem.
 *
 * A null field is a missing one. A null in a list or as the value of a label is a problem, since the API server takes it for
 * an empty item or text in some kinds, and drops it in others.
 *
 * @param defaultNamespace that of namespaced objects that name none; absent means `default`.
 */
export function readCluster(
  objects: Iterable<SourceObject>,
  { defaultNamespace = "default" }: { readonly defaultNamespace?: string } = {},
): ClusterReading {
  const reader = new ClusterReader(defaultNamespace);
  visitObjects(objects, reader);
  return reader.finish();
}

/** An object that was read, with which another one of the same name is compared. */
interface Registered<T> {
  readonly found: FoundObject;
  readonly content: T;
}

const namespaceNameAllowed =
  "at most 63 lower-case letters, digits and -, with a letter or digit at both ends";
const policyFields = fieldNames("apiVersion", "kind", "metadata", "spec", "status");

class ClusterReader implements ObjectVisitor {
  private readonly labels = new LabelReader();
  private readonly selectors = new SelectorReader(this.labels);
  private readonly addresses = new AddressReader();
  private readonly networkPolicyReader = new NetworkPolicyReader(this.selectors, this.addresses);
  private readonly clusterPolicyReader = new ClusterPolicyReader(this.selectors, this.addresses);
  private readonly workloadReader = new WorkloadReader(this.labels);

  private readonly problems: ReadProblem[] = [];
  private readonly others = new OtherKinds();
  /** Every namespace that something is in. */
  private readonly namespaceNames = new Set<string>();
  private readonly namespaces = new Register<Registered<Namespace>>();
  private readonly nodes = new Register<Registered<Node>>();
  private readonly networkPolicies = new Register<Registered<NetworkPolicy>>();
  private readonly clusterPolicies = new Register<Registered<ClusterPolicy>>();
  private readonly workloads = new WorkloadRegister();

  constructor(private readonly defaultNamespace: string) {}

  problem(object: SourceObject, title: string, problem: FieldProblem): void {
    this.problems.push({ object, title, ...problem });
  }

  found(found: FoundObject): void {
    const { handling, body } = found;
    if (handling.use === "note") {
      this.others.add(handling.about, handling.effect, () => nameInNote(body));
      return;
    }
    const { kind } = handling;
    const before = this.problems.length;
    const namespace = kind.namespaced ? this.namespaceOf(body) : "";
    const report = (problem: FieldProblem): void => {
      const title = titleOf(kind.kind, body, kind.namespaced ? namespace : undefined);
      // The path of an item ends with a dot, which goes where the whole item is meant.
      const at = problem.at === "" ? found.path.slice(0, -1) : found.path + problem.at;
      this.problem(found.object, title, { ...problem, at });
    };
    // What has a problem is read to its end, so that all of its problems are told at once, and is then left out.
    const sound = (): boolean => this.problems.length === before;
    if (kind.namespaced && !isDnsLabel(namespace)) reportNamespace(body, report);
    const name = readName(body, kind, report);
    switch (kind.role) {
      case "namespace": {
        const read = { name, labels: { ...this.readLabels(body, report), [nameLabel]: name } };
        if (!sound()) return;
        this.namespaceNames.add(name);
        add(this.namespaces, "", name, found, read, report);
        return;
      }
      case "node": {
        const node = {
          name,
          labels: this.readLabels(body, report),
          addresses: readNodeAddresses(body, report),
        };
        if (sound()) add(this.nodes, "", name, found, node, report);
        return;
      }
      case "network policy": {
        readPolicyFields(body, report);
        const policy = this.networkPolicyReader.read(namespace, name, field(body, "spec"), report);
        if (!sound()) return;
        this.namespaceNames.add(namespace);
        add(this.networkPolicies, namespace, name, found, policy, report);
        return;
      }
      case "cluster policy": {
        readPolicyFields(body, report);
        const policy = this.clusterPolicyReader.read(kind.kind, name, field(body, "spec"), report);
        if (sound()) add(this.clusterPolicies, kind.kind, name, found, policy, report);
        return;
      }
      case "workload": {
        const workload = this.workloadReader.read(found, kind, namespace, name, report);
        if (!sound() || workload === undefined) return;
        this.namespaceNames.add(namespace);
        const other = this.workloads.add(workload);
        if (other !== undefined) reportDifference(other.found, report);
      }
    }
  }

  finish(): ClusterReading {
    const nodes = contents(this.nodes);
    const cluster: Cluster = {
      namespaces: Array.from(
        this.namespaceNames,
        (name) => this.namespaces.get("", name)?.content ?? { name, labels: { [nameLabel]: name } },
      ),
      workloads: standingWorkloads(this.workloads, nodes),
      networkPolicies: contents(this.networkPolicies),
      clusterPolicies: contents(this.clusterPolicies),
      nodes,
    };
    const notes = [
      ...this.others.notes(),
      ...(this.selectors.namesControllerLabels ? controllerLabelNotes(cluster) : []),
      ...namespaceLabelNotes(cluster, (name) => this.namespaces.get("", name) !== undefined),
    ];
    return { cluster, problems: this.problems, notes };
  }

  /** The namespace; where it is not valid, what messages write in its place. */
  private namespaceOf(body: Plain): string {
    const value = field(field(body, "metadata"), "namespace");
    if (value === undefined || value === "") return this.defaultNamespace;
    if (typeof value === "string") return value;
    return isUnknown(value) ? "(namespace not known)" : "(no namespace)";
  }

  private readLabels(body: Plain, report: Report): Labels {
    return this.labels.read(field(field(body, "metadata"), "labels"), "metadata.labels", report);
  }
}

function reportNamespace(body: Plain, report: Report): void {
  const namespace = field(field(body, "metadata"), "namespace");
  const fix = "write the name of a namespace";
  report(notAllowed(namespace, { at: "metadata.namespace", allowed: namespaceNameAllowed, fix }));
}

/** The name; `prefix*` for a workload whose name the API server completes. */
function readName(body: Plain, kind: KnownKind, report: Report): string {
  const metadata = field(body, "metadata");
  if (metadata !== undefined && !isObject(metadata)) {
    const fix = "write metadata with a name";
    report(notAllowed(metadata, { at: "metadata", allowed: "an object", fix }));
    return "";
  }
  const name = field(metadata, "name");
  const isNamespace = kind.role === "namespace";
  if (typeof name === "string" && (isNamespace ? isDnsLabel(name) : isSubdomain(name))) return name;
  const prefix = field(metadata, "generateName");
  if (
    (name === undefined || name === "") &&
    kind.role === "workload" &&
    prefix !== undefined &&
    prefix !== ""
  ) {
    // A prefix may end with what a name may not end with.
    if (typeof prefix === "string" && isSubdomain(`${prefix}x`)) return `${prefix}*`;
    const allowed = "the beginning of a name in lower-case letters, digits, . and -";
    report(notAllowed(prefix, { at: "metadata.generateName", allowed, fix: "write a valid prefix" }));
    return "";
  }
  const allowed = isNamespace
    ? namespaceNameAllowed
    : "lower-case letters, digits, . and -, with a letter or digit at both ends";
  report(notAllowed(name, { at: "metadata.name", allowed, fix: "write a valid name" }));
  return "";
}

/**
 * Checks the fields beside the spec of a policy: one that belongs into it, or is misspelt, would be lost. Those that begin with
 * two underscores are what Pulumi's provider keeps for itself.
 */
function readPolicyFields(body: PlainObject, report: Report): void {
  for (const key in body) {
    if (policyFields.has(key) || key.startsWith("__") || !Object.hasOwn(body, key)) continue;
    reportUnknownField(key, "", policyFields, report);
  }
}

function readNodeAddresses(body: Plain, report: Report): readonly string[] {
  const list = field(field(body, "status"), "addresses");
  if (!isList(list)) return [];
  const addresses = new Set<string>();
  for (const [index, item] of list.entries()) {
    const type = field(item, "type");
    if (type !== "InternalIP" && type !== "ExternalIP") continue;
    const address = readAddress(field(item, "address"), `status.addresses[${index}].address`, report);
    if (address !== undefined) addresses.add(address);
  }
  return [...addresses];
}

/** Keeps what was read, unless it is there already: then it has to be the same. */
function add<T>(
  register: Register<Registered<T>>,
  namespace: string,
  name: string,
  found: FoundObject,
  content: T,
  report: Report,
): void {
  const first = register.get(namespace, name);
  if (first === undefined) register.set(namespace, name, { found, content });
  else if (!isDeepStrictEqual(first.content, content)) reportDifference(first.found, report);
}

function reportDifference(first: FoundObject, report: Report): void {
  report({
    at: "",
    problem: `differs from the one in ${sourceOf(first)}`,
    allowed: "one object of a kind, namespace and name",
    fix: "remove one of them, or give it another name",
    unknown: false,
  });
}

function sourceOf({ object, path }: FoundObject): string {
  return path === "" ? object.source : `${object.source}, ${path.slice(0, -1)}`;
}

function contents<T>(register: Register<Registered<T>>): T[] {
  return Array.from(register, ({ content }) => content);
}

function nameInNote(body: Plain): string {
  const metadata = field(body, "metadata");
  const namespace = field(metadata, "namespace");
  const name = field(metadata, "name");
  const scope = typeof namespace === "string" && namespace !== "" ? `${namespace}/` : "";
  return `${scope}${typeof name === "string" && name !== "" ? name : "(no name)"}`;
}
