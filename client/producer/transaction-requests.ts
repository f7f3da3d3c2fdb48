/**
 * What a transactional producer asks of coordinators: InitProducerId, AddPartitionsToTxn, EndTxn and AddOffsetsToTxn of that of its
 * transactional id, TxnOffsetCommit of that of the consumers' group. Each goes on until trying again is of no use, and rejects
 * with a KafkaException then; when to ask, and what the answers mean, is `TransactionManager`'s to know.
 */
import {
  InitProducerId,
  type InitProducerIdResponse,
} from '../../common/protocol/apis/22-init-producer-id.ts'
import { AddPartitionsToTxn } from '../../common/protocol/apis/24-add-partitions-to-txn.ts'
import { AddOffsetsToTxn } from '../../common/protocol/apis/25-add-offsets-to-txn.ts'
import { EndTxn, type EndTxnResponse } from '../../common/protocol/apis/26-end-txn.ts'
import { TxnOffsetCommit } from '../../common/protocol/apis/28-txn-offset-commit.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ClientCore } from '../client-core.ts'
import { Coordinator, CoordinatorType } from '../connections/coordinator.ts'
import type { ConsumerGroupMetadata } from '../values/consumer-group-metadata.ts'
import type { TopicPartition } from '../values/topic-partition.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { ProducerState } from './producer-batch.ts'

const concurrent: ReadonlySet<number> = new Set([ErrorCode.CONCURRENT_TRANSACTIONS])
const partitionRetryCodes: ReadonlySet<number> = new Set([
  ErrorCode.CONCURRENT_TRANSACTIONS,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
])
const offsetRetryCodes: ReadonlySet<number> = new Set([
  ErrorCode.CONCURRENT_TRANSACTIONS,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.REQUEST_TIMED_OUT,
])

export class TransactionRequests {
  readonly #core: ClientCore
  readonly #transactionalId: string
  readonly #coordinator: Coordinator

  constructor(core: ClientCore, transactionalId: string) {
    this.#core = core
    this.#transactionalId = transactionalId
    this.#coordinator = new Coordinator(core, CoordinatorType.transaction, transactionalId)
  }

  /** @param known the present id, which asks for its next epoch (KIP-360); undefined asks for an id */
  initProducerId(known: ProducerState | undefined): Promise<InitProducerIdResponse> {
    return this.#coordinator.call({
      api: InitProducerId,
      body: {
        transactionalId: this.#transactionalId,
        transactionTimeoutMs: this.#core.config.get('transaction.timeout.ms'),
        ...(known === undefined ? {} : known),
      },
      ...(known === undefined ? {} : { minVersion: 3 }),
      errorOf: ({ errorCode }) => errorCode,
      retryOn: concurrent,
    })
  }

  /** @returns an error code: the first, when there are several */
  async addPartitions(
    { producerId, producerEpoch }: ProducerState,
    partitions: readonly PartitionQueue[],
  ): Promise<number> {
    const topics = new Map<string, number[]>()
    for (const { topic, id } of partitions) topics.set(topic, [...(topics.get(topic) ?? []), id])
    const response = await this.#coordinator.call({
      api: AddPartitionsToTxn,
      // Later versions are for brokers.
      maxVersion: 3,
      body: {
        v3AndBelowTransactionalId: this.#transactionalId,
        v3AndBelowProducerId: producerId,
        v3AndBelowProducerEpoch: producerEpoch,
        v3AndBelowTopics: [...topics].map(([name, partitions]) => ({ name, partitions })),
      },
      errorOf: (answer) =>
        firstError(answer.resultsByTopicV3AndBelow.flatMap((topic) => topic.resultsByPartition)),
      retryOn: partitionRetryCodes,
    })
    return firstError(response.resultsByTopicV3AndBelow.flatMap((topic) => topic.resultsByPartition))
  }

  /** @returns an error code */
  async addOffsets(identity: ProducerState, groupId: string, isWanted: () => boolean): Promise<number> {
    const { errorCode } = await this.#coordinator.call({
      api: AddOffsetsToTxn,
      body: { transactionalId: this.#transactionalId, groupId, ...identity },
      errorOf: (answer) => answer.errorCode,
      retryOn: concurrent,
      isWanted,
    })
    return errorCode
  }

  /** @returns an error code: the first, when there are several */
  async commitOffsets(
    identity: ProducerState,
    positions: readonly TopicPartition[],
    { groupId, generationId, memberId, groupInstanceId }: ConsumerGroupMetadata,
    isSecondProtocol: boolean,
    isWanted: () => boolean,
  ): Promise<number> {
    const topics = new Map<string, TopicPartition[]>()
    for (const position of positions)
      topics.set(position.topic, [...(topics.get(position.topic) ?? []), position])
    const isMember = memberId !== '' || generationId >= 0
    const response = await new Coordinator(this.#core, CoordinatorType.group, groupId).call({
      api: TxnOffsetCommit,
      // Version 5 adds the group to the transaction by itself.
      ...(isSecondProtocol ? { minVersion: 5, maxVersion: 5 } : { maxVersion: 4 }),
      body: (version) => ({
        transactionalId: this.#transactionalId,
        groupId,
        ...identity,
        // Brokers before Kafka 2.5 fence by the transactional id alone (KIP-447).
        ...(isMember && version >= 3
          ? { generationIdOrMemberEpoch: generationId, memberId, groupInstanceId }
          : {}),
        topics: [...topics].map(([name, partitions]) => ({
          name,
          partitions: partitions.map(({ partition, offset, leaderEpoch, metadata }) => ({
            partitionIndex: partition,
            committedOffset: offset,
            ...(version >= 2 ? { committedLeaderEpoch: leaderEpoch ?? -1 } : {}),
            committedMetadata: metadata,
          })),
        })),
      }),
      errorOf: (answer) => firstCode(answer.topics.flatMap((topic) => topic.partitions)),
      retryOn: offsetRetryCodes,
      isWanted,
    })
    return firstCode(response.topics.flatMap((topic) => topic.partitions))
  }

  /** In the second protocol the answer has the epoch of the next transaction. */
  end(identity: ProducerState, committed: boolean, isSecondProtocol: boolean): Promise<EndTxnResponse> {
    return this.#coordinator.call({
      api: EndTxn,
      ...(isSecondProtocol ? { minVersion: 5 } : { maxVersion: 4 }),
      body: { transactionalId: this.#transactionalId, ...identity, committed },
      errorOf: ({ errorCode }) => errorCode,
      retryOn: concurrent,
    })
  }
}

function firstError(results: readonly { readonly partitionErrorCode: number }[]): number {
  return results.find(({ partitionErrorCode }) => partitionErrorCode !== 0)?.partitionErrorCode ?? 0
}

function firstCode(results: readonly { readonly errorCode: number }[]): number {
  return results.find(({ errorCode }) => errorCode !== 0)?.errorCode ?? 0
}
