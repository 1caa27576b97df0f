import { isDeepStrictEqual } from "node:util";
import type { Matrix, Service } from "../../matrix";
import { field } from "../../policypack/plain-data";
import type { Labels, Workload } from "../../policypack/reachability/model";
import { UsageError } from "../usage-error";
import { resourceName } from "./resource-state";
import type { StackResources } from "./stack-resources";

/** The component that puts out its matrix. */
export const networkComponent = "erlmcp:network:ZeroTrustNetwork";

/**
 * The communication matrix that a stack's ZeroTrustNetwork puts out; those of several are one. Undefined where it has none.
 * Throws {@link UsageError} where it cannot be read, and where two networks give one name to different services.
 */
export function matrixOf({ resources }: StackResources): Matrix | undefined {
  const services = new Map<string, Service>();
  const flows: Matrix["flows"][number][] = [];
  let found = false;
  for (const resource of resources) {
    const value = field(resource.outputs, "matrix") ?? field(resource.inputs, "matrix");
    if (resource.type !== networkComponent || resource.leftover !== undefined || value === undefined)
      continue;
    const { matrixSchema, describe } = schema();
    const { success, data, error } = matrixSchema.safeParse(value);
    if (!success)
      throw unreadable(`the matrix of ${resourceName(resource)} cannot be read: ${describe(error)}`);
    found = true;
    flows.push(...data.flows);
    for (const service of data.services) {
      const other = services.get(service.name);
      if (other !== undefined && !isDeepStrictEqual(other, service)) {
        throw unreadable(`two networks of the stack have different services named ${service.name}`);
      }
      services.set(service.name, service);
    }
  }
  return found ? { services: [...services.values()], flows } : undefined;
}

/**
 * Workloads that stand for the services of a matrix where their pods are not deployed by what was read: one each, with the fewest
 * labels that its podSelector asks for. A service whose selector no pod can match has none.
 */
export function standIns({ services }: Pick<Matrix, "services">): Workload[] {
  return services.flatMap(({ name, namespace, podSelector }) => {
    const labels = labelsFor(podSelector);
    if (labels === undefined) return [];
    return [
      { namespace, name, kind: "MatrixService", labels, namedPorts: [], hostNetwork: false, addresses: [] },
    ];
  });
}

/** The value of a label that only has to be there. */
const anyValue = "any";

function labelsFor({ matchLabels = {}, matchExpressions = [] }: Service["podSelector"]): Labels | undefined {
  const requirements = [
    ...Object.entries(matchLabels).map(([key, value]) => ({ key, operator: "In" as const, values: [value] })),
    ...matchExpressions,
  ];
  const labels: Record<string, string> = {};
  for (const key of new Set(requirements.map((requirement) => requirement.key))) {
    const ofKey = requirements.filter((requirement) => requirement.key === key);
    const valuesOf = (operator: "In" | "NotIn") =>
      ofKey.filter((requirement) => requirement.operator === operator).map(({ values = [] }) => values);
    const [first, ...others] = valuesOf("In");
    const excluded = valuesOf("NotIn").flat();
    if (first === undefined && !ofKey.some(({ operator }) => operator === "Exists")) continue;
    // One more than are excluded, so that one is left.
    const candidates = first ?? [anyValue, ...excluded.map((_, index) => `${anyValue}-${index}`)];
    const value = candidates.find(
      (candidate) => others.every((values) => values.includes(candidate)) && !excluded.includes(candidate),
    );
    if (value === undefined || ofKey.some(({ operator }) => operator === "DoesNotExist")) return undefined;
    labels[key] = value;
  }
  return labels;
}

function unreadable(problem: string): UsageError {
  return new UsageError(
    `${problem}\n` +
      `  allowed: the output matrix of ${networkComponent}, with its services and flows\n` +
      "  fix:     deploy the stack with the version of the package that reads it",
  );
}

function schema(): typeof import("./matrix-schema") {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- zod takes longer to load than most states to read
  return require("./matrix-schema") as typeof import("./matrix-schema");
}
