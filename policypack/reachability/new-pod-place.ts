import { chosenKey, type Choice, type Condition, type Conditions } from "./condition";
import type { Namespace, Requirement, Selector } from "./model";
import { nameLabel } from "./read-notes";
import { selects } from "./selector";

/** Where a pod is created. */
export interface NewPodPlace {
  /** Undefined: a namespace that is not in the input. */
  readonly namespace: string | undefined;
  /**
   * What a pod there has to fulfil for a pair of selectors to match it; undefined where none can.
   *
   * @param namespaces a selector, or the name of a namespace
   * @param pods undefined: every pod
   */
  asks(namespaces: Selector | string, pods: Selector | undefined): Condition | undefined;
}

/** Makes the places of one cluster: a namespace of it, or undefined for one that is not in the input. */
export function newPodPlaces(
  namespaces: readonly Namespace[],
  conditions: Conditions,
): (namespace: Namespace | undefined) => NewPodPlace {
  const known = new Set(namespaces.map(({ name }) => name));
  const ofPods = new WeakMap<Selector, Condition>();

  function askedOfPod(pods: Selector | undefined): Condition {
    if (pods === undefined) return conditions.always;
    let condition = ofPods.get(pods);
    if (condition === undefined) {
      condition = conditions.of(pods.requirements.map((requirement) => asked("label", requirement)));
      ofPods.set(pods, condition);
    }
    return condition;
  }

  return (namespace) => ({
    namespace: namespace?.name,
    asks: (selector, pods) => {
      if (namespace !== undefined) {
        const matches =
          typeof selector === "string" ? selector === namespace.name : selects(selector, namespace.labels);
        return matches ? askedOfPod(pods) : undefined;
      }
      const ofNamespace = typeof selector === "string" ? undefined : askedOfNewNamespace(selector, known);
      return ofNamespace && conditions.both(conditions.of(ofNamespace), askedOfPod(pods));
    },
  });
}

/**
 * What a selector asks of a namespace that has none of the known names; undefined where it selects no such namespace. The API
 * server sets the name label, so it is there and is none of the known names; any other is like a label that the creator sets or
 * leaves out: left out, it is some name that no selector has.
 */
function askedOfNewNamespace(
  { requirements }: Selector,
  known: ReadonlySet<string>,
): Requirement[] | undefined {
  const all: Requirement[] = [];
  for (const { key, operator, values } of requirements) {
    if (key !== nameLabel) {
      all.push(asked("namespace label", { key, operator, values }));
      continue;
    }
    const names = values.filter((name) => !known.has(name));
    if (operator === "DoesNotExist" || (operator === "In" && names.length === 0)) return undefined;
    if (names.length > 0) all.push(asked("namespace label", { key, operator, values: names }));
  }
  return all;
}

function asked(choice: Choice, requirement: Requirement): Requirement {
  return { ...requirement, key: chosenKey(choice, requirement.key) };
}
