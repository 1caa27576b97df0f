import { field, isList, isObject, type Plain } from "../../policypack/plain-data";
import type { Note } from "../../policypack/reachability/reachability";
import { UsageError } from "../usage-error";
import { readResourceState, type ResourceState } from "./resource-state";
import type { StackResources } from "./stack-resources";

/**
 * Reads what `pulumi stack export` prints. Throws {@link UsageError} where it is something else, and where the stack has no
 * resources, because it was never deployed or was destroyed.
 *
 * @param name how messages name the text: a file, or a stack
 */
export function readStackState(text: string, name: string): StackResources {
  const value = parse(text, name);
  const deployment = field(value, "deployment");
  if (!isObject(deployment)) throw noState(name, otherThan(value));
  const version = field(value, "version");
  if (version !== 3 && version !== 4) {
    throw noState(name, `has the version ${JSON.stringify(version ?? null)}, and 3 and 4 are known here`);
  }
  const list = field(deployment, "resources") ?? [];
  if (!isList(list)) throw noState(name, "has no list of resources");
  const resources = list.map((item, index): ResourceState => {
    const resource = readResourceState(item, "state");
    if (resource === undefined) throw noState(name, `has no urn and type in resources[${index}]`);
    return resource;
  });
  // A stack that was initialised, or emptied, has at most itself and its providers.
  if (
    !resources.some(({ type }) => type !== "pulumi:pulumi:Stack" && !type.startsWith("pulumi:providers:"))
  ) {
    throw new UsageError(
      `${name} has no resources: it was never deployed, or was destroyed\n` +
        "  allowed: a stack that is deployed\n" +
        "  fix:     deploy it with pulumi up, or read what it would deploy: " +
        "pulumi preview --json --show-sames > plan.json, then --plan plan.json",
    );
  }
  return { resources, notes: pendingNotes(field(deployment, "pending_operations")) };
}

function parse(text: string, name: string): Plain {
  try {
    return JSON.parse(text) as Plain;
  } catch (error) {
    throw noState(name, `is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function otherThan(value: Plain): string {
  if (field(value, "steps") !== undefined) return "is a plan of pulumi preview, which --plan reads";
  if (field(value, "kind") !== undefined) return "is a Kubernetes object, which --manifests reads";
  return "has no deployment";
}

function noState(name: string, problem: string): UsageError {
  return new UsageError(
    `${name} ${problem}\n` +
      "  allowed: what pulumi stack export prints\n" +
      "  fix:     pulumi stack export --stack <name> --file state.json",
  );
}

function pendingNotes(pending: Plain | undefined): Note[] {
  if (!isList(pending) || pending.length === 0) return [];
  const text = `an update was interrupted in ${pending.length} operation(s), and whether they were done is not known: pulumi refresh finds out`;
  return [{ about: "the stack", at: "", text }];
}
