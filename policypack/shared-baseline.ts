import type { StackValidationPolicy } from "@pulumi/policy";
import { baselineField } from "./baseline";
import { jsonSchemaOf } from "./config-field";

/** The policy whose configuration holds the baseline of all rules; it finds nothing itself. */
export const baselinePolicyName = "baseline";

/** The baseline of all rules, as the user wrote it: the engine tells each policy its own configuration only. */
export class SharedBaseline {
  private items: unknown;

  set(items: unknown): void {
    this.items = items;
  }

  addTo(settings: unknown): unknown {
    return withSharedBaseline(settings, this.items);
  }
}

/** That of this process's rules: the engine gives every run of a pack a process of its own. */
export const sharedBaseline = new SharedBaseline();

/**
 * A rule's settings with the baseline of all rules before its own. What is wrong with either stays in, for the rule to refuse.
 *
 * @param shared undefined or an empty list for none
 */
export function withSharedBaseline(settings: unknown, shared: unknown): unknown {
  if (shared === undefined || (Array.isArray(shared) && shared.length === 0)) return settings;
  if (settings === undefined) return { baseline: shared };
  if (typeof settings !== "object" || settings === null) return settings;
  const own = "baseline" in settings ? settings.baseline : undefined;
  if (own !== undefined && !Array.isArray(own)) return settings;
  if (!Array.isArray(shared)) return { ...settings, baseline: shared };
  return { ...settings, baseline: [...(shared as unknown[]), ...((own ?? []) as unknown[])] };
}

/** The policy that takes the baseline of all rules. It goes first in a pack, since policies run in the order of the pack. */
export function baselinePolicy(baseline = sharedBaseline): StackValidationPolicy {
  return {
    name: baselinePolicyName,
    description:
      "What is in the cluster already counts, for every rule that judges policies and pods together.",
    enforcementLevel: "mandatory",
    configSchema: { properties: jsonSchemaOf(baselineField) },
    validateStack: (args) => {
      baseline.set(args.getConfig<{ baseline?: unknown }>().baseline);
    },
  };
}
