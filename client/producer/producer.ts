/**
 * The documented Producer: asynchronous, batching, one instance for many topics. Surface only: arguments, promises and the
 * order of calls; `ProducerEngine` does the work.
 */
import { EventEmitter } from 'node:events'
import type { ClientHooks } from '../client-hooks.ts'
import type { DeliveryCallback } from '../config/producer-properties.ts'
import { readConfig } from '../config/read-config.ts'
import type { ClientConfig } from '../config/table.ts'
import { KafkaError, KafkaException, kafkaException } from '../errors.ts'
import type { ProducerEvents } from '../events/event-maps.ts'
import { serveAlways } from '../serve-always.ts'
import type { Metric } from '../statistics/metrics.ts'
import {
  type CloseOptions,
  callLimits,
  closeLimits,
  type ListTopicsOptions,
  type Timeout,
} from '../timeouts.ts'
import type { ClusterMetadata } from '../values/cluster-metadata.ts'
import { ConsumerGroupMetadata } from '../values/consumer-group-metadata.ts'
import type { HeadersInput } from '../values/headers.ts'
import { TopicPartition } from '../values/topic-partition.ts'
import {
  type BytesInput,
  checkOptionNames,
  isKnownOption,
  isOptions,
  type ProduceOptions,
  recordOf,
} from './produce-arguments.ts'
import { ProducerEngine } from './producer-engine.ts'
import { producerMetrics } from './producer-metrics.ts'
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
import type { TopicRecords } from './send-queue.ts'
import { Transaction } from './transaction.ts'
import type { TransactionManager } from './transaction-manager.ts'

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

/** `extra` of a producer: configuration, and what is no property. */
export type ProducerExtra = ClientConfig & {
  /** Serves callbacks as the event loop turns: no `poll` is needed. What they throw becomes an `error` event. */
  readonly autoPoll?: boolean
}

export class Producer extends EventEmitter<ProducerEvents> {
  readonly #engine: ProducerEngine
  readonly #defaultCallback: DeliveryCallback | undefined
  readonly #wallMs: () => number
  #closing: Promise<boolean> | undefined

  /** @param hooks for tests: see `ClientHooks` */
  constructor(conf?: ClientConfig, extra?: ProducerExtra, hooks: ClientHooks = {}) {
    super()
    const { autoPoll = false, ...ownConf } = extra ?? {}
    if (typeof autoPoll !== 'boolean') throw new TypeError('autoPoll must be a boolean')
    const config = readConfig('producer', conf, extra === undefined ? undefined : ownConf)
    this.#engine = new ProducerEngine(config, hooks, this)
    const { clock } = this.#engine.core.runtime
    this.#wallMs = () => clock.wallMs()
    this.#defaultCallback = config.get('on_delivery')
    if (autoPoll) void serveAlways(this.#engine.core)
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
    return made.#engine.core.whenReady(made)
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
      if ((key ?? partition ?? onDelivery ?? timestamp ?? headers) !== undefined)
        throw new TypeError('options and further arguments exclude each other')
      options = valueOrOptions as ProduceOptions
    } else options = { value: valueOrOptions, key, partition, onDelivery, timestamp, headers }
    this.#checkProduce(topic)
    this.#engine.produce(topic, recordOf(options, this.#defaultCallback, this.#wallMs))
  }

  /**
   * Produces and resolves when the message is delivered; rejects with a `DeliveryError`. Waits for room in the local queue
   * in the place of throwing `_QUEUE_FULL`. Needs no `poll`. The signal takes back a message that was not sent yet. Buffers are left alone
   * until then: a message that waits for room is not copied.
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
        checkMessage(second ?? {})
        this.#checkProduce(first)
        const record = recordOf((second ?? {}) as SendOptions, undefined, this.#wallMs)
        return this.#engine.sends.send(first, record, third?.signal)
      }
      checkTopicMessages(first)
      checkSame('acks', first.acks, this.#engine.core.config.get('acks'))
      checkSame('timeout', first.timeout, this.#engine.core.config.get('request.timeout.ms'))
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
    this.#engine.core.checkOpen()
    if (!Array.isArray(batch?.topicMessages)) throw new TypeError('topicMessages must be an array')
    for (const entry of batch.topicMessages) checkTopicMessages(entry)
    checkSame('acks', batch.acks, this.#engine.core.config.get('acks'))
    checkSame('timeout', batch.timeout, this.#engine.core.config.get('request.timeout.ms'))
    return await this.#sendAll(batch.topicMessages, options?.signal)
  }

  /** An object-mode Writable; several may share the producer. Web streams through `Writable.toWeb`. */
  writable(options: WritableOptions = {}): ProducerWritable {
    this.#engine.core.checkOpen()
    const parts = {
      core: this.#engine.core,
      send: (topic: string, message: SendOptions) => this.send(topic, message),
      flush: () => this.#engine.flush(callLimits(undefined)),
      hasRoom: () => this.#engine.sends.waitingCount === 0,
    }
    return new ProducerWritable(parts, options)
  }

