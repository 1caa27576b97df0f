/*
 * Shows what a long step does and for how long. Plain JavaScript on Node.js alone, because the first step of all, `npm ci`,
 * comes before there is anything to import or to compile.
 */
import { clearInterval, setInterval } from "node:timers";

const plainIntervalMs = 15_000;
const terminalIntervalMs = 1_000;

/** @type {{ title: string, ms: number }[]} */
const finished = [];

/**
 * Runs a step, showing its title and the time it takes: on a terminal in one line that is kept up to date, elsewhere with a
 * line at the start, every 15 seconds and at the end. Steps run one after the other.
 *
 * @template T
 * @param {string} title what is being done, without a full stop
 * @param {(update: (detail: string) => void) => Promise<T>} work does it; `update` shows where it is
 * @returns {Promise<T>} what the work returns; a failure is shown and thrown on
 */
export async function step(title, work) {
  const start = Date.now();
  const out = process.stderr;
  let detail = "";
  const show = (/** @type {string} */ mark, /** @type {boolean} */ last) => {
    const text = `${mark} ${title}${detail && `: ${detail}`} (${elapsed(Date.now() - start)})`;
    if (out.isTTY) out.write(`\r\x1b[2K${text.slice(0, out.columns - 1)}${last ? "\n" : ""}`);
    else out.write(last ? `${text}\n` : `  ${elapsed(Date.now() - start)}${detail && `: ${detail}`}\n`);
  };
  if (out.isTTY) show("…", false);
  else out.write(`… ${title}\n`);
  const timer = setInterval(() => show("…", false), out.isTTY ? terminalIntervalMs : plainIntervalMs);
  try {
    const result = await work((text) => {
      detail = text;
    });
    clearInterval(timer);
    show("✓", true);
    finished.push({ title, ms: Date.now() - start });
    return result;
  } catch (error) {
    clearInterval(timer);
    show("✗", true);
    throw error;
  }
}

/** The steps that succeeded so far in this process, in their order, with the time each took. */
export function finishedSteps() {
  return [...finished];
}

/**
 * A duration for people: `850 ms`, `4.2 s`, `3 min 5 s`.
 *
 * @param {number} ms
 */
export function elapsed(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}
