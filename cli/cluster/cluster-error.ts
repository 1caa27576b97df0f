/** There is no cluster that answers, or it does not permit what has to be read. */
export class ClusterError extends Error {
  override readonly name = "ClusterError";
}
