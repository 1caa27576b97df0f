import { isObject, textAt } from "./kube-object";
import type { KubeObject } from "./kube-object";
import type { Properties, SecretPath } from "./property-struct";

const inputsKey = "__inputs";
const fieldManagerKey = "__fieldManager";
const initialApiVersionKey = "__initialApiVersion";

/** What Pulumi's state keeps of an object: the live object, the inputs that made it, and who owns their fields. */
export interface Checkpoint {
  readonly inputs: KubeObject;
  readonly live: KubeObject;
  /** Empty when the state is older than the first apply. */
  readonly fieldManager: string;
  /** The `apiVersion` the object was first made with. */
  readonly initialApiVersion: string;
}

/** The state as the official provider writes it, so that either can go on from the other's. */
export function writeCheckpoint(
  { inputs, live, fieldManager, initialApiVersion }: Checkpoint,
  secrets: readonly SecretPath[],
): Properties {
  const value = {
    ...live,
    [inputsKey]: inputs,
    [fieldManagerKey]: fieldManager,
    [initialApiVersionKey]: initialApiVersion,
  };
  // What is secret among the inputs is secret in the live object, too; of a Secret's stringData the API server makes data.
  const paths = secrets.flatMap((path): SecretPath[] => [
    path,
    [inputsKey, ...path],
    ...(path[0] === "stringData" && live.kind === "Secret" ? [["data", ...path.slice(1)]] : []),
  ]);
  return { value, secrets: paths };
}

/** Reads back what {@link writeCheckpoint} wrote. */
export function readCheckpoint(state: KubeObject): Checkpoint {
  const {
    [inputsKey]: inputs,
    [fieldManagerKey]: fieldManager,
    [initialApiVersionKey]: initial,
    ...live
  } = state;
  return {
    inputs: isObject(inputs) ? inputs : {},
    live,
    fieldManager: typeof fieldManager === "string" ? fieldManager : "",
    initialApiVersion: typeof initial === "string" ? initial : textAt(live, "apiVersion"),
  };
}
