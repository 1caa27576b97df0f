import type { PolicyConfigJSONSchema } from "@pulumi/policy/schema";
import { readCidr } from "./address-set";

/** What is wrong with one value of a rule's configuration. */
export interface ConfigProblem {
  /** Where: `privateEndpoints[0].cidr`. */
  readonly key: string;
  /** The value found, as JSON. */
  readonly found: string;
  readonly allowed: string;
  readonly fix: string;
}

/** One key of a rule's configuration: its JSON schema for the engine, its default, and its strict reader. */
export interface ConfigField<T> {
  readonly description: string;
  /** The part of the JSON schema that says which values are allowed, without description and default. */
  readonly schema: PolicyConfigJSONSchema;
  /** Which values are allowed, in words. */
  readonly allowed: string;
  /** What absence means. */
  readonly default: T;
  /** The value, typed, after adding to `problems` whatever is wrong with it. */
  readonly read: (value: unknown, key: string, problems: ConfigProblem[]) => T;
}

export type ConfigFields = Readonly<Record<string, ConfigField<unknown>>>;

/** The typed configuration that a rule with these fields gets. */
export type ConfigOf<F extends ConfigFields> = {
  readonly [K in keyof F]: F[K] extends ConfigField<infer T> ? T : never;
};

/** The values of one kind that a list or an object of a configuration may hold. */
export interface ConfigValue<T> {
  readonly schema: PolicyConfigJSONSchema;
  readonly allowed: string;
  /** Example of an allowed value, as it is written in a fix. */
  readonly example: unknown;
  /** Says what is wrong by returning undefined or adding to `problems`. */
  readonly read: (value: unknown, key: string, problems: ConfigProblem[]) => T | undefined;
}

/**
 * Reads a rule's configuration: defaults for absent keys, and every problem of the others. A value that is wrong is never
 * replaced by its default; the caller must not judge with a configuration that has problems.
 */
export function readConfig<F extends ConfigFields>(
  fields: F,
  given: unknown,
): { readonly config: ConfigOf<F>; readonly problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const values = isRecord(given) ? given : {};
  const keys = Object.keys(fields);
  if (given !== undefined && !isRecord(given)) {
    problems.push({
      key: "(the rule's configuration)",
      found: json(given),
      allowed: "an object",
      fix: "write an object",
    });
  }
  for (const key of Object.keys(values).filter((name) => !keys.includes(name))) {
    const allowed = keys.length === 0 ? "this rule has no configuration keys" : `the keys ${keys.join(", ")}`;
    problems.push({ key, found: json(values[key]), allowed, fix: `remove ${key} or correct its spelling` });
  }
  const config = Object.fromEntries(
    Object.entries(fields).map(([key, field]) => [
      key,
      values[key] === undefined ? field.default : field.read(values[key], key, problems),
    ]),
  );
  return { config: config as ConfigOf<F>, problems };
}

/** The fields as the engine wants them: a JSON schema by key, with description and default. */
export function jsonSchemaOf(fields: ConfigFields): Record<string, PolicyConfigJSONSchema> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, { schema, description, default: fallback }]) => [
      key,
      { ...schema, description, default: fallback as NonNullable<PolicyConfigJSONSchema["default"]> },
    ]),
  );
}

/** Text that matches the pattern, described by `allowed`. */
export function text(options: { pattern: RegExp; allowed: string; example: string }): ConfigValue<string> {
  const { pattern, allowed, example } = options;
  return {
    schema: { type: "string", pattern: pattern.source },
    allowed,
    example,
    read: (value, key, problems) => {
      if (typeof value === "string" && pattern.test(value)) return value;
      refuse(problems, key, value, allowed, example);
      return undefined;
    },
  };
}

/** A CIDR without host bits, IPv4 or IPv6. */
export const cidr: ConfigValue<string> = {
  schema: { type: "string" },
  allowed: "a network in CIDR notation with no bits set beyond its prefix",
  example: "10.20.0.0/16",
  read: (value, key, problems) => {
    const reading = typeof value === "string" ? readCidr(value) : undefined;
    if (reading?.ok === true && reading.networkOfHostBits === undefined) return value as string;
    const network = reading?.ok === true ? reading.networkOfHostBits : undefined;
    refuse(problems, key, value, cidr.allowed, network ?? cidr.example);
    return undefined;
  },
};

/** Why an exception is made. */
export const reason = text({
  pattern: /\S/,
  allowed: "a text that says why",
  example: "payment provider over the VPN",
});

/** The name of a namespace (RFC 1123 label). */
export const namespaceName = text({
  pattern: /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
  allowed: "a namespace name (lower-case letters, digits and hyphens, at most 63)",
  example: "monitoring",
});

/** The number of a port. */
export const portNumber: ConfigValue<number> = {
  schema: { type: "integer", minimum: 1, maximum: 65535 },
  allowed: "a whole number from 1 to 65535",
  example: 8443,
  read: (value, key, problems) => {
    if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 65535) return value;
    refuse(problems, key, value, portNumber.allowed, portNumber.example);
    return undefined;
  },
};

/** The value of a label. */
export const labelValue = text({
  pattern: /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/,
  allowed: "a label value (at most 63 letters, digits, hyphens, dots and underscores)",
  example: "restricted",
});

export function boolean(options: { description: string; default: boolean }): ConfigField<boolean> {
  return {
    ...options,
    schema: { type: "boolean" },
    allowed: "true or false",
    read: (value, key, problems) => {
      if (typeof value === "boolean") return value;
      refuse(problems, key, value, "true or false", options.default);
      return options.default;
    },
  };
}

