/** One thing wrong with the configuration or a network definition, told so that it can be put right at once. */
export interface Problem {
  /** Where: a config key such as `privateEndpoints[0].cidr`, or a row of the matrix such as `flows.app-redis.ports`. */
  readonly key: string;
  /** The value found there, as the user wrote it; undefined where something is missing. */
  readonly value: unknown;
  /** What is wrong with it. */
  readonly message: string;
  /** What would be accepted. */
  readonly allowed: string;
  /** What to do. */
  readonly fix: string;
}

/** Every problem found, in one error, so that nobody has to fix them one preview at a time. */
export class InvalidNetworkError extends Error {
  constructor(
    readonly source: string,
    readonly problems: readonly Problem[],
  ) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    super([`${source} has ${count}; nothing was deployed.`, ...problems.map(formatProblem)].join("\n\n"));
    this.name = "InvalidNetworkError";
  }
}

function formatProblem({ key, value, message, allowed, fix }: Problem): string {
  return [
    `  ${key}: ${message}`,
    `    found:   ${value === undefined ? "nothing" : JSON.stringify(value)}`,
    `    allowed: ${allowed}`,
    `    fix:     ${fix}`,
  ].join("\n");
}
