import { createHash, randomBytes } from "node:crypto";
import { annotation, isPatchResource, parseUrn, textAt, valueAt, withValueAt } from "./kube-object";
import type { KubeObject } from "./kube-object";
import { normalizeInputs } from "./normalize";

/** What `pulumi config set pulumi:autonaming` decided for a resource. */
export interface Autonaming {
  readonly mode: "propose" | "enforce" | "disable";
  readonly proposedName: string;
}

export interface CheckRequest {
  readonly urn: string;
  /** The inputs last accepted; undefined for a new resource. */
  readonly oldInputs: KubeObject | undefined;
  readonly newInputs: KubeObject;
  /** Makes the same name again for the same plan; empty means a random one. */
  readonly randomSeed: Uint8Array;
  /** Absent unless the project configures names. */
  readonly autonaming?: Autonaming;
  /** Namespace for objects that name none; empty leaves them without. */
  readonly defaultNamespace: string;
  /** Whether objects of this kind live in a namespace. */
  readonly namespaced: boolean;
}

/** The annotation that marks a name as made by Pulumi, not chosen. */
export const autonamedAnnotation = "pulumi.com/autonamed";

/**
 * The inputs as they will be applied: normalized, named and with a namespace.
 *
 * @throws Error when a `…Patch` has no name, when `generateName` is used (server-side apply has no such thing) or when
 * the project forbids names made by Pulumi and there is none.
 */
export function checkInputs(request: CheckRequest): KubeObject {
  let inputs = normalizeInputs(request.newInputs);
  if (isPatchResource(request.urn, textAt(inputs, "kind")) && textAt(inputs, "metadata", "name") === "") {
    throw new Error(
      "patch resources require the `.metadata.name` field to be set: name the object to patch there",
    );
  }
  if (textAt(inputs, "metadata", "generateName") !== "") {
    throw new Error(
      "the `.metadata.generateName` field is not supported in Server-Side Apply mode: set `.metadata.name`, " +
        "or leave both out to have a name made from the resource's",
    );
  }
  if (valueAt(inputs, "metadata", "name") === undefined) {
    inputs = withName(inputs, request);
  }
  if (
    request.namespaced &&
    request.defaultNamespace !== "" &&
    valueAt(inputs, "metadata", "namespace") === undefined
  ) {
    inputs = withValueAt(inputs, ["metadata", "namespace"], request.defaultNamespace);
  }
  return inputs;
}

function withName(inputs: KubeObject, request: CheckRequest): KubeObject {
  const name = request.oldInputs === undefined ? newName(request) : oldAutoname(request.oldInputs);
  if (name === "") return inputs;
  return withValueAt(
    withValueAt(inputs, ["metadata", "name"], name),
    ["metadata", "annotations", autonamedAnnotation],
    "true",
  );
}

function oldAutoname(oldInputs: KubeObject): string {
  return annotation(oldInputs, autonamedAnnotation) === "true" ? textAt(oldInputs, "metadata", "name") : "";
}

function newName({ urn, randomSeed, autonaming }: CheckRequest): string {
  if (autonaming?.mode === "disable") {
    throw new Error("autonaming is disabled, resource requires the .metadata.name field to be set");
  }
  return autonaming?.proposedName ?? `${parseUrn(urn).name}-${suffix(randomSeed)}`;
}

/** Eight hexadecimal digits: the same ones for the same seed, random ones for an empty seed. */
export function suffix(seed: Uint8Array): string {
  const digits =
    seed.length === 0 ? randomBytes(4).toString("hex") : createHash("sha256").update(seed).digest("hex");
  return digits.slice(0, 8);
}
