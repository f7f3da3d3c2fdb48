/**
 * Behaviour: forgets committed offsets of partitions that no member of the group reads (KIP-496).
 * Versions: v0.
 * Errors: GROUP_ID_NOT_FOUND; NON_EMPTY_GROUP for groups that are not consumers; GROUP_SUBSCRIBED_TO_TOPIC, UNKNOWN_TOPIC_OR_PARTITION for single
 *   partitions; INVALID_GROUP_ID; those of finding the coordinator.
 * Deviations: none.
 */
import { OffsetDelete } from '../../common/protocol/apis/47-offset-delete.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { defineHandler } from './handler.ts'

export const offsetDelete = defineHandler(OffsetDelete, {
  versions: '0',
  runsOn: 'groupCoordinator',
  handle: ({ broker }, request) => {
    const exists = (name: string, partition: number) =>
      broker.metadata.topicsByName.get(name)?.partitions[partition] !== undefined
    const existing = request.topics.map(({ name, partitions }) => ({
      name,
      partitionIndexes: partitions
        .map(({ partitionIndex }) => partitionIndex)
        .filter((partition) => exists(name, partition)),
    }))
    return broker.groups
      .deleteOffsets(
        request.groupId,
        existing.filter(({ partitionIndexes }) => partitionIndexes.length > 0),
      )
      .map(({ errorCode, topics }) => {
        if (errorCode !== ErrorCode.NONE) return { errorCode, topics: [] }
        return {
          errorCode,
          topics: request.topics.map(({ name, partitions }) => ({
            name,
            partitions: [
              ...partitions
                .filter(({ partitionIndex }) => !exists(name, partitionIndex))
                .map(({ partitionIndex }) => ({
                  partitionIndex,
                  errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
                })),
              ...(topics.find((topic) => topic.name === name)?.partitions ?? []),
            ],
          })),
        }
      })
  },
  refuse: (_request, error) => ({ errorCode: error, topics: [] }),
})
