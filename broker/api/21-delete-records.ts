/**
 * Behaviour: moves the log start offset of partitions up to an offset (-1: the high watermark); answers with the low watermark when every
 *   live replica has followed, or when the time is up.
 * Versions: v0–v2, v2 flexible.
 * Errors: OFFSET_OUT_OF_RANGE; POLICY_VIOLATION unless the topic's cleanup policy has delete; NOT_LEADER_OR_FOLLOWER; UNKNOWN_TOPIC_OR_PARTITION;
 *   INVALID_TOPIC_EXCEPTION for internal topics; REQUEST_TIMED_OUT.
 * Deviations: none.
 */
import { DeleteRecords } from '../../common/protocol/apis/21-delete-records.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Partition } from '../replica/partition.ts'
import { isInternalTopic } from '../topic-names.ts'
import { defineHandler } from './handler.ts'

interface Item {
  readonly topic: string
  readonly partitionIndex: number
  readonly partition: Partition | undefined
  error: ErrorCode
  readonly offset: number
}

export const deleteRecords = defineHandler(DeleteRecords, {
  versions: '0-2',
  runsOn: 'leader',
  handle: ({ broker }, request) => {
    const items = request.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, offset }): Item => {
        const partition = broker.replicas.partition(name, partitionIndex)
        const error =
          partition === undefined
            ? broker.replicas.missingPartitionError(name, partitionIndex)
            : isInternalTopic(name)
              ? ErrorCode.INVALID_TOPIC_EXCEPTION
              : ErrorCode.NONE
        return { topic: name, partitionIndex, partition, error, offset }
      }),
    )
    const open = items.filter(({ error }) => error === ErrorCode.NONE)
    const entries = open.map(({ partition, offset }) => ({ partition: partition as Partition, offset }))
    return broker.replicas.deleteRecords(entries, request.timeoutMs).map((results) => {
      const lowWatermarks = new Map<Item, number>()
      results.forEach(({ error, lowWatermark }, index) => {
        const item = open[index] as Item
        item.error = error
        lowWatermarks.set(item, lowWatermark)
      })
      return {
        topics: request.topics.map(({ name }) => ({
          name,
          partitions: items
            .filter(({ topic }) => topic === name)
            .map((item) => ({
              partitionIndex: item.partitionIndex,
              lowWatermark: lowWatermarks.get(item) ?? -1,
              errorCode: item.error,
            })),
        })),
      }
    })
  },
  refuse: (request, error) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        lowWatermark: -1,
        errorCode: error,
      })),
    })),
  }),
})
