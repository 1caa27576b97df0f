import { ApiError, NoKindError } from "./cluster-client";
import type { ClusterClient } from "./cluster-client";
import { isConflictWithTakenOver, takeOverPatch } from "./field-managers";
import { annotation, isObject, listAt, objectId, textAt, valueAt, withValueAt } from "./kube-object";
import type { KubeObject } from "./kube-object";

/** What every operation on an object needs to know. */
export interface Operation {
  readonly client: ClusterClient;
  readonly fieldManager: string;
  /** Ask what would become of it, and change nothing. */
  readonly dryRun: boolean;
  /** Take fields from other managers instead of reporting a conflict; the object's own annotation comes first. */
  readonly force: boolean;
  /** Tells the user, on the resource's line, what is being waited for. */
  readonly status: (message: string) => void;
  /** Ends waits when the user cancels. */
  readonly cancelled: AbortSignal;
}

const createRetryDelaysMs = [250, 500, 1000, 2000, 4000];
const deletePollMs = 200;

/**
 * Creates an object. As with the official provider, one that exists is an error, unless `upsert` is on. A namespace or
 * kind that is missing is waited for a little, since it may be just being made.
 *
 * @returns the live object.
 */
export async function createObject(
  operation: Operation,
  object: KubeObject,
  upsert: boolean,
): Promise<KubeObject> {
  return retryMissing(operation, () =>
    upsert ? applyFields(operation, object, undefined) : operation.client.create(object, operation),
  );
}

/**
 * Applies the fields of a `…Patch` to an object that exists.
 *
 * @throws Error when there is no such object: a patch owns fields of what someone else made, and must not make an object
 * that nothing would ever delete.
 */
export async function patchObject(operation: Operation, object: KubeObject): Promise<KubeObject> {
  return retryMissing(operation, async () => {
    const live = await operation.client.get(object);
    if (live === undefined) {
      throw new Error(
        `${textAt(object, "kind")} "${objectId(object)}" does not exist, so it cannot be patched: ` +
          "create it first, or manage it with the resource of its own kind instead of its patch",
      );
    }
    return applyFields(operation, object, live);
  });
}

/** Brings a live object to the new inputs. */
export async function updateObject(
  operation: Operation,
  object: KubeObject,
  isPatch: boolean,
  ignoreChanges: readonly string[],
): Promise<KubeObject> {
  const live = await operation.client.get(object);
  if (live === undefined) {
    throw new Error(
      `${textAt(object, "kind")} "${objectId(object)}" is no longer in the cluster: ` +
        "run `pulumi refresh`, then `pulumi up` makes it again",
    );
  }
  const inputs = ignoreChanges.reduce((result, path) => withLiveValue(result, live, path), object);
  if (textAt(object, "kind") === "CustomResourceDefinition") {
    const version = textAt(live, "metadata", "resourceVersion");
    return operation.client.replace(withValueAt(inputs, ["metadata", "resourceVersion"], version), operation);
  }
  if (!isPatch && !operation.dryRun) {
    const takeOver = takeOverPatch(live, operation.fieldManager);
    if (takeOver !== undefined) await operation.client.patch(object, takeOver);
  }
  return applyFields(operation, inputs, live);
}

/** Gives up the fields that a `…Patch` owns. Those that no one else owns go; the object stays. */
export async function relinquishFields(operation: Operation, object: KubeObject): Promise<void> {
  // Applying to an object that is gone would make it again.
  if ((await operation.client.get(object)) === undefined) return;
  const namespace = textAt(object, "metadata", "namespace");
  await operation.client.apply(
    {
      apiVersion: object.apiVersion,
      kind: object.kind,
      metadata: { name: textAt(object, "metadata", "name"), ...(namespace === "" ? {} : { namespace }) },
    },
    { fieldManager: operation.fieldManager, dryRun: false, force: false },
  );
}

/**
 * Deletes an object and waits until it is gone.
 *
 * @param timeoutSeconds how long to wait.
 * @throws Error when it is still there after that time, naming what holds it.
 */
