/**
 * The documented Producer: asynchronous, batching, one instance for many topics. Composition only: `Accumulator` holds
 * records, `Sender` carries batches, `BatchOutcomes` decides over answers, `Expiry` ends lives.
 */
import { EventEmitter } from 'node:events'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { BATCH_HEADER_BYTES } from '../../common/record/batch.ts'
import { recordSizeBound } from '../../common/record/batch-builder.ts'
import { CompressionType, codecNamed } from '../../common/record/codecs.ts'
import { ClientCore } from '../client-core.ts'
import type { ClientHooks } from '../client-hooks.ts'
import type { Config } from '../config/config.ts'
import type { DeliveryCallback } from '../config/producer-properties.ts'
import { readConfig } from '../config/read-config.ts'
import type { ClientConfig } from '../config/table.ts'
import { KafkaError, KafkaException, kafkaException } from '../errors.ts'
import { OnceEvent } from '../event-queue.ts'
import type { ProducerEvents } from '../events/event-maps.ts'
import { serveAlways } from '../serve-always.ts'
import { commonMetrics, type Metric, metric } from '../statistics/metrics.ts'
import {
  type CloseOptions,
  callLimits,
  closeLimits,
  type ListTopicsOptions,
  type Timeout,
} from '../timeouts.ts'
import { channels, type ProduceContext, Trace } from '../tracing/channels.ts'
import type { ClusterMetadata } from '../values/cluster-metadata.ts'
import { ConsumerGroupMetadata } from '../values/consumer-group-metadata.ts'
import type { HeadersInput } from '../values/headers.ts'
import { TopicPartition } from '../values/topic-partition.ts'
import { Accumulator, type ProduceRecord, type TopicQueue } from './accumulator.ts'
import { BatchOutcomes } from './batch-outcomes.ts'
import { Expiry } from './expiry.ts'
import {
  type BytesInput,
  checkOptionNames,
  isKnownOption,
  isOptions,
  type ProduceOptions,
  recordOf,
} from './produce-arguments.ts'
import type { BatchFormat } from './producer-batch.ts'
import { type IdentitySource, ProducerIdentity } from './producer-identity.ts'
import { producerStatistics } from './producer-statistics.ts'
import { ProducerWritable, type WritableOptions } from './producer-writable.ts'
import {
  checkMessage,
  checkSame,
  checkTopicMessages,
  type DeliveryReport,
  type RecordMetadata,
  type SendCallOptions,
  type SendOptions,
  type SendRequest,
  type TopicMessages,
} from './send-arguments.ts'
import { SendQueue, type TopicRecord } from './send-queue.ts'
import { Sender } from './sender.ts'
import { Transaction } from './transaction.ts'
import { TransactionManager } from './transaction-manager.ts'

/** A message of `produceBatch`; `_error` is set on those that were refused. */
export interface BatchMessage extends ProduceOptions {
  _error?: KafkaError
}

/** Of all messages of `produceBatch` that say nothing else. */
export type BatchOptions = Pick<ProduceOptions, 'partition' | 'onDelivery' | 'callback'>

export interface PurgeOptions {
  readonly inQueue?: boolean
  readonly inFlight?: boolean
  readonly blocking?: boolean
}

/** Oldest age of a batch that still takes records: they expire with it. */
const batchMaxAgeMs = 1000

/** `extra` of a producer: configuration, and what is no property. */
export type ProducerExtra = ClientConfig & {
  /** Serves callbacks as the event loop turns: no `poll` is needed. What they throw becomes an `error` event. */
  readonly autoPoll?: boolean
}

const noReport = (): void => {}

export class Producer extends EventEmitter<ProducerEvents> {
  readonly #core: ClientCore
  readonly #accumulator: Accumulator
  readonly #sender: Sender
  readonly #sends: SendQueue
  readonly #outcomes: BatchOutcomes
  readonly #expiry: Expiry
  readonly #identity: IdentitySource | undefined
  readonly #transactions: TransactionManager | undefined
  readonly #defaultCallback: DeliveryCallback | undefined
  readonly #maxMessageBytes: number
  readonly #wallMs: () => number
  #fatalError: KafkaError | undefined
  #closing: Promise<boolean> | undefined

