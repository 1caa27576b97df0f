let counts: Intl.NumberFormat | undefined;

/** `1 workload`, `25,000 workloads`. */
export function counted(count: number, singular: string, plural = `${singular}s`): string {
  return `${(counts ??= new Intl.NumberFormat("en-GB")).format(count)} ${count === 1 ? singular : plural}`;
}