export async function deleteObject(
  operation: Operation,
  inputs: KubeObject,
  object: KubeObject,
  timeoutSeconds: number,
): Promise<void> {
  const policy = annotation(inputs, "pulumi.com/deletionPropagationPolicy") || "foreground";
  const propagation = policy.charAt(0).toUpperCase() + policy.slice(1);
  if (!(await operation.client.delete(object, propagation))) return;
  if (annotation(inputs, "pulumi.com/skipAwait") === "true") return;
  const uid = textAt(object, "metadata", "uid");
  const deadline = Date.now() + timeoutSeconds * 1000;
  for (;;) {
    const live = await operation.client.get(object);
    // Another object of that name, made meanwhile, is not ours to wait for.
    if (live === undefined || (uid !== "" && textAt(live, "metadata", "uid") !== uid)) return;
    if (operation.cancelled.aborted)
      throw new Error(`cancelled while waiting for the end of ${describe(live)}`);
    if (Date.now() > deadline) {
      throw new Error(
        `${describe(live)} was told to go ${timeoutSeconds} s ago and is still there${holders(live)}. ` +
          "Remove what holds it, or allow more time with the resource option customTimeouts",
      );
    }
    operation.status(`waiting for the end of ${describe(live)}${holders(live)}`);
    await delay(deletePollMs);
  }
}

/** Applies the inputs, reporting a conflict unless it is one that the update resolves by itself. */
async function applyFields(
  operation: Operation,
  object: KubeObject,
  live: KubeObject | undefined,
): Promise<KubeObject> {
  const forced = annotation(object, "pulumi.com/patchForce");
  // A dry run of a creation meets the object that is about to be replaced; its fields are no conflict.
  const force =
    forced === "" ? operation.force || (operation.dryRun && live === undefined) : forced === "true";
  try {
    return await operation.client.apply(object, { ...operation, force });
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== "Conflict") throw error;
    if (operation.dryRun && isConflictWithTakenOver(error.causes)) {
      return operation.client.apply(object, { ...operation, force: true });
    }
    throw new Error(
      `Server-Side Apply field conflict detected. The resource managed by field manager "${operation.fieldManager}" had ` +
        `an apply conflict: ${error.message}\nTake the field out of the program, have its other manager give it up, or ` +
        'take it over with the annotation "pulumi.com/patchForce": "true"',
      { cause: error },
    );
  }
}

async function retryMissing<T>(operation: Operation, attempt: () => Promise<T>): Promise<T> {
  for (const [index, wait] of createRetryDelaysMs.entries()) {
    try {
      return await attempt();
    } catch (error) {
      const missing = error instanceof NoKindError || (error instanceof ApiError && error.code === 404);
      if (!missing || operation.dryRun || operation.cancelled.aborted) throw error;
      operation.status(`Retry #${index + 1}; creation failed: ${error.message}`);
      await delay(wait);
    }
  }
  return attempt();
}

/** The inputs with the live value where `ignoreChanges` names a field by a plain path. */
function withLiveValue(inputs: KubeObject, live: KubeObject, path: string): KubeObject {
  const keys = [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/g)].map(
    ([, quoted, plain]) => quoted ?? plain ?? "",
  );
  const value = valueAt(live, ...keys);
  return value === undefined ? inputs : withValueAt(inputs, keys, value);
}

function describe(object: KubeObject): string {
  return `${textAt(object, "kind")} "${objectId(object)}"`;
}

/** What keeps an object from going: its finalizers, and for a namespace what is left in it. */
function holders(live: KubeObject): string {
  const finalizers = [...listAt(live, "metadata", "finalizers"), ...listAt(live, "spec", "finalizers")];
  const reasons = listAt(live, "status", "conditions")
    .filter(isObject)
    .filter(
      (condition) => condition.status === "True" && condition.type !== "NamespaceDeletionDiscoveryFailure",
    )
    .map((condition) => textAt(condition, "message"))
    .filter((message) => message !== "");
  const parts = [
    ...(finalizers.length > 0 ? [`held by finalizers ${finalizers.join(", ")}`] : []),
    ...reasons,
  ];
  return parts.length > 0 ? ` (${parts.join("; ")})` : "";
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
