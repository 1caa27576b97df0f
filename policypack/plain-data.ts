import { types } from "node:util";

/**
 * Stands for a value that cannot be known before the update. It is a class of its own, never a string or a missing field,
 * so that no rule can take it for data.
 */
export class Unknown {
  /** @param text What stood in its place, when that was text with an unknown value interpolated into it. */
  constructor(readonly text?: string) {}
}

/** JSON data in which any part may be {@link Unknown}. */
export type Plain = null | boolean | number | string | Unknown | readonly Plain[] | PlainObject;

export interface PlainObject {
  readonly [key: string]: Plain;
}

/**
 * The values by which the engine marks unknowns on the wire (`sdk/go/common/resource/plugin/rpc.go`). Reading one through
 * the policy SDK's proxy throws; text that holds one, or data that came past the proxy, does not.
 */
const unknownOnTheWire =
  /1c4a061d-8072-4f0a-a4cb-0ff528b18fe7|3eeb2bf0-c639-47a8-9e75-3b44932eb421|04da6b54-80e4-46f7-96ec-b56ff0331ba9|6a19a0b0-7e62-4c92-b797-7f8e31da9cc2|030794c1-ac77-496b-92df-f27374a8bd58|e48ece36-62e2-4504-bad9-02848725956a|dd056dcd-154b-4c76-9bd3-c8f88648b5ff/;

/** What JavaScript and the Pulumi SDK write when an unknown, or an Output, is interpolated into text, as in `undefined/32`. */
const interpolatedUnknown =
  /(?:^|[./:_-])undefined(?:$|[./:_-])|\[object [A-Z]\w*\]|\[toString\] on an \[Output<T>\]/;

/**
 * Copies a resource's properties, as the policy SDK hands them out, into plain data. The SDK's proxy throws when an unknown
 * is read, which would end the policy and turn it into a mere warning; here each such field becomes {@link Unknown} and the
 * rest stays readable. Whatever else cannot be read as JSON (assets' promises, functions) becomes Unknown too. What is plain data
 * already stays as it is.
 */
export function snapshot(value: unknown): Plain {
  const original = originalOf(value);
  if (typeof original !== "object" || original === null || !copies.has(original)) return copy(original);
  let known = copies.get(original);
  if (known === undefined) copies.set(original, (known = copy(original)));
  return known;
}

/** One field of what {@link snapshot} copies, without the rest; null where there is none. */
export function peek(value: unknown, key: string): Plain {
  const original = originalOf(value);
  return typeof original === "object" && original !== null ? read(original, key) : null;
}

/** The copies of what does not change any more; undefined until one is asked for. */
const copies = new WeakMap<object, Plain | undefined>();

/** Says that an object does not change any more: one copy of it serves all who ask. */
export function keepCopyOf(original: object): void {
  copies.set(original, undefined);
}

/**
 * What the policy SDK's outermost proxy stands before: an unknown is the engine's mark there and does not throw, and reading takes
 * half as long. A proxy that unwraps secrets stays, behind the other. Only a real proxy is asked, since data may have keys of any name.
 */
export function originalOf(value: unknown): unknown {
  if (!types.isProxy(value)) return value;
  const { __isSpecialProxy: isOfSdk, __getSpecialProxyTarget: target } = value as Record<string, unknown>;
  return isOfSdk === true ? target : value;
}

function copy(value: unknown): Plain {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") {
    if (unknownOnTheWire.test(value)) return new Unknown();
    return interpolatedUnknown.test(value) ? new Unknown(value) : value;
  }
  if (typeof value === "boolean" || typeof value === "number") return value;
  if (value instanceof Unknown) return value;
  if (typeof value !== "object" || value instanceof Promise) return new Unknown();
  if (Array.isArray(value)) return Array.from({ length: value.length }, (_, index) => read(value, index));
  return Object.fromEntries(Object.keys(value).map((key) => [key, read(value, key)]));
}

function read(container: object, key: string | number): Plain {
  let value: unknown;
  try {
    value = (container as Record<string | number, unknown>)[key];
  } catch {
    return new Unknown();
  }
  return copy(value);
}

export function isUnknown(value: Plain | undefined): value is Unknown {
  return value instanceof Unknown;
}

export function isObject(value: Plain | undefined): value is PlainObject {
  return typeof value === "object" && value !== null && !isList(value) && !isUnknown(value);
}

export function isList(value: Plain | undefined): value is readonly Plain[] {
  return Array.isArray(value);
}

/**
 * A field of an object; undefined when it is missing or null, which mean the same in Kubernetes' JSON, and when `value` is
 * not an object. Only own fields count, so a label named `constructor` is not found where there is none.
 */
export function field(value: Plain | undefined, key: string): Plain | undefined {
  if (!isObject(value) || !Object.hasOwn(value, key)) return undefined;
  return value[key] ?? undefined;
}

/** The value as a message quotes it: JSON, shortened. */
export function quote(value: Plain | undefined): string {
  if (value === undefined) return "nothing";
  const json = JSON.stringify(value, (_, part: unknown) => (part instanceof Unknown ? "(not known)" : part));
  return json.length > 120 ? `${json.slice(0, 117)}...` : json;
}
