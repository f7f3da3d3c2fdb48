/**
 * Behaviour: the producers that a replica's log remembers, for finding hanging transactions (KIP-664). Any broker with a replica answers,
 *   the leader or not.
 * Versions: v0.
 * Errors: INVALID_TOPIC_EXCEPTION; UNKNOWN_TOPIC_OR_PARTITION; NOT_LEADER_OR_FOLLOWER when the replica is on other brokers;
 *   KAFKA_STORAGE_ERROR when its directory has failed. A topic that does not exist has a message, a partition that does not has none.
 * Deviations: none.
 */
import { DescribeProducers } from '../../common/protocol/apis/61-describe-producers.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ResponseInputOf } from '../../common/protocol/schema.ts'
import { checkTopicName } from '../controller/topic-names.ts'
import type { BrokerServices } from '../services.ts'
import { defineHandler } from './handler.ts'
import { UNKNOWN_PARTITION_MESSAGE } from './topic-view.ts'

type Response = ResponseInputOf<typeof DescribeProducers>
type PartitionAnswer = Response['topics'][number]['partitions'][number]

function refused(
  partitionIndex: number,
  errorCode: ErrorCode,
  errorMessage: string | null = null,
): PartitionAnswer {
  return { partitionIndex, errorCode, errorMessage, activeProducers: [] }
}

function describe(broker: BrokerServices, topic: string, partitionIndex: number): PartitionAnswer {
  const partition = broker.replicas.partition(topic, partitionIndex)
  if (partition === undefined) {
    return refused(partitionIndex, broker.replicas.missingPartitionError(topic, partitionIndex))
  }
  const { log } = partition
  if (log === undefined) return refused(partitionIndex, ErrorCode.NOT_LEADER_OR_FOLLOWER)
  if (log.isFailed) return refused(partitionIndex, ErrorCode.KAFKA_STORAGE_ERROR)
  return {
    partitionIndex,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    activeProducers: log.activeProducers().map(({ currentTransactionStartOffset, ...producer }) => ({
      ...producer,
      currentTxnStartOffset: currentTransactionStartOffset ?? -1,
    })),
  }
}

export const describeProducers = defineHandler(DescribeProducers, {
  versions: '0',
  runsOn: 'any',
  handle: ({ broker }, request) => ({
    topics: request.topics.map(({ name, partitionIndexes }) => {
      const { error, message } = checkTopicName(name)
      const isKnown = broker.metadata.topicsByName.has(name)
      return {
        name,
        partitions: partitionIndexes.map((index) => {
          if (error !== ErrorCode.NONE) return refused(index, error, message)
          if (isKnown) return describe(broker, name, index)
          return refused(index, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_PARTITION_MESSAGE)
        }),
      }
    }),
  }),
  refuse: (request, error, message) => ({
    topics: request.topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((index) => refused(index, error, message ?? null)),
    })),
  }),
})
