import * as deserialize from "@pulumi/policy/deserialize";
import { keepCopyOf } from "./plain-data";

/** The part of the policy SDK by which it reads the properties of a resource; not public. */
interface Reading {
  deserializeProperties?: (properties: object, keepsSecrets: boolean) => object;
}

/**
 * Has the policy SDK read each resource once a request. By itself it reads every resource anew for every policy, which for a pack of many
 * policies takes longer than all their judging. Only what remediations get stays their own, since they change it. An SDK
 * that reads in another way is left as it is: it is slower, and judges the same.
 */
export function readEachResourceOnce(sdk: Reading = deserialize): void {
  const { deserializeProperties: read } = sdk;
  if (typeof read !== "function") return;
  const known = new WeakMap<object, object>();
  sdk.deserializeProperties = (properties, keepsSecrets) => {
    if (keepsSecrets) return read(properties, keepsSecrets);
    let result = known.get(properties);
    if (result === undefined) {
      known.set(properties, (result = read(properties, keepsSecrets)));
      keepCopyOf(result);
    }
    return result;
  };
}
