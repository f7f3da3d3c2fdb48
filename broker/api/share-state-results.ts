/** Refused partitions of the share state APIs say nothing but their error; the other fields hold these values then. */
export function withDefaults<Partition extends object, Defaults extends object>(
  results: readonly { readonly topicId: string; readonly partitions: readonly Partition[] }[],
  defaults: Defaults,
): { topicId: string; partitions: (Defaults & Partition)[] }[] {
  return results.map(({ topicId, partitions }) => ({
    topicId,
    partitions: partitions.map((partition) => ({ ...defaults, ...partition })),
  }))
}
