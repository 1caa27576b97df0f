import type { Cluster, Labels, Workload } from "./model";

/**
 * Workloads in classes: those of one class have the same namespace, labels, named ports and addresses, so policies treat them
 * alike in every cluster that was classified. The classes are the engine's unit of work, known by their numbers.
 */
export interface PodClasses {
  readonly count: number;
  /** For each cluster: the workloads of each class, by its number; none for a class that only another cluster has. */
  readonly members: readonly (readonly (readonly Workload[])[])[];
  /** For each cluster: the number of each workload's class. */
  readonly classOf: readonly ReadonlyMap<Workload, number>[];
}

/**
 * Classifies the workloads of one or more clusters together. A workload that several clusters have, by namespace, kind and
 * name, is in one class for all of them, so that sets of classes can be compared between the clusters.
 */
export function classify(...clusters: readonly Cluster[]): PodClasses {
  const features = clusters.map(() => classFeatures());
  const keys = new Map<string, string>();
  clusters.forEach((cluster, index) => {
    for (const workload of cluster.workloads) {
      const identity = workloadKey(workload);
      // Without other clusters the features alone tell classes apart.
      const before = keys.get(identity) ?? "";
      keys.set(
        identity,
        clusters.length === 1
          ? (features[index]?.(workload) ?? "")
          : `${before}\n${index}${features[index]?.(workload) ?? ""}`,
      );
    }
  });
  const numbers = new Map<string, number>();
  const classOf = clusters.map(() => new Map<Workload, number>());
  const members = clusters.map((): Workload[][] => []);
  clusters.forEach((cluster, index) => {
    for (const workload of cluster.workloads) {
      const key = keys.get(workloadKey(workload)) ?? "";
      let number = numbers.get(key);
      if (number === undefined) numbers.set(key, (number = numbers.size));
      classOf[index]?.set(workload, number);
      const list = members[index];
      if (list !== undefined) (list[number] ??= []).push(workload);
    }
  });
  const count = numbers.size;
  return {
    count,
    members: members.map((lists) => Array.from({ length: count }, (_, number) => lists[number] ?? [])),
    classOf,
  };
}

/** Tells a workload from every other of its cluster. */
export function workloadKey({ namespace, kind, name }: Workload): string {
  return `${namespace}/${kind}/${name}`;
}

/** What policies can tell a workload by. */
function classFeatures(): (workload: Workload) => string {
  const labelKeys = new WeakMap<Labels, string>();
  function labelKey(labels: Labels): string {
    let key = labelKeys.get(labels);
    if (key === undefined) {
      key = JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
      labelKeys.set(labels, key);
    }
    return key;
  }
  return (workload) => {
    const { namespace, labels, namedPorts, hostNetwork, addresses, node } = workload;
    const key = `${namespace} ${labelKey(labels)}`;
    if (namedPorts.length === 0 && !hostNetwork && addresses.length === 0) return key;
    const ports = namedPorts.map(({ name, protocol, number }) => `${name}/${protocol}/${number}`).sort();
    return JSON.stringify([key, ports, hostNetwork, [...addresses].sort(), hostNetwork ? (node ?? "") : ""]);
  };
}
