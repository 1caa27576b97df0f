import type { ClassSet, ClassSets } from "./class-set";
import type { Cluster, ClusterPolicy, NamedPort, NetworkPolicy, Workload } from "./model";
import { inOrder, isClusterPolicy, type Direction, type PolicyCompiler } from "./policy-compiler";

/** Pod classes that the same policies apply to in one direction, and which name the same ports where a policy names any. */
export interface OtherEnds {
  readonly id: number;
  readonly set: ClassSet;
  readonly namedPorts: readonly NamedPort[];
  /** Those that isolate the classes. */
  readonly networkPolicies: readonly NetworkPolicy[];
  /** Of tier Admin, in order. */
  readonly admin: readonly ClusterPolicy[];
  /** Of tier Baseline, in order. */
  readonly baseline: readonly ClusterPolicy[];
}

/** @param portsAreNamed whether any policy of the cluster names a port */
export function otherEnds(
  cluster: Cluster,
  representatives: readonly (Workload | undefined)[],
  compiler: PolicyCompiler,
  direction: Direction,
  sets: ClassSets,
  portsAreNamed: boolean,
): { readonly ends: readonly OtherEnds[]; readonly endOf: readonly (OtherEnds | undefined)[] } {
  const policies = [
    ...cluster.networkPolicies.filter((policy) => policy[direction] !== undefined),
    ...inOrder(cluster.clusterPolicies, "Admin"),
    ...inOrder(cluster.clusterPolicies, "Baseline"),
  ];
  const applying = representatives.map((): number[] => []);
  policies.forEach((policy, index) => {
    for (const number of compiler.subjectOf(policy).members) applying[number]?.push(index);
  });
  const byKey = new Map<string, number[]>();
  representatives.forEach((workload, number) => {
    if (workload === undefined) return;
    const names = portsAreNamed ? namesKey(workload.namedPorts) : "";
    const key = `${(applying[number] ?? []).join()} ${names}`;
    const numbers = byKey.get(key);
    if (numbers === undefined) byKey.set(key, [number]);
    else numbers.push(number);
  });
  const endOf: OtherEnds[] = [];
  const ends = [...byKey.values()].map((numbers, id): OtherEnds => {
    const [first = 0] = numbers;
    const all = (applying[first] ?? []).flatMap((index) => policies[index] ?? []);
    const ofCluster = all.filter(isClusterPolicy);
    const end: OtherEnds = {
      id,
      set: sets.of(numbers),
      namedPorts: representatives[first]?.namedPorts ?? [],
      networkPolicies: all.filter((policy): policy is NetworkPolicy => !isClusterPolicy(policy)),
      admin: ofCluster.filter(({ tier }) => tier === "Admin"),
      baseline: ofCluster.filter(({ tier }) => tier === "Baseline"),
    };
    for (const number of numbers) endOf[number] = end;
    return end;
  });
  return { ends, endOf };
}

/** Equal for the same named ports, in whatever order. */
export function namesKey(ports: readonly NamedPort[]): string {
  return ports
    .map(({ name, protocol, number }) => `${name}/${protocol}/${number}`)
    .sort()
    .join();
}
