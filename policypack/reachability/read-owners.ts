import { isDeepStrictEqual } from "node:util";
import type { Node, Workload } from "./model";
import { groupOf } from "./read-kinds";
import { areEqualButForControllers } from "./read-labels";
import { Register } from "./read-register";
import type { FoundWorkload } from "./read-workload";

/** The workloads of the input, each kind, namespace and name once. */
export class WorkloadRegister {
  private readonly byKind = new Map<string, Register<FoundWorkload>>();
  private completed = 1;

  /** Adds a workload; returns the one that is there instead, when they differ. */
  add(found: FoundWorkload): FoundWorkload | undefined {
    const { kind, namespace, name } = found.workload;
    let register = this.byKind.get(kind);
    if (register === undefined) this.byKind.set(kind, (register = new Register<FoundWorkload>()));
    const first = register.get(namespace, name);
    if (first === undefined) register.set(namespace, name, found);
    else if (isSame(first.workload, found.workload)) register.set(namespace, name, merge(first, found));
    else if (!name.endsWith("*")) return first;
    else {
      // The API server completes each name in its own way.
      const another = `${name} (${++this.completed})`;
      register.set(namespace, another, { ...found, workload: { ...found.workload, name: another } });
    }
    return undefined;
  }

  find(kind: string, namespace: string, name: string): FoundWorkload | undefined {
    return this.byKind.get(kind)?.get(namespace, name);
  }

  *[Symbol.iterator](): Iterator<FoundWorkload> {
    for (const register of this.byKind.values()) yield* register;
  }
}

function isSame(a: Workload, b: Workload): boolean {
  return (
    isDeepStrictEqual(a.labels, b.labels) &&
    a.namedPorts === b.namedPorts &&
    a.hostNetwork === b.hostNetwork &&
    (a.node ?? b.node) === (b.node ?? a.node)
  );
}

/** One object read twice, of which one may say more: what runs has an address, what was written has none yet. */
function merge(a: FoundWorkload, b: FoundWorkload): FoundWorkload {
  const addresses = [...new Set([...a.workload.addresses, ...b.workload.addresses])];
  return {
    ...a,
    workload: { ...b.workload, ...a.workload, addresses },
    uid: a.uid ?? b.uid,
    owner: a.owner ?? b.owner,
  };
}

/** The kinds that others make. */
const dependents = new Set(["Pod", "ReplicaSet", "Job"]);

/** A workload that stands for itself, with what is known of its own pods and of those it stands for. */
interface Standing {
  readonly workload: FoundWorkload;
  readonly addresses: Set<string>;
  readonly nodes: Set<string>;
}

/**
 * The workloads, each once: a Pod, ReplicaSet or Job that a workload of the input made is dropped where its pods are like
 * those of the maker, and its addresses are the maker's. Where they are not, as in a ReplicaSet of an earlier revision, it stands
 * for itself, unless it is scaled to none. Labels that controllers add to what they make are no difference.
 */
export function standingWorkloads(found: WorkloadRegister, nodes: readonly Node[]): readonly Workload[] {
  const nodesByName = new Map(nodes.map((node) => [node.name, node]));
  const standings = new Map<FoundWorkload, Standing>();
  for (const each of found) {
    const { addresses, node, hostNetwork } = each.workload;
    // Most manifests say nothing of owners, addresses or nodes, and need no bookkeeping.
    if (each.owner === undefined && addresses.length === 0 && node === undefined) continue;
    const standing = standingOf(each, found, standings);
    for (const address of addresses) standing.addresses.add(address);
    if (node === undefined) continue;
    standing.nodes.add(node);
    if (!hostNetwork) continue;
    for (const address of nodesByName.get(node)?.addresses ?? []) standing.addresses.add(address);
  }
  const workloads: Workload[] = [];
  for (const each of found) {
    const standing = standings.get(each);
    if (standing === undefined) workloads.push(each.workload);
    else if (standing.workload === each) workloads.push(withPods(each.workload, standing));
  }
  return workloads;
}

/** The workload with all that is known of its pods; its node only where they run on one. */
function withPods(workload: Workload, standing: Standing): Workload {
  const { namespace, name, kind, labels, namedPorts, hostNetwork } = workload;
  const known = {
    namespace,
    name,
    kind,
    labels,
    namedPorts,
    hostNetwork,
    addresses: [...standing.addresses],
  };
  const [node, ...more] = standing.nodes;
  return node === undefined || more.length > 0 ? known : { ...known, node };
}

/** The nearest workload that stands, up the chain of makers: the workload itself, or one whose pods are like its own. */
function standingOf(
  workload: FoundWorkload,
  found: WorkloadRegister,
  standings: Map<FoundWorkload, Standing>,
): Standing {
  const chain: FoundWorkload[] = [];
  const seen = new Set<FoundWorkload>();
  let next: FoundWorkload | undefined = workload;
  // A hostile input has workloads that make each other.
  while (next !== undefined && !standings.has(next) && !seen.has(next)) {
    chain.push(next);
    seen.add(next);
    next = makerOf(next, found);
  }
  let above = next === undefined ? undefined : standings.get(next);
  // From the maker down, so that each is compared with what stands above it.
  for (const each of chain.reverse()) {
    if (above === undefined || !(each.idle || isAlike(each.workload, above.workload.workload))) {
      above = { workload: each, addresses: new Set(), nodes: new Set() };
    }
    standings.set(each, above);
  }
  return above ?? { workload, addresses: new Set(), nodes: new Set() };
}

function makerOf({ owner, workload }: FoundWorkload, found: WorkloadRegister): FoundWorkload | undefined {
  if (owner === undefined || !dependents.has(workload.kind)) return undefined;
  const maker = found.find(owner.kind, workload.namespace, owner.name);
  const isInGroup = maker?.kind.apiVersions.some((version) => groupOf(version) === owner.group) === true;
  // One that was made anew under the same name did not make it.
  const isOther = owner.uid !== undefined && maker?.uid !== undefined && owner.uid !== maker.uid;
  return isInGroup && !isOther ? maker : undefined;
}

function isAlike(a: Workload, b: Workload): boolean {
  return (
    a.hostNetwork === b.hostNetwork &&
    a.namedPorts === b.namedPorts &&
    areEqualButForControllers(a.labels, b.labels)
  );
}