  /** @param hooks for tests: see `ClientHooks` */
  constructor(conf?: ClientConfig, extra?: ProducerExtra, hooks: ClientHooks = {}) {
    super()
    const { autoPoll = false, ...ownConf } = extra ?? {}
    if (typeof autoPoll !== 'boolean') throw new TypeError('autoPoll must be a boolean')
    const config = readConfig('producer', conf, extra === undefined ? undefined : ownConf)
    this.#core = new ClientCore(config, hooks, {
      onRoom: (broker) => this.#sender.roomAt(broker),
      onDown: () => {},
      emitter: this,
    })
    const { clock } = this.#core.runtime
    this.#wallMs = () => clock.wallMs()
    this.#defaultCallback = config.get('on_delivery')
    this.#maxMessageBytes = config.get('message.max.bytes')
    this.#accumulator = this.#makeAccumulator(config)
    const transactionalId = config.get('transactional.id')
    this.#transactions =
      transactionalId === undefined
        ? undefined
        : new TransactionManager(this.#core, transactionalId, {
            onPartitionAdded: (partition) => this.#sender.markReady(partition),
            onFatal: (error) => this.#fatal(error),
            flushAll: async (signal) => void (await this.#flush(Number.POSITIVE_INFINITY, signal)),
            discardAll: () => this.#discardAll(),
            hasGaps: () => this.#hasGaps(),
          })
    this.#identity =
      this.#transactions !== undefined
        ? this.#transactions
        : config.get('enable.idempotence')
          ? new ProducerIdentity(
              this.#core,
              () => this.#core.runtime.reactor.touch(this.#sender),
              (error) => this.#fatal(error),
            )
          : undefined
    const shared = {
      core: this.#core,
      accumulator: this.#accumulator,
      identity: this.#identity,
      transactions: this.#transactions,
    }
    this.#outcomes = new BatchOutcomes({
      ...shared,
      retryLater: (partition, attempts) => this.#sender.retryLater(partition, attempts),
      onFatal: (error) => this.#fatal(error),
    })
    this.#sender = new Sender({ ...shared, outcomes: this.#outcomes })
    this.#expiry = new Expiry({ ...shared, outcomes: this.#outcomes })
    this.#sends = new SendQueue({
      accumulator: this.#accumulator,
      outcomes: this.#outcomes,
      notifier: this.#core.notifier,
      reactor: this.#core.runtime.reactor,
      add: (topic, record) => {
        this.#checkProduce(topic)
        this.#add(topic, record)
      },
    })
    this.#core.metadata.onUpdate(() => this.#metadataUpdated())
    this.#core.startStatistics(() =>
      producerStatistics({ ...shared, sender: this.#sender, config, identity: this.#identity }),
    )
    if (autoPoll) void serveAlways(this.#core)
  }

  /**
   * As the constructor, and fails early (addition): rejects with `SASL_AUTHENTICATION_FAILED` when OAUTHBEARER is wanted and no
   * first token comes.
   */
  static async create(
    conf?: ClientConfig,
    extra?: ProducerExtra,
    hooks: ClientHooks = {},
  ): Promise<Producer> {
    const made = new Producer(conf, extra, hooks)
    return made.#core.whenReady(made)
  }

  /** Enqueues a message; its fate comes through the delivery callback. Throws as documented (7.1). */
  produce(topic: string, options?: ProduceOptions): void
  produce(
    topic: string,
    value?: BytesInput,
    key?: BytesInput,
    partition?: number,
    onDelivery?: DeliveryCallback | null,
    timestamp?: number | bigint | Date,
    headers?: HeadersInput | null,
  ): void
  produce(
    topic: string,
    valueOrOptions?: BytesInput | ProduceOptions,
    key?: BytesInput,
    partition?: number,
    onDelivery?: DeliveryCallback | null,
    timestamp?: number | bigint | Date,
    headers?: HeadersInput | null,
  ): void {
    let options: ProduceOptions
    if (isOptions(valueOrOptions)) {
      checkOptionNames(valueOrOptions)
      if (key !== undefined) throw new TypeError('options and further arguments exclude each other')
      options = valueOrOptions as ProduceOptions
    } else options = { value: valueOrOptions, key, partition, onDelivery, timestamp, headers }
    this.#checkProduce(topic)
    this.#add(topic, recordOf(options, this.#defaultCallback, this.#wallMs))
  }

  /**
   * Produces and resolves when the message is delivered; rejects with a `DeliveryError`. Waits for room in the local queue
   * in the place of throwing `_QUEUE_FULL`. Needs no `poll`. The signal takes back a message that was not sent yet.
   */
  send(topic: string, message: SendOptions, options?: SendCallOptions): Promise<DeliveryReport>
  /** All messages of one topic; resolves when all are delivered, rejects with the first failure when all are settled. */
  send(request: SendRequest, options?: SendCallOptions): Promise<RecordMetadata[]>
  send(
    first: string | SendRequest,
    second?: SendOptions | SendCallOptions,
    third?: SendCallOptions,
  ): Promise<DeliveryReport | RecordMetadata[]> {
    // Not async: a promise less for each message.
    try {
      if (typeof first === 'string') {
        checkMessage(second ?? {}, 'message')
        this.#checkProduce(first)
        const record = recordOf((second ?? {}) as SendOptions, undefined, this.#wallMs)
        return this.#sends.send(first, record, third?.signal)
      }
      checkTopicMessages(first)
      checkSame('acks', first.acks, this.#core.config.get('acks'))
      checkSame('timeout', first.timeout, this.#core.config.get('request.timeout.ms'))
      return this.#sendAll([first], (second as SendCallOptions | undefined)?.signal)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** As `send`, for several topics. */
  async sendBatch(
    batch: {
      readonly topicMessages: readonly TopicMessages[]
      readonly acks?: number
      readonly timeout?: number
    },
    options?: SendCallOptions,
  ): Promise<RecordMetadata[]> {
    if (!Array.isArray(batch?.topicMessages)) throw new TypeError('topicMessages must be an array')
    for (const entry of batch.topicMessages) checkTopicMessages(entry)
    checkSame('acks', batch.acks, this.#core.config.get('acks'))
    checkSame('timeout', batch.timeout, this.#core.config.get('request.timeout.ms'))
    return await this.#sendAll(batch.topicMessages, options?.signal)
  }

  /** An object-mode Writable; several may share the producer. Web streams through `Writable.toWeb`. */
  writable(options: WritableOptions = {}): ProducerWritable {
    this.#core.checkOpen()
    const parts = {
      core: this.#core,
      send: (topic: string, message: SendOptions) => this.send(topic, message),
      flush: () => this.#flush(Number.POSITIVE_INFINITY, undefined),
      hasRoom: () => this.#sends.waitingCount === 0,
    }
    return new ProducerWritable(parts, options)
  }

  /** Counters and gauges as they are now; `prometheusText` writes them down. */
  metrics(): Metric[] {
    const { messageCount, chargedBytes } = this.#accumulator
    let delivered = 0
    for (const partition of this.#accumulator.partitions()) delivered += partition.ackedMessages
    return [
      ...commonMetrics(this.#core),
      metric('kafka_producer_queue_messages', 'gauge', 'Messages not reported yet', messageCount),
      metric('kafka_producer_queue_bytes', 'gauge', 'Bytes of these messages', chargedBytes),
      metric(
        'kafka_producer_sends_waiting',
        'gauge',
        'Messages that wait for room',
        this.#sends.waitingCount,
      ),
      metric('kafka_producer_delivered_total', 'counter', 'Messages acknowledged', delivered),
    ]
  }

  /** Begins a transaction as an object, initialising the producer first where that was not done. */
  async transaction(timeout?: Timeout): Promise<Transaction> {
    if (this.#transactional().transactionState === 'Init') await this.initTransactions(timeout)
    this.beginTransaction()
    return new Transaction(this)
  }

  /** Enqueues several; a refused one gets `_error` and is left out of the count. @returns how many were accepted */
  produceBatch(topic: string, messages: readonly BatchMessage[], options?: BatchOptions): number
  produceBatch(
    topic: string,
    messages: readonly BatchMessage[],
    partition?: number,
    onDelivery?: DeliveryCallback | null,
  ): number
  produceBatch(
    topic: string,
    messages: readonly BatchMessage[],
    partitionOrOptions?: number | BatchOptions,
    onDelivery?: DeliveryCallback | null,
  ): number {
    const options = isOptions(partitionOrOptions)
      ? partitionOrOptions
      : { partition: partitionOrOptions, onDelivery }
    checkOptionNames(options, (name) => name === 'partition' || name === 'onDelivery' || name === 'callback')
    if (!Array.isArray(messages)) throw new TypeError('messages must be an array')
    this.#checkProduce(topic)
    for (const [index, message] of messages.entries()) {
      if (typeof message !== 'object' || message === null || Array.isArray(message))
        throw new TypeError(`messages[${index}] must be an object`)
      checkOptionNames(message, (name) => name === '_error' || isKnownOption(name))
    }
    const callback = options.onDelivery ?? options.callback ?? this.#defaultCallback
    let accepted = 0
    for (const message of messages as readonly BatchMessage[]) {
      const record = recordOf({ partition: options.partition, ...message }, callback, this.#wallMs)
      try {
        this.#add(topic, record)
        accepted++
      } catch (error) {
        if (!(error instanceof KafkaException)) throw error
        message._error = error.error
      }
    }
    return accepted
  }

  /** Serves queued callbacks; waits for the first one. @returns how many were served */
  async poll(timeout?: Timeout): Promise<number> {
    this.#core.checkOpen()
    const { timeoutMs, signal } = callLimits(timeout)
    return await this.#core.events.poll(timeoutMs, signal)
  }

  /** Waits until everything is delivered or failed and reported. @returns how many messages are still outstanding */
  async flush(timeout?: Timeout): Promise<number> {
    this.#core.checkOpen()
    const { timeoutMs, signal } = callLimits(timeout)
    return await this.#flush(timeoutMs, signal)
  }

  /** Drops messages; their reports come with the next `poll` or `flush`. With `blocking: false` nothing is returned. */
  purge(options: PurgeOptions & { readonly blocking: false }): void
  purge(options?: PurgeOptions): Promise<void>
  purge(options: PurgeOptions = {}): Promise<void> | void {
    this.#core.checkOpen()
    checkOptionNames(options, (name) => name === 'inQueue' || name === 'inFlight' || name === 'blocking')
    const { inQueue = true, inFlight = true, blocking = true } = options
    this.#purge(inQueue, inFlight)
    // Everything happens in this thread: there is nobody to wait for.
    if (blocking) return Promise.resolve()
  }

  /** Messages that wait, are in flight, or are done with their report not served. */
  get length(): number {
    return this.#accumulator.messageCount + this.#sends.waitingCount
  }

  len(): number {
    return this.length
  }

  async listTopics(topic?: string | null | ListTopicsOptions, timeout?: Timeout): Promise<ClusterMetadata> {
    return await this.#core.listTopics(topic, timeout)
  }

  /** User and password from the next authentication on. */
  setSaslCredentials(username: string, password: string): void {
    this.#core.setSaslCredentials(username, password)
  }

  /** Gets producer id and epoch, and fences older instances of the id. Once, before everything else. */
  async initTransactions(timeout?: Timeout): Promise<void> {
    const transactions = this.#transactional()
    await transactions.init(callLimits(timeout, 2 * this.#core.config.get('transaction.timeout.ms')))
  }

  /** Messages belong to the new transaction from now. */
  beginTransaction(): void {
    this.#transactional().begin()
  }

  /** Adds consumed positions, the next offsets to read, to the transaction. */
  async sendOffsetsToTransaction(
    positions: readonly TopicPartition[],
    groupMetadata: ConsumerGroupMetadata,
    timeout?: Timeout,
  ): Promise<void> {
    const transactions = this.#transactional()
    if (!Array.isArray(positions) || !positions.every((position) => position instanceof TopicPartition)) {
      throw new TypeError('positions must be an array of TopicPartition')
    }
    if (!(groupMetadata instanceof ConsumerGroupMetadata))
      throw new TypeError('groupMetadata must come from a consumer')
    await transactions.sendOffsets(positions, groupMetadata, callLimits(timeout, transactions.timeLeftMs))
  }

  /** Flushes, serving callbacks, then makes the transaction visible. */
  async commitTransaction(timeout?: Timeout): Promise<void> {
    const transactions = this.#transactional()
    await transactions.commit(callLimits(timeout, transactions.timeLeftMs))
  }

  /** Drops what is outstanding, serving callbacks, then ends the transaction without effect. */
  async abortTransaction(timeout?: Timeout): Promise<void> {
    const transactions = this.#transactional()
    await transactions.abort(callLimits(timeout, transactions.timeLeftMs))
  }

  /**
   * Flushes, then ends. With a limit, what is left when it is over is purged; `force` waits for nothing. Idempotent.
   * @returns true
   */
  close(options: CloseOptions = {}): Promise<boolean> {
    this.#closing ??= this.#close(closeLimits(options))
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #sendAll(
    topicMessages: readonly TopicMessages[],
    signal: AbortSignal | undefined,
  ): Promise<RecordMetadata[]> {
    const sends: TopicRecord[] = []
    const nowMs = this.#wallMs()
    const wallMs = (): number => nowMs
    for (const { topic, messages } of topicMessages) {
      this.#checkProduce(topic)
      for (const message of messages) sends.push({ topic, record: recordOf(message, undefined, wallMs) })
    }
    const settled = this.#sends.sendAll(sends, signal)
    // What waits for room has no size yet.
    this.#sender.added(sends.reduce((sum, { record }) => sum + record.sizeBytes, 0))
    return settled
  }

  #makeAccumulator(config: Config): Accumulator {
    const deliveryTimeoutMs = config.get('delivery.timeout.ms')
    const lifeMs = deliveryTimeoutMs === 0 ? Number.POSITIVE_INFINITY : deliveryTimeoutMs
    const lingerMs = config.get('linger.ms')
    return new Accumulator({
      runtime: this.#core.runtime,
      limits: {
        maxRecords: config.get('batch.num.messages'),
        maxBytes: Math.min(config.get('batch.size'), config.get('message.max.bytes')),
        lingerMs,
        maxAgeMs: lingerMs + Math.min(batchMaxAgeMs, lifeMs / 8),
      },
      format: batchFormat(config),
      maxMessages: config.get('queue.buffering.max.messages'),
      maxBytes: config.get('queue.buffering.max.kbytes') * 1024,
      partitioner: config.get('partitioner'),
      stickyMs: config.get('sticky.partitioning.linger.ms'),
      onNewTopic: (topic) => {
        this.#core.metadata.want(topic.name)
        this.#updateTopic(topic)
      },
      onReady: (partition) => this.#sender.markReady(partition),
    })
  }

  #transactional(): TransactionManager {
    this.#core.checkOpen()
    if (this.#transactions === undefined) {
      throw kafkaException(KafkaError._NOT_CONFIGURED, 'The transactional API needs "transactional.id"')
    }
    return this.#transactions
  }

  async #discardAll(): Promise<void> {
    this.#purge(true, true)
    const { events } = this.#core
    for (;;) {
      events.serveReady()
      // A request on its way could write after the end of the transaction.
      if (this.#sender.requestsInFlight === 0 && this.length === 0) return
      await events.wait(Number.POSITIVE_INFINITY)
    }
  }

  /** Whether sequences are missing somewhere; the new epoch that follows repairs all. */
  #hasGaps(): boolean {
    let hasGaps = false
    for (const partition of this.#accumulator.partitions()) hasGaps ||= partition.needsNewEpoch
    return hasGaps
  }

  #checkProduce(topic: unknown): void {
    this.#core.checkOpen()
    if (typeof topic !== 'string') throw new TypeError('topic must be a string')
    const fatal = this.#fatalError
    if (fatal !== undefined) {
      throw kafkaException(KafkaError._FATAL, `Fatal error: ${fatal.name()}: ${fatal.str()}`, { fatal: true })
    }
    this.#transactions?.checkProduce()
  }

  #add(name: string, record: ProduceRecord): void {
    const recordBytes = recordSizeBound(record.key, record.value, record.headers)
    if (recordBytes + BATCH_HEADER_BYTES > this.#maxMessageBytes) {
      throw kafkaException(
        KafkaError.MSG_SIZE_TOO_LARGE,
        `Message of ${recordBytes} bytes exceeds message.max.bytes (${this.#maxMessageBytes})`,
      )
    }
    const topic = this.#accumulator.topicFor(name)
    const { info } = topic
    if (info === undefined) this.#checkKnownMissing(topic)
    else if (record.partition >= info.partitions.length) throw kafkaException(KafkaError._UNKNOWN_PARTITION)
    this.#accumulator.add(topic, this.#watched(name, record), recordBytes)
    this.#expiry.watch()
  }

  /** For those who trace or listen: a message without a callback is reported too. */
  #watched(topic: string, record: ProduceRecord): ProduceRecord {
    const isTraced = channels.produce.hasSubscribers
    if (!isTraced && !(record.callback === undefined && this.#core.notifier.has('delivery-report')))
      return record
    const trace = isTraced
      ? Trace.begin(channels.produce, () => this.#produceContext(topic, record))
      : undefined
    record.trace = trace
    if (record.callback === undefined) {
      record.callback = noReport
      record.isDirect = true
    }
    return record
  }

  #produceContext(topic: string, { key, value, partition }: ProduceRecord): ProduceContext {
    const clientId = this.#core.config.get('client.id')
    return {
      operation: 'produce',
      clientId,
      topic,
      attributes: {
        'messaging.system': 'kafka',
        'messaging.operation.type': 'send',
        'messaging.operation.name': 'produce',
        'messaging.destination.name': topic,
        'messaging.client.id': clientId,
        'messaging.message.body.size': value?.length ?? 0,
        ...(partition < 0 ? {} : { 'messaging.destination.partition.id': `${partition}` }),
        ...(key === null ? {} : { 'messaging.kafka.message.key': key.toString() }),
        ...(value === null ? { 'messaging.kafka.message.tombstone': true } : {}),
      },
    }
  }

  #checkKnownMissing(topic: TopicQueue): void {
    const { runtime, metadata, config } = this.#core
    if (metadata.cache.topic(topic.name)?.errorCode !== ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) return
    const unknownForMs = runtime.clock.monotonicMs() - topic.unknownSinceMs
    if (unknownForMs >= config.get('topic.metadata.propagation.max.ms'))
      throw kafkaException(KafkaError._UNKNOWN_TOPIC)
  }

  #metadataUpdated(): void {
    for (const topic of this.#accumulator.topics()) this.#updateTopic(topic)
    this.#core.runtime.reactor.touch(this.#sender)
  }

  #updateTopic(topic: TopicQueue): void {
    const cached = this.#core.metadata.cache.topic(topic.name)
    if (cached === undefined) return
    if (cached.errorCode === ErrorCode.NONE && cached.partitions.length > 0) {
      if (topic.info === cached) return
      topic.info = cached
      for (const partition of topic.partitions) {
        const previousLeaderId = partition.leaderId
        topic.updateLeader(partition)
        if (partition.leaderId !== previousLeaderId) this.#sender.moveLane(partition, previousLeaderId)
      }
      this.#expiry.failRefused(topic, this.#accumulator.assign(topic))
      return
    }
    if (topic.info !== undefined) {
      topic.info = undefined
      topic.unknownSinceMs = this.#core.runtime.clock.monotonicMs()
    }
    const { errorCode } = cached
    if (errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) this.#expiry.watchTopic()
    else if (
      errorCode === ErrorCode.TOPIC_AUTHORIZATION_FAILED ||
      errorCode === ErrorCode.INVALID_TOPIC_EXCEPTION
    ) {
      const records = topic.unassigned
      topic.unassigned = []
      this.#expiry.failUnassigned(topic, records, new KafkaError(errorCode))
    }
  }

  async #flush(timeoutMs: number, signal: AbortSignal | undefined): Promise<number> {
    signal?.throwIfAborted()
    const { events, runtime } = this.#core
    const deadlineMs = runtime.clock.monotonicMs() + timeoutMs
    this.#accumulator.beginFlush()
    try {
      await events.turn()
      for (;;) {
        events.serveReady()
        signal?.throwIfAborted()
        const leftMs = deadlineMs - runtime.clock.monotonicMs()
        if (this.length === 0 || leftMs <= 0) return this.length
        await events.wait(leftMs, signal)
      }
    } finally {
      this.#accumulator.endFlush()
    }
  }

  async #close({
    timeoutMs,
    signal,
  }: {
    timeoutMs: number
    signal: AbortSignal | undefined
  }): Promise<boolean> {
    const { clock } = this.#core.runtime
    const deadlineMs = clock.monotonicMs() + timeoutMs
    try {
      // Outside a transaction nothing can be sent: waiting would be in vain.
      const state = this.#transactions?.transactionState
      if (state !== undefined && state !== 'InTransaction') this.#purge(true, true)
      let left = await this.#flush(timeoutMs, signal)
      if (left === 0) {
        await this.#core.pushLastMetrics({ timeoutMs: deadlineMs - clock.monotonicMs(), signal })
        // What the application produced in the meantime.
        if (this.length > 0) left = await this.#flush(deadlineMs - clock.monotonicMs(), signal)
      }
      if (left > 0) {
        this.#purge(true, true)
        this.#core.events.serveReady()
      }
    } finally {
      this.#sender.stop()
      this.#expiry.close()
      this.#accumulator.close()
      this.#identity?.close()
      this.#core.close()
      this.#sends.fail(new KafkaError(KafkaError._PURGE_QUEUE))
      this.#accumulator.release(this.#accumulator.messageCount, this.#accumulator.chargedBytes)
    }
    return true
  }

  #purge(inQueue: boolean, inFlight: boolean): void {
    const queueError = new KafkaError(KafkaError._PURGE_QUEUE)
    const flightError = new KafkaError(KafkaError._PURGE_INFLIGHT)
    if (inQueue) this.#sends.fail(queueError)
    for (const topic of this.#accumulator.topics()) {
      if (inQueue) {
        const { unassigned } = topic
        topic.unassigned = []
        this.#expiry.failUnassigned(topic, unassigned, queueError)
      }
      for (const partition of topic.partitions) {
        if (inFlight) {
          for (const batch of partition.inFlight) {
            batch.isPossiblyPersisted = true
            this.#outcomes.giveUp(partition, batch, flightError)
          }
        }
        if (!inQueue) continue
        for (const batch of partition.takeQueued()) {
          this.#outcomes.giveUp(partition, batch, batch.isPossiblyPersisted ? flightError : queueError)
        }
      }
    }
  }

  /** The first fatal error ends the instance: everything outstanding fails, and the next serving call throws. */
  #fatal(error: KafkaError): void {
    if (this.#fatalError !== undefined) return
    this.#fatalError = error
    this.#sender.stop()
    this.#sends.fail(error)
    for (const topic of this.#accumulator.topics()) {
      const { unassigned } = topic
      topic.unassigned = []
      this.#expiry.failUnassigned(topic, unassigned, error)
      for (const partition of topic.partitions) {
        for (const batch of [...partition.inFlight, ...partition.takeQueued()]) {
          this.#outcomes.giveUp(partition, batch, error)
        }
      }
    }
    this.#core.events.push(
      new OnceEvent(() => {
        throw new KafkaException(error)
      }),
    )
  }
}

function batchFormat(config: Config): BatchFormat {
  const name = config.get('compression.codec')
  const codec = codecNamed(name === 'inherit' ? 'none' : name)
  const level = config.get('compression.level')
  const isGiven = codec !== null && level >= 0 && codec.minLevel < codec.maxLevel
  return {
    compressionType: (codec?.type ?? CompressionType.none) as CompressionType,
    compressionLevel: isGiven ? Math.min(Math.max(level, codec.minLevel), codec.maxLevel) : undefined,
    isTransactional: config.get('transactional.id') !== undefined,
  }
}
