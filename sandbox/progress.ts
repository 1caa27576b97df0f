import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { projectRoot } from "./paths";

/** What sandbox/progress.mjs exports. */
export interface Progress {
  /** Runs a step, showing its title and the time it takes. A failure is shown and thrown on. */
  readonly step: <T>(title: string, work: (update: (detail: string) => void) => Promise<T>) => Promise<T>;
  /** The steps that succeeded so far in this process, with the time each took. */
  readonly finishedSteps: () => { title: string; ms: number }[];
  /** A duration for people: `850 ms`, `4.2 s`, `3 min 5 s`. */
  readonly elapsed: (ms: number) => string;
}

/** The progress display, which is one for what runs before compilation and after: it stays where the sources are. */
export async function progress(): Promise<Progress> {
  const file = pathToFileURL(path.join(projectRoot(), "sandbox", "progress.mjs")).href;
  return (await import(file)) as Progress;
}
