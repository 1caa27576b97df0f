import { parts } from "./parts.mjs";

// Set by run.mjs, which is the way to start this.
const part = process.env.ZERO_TRUST_STRYKER_PART;
const { specs } = parts[part];

/** @type {import("@stryker-mutator/api/core").PartialStrykerOptions} */
export default {
  testRunner: "mocha",
  mochaOptions: { "no-config": true, require: ["ts-node/register/transpile-only"], spec: specs },
  // Each mutant is judged by the tests that run it, and by no other.
  coverageAnalysis: "perTest",
  // What runs once, when a module is loaded, is a rule's data: its documentation, examples and defaults, which the catalogue shows.
  ignoreStatic: true,
  mutator: {
    excludedMutations: [
      // Text is what a person reads: titles, dangers, remedies, examples. Specs hold the messages word by word, but a mutant of every
      // word says nothing of what a rule finds.
      "StringLiteral",
      // Lint allows `?.` only where the value may be missing, and there the compiler refuses `.`.
      "OptionalChaining",
    ],
  },
  plugins: ["@stryker-mutator/*", "./stryker/ignorers.mjs"],
  ignorers: ["caches", "empty-lists"],
  ignorePatterns: ["dist", "/.sandbox", "/bench", "/examples", "/reports", "/stryker"],
  concurrency: 1,
  // A mutant that loops forever is killed by time; a busy machine alone must not do that.
  timeoutMS: 5000,
  timeoutFactor: 2,
  // Only what has changed since the last run is tried anew; without reports/stryker everything is.
  incremental: true,
  incrementalFile: `reports/stryker/${part}.json`,
  reporters: ["html", "clear-text", process.stdout.isTTY ? "progress" : "progress-append-only"],
  htmlReporter: { fileName: `reports/stryker/${part}.html` },
  clearTextReporter: { logTests: false, reportTests: false, skipFull: true },
  allowEmpty: true,
  allowConsoleColors: false,
};
