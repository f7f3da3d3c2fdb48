/** Answers of the share state APIs, which are all lists of topics with lists of partitions. */
import type { ErrorCode } from '../../common/protocol/errors.ts'

interface RefusedTopic {
  topicId: string
  partitions: { partition: number; errorCode: ErrorCode; errorMessage: string | null }[]
}

/** The same refusal for every partition that was asked of. */
export function refuseEach(
  topics: readonly {
    readonly topicId: string
    readonly partitions: readonly { readonly partition: number }[]
  }[],
  errorCode: ErrorCode,
  errorMessage: string | null = null,
): RefusedTopic[] {
  return topics.map(({ topicId, partitions }) => ({
    topicId,
    partitions: partitions.map(({ partition }) => ({ partition, errorCode, errorMessage })),
  }))
}

/** Refused partitions say nothing but their error; the other fields hold these values then. */
export function withDefaults<Partition extends object, Defaults extends object>(
  results: readonly { readonly topicId: string; readonly partitions: readonly Partition[] }[],
  defaults: Defaults,
): { topicId: string; partitions: (Defaults & Partition)[] }[] {
  return results.map(({ topicId, partitions }) => ({
    topicId,
    partitions: partitions.map((partition) => ({ ...defaults, ...partition })),
  }))
}
