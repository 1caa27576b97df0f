import type { Stack } from "./define-rule";
import { readObjects, type Kind, type ObservedResource } from "./kubernetes-object";
import { originalOf, snapshot } from "./plain-data";

/** What rules of certain kinds see of a stack. */
export function viewStack(resources: readonly ObservedResource[], kinds: readonly Kind[]): Stack {
  // The engine hands resources over in no particular order.
  const sorted = [...resources].sort((a, b) => (a.urn < b.urn ? -1 : a.urn > b.urn ? 1 : 0));
  const parts = sorted.map((resource) => readObjects(resource, kinds));
  return {
    objects: parts.flatMap((part) => part.objects),
    unreadable: parts.flatMap((part) => part.unreadable),
    resources: sorted.map(({ type, urn, name, props }) => ({
      type,
      urn,
      name,
      props: () => snapshot(props),
    })),
  };
}

/**
 * Views of one stack, each made once for all rules of its kinds. The policy SDK hands every rule the resources in objects of their own,
 * so they are known by what they hold.
 */
export class StackViews {
  private resources: readonly ObservedResource[] = [];
  private views = new Map<readonly Kind[], Stack>();

  of(resources: readonly ObservedResource[], kinds: readonly Kind[]): Stack {
    if (!isSame(resources, this.resources)) {
      this.resources = resources;
      this.views = new Map();
    }
    let view = this.views.get(kinds);
    if (view === undefined) this.views.set(kinds, (view = viewStack(resources, kinds)));
    return view;
  }
}

function isSame(some: readonly ObservedResource[], others: readonly ObservedResource[]): boolean {
  return (
    some.length === others.length &&
    some.every((one, index) => {
      const other = others[index];
      return (
        one.urn === other?.urn &&
        one.type === other.type &&
        one.name === other.name &&
        one.source === other.source &&
        one.opts?.protect === other.opts?.protect &&
        originalOf(one.props) === originalOf(other.props)
      );
    })
  );
}
