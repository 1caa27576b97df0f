import { communicationMatrix, type CommunicationMatrix } from "./communication-matrix";
import { list, listOf, record, text, type ConfigValue } from "./config-field";
import type { Stack } from "./define-rule";
import { snapshot, type Plain } from "./plain-data";
import { readCluster } from "./reachability/read-cluster";

/** What is in the cluster already, and not in the stack that is judged. */
export interface Baseline {
  /** The stack that deploys it, as project/stack. Absent: it counts for every stack. */
  readonly stack?: string;
  /** Objects of the Kubernetes API; absent means none. */
  readonly objects?: readonly Plain[];
  /** Absent means that nothing is declared. */
  readonly matrix?: CommunicationMatrix;
}

const exampleObject = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "deny-all", namespace: "shop" },
  spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
};

const object: ConfigValue<Plain> = {
  schema: { type: "object" },
  allowed: "an object of the Kubernetes API with apiVersion, kind and metadata, in a namespace that it names",
  example: exampleObject,
  read: (value, key, problems) => {
    const body = snapshot(value);
    const found = readCluster([{ body, source: key }], { defaultNamespace: "" }).problems;
    for (const { at, problem, allowed, fix } of found) {
      const place = at === "" ? key : `${key}.${at}`;
      problems.push({ key: place, found: problem.replace(/^is /, ""), allowed, fix });
    }
    return body;
  },
};

/** The key `baseline`, of every rule that judges policies and pods together. */
export const baselineField = {
  baseline: list(
    record<Baseline>({
      allowed: "an object with objects, matrix or both, and with stack where a Pulumi stack deploys them",
      example: { objects: [exampleObject] },
      values: {
        stack: text({ pattern: /^[^/\s]+\/[^/\s]+$/, allowed: "project/stack", example: "network/prod" }),
        objects: listOf(object),
        matrix: communicationMatrix,
      },
      optional: ["stack", "objects", "matrix"],
    }),
    {
      description:
        "What is in the cluster already and not in this stack, one item for each stack that deploys some of it: namespaces with their labels, default-denies and other policies, pods, and the communication matrix. What all rules take is written once, as the configuration of the policy baseline: a network stack exports it as its output policyPackConfig. An item is left out where the stack that it names is itself judged.",
      default: [],
    },
  ),
};

/** The baseline without what it says of the stack that is judged: what that had before is no measure of what it is to be. */
export function baselineBeside(
  { resources }: Pick<Stack, "resources">,
  baseline: readonly Baseline[],
): readonly Baseline[] {
  const judged = new Set(resources.map(({ urn }) => stackOf(urn)));
  return baseline.filter(({ stack }) => stack === undefined || !judged.has(stack));
}

/** The stack of a URN, as project/stack; undefined where the text is no URN. */
function stackOf(urn: string): string | undefined {
  const [, stack, project] = /^urn:pulumi:([^:]+)::([^:]+)::/.exec(urn) ?? [];
  return stack === undefined || project === undefined ? undefined : `${project}/${stack}`;
}
