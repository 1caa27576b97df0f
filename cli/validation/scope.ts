import type { LiveObject } from "../cluster/live-objects";
import { UsageError } from "../usage-error";

/** Namespaces that are judged. */
export type Scope = ReadonlySet<string>;

/** Namespaces that Kubernetes makes itself. */
const ownNamespaces: readonly string[] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/**
 * The namespaces to judge. Throws {@link UsageError} for those that are neither in the cluster nor the stack's, and where there is
 * none: an answer about nothing would pass.
 *
 * @param asked names; absent means those that the stack manages, or without a stack all but Kubernetes' own
 * @param managed namespaces that the stack creates or adopts; undefined without a stack
 */
export function scopeOf(
  objects: readonly LiveObject[],
  {
    asked,
    managed,
  }: { readonly asked?: readonly string[] | undefined; readonly managed: readonly string[] | undefined },
): Scope {
  const present = objects.filter(({ kind }) => kind === "Namespace").map(({ name }) => name);
  const known = managed ?? present;
  if (asked === undefined) {
    const all = managed ?? present.filter((name) => !ownNamespaces.includes(name));
    if (all.length > 0) return new Set(all);
    throw new UsageError(
      `${managed === undefined ? "the cluster has no namespaces but Kubernetes' own" : "the stack manages no namespace"}, so there is nothing to judge\n` +
        `  allowed: ${listed(present)}\n` +
        "  fix:     name namespaces with --namespace, or another cluster with --kubeconfig or --context",
    );
  }
  const unknown = asked.filter((name) => !known.includes(name));
  if (unknown.length === 0) return new Set(asked);
  throw new UsageError(
    `${managed === undefined ? "the cluster has" : "the stack manages"} no namespace ${unknown.join(", ")}\n` +
      `  allowed: ${listed(known)}\n` +
      "  fix:     correct --namespace",
  );
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "none is there" : [...names].sort().join(", ");
}

/** Whether an object is in one of the namespaces, or of the whole cluster: that reaches into every namespace. */
export function isInScope({ kind, namespace, name }: LiveObject, scope: Scope): boolean {
  return kind === "Namespace" ? scope.has(name) : namespace === undefined || scope.has(namespace);
}
