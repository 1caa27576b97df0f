import {
  field,
  isList,
  isObject,
  snapshot,
  Unknown,
  type Plain,
  type PlainObject,
} from "../../policypack/plain-data";

/** The part of a Pulumi resource's state (`apitype.ResourceV3`) that says what is deployed. */
export interface ResourceState {
  readonly urn: string;
  /** Type token, such as `kubernetes:core/v1:Pod`. */
  readonly type: string;
  /** Whether a provider manages it; components are not. */
  readonly custom: boolean;
  /** Whether it was only read, and is managed elsewhere. */
  readonly external: boolean;
  /** Undefined until it exists. */
  readonly id: string | undefined;
  /** What the program asks for; empty where the resource was only read. */
  readonly inputs: PlainObject;
  /** What the provider answered; empty where it was not asked yet. */
  readonly outputs: PlainObject;
  /** Reference to the provider; undefined for components. */
  readonly provider: string | undefined;
  /** Set where it is no longer the stack's, but still in the cluster: its deletion is to come, or is left to others. */
  readonly leftover: "to be deleted" | "left to others" | undefined;
  /** Whether it was deleted to be made anew, which is still to come. */
  readonly pendingReplacement: boolean;
  /** Whether Pulumi leaves it in the cluster when it lets go of it. */
  readonly retainOnDelete: boolean;
  /** Whether Pulumi refuses to delete it. */
  readonly protect: boolean;
}

/** Where a resource's state is written: in the state of a stack, or on either side of a step of a plan. */
export type StatePlace = "state" | "oldState" | "newState";

/**
 * Reads a resource's state as JSON has it; undefined where it is none. Secrets become {@link Unknown}: in the state of a stack they
 * are objects with a signature, in plans the text `[secret]`. So do the values that are not known before the update.
 */
export function readResourceState(value: Plain, place: StatePlace): ResourceState | undefined {
  const urn = field(value, "urn");
  const type = field(value, "type");
  if (typeof urn !== "string" || typeof type !== "string") return undefined;
  const text = (key: string): string | undefined => {
    const found = field(value, key);
    return typeof found === "string" && found !== "" ? found : undefined;
  };
  const flag = (key: string): boolean => field(value, key) === true;
  const properties = (key: string): PlainObject => {
    const found = field(value, key);
    if (!isObject(found)) return {};
    // What the provider keeps for itself is as large as the rest.
    const own = Object.entries(found).filter(([name]) => !name.startsWith("__"));
    return withoutSecrets(Object.fromEntries(own), place) as PlainObject;
  };
  return {
    urn,
    type,
    custom: flag("custom"),
    external: flag("external"),
    id: text("id"),
    inputs: properties("inputs"),
    outputs: properties("outputs"),
    provider: text("provider"),
    leftover: flag("delete") ? "to be deleted" : undefined,
    pendingReplacement: flag("pendingReplacement"),
    retainOnDelete: flag("retainOnDelete"),
    protect: flag("protect"),
  };
}

/** The name that the program gave the resource. */
export function resourceName({ urn }: Pick<ResourceState, "urn">): string {
  // The name may itself hold the separator.
  return urn.split("::").slice(3).join("::") || urn;
}

/** The key and value by which the engine marks a secret (`sdk/go/common/resource/sig`). */
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/** What holds no secrets is not copied: states are large, and hold few. */
function withoutSecrets(value: Plain, place: StatePlace): Plain {
  if (typeof value === "string") {
    if (place !== "state" && value === "[secret]") return new Unknown();
    // What is not known yet is marked by text; where everything is known, such text is a value like others.
    return place === "newState" ? snapshot(value) : value;
  }
  if (isList(value)) {
    const items = value.map((item) => withoutSecrets(item, place));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (!isObject(value)) return value;
  if (field(value, signatureKey) === secretSignature) return new Unknown();
  let changed: Record<string, Plain> | undefined;
  for (const key of Object.keys(value)) {
    const part = value[key] ?? null;
    const read = withoutSecrets(part, place);
    if (read !== part) (changed ??= {})[key] = read;
  }
  return changed === undefined ? value : { ...value, ...changed };
}
