import { allowedObjectValues, anyAllows, matches } from "./allowed-object";
import { list, record, text, type ConfigField, type ConfigValue } from "./config-field";
import type { Kind, KubernetesObject } from "./kubernetes-object";

/** An object of one of a rule's kinds that the rule lets be, for good, as the keepers of the pack's configuration decided. */
export interface AllowedOfKind {
  readonly kind: string;
  /** Undefined for kinds that are in no namespace, and for those only. */
  readonly namespace?: string;
  readonly name: string;
  readonly reason: string;
}

/**
 * The key `allow` of a rule for kinds with and without a namespace.
 *
 * @param options.name which names there are; default: DNS subdomains
 */
export function allowedOfKinds(
  kinds: readonly Kind[],
  options: {
    readonly description: string;
    readonly example: AllowedOfKind;
    readonly name?: ConfigValue<string>;
  },
): ConfigField<readonly AllowedOfKind[]> {
  const { description, example, name = allowedObjectValues.name } = options;
  const names = [...new Set(kinds.map(({ kind }) => kind))];
  const values = record<AllowedOfKind>({
    allowed: `an object with kind (${names.join(", ")}), namespace (if the kind has one), name and reason`,
    example,
    values: {
      kind: text({
        pattern: new RegExp(`^(${names.join("|")})$`),
        allowed: `one of ${names.join(", ")}`,
        example: example.kind,
      }),
      ...allowedObjectValues,
      name,
    },
    optional: ["namespace"],
  });
  const entry: ConfigValue<AllowedOfKind> = {
    ...values,
    read: (value, key, problems) => {
      const before = problems.length;
      const read = values.read(value, key, problems);
      if (read === undefined || problems.length > before) return read;
      const { kind, namespace } = read;
      const clusterScoped = kinds.some((known) => known.kind === kind && known.clusterScoped === true);
      if (clusterScoped === (namespace === undefined)) return read;
      problems.push(
        clusterScoped
          ? {
              key: `${key}.namespace`,
              found: JSON.stringify(namespace),
              allowed: `none: a ${kind} is in no namespace`,
              fix: "remove it",
            }
          : {
              key: `${key}.namespace`,
              found: "missing",
              allowed: allowedObjectValues.namespace.allowed,
              fix: `write the namespace of the ${kind}`,
            },
      );
      return undefined;
    },
  };
  return list(entry, { description, default: [] });
}

/** Whether one of the entries is for this object; undefined where its name or namespace is not known and one may be. */
export function allowsOfKind(
  entries: readonly AllowedOfKind[],
  { kind, namespace, name }: KubernetesObject,
): boolean | undefined {
  return anyAllows(
    entries.map((entry) =>
      matches([
        [entry.kind, kind],
        [entry.name, name],
        ...(entry.namespace === undefined ? [] : [[entry.namespace, namespace] as const]),
      ]),
    ),
  );
}
