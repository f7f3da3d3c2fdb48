/**
 * One broker with real logs on a memory disk, its transaction and group coordinators and its verifier, asked through the handlers. What the
 * broker says to itself goes the same way, so that a test sees what a client of that version sees.
 */
import { produce } from '../../../../../broker/api/00-produce.ts'
import { listOffsets } from '../../../../../broker/api/02-list-offsets.ts'
import { offsetFetch } from '../../../../../broker/api/09-offset-fetch.ts'
import { initProducerId } from '../../../../../broker/api/22-init-producer-id.ts'
import { addPartitionsToTxn } from '../../../../../broker/api/24-add-partitions-to-txn.ts'
import { addOffsetsToTxn } from '../../../../../broker/api/25-add-offsets-to-txn.ts'
import { endTxn } from '../../../../../broker/api/26-end-txn.ts'
import { writeTxnMarkers } from '../../../../../broker/api/27-write-txn-markers.ts'
import { txnOffsetCommit } from '../../../../../broker/api/28-txn-offset-commit.ts'
import type { Handler } from '../../../../../broker/api/handler.ts'
import { GroupCoordinator } from '../../../../../broker/coordinator/group/group-coordinator.ts'
import { followLeadership } from '../../../../../broker/coordinator/leadership-follower.ts'
import { TransactionCoordinator } from '../../../../../broker/coordinator/transaction/transaction-coordinator.ts'
import { TransactionPartitionVerifier } from '../../../../../broker/coordinator/transaction/verifier.ts'
import { metadataRecord } from '../../../../../broker/metadata/metadata-record.ts'
import type { RequestContext } from '../../../../../broker/network/request-context.ts'
import type { Partition } from '../../../../../broker/replica/partition.ts'
import type { BrokerServices } from '../../../../../broker/services.ts'
import type { AddPartitionsToTxnRequest } from '../../../../../common/protocol/apis/24-add-partitions-to-txn.ts'
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../../../../common/protocol/codec.ts'
import type { ErrorCode } from '../../../../../common/protocol/errors.ts'
import type { ApiSchema, RequestInputOf, ResponseOf } from '../../../../../common/protocol/schema.ts'
import { BatchBuilder } from '../../../../../common/record/batch-builder.ts'
import type { CallResult } from '../../../../../common/rpc/channel.ts'
import { asDeferred, Deferred } from '../../../../../common/runtime/deferred.ts'
import { type BrokerHarness, brokerHarness, NODE_ID } from '../../api/broker-harness.ts'
import type { Producer } from './transaction-harness.ts'

export const TRANSACTIONAL_ID = 'orders-tx'
export const GROUP = 'g'
const TOPIC = 'orders'

export interface Produced {
  readonly errorCode: ErrorCode
  readonly baseOffset: number
  readonly errorMessage: string | null
}

export interface ProduceOptions {
  readonly version?: number
  readonly count?: number
  readonly partition?: number
  readonly transactionalId?: string | null
  readonly isTransactional?: boolean
}

export class TransactionalBroker {
  readonly harness: BrokerHarness
  readonly broker: BrokerServices
  /** Questions of the verifier, as they were sent. */
  readonly asked: AddPartitionsToTxnRequest['transactions'][number][][] = []
  /** Makes the next question end without an answer. */
  dropsQuestions = false
  /** Runs once, after the coordinator has decided and before this broker hears of it. */
  beforeAnswer: (() => void) | undefined
  readonly #topicId: string

