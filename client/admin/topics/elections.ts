/** `electLeaders`: makes the preferred replica, or any that is left, the leader. */
import { ElectLeaders } from '../../../common/protocol/apis/43-elect-leaders.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import { ElectionType } from '../../constants.ts'
import { KafkaError, KafkaException, kafkaException } from '../../errors.ts'
import { TopicPartition } from '../../values/topic-partition.ts'
import type { AdminEngine } from '../admin-engine.ts'
import { type OperationOptions, OptionReader } from '../admin-options.ts'
import { byTopic, partitionsOf } from '../arguments.ts'
import { KeyedMap } from '../keyed-map.ts'

/**
 * @param partitions null: all of them; those that need no election are left out of the result
 * @returns null where a leader was elected, otherwise why not
 */
export async function electLeaders(
  engine: AdminEngine,
  electionType: ElectionType,
  partitions?: readonly TopicPartition[] | null,
  options?: OperationOptions,
): Promise<KeyedMap<TopicPartition, KafkaError | null>> {
  if (electionType !== ElectionType.PREFERRED && electionType !== ElectionType.UNCLEAN) {
    throw new TypeError('electionType must be a member of ElectionType')
  }
  const entries = partitions === undefined || partitions === null ? null : [...partitionsOf(partitions)]
  const reader = new OptionReader(options)
  const operationTimeoutMs = reader.operationTimeoutMs()
  const limits = reader.limits()
  const elected = new KeyedMap<TopicPartition, KafkaError | null>()
  if (entries !== null && new Set(entries.map((entry) => entry.key())).size !== entries.length) {
    throw kafkaException(KafkaError._INVALID_ARG, 'A partition is named twice')
  }
  if (entries?.length === 0) return elected
  return await engine.single(limits, async (call) => {
    const topicPartitions =
      entries === null
        ? null
        : byTopic(entries).map(([topic, list]) => ({
            topic,
            partitions: list.map(({ partition }) => partition),
          }))
    const { response } = await call.ask(
      { kind: 'controller' },
      {
        api: ElectLeaders,
        minVersion: electionType === ElectionType.UNCLEAN ? 1 : 0,
        body: (version) => ({
          topicPartitions,
          timeoutMs: call.brokerTimeoutMs(operationTimeoutMs),
          ...(version >= 1 ? { electionType } : {}),
        }),
        codesOf: (answer) => [
          answer.errorCode,
          ...answer.replicaElectionResults.flatMap(({ partitionResult }) =>
            partitionResult.map(({ errorCode }) => errorCode),
          ),
        ],
      },
    )
    if (response.errorCode !== ErrorCode.NONE) throw new KafkaException(new KafkaError(response.errorCode))
    for (const { topic, partitionResult } of response.replicaElectionResults) {
      for (const { partitionId, errorCode, errorMessage } of partitionResult) {
        const isElected = errorCode === ErrorCode.NONE
        const error = isElected ? null : new KafkaError(errorCode, errorMessage || undefined)
        elected.set(new TopicPartition(topic, partitionId), error)
      }
    }
    return elected
  })
}
