import type { Finding as RuleFinding } from "../check/check-rules";

/** What a check found, in the form of the rules' findings. */
export interface Finding extends Omit<RuleFinding, "rule" | "kind" | "place"> {
  /** The policy that found it; undefined where the comparison with a stack did, or what was read itself. */
  readonly rule: string | undefined;
  /**
   * Besides what a rule says: `drift`, the cluster is not as the stack says; `stray`, nobody declared it; `unreadable`, what depends on
   * it was not judged.
   */
  readonly kind: RuleFinding["kind"] | "drift" | "stray" | "unreadable";
}

/** A finding that no rule made. It always fails its check. */
export function ownFinding(
  finding: Pick<Finding, "kind" | "about" | "found" | "danger" | "fix"> & { readonly at?: string },
): Finding {
  return {
    rule: undefined,
    level: "mandatory",
    at: "",
    documentation: "docs/validate.md#what-is-checked",
    ...finding,
  };
}
