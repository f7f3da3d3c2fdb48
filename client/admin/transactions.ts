/** Transactions and their producers (KIP-664); additions to the documented API. */
import { WriteTxnMarkers } from '../../common/protocol/apis/27-write-txn-markers.ts'
import { DescribeProducers } from '../../common/protocol/apis/61-describe-producers.ts'
import { DescribeTransactions } from '../../common/protocol/apis/65-describe-transactions.ts'
import { ListTransactions } from '../../common/protocol/apis/66-list-transactions.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ApiSchema } from '../../common/protocol/schema.ts'
import type { Broker } from '../connections/broker.ts'
import { CoordinatorType } from '../connections/coordinator.ts'
import { KafkaError, KafkaException, kafkaException, ValueError } from '../errors.ts'
import type { Node } from '../values/cluster-metadata.ts'
import { wholeNumber } from '../values/numbers.ts'
import { TopicPartition } from '../values/topic-partition.ts'
import type { AdminCall } from './admin-call.ts'
import type { AdminEngine } from './admin-engine.ts'
import { type AdminOptions, OptionReader } from './admin-options.ts'
import type { AdminAnswer, AdminRequest } from './admin-request.ts'
import { byTopic, checkPartition, partitionsOf } from './arguments.ts'
import { askEveryBroker } from './every-broker.ts'
import { throwCode } from './groups/group-arguments.ts'
import { nodeOf } from './groups/group-descriptions.ts'
import type { ResultMap } from './keyed-map.ts'
import { askLeaders } from './leader-calls.ts'
import { mayTryAgain } from './may-try-again.ts'

export interface ListTransactionsOptions extends AdminOptions {
  /** Only these states: `Ongoing`, `PrepareCommit`, … */
  readonly states?: Iterable<string>
  readonly producerIds?: Iterable<number | bigint>
  /** Only those that have been open for so long (KIP-994). */
  readonly durationMs?: number
  /** Only ids that this regular expression matches wholly, in the broker's dialect (KIP-1152). */
  readonly transactionalIdPattern?: string
}

export interface TransactionListing {
  readonly transactionalId: string
  readonly producerId: number
  /** As the broker names it. */
  readonly state: string
}

export interface ListTransactionsResult {
  readonly valid: readonly TransactionListing[]
  /** Of the brokers that did not tell. */
  readonly errors: readonly KafkaException[]
}

export interface TransactionDescription {
  readonly coordinator: Node
  readonly state: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly transactionTimeoutMs: number
  /** Milliseconds since 1970; null while none is open. */
  readonly transactionStartTimeMs: number | null
  readonly topicPartitions: readonly TopicPartition[]
}

export interface ProducerState {
  readonly producerId: number
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly lastTimestamp: number
  /** null without a transaction. */
  readonly coordinatorEpoch: number | null
  /** null when none is open in the partition. */
  readonly currentTransactionStartOffset: number | null
}

/** One open transaction in one partition, as `describeProducers` tells of it. */
export interface AbortTransactionSpec {
  readonly topicPartition: TopicPartition
  readonly producerId: number | bigint
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
}

export async function listTransactions(
  engine: AdminEngine,
  options?: ListTransactionsOptions,
): Promise<ListTransactionsResult> {
  const reader = new OptionReader(options)
  const stateFilters = listOption(reader, 'states').map((state) => {
    if (typeof state !== 'string') throw new TypeError('states must be strings')
    return state
  })
  const producerIdFilters = listOption(reader, 'producerIds').map((id) => wholeNumber(id, 'producerIds'))
  const durationFilter = reader.integer('durationMs', 0)
  const transactionalIdPattern = reader.raw('transactionalIdPattern')
  if (transactionalIdPattern !== undefined && typeof transactionalIdPattern !== 'string') {
    throw new TypeError('transactionalIdPattern must be a string')
  }
  return await engine.single(reader.limits(), async (call) => {
    const { answers, errors } = await askEveryBroker(call, {
      api: ListTransactions,
      minVersion: transactionalIdPattern !== undefined ? 2 : durationFilter !== undefined ? 1 : 0,
      body: {
        stateFilters,
        producerIdFilters,
        ...(durationFilter === undefined ? {} : { durationFilter }),
        ...(transactionalIdPattern === undefined ? {} : { transactionalIdPattern }),
      },
      codesOf: ({ errorCode }) => [errorCode],
      retryOn: new Set([ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, ErrorCode.COORDINATOR_NOT_AVAILABLE]),
    })
    const unknown = answers.flatMap(({ response }) => response.unknownStateFilters)[0]
    if (unknown !== undefined) {
      throw kafkaException(KafkaError._INVALID_ARG, `The brokers know no state "${unknown}"`)
    }
    const refused = answers.filter(({ response }) => response.errorCode !== ErrorCode.NONE)
    return {
      valid: answers.flatMap(({ response }) =>
        response.transactionStates.map(({ transactionalId, producerId, transactionState }) => ({
          transactionalId,
          producerId,
          state: transactionState,
        })),
      ),
      errors: [
        ...errors,
        ...refused.map(({ response }) => new KafkaException(new KafkaError(response.errorCode))),
      ],
    }
  })
}

