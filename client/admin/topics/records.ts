/** `deleteRecords`: removes what lies before an offset. */
import { DeleteRecords } from '../../../common/protocol/apis/21-delete-records.ts'
import { KafkaException } from '../../errors.ts'
import type { TopicPartition } from '../../values/topic-partition.ts'
import type { AdminEngine } from '../admin-engine.ts'
import { type OperationOptions, OptionReader } from '../admin-options.ts'
import { byTopic, partitionsOf } from '../arguments.ts'
import type { ResultMap } from '../keyed-map.ts'
import { askLeaders } from '../leader-calls.ts'
import { mayTryAgain } from '../may-try-again.ts'

export interface DeletedRecords {
  /** The oldest offset that is left. */
  readonly lowWatermark: number
}

/** @param partitions `offset` is the first that stays; OFFSET_END removes everything */
export function deleteRecords(
  engine: AdminEngine,
  partitions: readonly TopicPartition[],
  options?: OperationOptions,
): ResultMap<TopicPartition, DeletedRecords> {
  const entries = [...partitionsOf(partitions)]
  const reader = new OptionReader(options)
  const operationTimeoutMs = reader.operationTimeoutMs()
  const limits = reader.limits()
  return engine.keyed<TopicPartition, DeletedRecords>(entries, limits, async (call, results) => {
    await askLeaders(call, results, entries, async (broker, own) => {
      const topics = byTopic(own).map(([name, list]) => ({
        name,
        partitions: list.map(({ partition, offset }) => ({ partitionIndex: partition, offset })),
      }))
      const result = await call.tryRequest(broker, {
        api: DeleteRecords,
        body: { topics, timeoutMs: call.brokerTimeoutMs(operationTimeoutMs) },
      })
      if (!result.ok) {
        if (mayTryAgain(result, true)) return undefined
        throw new KafkaException(result.error)
      }
      return result.response.topics.flatMap(({ name, partitions: answers }) =>
        answers.map(({ partitionIndex, errorCode, lowWatermark }) => ({
          topic: name,
          partition: partitionIndex,
          errorCode,
          value: { lowWatermark },
        })),
      )
    })
  })
}
