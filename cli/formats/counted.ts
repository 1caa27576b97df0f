const counts = new Intl.NumberFormat("en-GB");

/** `1 workload`, `25,000 workloads`. */
export function counted(count: number, singular: string, plural = `${singular}s`): string {
  return `${counts.format(count)} ${count === 1 ? singular : plural}`;
}
