import type { Violation } from "../../policypack/define-rule";

/** What a check found. The fields of the text are those of the rules' violations. */
export interface Finding {
  /**
   * A kind of the rules' violations; `drift`: the cluster is not as the stack says; `stray`: nobody declared it; `unreadable`: what
   * depends on it was not judged.
   */
  readonly kind: Violation["kind"] | "drift" | "stray" | "unreadable";
  /** The rule of the policy pack that found it; undefined where none did. */
  readonly rule: string | undefined;
  /** Whether the check fails because of it; otherwise it is advice. */
  readonly fails: boolean;
  /** What it is about, as messages name it: `NetworkPolicy erlmcp/erlmcp-egress`. */
  readonly about: string;
  /** Path of the field; "" where it is about no field. */
  readonly at: string;
  /** All of it. */
  readonly message: string;
}

/** The text of a finding that no rule made, in the form of the rules' messages. Each of `found` ends a sentence that `about` begins. */
export function messageOf(parts: {
  readonly about: string;
  readonly found: readonly string[];
  readonly danger: string;
  readonly fix: string;
}): string {
  const { about, found, danger, fix } = parts;
  return [
    ...found.map((sentence) => `${about}: ${sentence}.`),
    `Why it is dangerous: ${danger}`,
    `What to do: ${fix}`,
  ].join("\n");
}
