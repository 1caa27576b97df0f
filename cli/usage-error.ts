/** Something the caller has to put right before the command can start: a missing file, an unknown stack, a folder in use. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
