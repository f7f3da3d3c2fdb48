/**
 * A transaction coordinator on a log in memory, asked through the handlers with requests that went through the codec. Markers, blocks of
 * producer ids, commits and time belong to the test.
 */
import { initProducerId } from '../../../../../broker/api/22-init-producer-id.ts'
import { addPartitionsToTxn } from '../../../../../broker/api/24-add-partitions-to-txn.ts'
import { addOffsetsToTxn } from '../../../../../broker/api/25-add-offsets-to-txn.ts'
import { endTxn } from '../../../../../broker/api/26-end-txn.ts'
import { describeTransactions } from '../../../../../broker/api/65-describe-transactions.ts'
import { listTransactions } from '../../../../../broker/api/66-list-transactions.ts'
import type { Handler } from '../../../../../broker/api/handler.ts'
import { TRANSACTION_KEYS } from '../../../../../broker/config/broker-keys/transactions.ts'
import { decodeCoordinatorRecord } from '../../../../../broker/coordinator/coordinator-record.ts'
import type { ProducerIdBlock } from '../../../../../broker/coordinator/transaction/producer-ids.ts'
import type {
  TransactionConfig,
  TransactionConfigKey,
} from '../../../../../broker/coordinator/transaction/transaction-config.ts'
import { TransactionCoordinator } from '../../../../../broker/coordinator/transaction/transaction-coordinator.ts'
import { TRANSACTION_RECORD_TYPES } from '../../../../../broker/coordinator/transaction/transaction-log-record.ts'
import type { MetadataImage, PartitionImage, TopicImage } from '../../../../../broker/metadata/image.ts'
import type { RequestContext } from '../../../../../broker/network/request-context.ts'
import type { ReplicatedLog } from '../../../../../broker/statemachine/replicated-log.ts'
import type {
  WriteTxnMarkersRequest,
  WriteTxnMarkersResponse,
} from '../../../../../common/protocol/apis/27-write-txn-markers.ts'
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../../../../common/protocol/codec.ts'
import { ErrorCode } from '../../../../../common/protocol/errors.ts'
import type { ApiSchema, RequestInputOf, ResponseOf } from '../../../../../common/protocol/schema.ts'
import { BatchView } from '../../../../../common/record/batch.ts'
import { decodeRecords } from '../../../../../common/record/record-reader.ts'
import type { CallResult } from '../../../../../common/rpc/channel.ts'
import { asDeferred, Deferred } from '../../../../../common/runtime/deferred.ts'
import { createSimRuntime, type SimRuntime } from '../../../../../common/runtime/sim/runtime.ts'

export const TRANSACTIONAL_ID = 'orders-tx'

export class MemoryLog implements ReplicatedLog {
  readonly logStartOffset = 0
  leaderEpoch = 7
  logEndOffset = 0
  highWatermark = 0
  commitsAtOnce = true
  refusal: ErrorCode = ErrorCode.NONE
  readonly batches: Buffer[] = []

  appendStateBatch(batch: Buffer): { error: ErrorCode; lastOffset: number } {
    if (this.refusal !== ErrorCode.NONE) return { error: this.refusal, lastOffset: -1 }
    const view = new BatchView(batch)
    view.stamp(this.logEndOffset, this.leaderEpoch)
    this.batches.push(batch)
    this.logEndOffset = view.nextOffset
    if (this.commitsAtOnce) this.highWatermark = this.logEndOffset
    return { error: ErrorCode.NONE, lastOffset: this.logEndOffset - 1 }
  }

  readStateBatches(offset: number): Buffer | undefined {
    return Buffer.concat(this.batches.filter((batch) => new BatchView(batch).lastOffset >= offset))
  }
}

function partitionLedBy(leaderId: number): PartitionImage {
  return {
    replicas: [1],
    directories: ['AAAAAAAAAAAAAAAAAAAAAQ'],
    isr: [1],
    removingReplicas: [],
    addingReplicas: [],
    elr: [],
    lastKnownElr: [],
    leaderId,
    leaderRecoveryState: 0,
    leaderEpoch: 0,
    partitionEpoch: 0,
  }
}

export interface SentMarkers {
  readonly brokerId: number
  readonly request: WriteTxnMarkersRequest
  readonly answer: Deferred<CallResult<WriteTxnMarkersResponse>>
}

