import { list, namespaceName, reason, record, text, type ConfigField } from "./config-field";
import type { Reporter } from "./define-rule";

/** An object that a rule lets be, for good, as the keepers of the pack's configuration decided. */
export interface AllowedObject {
  readonly namespace: string;
  readonly name: string;
  readonly reason: string;
}

/** The keys of an {@link AllowedObject}, for rules whose entries have others too. */
export const allowedObjectValues = {
  namespace: namespaceName,
  name: text({
    pattern: /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/,
    allowed: "an object's name (lower-case letters, digits, hyphens and dots, at most 253)",
    example: "node-exporter",
  }),
  reason,
};

/** The key `allow`: objects that a rule lets be. */
export function allowedObjects(options: {
  description: string;
  example: AllowedObject;
}): ConfigField<readonly AllowedObject[]> {
  const { description, example } = options;
  return list(
    record<AllowedObject>({
      allowed: "an object with namespace, name and reason",
      example,
      values: allowedObjectValues,
    }),
    { description, default: [] },
  );
}

/**
 * Whether what is known of an object is what an entry asks for, field by field: false if one differs, undefined if that depends on
 * one that is not known.
 *
 * @param fields pairs of what is asked for and what is there; undefined where that is not known
 */
export function matches(fields: readonly (readonly [string, string | undefined])[]): boolean | undefined {
  if (fields.some(([asked, found]) => found !== undefined && found !== asked)) return false;
  return fields.some(([, found]) => found === undefined) ? undefined : true;
}

/** Whether one of the entries is for this object; undefined where its name or namespace is not known and one may be. */
export function allows(
  entries: readonly Pick<AllowedObject, "namespace" | "name">[],
  object: { readonly namespace: string | undefined; readonly name: string | undefined },
): boolean | undefined {
  return anyAllows(
    entries.map(({ namespace, name }) =>
      matches([
        [namespace, object.namespace],
        [name, object.name],
      ]),
    ),
  );
}

/** Whether one of the entries allows it, given what each of them says; undefined where one may. */
export function anyAllows(verdicts: readonly (boolean | undefined)[]): boolean | undefined {
  if (verdicts.includes(true)) return true;
  return verdicts.includes(undefined) ? undefined : false;
}

/** A reporter for findings that do not count when they are allowed, and cannot be verified when that is not known. */
export function unlessAllowed(allowed: boolean | undefined, report: Reporter): Reporter {
  if (allowed === false) return report;
  if (allowed === true) return { violation: () => undefined, unverifiable: () => undefined };
  return {
    unverifiable: (finding) => {
      report.unverifiable(finding);
    },
    violation: ({ found, ...finding }) => {
      report.unverifiable({
        ...finding,
        found: `${found}, and whether this rule's allow covers it depends on a value that is not known in the preview`,
      });
    },
  };
}
