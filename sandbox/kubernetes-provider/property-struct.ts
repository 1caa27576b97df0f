import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import type { JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb";
import { isObject } from "./kube-object";
import type { KubeObject } from "./kube-object";

/*
 * How Pulumi writes resource properties into protocol messages: as a Struct in which an object with a signature key
 * stands for a secret, and certain constants for values not known yet. The constants are those of Pulumi's SDKs
 * (sdk/go/common/resource/plugin/rpc.go and sdk/go/common/resource/sig).
 */
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const unknownMarks = new Set([
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** Where in a value a secret is: the keys and positions that lead to it. */
export type SecretPath = readonly (string | number)[];

/** Properties as plain JSON, and which parts of them are secret. Values not known yet stay marks: see {@link isUnknown}. */
export interface Properties {
  readonly value: KubeObject;
  readonly secrets: readonly SecretPath[];
}

/** Whether the value is one that a preview does not know yet. */
export function isUnknown(value: unknown): boolean {
  return typeof value === "string" && unknownMarks.has(value);
}

/** Whether any part of the value is not known yet. */
export function hasUnknown(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasUnknown);
  if (isObject(value)) return Object.values(value).some(hasUnknown);
  return isUnknown(value);
}

/**
 * Reads a Struct. Null properties are left out, as the official provider does: to Pulumi they are unset.
 *
 * @param struct the message; undefined reads as no properties.
 */
export function readProperties(struct: Struct | undefined): Properties {
  const secrets: SecretPath[] = [];
  const read = (value: unknown, path: SecretPath): unknown => {
    if (Array.isArray(value)) return value.map((element, index) => read(element, [...path, index]));
    if (!isObject(value)) return value;
    if (value[signatureKey] === secretSignature) {
      secrets.push(path);
      return read(value.value, path);
    }
    const result: KubeObject = {};
    for (const [key, child] of Object.entries(value)) {
      const name = kubernetesKey(key);
      if (child !== null) result[name] = read(child, [...path, name]);
    }
    return result;
  };
  const value = read(struct?.toJavaScript() ?? {}, []);
  return { value: isObject(value) ? value : {}, secrets };
}

/** Writes properties as a Struct, marking each secret path that exists in the value. */
export function writeProperties({ value, secrets }: Properties): Struct {
  const isSecret = new Set(secrets.map((path) => JSON.stringify(path)));
  const write = (part: unknown, path: SecretPath): unknown => {
    let result = part;
    if (Array.isArray(part)) {
      result = part.map((element, index) => write(element, [...path, index]));
    } else if (isObject(part)) {
      result = Object.fromEntries(
        Object.entries(part)
          .filter(([, child]) => child !== null && child !== undefined)
          .map(([key, child]) => [pulumiKey(key), write(child, [...path, key])]),
      );
    }
    return isSecret.has(JSON.stringify(path)) ? { [signatureKey]: secretSignature, value: result } : result;
  };
  return Struct.fromJavaScript(write(value, []) as Record<string, JavaScriptValue>);
}

// SDKs cannot name a property x-kubernetes-…, so Pulumi writes these keys of CRD schemas with underscores.
const schemaExtensions = [
  "embedded_resource",
  "int_or_string",
  "list_map_keys",
  "list_type",
  "map_type",
  "preserve_unknown_fields",
  "validations",
];
const kubernetesKeys = new Map(
  schemaExtensions.map((name) => [`x_kubernetes_${name}`, `x-kubernetes-${name.replaceAll("_", "-")}`]),
);
const pulumiKeys = new Map([...kubernetesKeys].map(([pulumi, kubernetes]) => [kubernetes, pulumi]));

function kubernetesKey(key: string): string {
  return kubernetesKeys.get(key) ?? key;
}

function pulumiKey(key: string): string {
  return pulumiKeys.get(key) ?? key;
}