/** A whole number within inclusive bounds. */
export function integer(options: {
  description: string;
  default: number;
  minimum: number;
  maximum: number;
}): ConfigField<number> {
  const { minimum, maximum } = options;
  const allowed = `a whole number from ${minimum} to ${maximum}`;
  return {
    description: options.description,
    default: options.default,
    schema: { type: "integer", minimum, maximum },
    allowed,
    read: (value, key, problems) => {
      if (typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum)
        return value;
      refuse(problems, key, value, allowed, options.default);
      return options.default;
    },
  };
}

/** A list of values of one kind. */
export function list<T>(
  item: ConfigValue<T>,
  options: { description: string; default: readonly T[]; minItems?: number },
): ConfigField<readonly T[]> {
  const { description, minItems = 0 } = options;
  const allowed = `a list${minItems > 0 ? ` of at least ${minItems}` : ""}, each item ${item.allowed}`;
  return {
    description,
    default: options.default,
    schema: { type: "array", items: item.schema, ...(minItems > 0 ? { minItems } : {}) },
    allowed,
    read: (value, key, problems) => {
      if (Array.isArray(value) && value.length >= minItems) return readItems(item, value, key, problems);
      refuse(problems, key, value, allowed, [item.example]);
      return options.default;
    },
  };
}

/** An object with a value of one kind under each key, such as labels. */
export function mapping<T>(
  item: ConfigValue<T>,
  options: { description: string; default: Readonly<Record<string, T>>; keys: string },
): ConfigField<Readonly<Record<string, T>>> {
  const { description, keys, default: fallback } = options;
  const { schema, allowed, read } = mappingOf(item, { keys, example: fallback });
  return {
    description,
    default: fallback,
    schema,
    allowed,
    read: (value, key, problems) => read(value, key, problems) ?? fallback,
  };
}

/** A {@link mapping} as a value of a {@link record}. */
export function mappingOf<T>(
  item: ConfigValue<T>,
  { keys, example }: { keys: string; example: Readonly<Record<string, T>> },
): ConfigValue<Readonly<Record<string, T>>> {
  const allowed = `an object from ${keys} to ${item.allowed}`;
  return {
    schema: { type: "object", additionalProperties: item.schema },
    allowed,
    example,
    read: (value, key, problems) => {
      if (isRecord(value)) {
        const entries = Object.entries(value).map(([name, entry]) => [
          name,
          item.read(entry, `${key}.${name}`, problems),
        ]);
        return Object.fromEntries(entries) as Record<string, T>;
      }
      refuse(problems, key, value, allowed, example);
      return undefined;
    },
  };
}

/** An object with fixed keys, each of its own kind. Keys in `optional` may be missing; any other key is a problem. */
export function record<R extends object>(options: {
  allowed: string;
  example: R;
  values: { readonly [K in keyof R]-?: ConfigValue<Exclude<R[K], undefined>> };
  optional?: readonly (keyof R & string)[];
}): ConfigValue<R> {
  const { allowed, example, optional = [] } = options;
  const values = options.values as Readonly<Record<string, ConfigValue<unknown>>>;
  const required = Object.keys(values).filter((key) => !(optional as readonly string[]).includes(key));
  return {
    schema: {
      type: "object",
      properties: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value.schema])),
      required,
      additionalProperties: false,
    },
    allowed,
    example,
    read: (given, key, problems) => {
      if (!isRecord(given)) {
        refuse(problems, key, given, allowed, example);
        return undefined;
      }
      for (const name of Object.keys(given).filter((name) => !Object.hasOwn(values, name))) {
        refuse(
          problems,
          `${key}.${name}`,
          given[name],
          `only the keys ${Object.keys(values).join(", ")}`,
          example,
          key,
        );
      }
      for (const name of required.filter((name) => given[name] === undefined)) {
        refuse(problems, `${key}.${name}`, undefined, values[name]?.allowed ?? "", values[name]?.example);
      }
      const entries = Object.entries(values)
        .filter(([name]) => given[name] !== undefined)
        .map(([name, value]) => [name, value.read(given[name], `${key}.${name}`, problems)]);
      return Object.fromEntries(entries) as R;
    },
  };
}

/** A list as a value of a {@link record}. */
export function listOf<T>(item: ConfigValue<T>): ConfigValue<readonly T[]> {
  const allowed = `a list, each item ${item.allowed}`;
  return {
    schema: { type: "array", items: item.schema },
    allowed,
    example: [item.example],
    read: (value, key, problems) => {
      if (Array.isArray(value)) return readItems(item, value, key, problems);
      refuse(problems, key, value, allowed, [item.example]);
      return undefined;
    },
  };
}

/** The problem as a sentence. */
export function describeConfigProblem({ key, found, allowed, fix }: ConfigProblem): string {
  return `${key} is ${found}; allowed: ${allowed}. Fix: ${fix}.`;
}

function readItems<T>(
  item: ConfigValue<T>,
  value: readonly unknown[],
  key: string,
  problems: ConfigProblem[],
): T[] {
  return value.flatMap((entry, index) => {
    const read = item.read(entry, `${key}[${index}]`, problems);
    return read === undefined ? [] : [read];
  });
}

/** Adds the problem of a value that is not allowed, with an example of one that is. */
export function refuse(
  problems: ConfigProblem[],
  key: string,
  value: unknown,
  allowed: string,
  example: unknown,
  fixedKey = key,
): void {
  problems.push({
    key,
    found: json(value),
    allowed,
    fix: `write, for instance, ${fixedKey}: ${json(example)}`,
  });
  return undefined;
}

function json(value: unknown): string {
  return value === undefined ? "missing" : JSON.stringify(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
