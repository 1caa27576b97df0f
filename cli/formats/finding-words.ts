import type { Finding } from "../check/check-rules";

/** `NetworkPolicy erlmcp/web: spec.egress[0].to is missing`. */
export function sentence({ about, at, found }: Pick<Finding, "about" | "at" | "found">): string {
  return at === "" ? `${about} ${found}` : `${about}: ${at} ${found}`;
}

/** What goes before the reason of a finding, and before what to do about it. */
export function headings({ kind, level }: Pick<Finding, "level"> & { readonly kind: string }): {
  readonly danger: string;
  readonly fix: string;
} {
  const consequence = level === "mandatory" ? "Why it blocks" : "Why it matters";
  switch (kind) {
    case "violation":
      return { danger: "Why it is dangerous", fix: "Write instead" };
    case "unverifiable":
      return { danger: consequence, fix: "Write instead" };
    case "drift":
    case "stray":
      return { danger: "Why it is dangerous", fix: "What to do" };
    default:
      return { danger: consequence, fix: "What to do" };
  }
}
