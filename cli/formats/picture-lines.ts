import type { Arrow, PictureNode } from "./picture";
import { wrap } from "./wrap";

export interface NodeLine {
  readonly text: string;
  readonly about: "label" | "within" | "open";
}

/** What a node says, in short lines: its label, then what its own pods may say to each other, then what is open. */
export function nodeLines({ label, within, open }: PictureNode): NodeLine[] {
  const line = (about: NodeLine["about"]) => (text: string) => ({ text, about });
  return [
    ...wrap(label, 32, 5).map(line("label")),
    ...(within === undefined ? [] : wrap(`among its pods: ${within}`, 32, 4).map(line("within"))),
    ...(open === undefined ? [] : wrap(open, 32, 2).map(line("open"))),
  ];
}

/** The ports of an arrow, in short lines. */
export function arrowLines({ ports }: Arrow): string[] {
  return wrap(ports, 24, 4);
}