  /** Counters and gauges as they are now; `prometheusText` writes them down. */
  metrics(): Metric[] {
    return producerMetrics(this.#engine)
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
    // Arguments are checked before anything is queued: who is told of a wrong one need not wonder what was accepted.
    const records = (messages as readonly BatchMessage[]).map((message) =>
      recordOf(message, callback, this.#wallMs, options.partition),
    )
    let accepted = 0
    for (const [index, record] of records.entries()) {
      const message = messages[index] as BatchMessage
      try {
        this.#engine.produce(topic, record)
        // Of an earlier call, which refused it.
        if (message._error !== undefined) delete message._error
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
    this.#engine.core.checkOpen()
    const { timeoutMs, signal } = callLimits(timeout)
    return await this.#engine.core.events.poll(timeoutMs, signal)
  }

  /** Waits until everything is delivered or failed and reported. @returns how many messages are still outstanding */
  async flush(timeout?: Timeout): Promise<number> {
    this.#engine.core.checkOpen()
    return await this.#engine.flush(callLimits(timeout))
  }

  /** Drops messages; their reports come with the next `poll` or `flush`. With `blocking: false` nothing is returned. */
  purge(options: PurgeOptions & { readonly blocking: false }): void
  purge(options?: PurgeOptions): Promise<void>
  purge(options: PurgeOptions = {}): Promise<void> | void {
    this.#engine.core.checkOpen()
    if (!isOptions(options)) throw new TypeError('purge takes { inQueue, inFlight, blocking }')
    checkOptionNames(options, (name) => name === 'inQueue' || name === 'inFlight' || name === 'blocking')
    const { inQueue = true, inFlight = true, blocking = true } = options
    for (const option of [inQueue, inFlight, blocking])
      if (typeof option !== 'boolean') throw new TypeError('the options of purge must be booleans')
    this.#engine.purge(inQueue, inFlight)
    // Everything happens in this thread: there is nobody to wait for.
    if (blocking) return Promise.resolve()
  }

  /** Messages that wait, are in flight, or are done with their report not served. */
  get length(): number {
    return this.#engine.messageCount
  }

  /** The documented spelling of `length`. */
  len(): number {
    return this.length
  }

  /** Brokers, and all topics or one. A timeout in seconds, or the options object. */
  async listTopics(topic?: string | null | ListTopicsOptions, timeout?: Timeout): Promise<ClusterMetadata> {
    return await this.#engine.core.listTopics(topic, timeout)
  }

  /** User and password from the next authentication on. */
  setSaslCredentials(username: string, password: string): void {
    this.#engine.core.setSaslCredentials(username, password)
  }

  /** Gets producer id and epoch, and fences older instances of the id. Once, before everything else. */
  async initTransactions(timeout?: Timeout): Promise<void> {
    const transactions = this.#transactional()
    await transactions.init(callLimits(timeout, 2 * this.#engine.core.config.get('transaction.timeout.ms')))
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
  async close(options: CloseOptions = {}): Promise<boolean> {
    this.#closing ??= this.#engine.close(closeLimits(options)).then(() => true)
    return await this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Keeps the process alive, as at first. @returns this producer */
  ref(): this {
    this.#engine.core.keepProcessAlive(true)
    return this
  }

  /** Lets the process end although this producer is open, with what it has not delivered; as with Node's sockets and timers. @returns this producer */
  unref(): this {
    this.#engine.core.keepProcessAlive(false)
    return this
  }

  #sendAll(
    topicMessages: readonly TopicMessages[],
    signal: AbortSignal | undefined,
  ): Promise<RecordMetadata[]> {
    const nowMs = this.#wallMs()
    const wallMs = (): number => nowMs
    const sends = topicMessages.map(({ topic, messages }): TopicRecords => {
      this.#checkProduce(topic)
      return { topic, records: messages.map((message) => recordOf(message, undefined, wallMs)) }
    })
    return this.#engine.sendAll(sends, signal)
  }

  #transactional(): TransactionManager {
    this.#engine.core.checkOpen()
    if (this.#engine.transactions === undefined) {
      throw kafkaException(KafkaError._NOT_CONFIGURED, 'The transactional API needs "transactional.id"')
    }
    return this.#engine.transactions
  }

  #checkProduce(topic: unknown): asserts topic is string {
    this.#engine.checkProduce()
    if (typeof topic !== 'string') throw new TypeError('topic must be a string')
  }
}
