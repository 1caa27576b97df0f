/** What was read, by namespace and name: "" is the namespace of what has none. */
export class Register<T> {
  // Two levels rather than one text of both: making such a text for each of many objects takes longer than the look-up.
  private readonly byNamespace = new Map<string, Map<string, T>>();

  get(namespace: string, name: string): T | undefined {
    return this.byNamespace.get(namespace)?.get(name);
  }

  set(namespace: string, name: string, content: T): void {
    let byName = this.byNamespace.get(namespace);
    if (byName === undefined) this.byNamespace.set(namespace, (byName = new Map<string, T>()));
    byName.set(name, content);
  }

  /** Everything, by namespace in the order they were first seen in. */
  *[Symbol.iterator](): Iterator<T> {
    for (const byName of this.byNamespace.values()) yield* byName.values();
  }
}