export interface HarnessOptions {
  readonly config?: Partial<Record<TransactionConfigKey, number | boolean>>
  readonly log?: MemoryLog
  readonly sim?: SimRuntime
  readonly transactionVersion?: number
}

export class TransactionHarness {
  readonly sim: SimRuntime
  readonly log: MemoryLog
  readonly topics = new Map<string, TopicImage>()
  readonly features = new Map<string, number>()
  readonly coordinator: TransactionCoordinator
  readonly sent: SentMarkers[] = []
  /** Answers every marker with NONE as it is sent. */
  writesMarkers = true
  nextBlock = 1_000
  blockError: Exclude<ErrorCode, 0> | undefined

  constructor(options: HarnessOptions = {}) {
    this.sim = options.sim ?? createSimRuntime({ seed: 1, wallMs: 1_000_000 })
    this.log = options.log ?? new MemoryLog()
    this.features.set('transaction.version', options.transactionVersion ?? 2)
    this.setTopic('__transaction_state', [1])
    this.setTopic('orders', [1, 1])
    this.setTopic('__consumer_offsets', [1])
    const config: TransactionConfig = {
      get: (key) => (options.config?.[key] ?? defaultOf(key)) as never,
    }
    const metadata = { topicsByName: this.topics, features: this.features } as unknown as MetadataImage
    this.coordinator = new TransactionCoordinator({
      runtime: this.sim,
      scheduler: this.sim.scheduler.scope('broker'),
      config,
      requestTimeoutMs: () => 30_000,
      metadata: () => metadata,
      allocateProducerIds: () => this.#allocate(),
      sendMarkers: (brokerId, request) => this.#send(brokerId, request),
    })
    this.#broker = {
      metadata,
      transactions: this.coordinator,
      groups: { service: { partitionFor: () => 0 } },
    }
    this.coordinator.service.onLeadershipGained(0, this.log.leaderEpoch, this.log)
  }
  readonly #broker: unknown

  /** @param leaders of its partitions, in order */
  setTopic(name: string, leaders: readonly number[]): void {
    this.topics.set(name, {
      name,
      id: name.padEnd(22, 'A').slice(0, 22),
      partitions: leaders.map(partitionLedBy),
    })
  }

  /** Lets the log commit what it has. */
  commit(): void {
    this.log.highWatermark = this.log.logEndOffset
    this.coordinator.service.onHighWatermark(0)
    this.settle()
  }

  settle(): void {
    this.sim.runUntilIdle()
  }

  /** The same log under the next coordinator; time goes on. */
  failOver(options: HarnessOptions = {}): TransactionHarness {
    this.coordinator.close()
    this.log.leaderEpoch += 1
    const next = new TransactionHarness({ ...options, log: this.log, sim: this.sim })
    next.nextBlock = this.nextBlock
    return next
  }

  begin<A extends ApiSchema>(
    handler: Handler<A>,
    version: number,
    request: RequestInputOf<A>,
  ): Deferred<ResponseOf<A>> {
    const context = { broker: this.#broker, apiVersion: version } as unknown as RequestContext
    const { api } = handler
    const decoded = decodeRequest(api, version, encodeRequest(api, version, request))
    const answer = asDeferred(handler.handle(context, decoded) as never) as Deferred<never>
    return answer.map((response) => decodeResponse(api, version, encodeResponse(api, version, response)))
  }

  call<A extends ApiSchema>(handler: Handler<A>, version: number, request: RequestInputOf<A>): ResponseOf<A> {
    const answer = this.begin(handler, version, request)
    this.settle()
    if (answer.value === undefined) throw new Error('not answered')
    return answer.value
  }

  init(
    version = 5,
    request: Partial<RequestInputOf<typeof initProducerId.api>> = {},
  ): Producer & { errorCode: number } {
    const { errorCode, producerId, producerEpoch } = this.call(initProducerId, version, {
      transactionalId: TRANSACTIONAL_ID,
      transactionTimeoutMs: 60_000,
      ...request,
    })
    return { errorCode, producerId, producerEpoch }
  }

  /** Adds as a client (v3) or as a broker for a client (v5). @returns the error of each partition */
  add(
    producer: Producer,
    partitions: readonly number[],
    version = 5,
    topic = 'orders',
    verifyOnly = false,
  ): number[] {
    const topics = [{ name: topic, partitions: [...partitions] }]
    const { producerId, producerEpoch } = producer
    const transactions = [
      { transactionalId: TRANSACTIONAL_ID, producerId, producerEpoch, verifyOnly, topics },
    ]
    const response = this.call(
      addPartitionsToTxn,
      version,
      version >= 4
        ? { transactions }
        : {
            v3AndBelowTransactionalId: TRANSACTIONAL_ID,
            v3AndBelowProducerId: producerId,
            v3AndBelowProducerEpoch: producerEpoch,
            v3AndBelowTopics: topics,
          },
    )
    const results =
      version >= 4 ? response.resultsByTransaction[0]?.topicResults : response.resultsByTopicV3AndBelow
    return (results ?? []).flatMap(({ resultsByPartition }) =>
      resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode),
    )
  }

  addOffsets(producer: Producer, version = 3): number {
    const { producerId, producerEpoch } = producer
    return this.call(addOffsetsToTxn, version, {
      transactionalId: TRANSACTIONAL_ID,
      producerId,
      producerEpoch,
      groupId: 'g',
    }).errorCode
  }

  end(producer: Producer, committed: boolean, version = 5): Producer & { errorCode: number } {
    const { producerId, producerEpoch } = producer
    const request = { transactionalId: TRANSACTIONAL_ID, producerId, producerEpoch, committed }
    const answer = this.call(endTxn, version, request)
    return { errorCode: answer.errorCode, producerId: answer.producerId, producerEpoch: answer.producerEpoch }
  }

  describe(
    transactionalId = TRANSACTIONAL_ID,
  ): ResponseOf<typeof describeTransactions.api>['transactionStates'][number] {
    const [state] = this.call(describeTransactions, 0, {
      transactionalIds: [transactionalId],
    }).transactionStates
    if (state === undefined) throw new Error('not described')
    return state
  }

  list(
    version: number,
    filters: Partial<RequestInputOf<typeof listTransactions.api>> = {},
  ): ResponseOf<typeof listTransactions.api> {
    return this.call(listTransactions, version, { stateFilters: [], producerIdFilters: [], ...filters })
  }

  get state(): string {
    return this.describe().transactionState
  }

  /** Values of the records of the log from `offset` on; null for tombstones. */
  records(offset = 0): { version: number; value: Record<string, unknown> | null }[] {
    const types = new Map(TRANSACTION_RECORD_TYPES.map((type) => [type.type, type]))
    return this.log.batches.flatMap((batch) => {
      const view = new BatchView(batch)
      if (view.lastOffset < offset) return []
      return decodeRecords(view).records.map(({ key, value }) => {
        const record = decodeCoordinatorRecord(types as never, key, value)
        if (typeof record === 'string') throw new Error(record)
        return { version: record.version, value: record.value as Record<string, unknown> | null }
      })
    })
  }

  answer(
    sent: SentMarkers,
    errorOf: (topic: string, partition: number) => ErrorCode = () => ErrorCode.NONE,
  ): void {
    const markers = sent.request.markers.map(({ producerId, topics }) => ({
      producerId,
      topics: topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((partitionIndex) => ({
          partitionIndex,
          errorCode: errorOf(name, partitionIndex),
        })),
      })),
    }))
    sent.answer.complete({ ok: true, response: { markers } as unknown as WriteTxnMarkersResponse })
  }

  #send(brokerId: number, request: WriteTxnMarkersRequest): Deferred<CallResult<WriteTxnMarkersResponse>> {
    const sent: SentMarkers = { brokerId, request, answer: new Deferred() }
    this.sent.push(sent)
    if (this.writesMarkers) this.answer(sent)
    return sent.answer
  }

  #allocate(): Deferred<ProducerIdBlock> {
    if (this.blockError !== undefined) return Deferred.of<ProducerIdBlock>({ error: this.blockError })
    const firstProducerId = this.nextBlock
    this.nextBlock += 1_000
    return Deferred.of<ProducerIdBlock>({ error: 0, firstProducerId, count: 1_000 })
  }
}

export interface Producer {
  readonly producerId: number
  readonly producerEpoch: number
}

function defaultOf(key: TransactionConfigKey): unknown {
  const { defaultText } = TRANSACTION_KEYS[key] as unknown as { defaultText: string }
  if (defaultText === 'true' || defaultText === 'false') return defaultText === 'true'
  return Number(defaultText)
}
