/** The acknowledgements that ShareFetch and ShareAcknowledge carry in the same form. */
import type { AcknowledgementBatch } from '../share/acknowledgement.ts'
import type { PartitionAcknowledgement } from '../share/share-partition-manager.ts'

export function acknowledgementsIn(
  topics: readonly {
    readonly topicId: string
    readonly partitions: readonly {
      readonly partitionIndex: number
      readonly acknowledgementBatches: readonly AcknowledgementBatch[]
    }[]
  }[],
): PartitionAcknowledgement[] {
  return topics.flatMap(({ topicId, partitions }) =>
    partitions
      .filter(({ acknowledgementBatches }) => acknowledgementBatches.length > 0)
      .map(({ partitionIndex, acknowledgementBatches }) => ({
        topicId,
        partition: partitionIndex,
        batches: acknowledgementBatches,
      })),
  )
}