export function describeTransactions(
  engine: AdminEngine,
  transactionalIds: readonly string[],
  options?: AdminOptions,
): ResultMap<string, TransactionDescription> {
  if (!Array.isArray(transactionalIds) || !transactionalIds.every((id) => typeof id === 'string')) {
    throw new TypeError('transactionalIds must be a list of strings')
  }
  if (transactionalIds.length === 0) throw new ValueError('transactionalIds must be a list with entries')
  const limits = new OptionReader(options).limits()
  return engine.keyed<string, TransactionDescription>(transactionalIds, limits, async (call, results) => {
    await results.each(async (key) => {
      const { response, broker } = await askCoordinator(call, key, {
        api: DescribeTransactions,
        body: { transactionalIds: [key] },
        codesOf: ({ transactionStates }) => transactionStates.map(({ errorCode }) => errorCode),
      })
      const [state] = response.transactionStates
      if (state === undefined) throw kafkaException(KafkaError._BAD_MSG, 'The answer has no such entry')
      throwCode(state.errorCode)
      const { transactionStartTimeMs, topics } = state
      return {
        coordinator: nodeOf(broker),
        state: state.transactionState,
        producerId: state.producerId,
        producerEpoch: state.producerEpoch,
        transactionTimeoutMs: state.transactionTimeoutMs,
        transactionStartTimeMs: transactionStartTimeMs < 0 ? null : transactionStartTimeMs,
        topicPartitions: topics.flatMap(({ topic, partitions }) =>
          partitions.map((partition) => new TopicPartition(topic, partition)),
        ),
      }
    })
  })
}

/** The producers that partitions remember, as their leaders tell. */
export function describeProducers(
  engine: AdminEngine,
  partitions: readonly TopicPartition[],
  options?: AdminOptions,
): ResultMap<TopicPartition, readonly ProducerState[]> {
  const entries = [...partitionsOf(partitions)]
  const limits = new OptionReader(options).limits()
  return engine.keyed<TopicPartition, readonly ProducerState[]>(entries, limits, async (call, results) => {
    await askLeaders(call, results, entries, async (broker, own) => {
      const topics = byTopic(own).map(([name, list]) => ({
        name,
        partitionIndexes: list.map(({ partition }) => partition),
      }))
      const response = await askLeader(call, broker, { api: DescribeProducers, body: { topics } })
      return response?.topics.flatMap(({ name, partitions: answers }) =>
        answers.map(({ partitionIndex, errorCode, errorMessage, activeProducers }) => ({
          topic: name,
          partition: partitionIndex,
          errorCode,
          errorMessage,
          value: activeProducers.map((producer) => ({
            producerId: producer.producerId,
            producerEpoch: producer.producerEpoch,
            lastSequence: producer.lastSequence,
            lastTimestamp: producer.lastTimestamp,
            coordinatorEpoch: producer.coordinatorEpoch < 0 ? null : producer.coordinatorEpoch,
            currentTransactionStartOffset:
              producer.currentTxnStartOffset < 0 ? null : producer.currentTxnStartOffset,
          })),
        })),
      )
    })
  })
}

/** Ends a transaction that hangs in one partition, past its coordinator. */
export async function abortTransaction(
  engine: AdminEngine,
  { topicPartition, producerId, producerEpoch, coordinatorEpoch }: AbortTransactionSpec,
  options?: AdminOptions,
): Promise<void> {
  checkPartition(topicPartition, 'topicPartition')
  const marker = {
    producerId: wholeNumber(producerId, 'producerId'),
    producerEpoch: wholeNumber(producerEpoch, 'producerEpoch'),
    coordinatorEpoch: wholeNumber(coordinatorEpoch, 'coordinatorEpoch'),
    transactionResult: false,
    topics: [{ name: topicPartition.topic, partitionIndexes: [topicPartition.partition] }],
  }
  const limits = new OptionReader(options).limits()
  const results = engine.keyed<TopicPartition, void>([topicPartition], limits, async (call, pending) => {
    await askLeaders(call, pending, [topicPartition], async (broker) => {
      const response = await askLeader(call, broker, { api: WriteTxnMarkers, body: { markers: [marker] } })
      return response?.markers.flatMap(({ topics }) =>
        topics.flatMap(({ name, partitions }) =>
          partitions.map(({ partitionIndex, errorCode }) => ({
            topic: name,
            partition: partitionIndex,
            errorCode,
            value: undefined,
          })),
        ),
      )
    })
  })
  await results.get(topicPartition)
}

function askCoordinator<A extends ApiSchema>(
  call: AdminCall,
  transactionalId: string,
  request: AdminRequest<A>,
): Promise<AdminAnswer<A>> {
  return call.ask({ kind: 'coordinator', type: CoordinatorType.transaction, key: transactionalId }, request)
}

/** undefined: another attempt may succeed. */
async function askLeader<A extends ApiSchema>(call: AdminCall, broker: Broker, request: AdminRequest<A>) {
  const result = await call.tryRequest(broker, request)
  if (result.ok) return result.response
  if (mayTryAgain(result, true)) return undefined
  throw new KafkaException(result.error)
}

function listOption(reader: OptionReader, name: string): unknown[] {
  const value = reader.raw(name)
  if (value === undefined) return []
  if (!(value instanceof Set) && !Array.isArray(value)) throw new TypeError(`${name} must be a set or a list`)
  return [...value]
}
