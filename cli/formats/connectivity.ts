import type { Reachability } from "../../policypack/reachability/reachability";
import { csv } from "./csv";
import { dot } from "./dot";
import { json } from "./json";
import { markdown } from "./markdown";
import { mermaid } from "./mermaid";
import { svg } from "./svg";
import { text } from "./text";

export const connectivityFormats = ["text", "md", "csv", "json", "dot", "svg", "mermaid"] as const;
export type ConnectivityFormat = (typeof connectivityFormats)[number];

/**
 * What is open in a cluster, in one of the formats; ends with a newline.
 *
 * @param colour whether `text` uses ANSI colours; the other formats have none
 * @returns the text in pieces that belong together without anything between them: the whole can be longer than one string
 */
export function formatConnectivity(
  reachability: Reachability,
  format: ConnectivityFormat,
  colour: boolean,
): Iterable<string> {
  switch (format) {
    case "text":
      return text(reachability, colour);
    case "md":
      return [markdown(reachability)];
    case "csv":
      return csv(reachability);
    case "json":
      return json(reachability);
    case "dot":
      return [dot(reachability)];
    case "svg":
      return [svg(reachability)];
    case "mermaid":
      return [mermaid(reachability)];
  }
}