  constructor(properties: Readonly<Record<string, string>> = {}) {
    this.harness = brokerHarness(properties)
    const { broker, publish } = this.harness
    this.broker = broker
    const { runtime, settings, metadata, replicas, scheduler } = broker
    publish(metadataRecord('FeatureLevelRecord', 0, { name: 'transaction.version', featureLevel: 2 }))
    const groups = new GroupCoordinator({
      runtime,
      config: { get: (key) => settings.config.get(key), groupConfigOf: () => new Map() },
      metadata: () => metadata,
    })
    const transactions = new TransactionCoordinator({
      runtime,
      scheduler,
      config: { get: (key) => settings.config.get(key) },
      requestTimeoutMs: () => 30_000,
      metadata: () => metadata,
      allocateProducerIds: () => Deferred.of({ error: 0, firstProducerId: 1_000, count: 1_000 }),
      sendMarkers: (_, request) => this.#peer(writeTxnMarkers, 2, request),
    })
    const transactionVerifier = new TransactionPartitionVerifier({
      clock: runtime.clock,
      reactor: runtime.reactor,
      scheduler,
      config: { get: (key) => settings.config.get(key) },
      requestTimeoutMs: () => 30_000,
      metadata: () => metadata,
      send: (_, request) => {
        this.asked.push(request.transactions as never)
        if (this.dropsQuestions) return Deferred.of({ ok: false, failure: 'disconnected' })
        return this.#peer(addPartitionsToTxn, 5, request).map((result) => {
          const run = this.beforeAnswer
          this.beforeAnswer = undefined
          run?.()
          return result
        })
      },
    })
    followLeadership(replicas, groups.service)
    followLeadership(replicas, transactions.service)
    Object.assign(broker, { groups, transactions, transactionVerifier })
    this.harness.registerBroker(NODE_ID)
    this.harness.createTopic('__transaction_state', [[NODE_ID]])
    this.harness.createTopic('__consumer_offsets', [[NODE_ID]])
    this.#topicId = this.harness.createTopic(TOPIC, [[NODE_ID], [NODE_ID]])
    this.harness.advance(0)
  }

  begin<A extends ApiSchema>(
    handler: Handler<A>,
    version: number,
    request: RequestInputOf<A>,
  ): Deferred<ResponseOf<A>> {
    const { api } = handler
    const context = { broker: this.broker, apiVersion: version, apiKey: api.key } as unknown as RequestContext
    const decoded = decodeRequest(api, version, encodeRequest(api, version, request))
    const answer = asDeferred(handler.handle(context, decoded) as never) as Deferred<never>
    return answer.map((response) => decodeResponse(api, version, encodeResponse(api, version, response)))
  }

  call<A extends ApiSchema>(handler: Handler<A>, version: number, request: RequestInputOf<A>): ResponseOf<A> {
    const answer = this.begin(handler, version, request)
    for (let tries = 0; tries < 20 && !answer.isDone; tries++) this.harness.advance(10)
    if (answer.value === undefined) throw new Error('not answered')
    return answer.value
  }

  init(): Producer {
    const { producerId, producerEpoch } = this.call(initProducerId, 5, {
      transactionalId: TRANSACTIONAL_ID,
      transactionTimeoutMs: 60_000,
    })
    this.harness.advance(0)
    return { producerId, producerEpoch }
  }

  produceLater(producer: Producer, sequence: number, options: ProduceOptions = {}): Deferred<Produced> {
    const { version = 12, count = 2, partition = 0, isTransactional = true } = options
    const batch = new BatchBuilder({ ...idOf(producer), baseSequence: sequence, isTransactional })
    for (let index = 0; index < count; index++) batch.append(1_000, null, Buffer.from(`${sequence + index}`))
    const partitionData = [{ index: partition, records: batch.build() }]
    return this.begin(produce, version, {
      transactionalId: options.transactionalId === undefined ? TRANSACTIONAL_ID : options.transactionalId,
      acks: -1,
      timeoutMs: 1_000,
      topicData: [{ name: TOPIC, topicId: this.#topicId, partitionData }],
    }).map(({ responses }) => {
      const result = responses[0]?.partitionResponses[0]
      if (result === undefined) throw new Error('no result')
      const { errorCode, baseOffset, errorMessage } = result
      return { errorCode, baseOffset, errorMessage }
    })
  }

  produce(producer: Producer, sequence: number, options: ProduceOptions = {}): Produced {
    const answer = this.produceLater(producer, sequence, options)
    for (let tries = 0; tries < 20 && !answer.isDone; tries++) this.harness.advance(10)
    if (answer.value === undefined) throw new Error('not answered')
    return answer.value
  }

  addPartition(producer: Producer, partition = 0): ErrorCode | undefined {
    const response = this.call(addPartitionsToTxn, 3, {
      v3AndBelowTransactionalId: TRANSACTIONAL_ID,
      v3AndBelowProducerId: producer.producerId,
      v3AndBelowProducerEpoch: producer.producerEpoch,
      v3AndBelowTopics: [{ name: TOPIC, partitions: [partition] }],
    })
    return response.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode
  }

  addOffsets(producer: Producer): ErrorCode {
    const request = { transactionalId: TRANSACTIONAL_ID, ...idOf(producer), groupId: GROUP }
    return this.call(addOffsetsToTxn, 3, request).errorCode
  }

  /** Writes an abort marker by hand. */
  mark(
    producer: Producer,
    options: {
      coordinatorEpoch?: number
      transactionVersion?: number
      topic?: string
      partition?: number
    } = {},
  ): Deferred<ErrorCode | undefined> {
    const { coordinatorEpoch = 1, transactionVersion = 0, topic = TOPIC, partition = 0 } = options
    const topics = [{ name: topic, partitionIndexes: [partition] }]
    return this.begin(writeTxnMarkers, 2, {
      markers: [
        { ...idOf(producer), transactionResult: false, topics, coordinatorEpoch, transactionVersion },
      ],
    }).map(({ markers }) => markers[0]?.topics[0]?.partitions[0]?.errorCode)
  }

  commitOffset(
    producer: Producer,
    committedOffset: number,
    version = 5,
    groupId = GROUP,
  ): ErrorCode | undefined {
    const partitions = [{ partitionIndex: 0, committedOffset, committedMetadata: null }]
    const response = this.call(txnOffsetCommit, version, {
      transactionalId: TRANSACTIONAL_ID,
      ...idOf(producer),
      groupId,
      topics: [{ name: TOPIC, topicId: this.#topicId, partitions }],
    })
    return response.topics[0]?.partitions[0]?.errorCode
  }

  /** The group's offset, or the error that stands for it. */
  groupOffset(requireStable = false): number | ErrorCode {
    const topics = [{ name: TOPIC, partitionIndexes: [0] }]
    const answer = this.call(offsetFetch, 8, { groups: [{ groupId: GROUP, topics }], requireStable })
    const found = answer.groups[0]?.topics[0]?.partitions[0]
    return found?.errorCode === 0 ? found.committedOffset : (found?.errorCode ?? -1)
  }

  end(producer: Producer, committed: boolean, version = 5): Producer & { errorCode: ErrorCode } {
    const request = { transactionalId: TRANSACTIONAL_ID, ...idOf(producer), committed }
    const answer = this.call(endTxn, version, request)
    this.harness.advance(0)
    return { errorCode: answer.errorCode, producerId: answer.producerId, producerEpoch: answer.producerEpoch }
  }

  /** What readers of either isolation may read up to. */
  offsets(): { highWatermark: number; lastStableOffset: number } {
    const read = (isolationLevel: number): number => {
      const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1 }]
      const answer = this.call(listOffsets, 6, {
        replicaId: -1,
        isolationLevel,
        topics: [{ name: TOPIC, partitions }],
      })
      return answer.topics[0]?.partitions[0]?.offset ?? -1
    }
    return { highWatermark: read(0), lastStableOffset: read(1) }
  }

  get partition(): Partition {
    const partition = this.broker.replicas.partition(TOPIC, 0)
    if (partition === undefined) throw new Error('no partition')
    return partition
  }

  #peer<A extends ApiSchema>(
    handler: Handler<A>,
    version: number,
    request: RequestInputOf<A>,
  ): Deferred<CallResult<ResponseOf<A>>> {
    const result = new Deferred<CallResult<ResponseOf<A>>>()
    this.broker.runtime.reactor.post(() =>
      this.begin(handler, version, request).whenDone((response) => result.complete({ ok: true, response })),
    )
    return result
  }
}

function idOf({ producerId, producerEpoch }: Producer): Producer {
  return { producerId, producerEpoch }
}
