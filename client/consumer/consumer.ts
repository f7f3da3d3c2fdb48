/**
 * The documented Consumer. Surface only: arguments, promises, and serving the application; `ConsumerEngine` does the work.
 *
 * Two modes: `subscribe` (the group assigns) and `assign` (by hand). Callbacks and messages come inside `poll`, `consume`
 * and `close` only; network input and heartbeats go on by themselves as the event loop turns.
 */
import { EventEmitter } from 'node:events'
import type { ClientHooks } from '../client-hooks.ts'
import { readConfig } from '../config/read-config.ts'
import type { ClientConfig } from '../config/table.ts'
import { OFFSET_INVALID, OFFSET_STORED } from '../constants.ts'
import { ClosedError, KafkaError, KafkaException, kafkaException, ValueError } from '../errors.ts'
import type { ConsumerEvents } from '../events/event-maps.ts'
import type { Metric } from '../statistics/metrics.ts'
import {
  type CallOptions,
  type CloseOptions,
  callLimits,
  closeLimits,
  type ListTopicsOptions,
  type Timeout,
  untilAborted,
} from '../timeouts.ts'
import type { ClusterMetadata } from '../values/cluster-metadata.ts'
import { ConsumerGroupMetadata } from '../values/consumer-group-metadata.ts'
import type { Message } from '../values/message.ts'
import { type Position, setPartitionError, TopicPartition } from '../values/topic-partition.ts'
import { isUsableOffset } from './assigned-partition.ts'
import {
  asksForPromise,
  type CommitOptions,
  type ConsumeOptions,
  checkNames,
  commitRequest,
  consumeRequest,
  maxMessagesPerCall,
  onePartition,
  partitionList,
  rebalanceCallbacks,
  storeRequest,
  type WatermarkOptions,
  watermarkRequest,
} from './consumer-arguments.ts'
import { ConsumerEngine } from './consumer-engine.ts'
import { consumerMetrics } from './consumer-metrics.ts'
import { consumerStatistics } from './consumer-statistics.ts'
import { ConsumerStream } from './consumer-stream.ts'
import { type ConsumerEvent, iterateEvents } from './event-iteration.ts'
import {
  type BatchesOptions,
  type IterationSource,
  iterateBatches,
  iterateMessages,
  type MessagesOptions,
} from './iteration.ts'
import { committedOffsets, offsetsForTimes, watermarkOffsets } from './offset-queries.ts'
import type { RebalanceCallback, RebalanceCallbacks } from './rebalance-queue.ts'
import { Serving } from './serving.ts'
import type { StreamOptions } from './stream-options.ts'
import { parseSubscription } from './subscription.ts'

/** Longest that `close` waits for brokers, unless it is told otherwise. */
const defaultCloseMs = 15_000

export class Consumer extends EventEmitter<ConsumerEvents> {
  readonly #engine: ConsumerEngine<Consumer>
  readonly #serving: Serving<Consumer>
  #closing: Promise<void> | undefined

  /** @param hooks for tests: see `ClientHooks` */
  constructor(conf?: ClientConfig, extra?: ClientConfig, hooks: ClientHooks = {}) {
    super()
    const config = readConfig('consumer', conf, extra)
    this.#engine = new ConsumerEngine<Consumer>(this, config, hooks, this)
    this.#serving = new Serving(this.#engine)
    this.#engine.core.startStatistics(() => consumerStatistics(this.#engine))
  }

  /**
   * As the constructor, and fails early (addition): rejects with `SASL_AUTHENTICATION_FAILED` when OAUTHBEARER is wanted and no
   * first token comes.
   */
  static async create(conf?: ClientConfig, extra?: ClientConfig, hooks: ClientHooks = {}): Promise<Consumer> {
    const made = new Consumer(conf, extra, hooks)
    return made.#engine.core.whenReady(made)
  }

  /** Joins the group for these topics; a leading `^` makes an expression. Replaces the earlier subscription. */
  subscribe(topics: readonly string[], callbacks?: RebalanceCallbacks<Consumer>): void
  subscribe(
    topics: readonly string[],
    onAssign?: RebalanceCallback<Consumer> | null,
    onRevoke?: RebalanceCallback<Consumer> | null,
    onLost?: RebalanceCallback<Consumer> | null,
  ): void
  subscribe(topics: readonly string[], first?: unknown, onRevoke?: unknown, onLost?: unknown): void {
    this.#checkUsable()
    const matchesHere = this.#engine.core.config.get('group.protocol') === 'classic'
    const callbacks = rebalanceCallbacks<Consumer>(first, onRevoke, onLost)
    const subscription = parseSubscription(topics, matchesHere)
    this.#engine.rebalances.callbacks = callbacks
    this.#engine.subscribe(subscription)
  }

  /** Leaves the group; the revoke callback runs at the next serving call. */
  unsubscribe(): void {
    this.#checkOpen()
    this.#engine.unsubscribe()
  }

  /** Replaces the whole assignment. */
  assign(partitions: readonly TopicPartition[]): void {
    this.#checkOpen()
    this.#engine.assign(partitionList(partitions))
  }

  /** Gives the whole assignment up. Throws `_STATE` where the group rebalances cooperatively. */
  unassign(): void {
    this.#checkOpen()
    this.#engine.unassign()
  }

  /** Adds to the assignment (KIP-429). Throws `_CONFLICT` for what is assigned already, `_STATE` where the group rebalances eagerly. */
  incrementalAssign(partitions: readonly TopicPartition[]): void {
    this.#checkOpen()
    this.#engine.incrementalAssign(partitionList(partitions))
  }

  /** Takes from the assignment (KIP-429). Throws `_INVALID_ARG` for what is not assigned, `_STATE` where the group rebalances eagerly. */
  incrementalUnassign(partitions: readonly TopicPartition[]): void {
    this.#checkOpen()
    this.#engine.incrementalUnassign(partitionList(partitions))
  }

  /** What is assigned now. The offsets are no positions. */
  assignment(): TopicPartition[] {
    this.#checkOpen()
    const partitions = [...this.#engine.assignment.all()]
    return partitions.map(({ topic, id }) => new TopicPartition(topic, id)).sort(TopicPartition.compare)
  }

  /** Made by the coordinator, null until joined; with KIP-848 made here. */
  memberId(): string | null {
    this.#checkOpen()
    const { memberId } = this.#engine.membership.identity
    return memberId === '' ? null : memberId
  }

  /** The documented spelling. */
  memberid(): string | null {
    return this.memberId()
  }

  /** For `sendOffsetsToTransaction`; also before joining. */
  consumerGroupMetadata(): ConsumerGroupMetadata {
    this.#checkOpen()
    const { memberId, generationId, groupInstanceId } = this.#engine.membership.identity
    const { groupId } = this.#engine.coordinator
    return generationId < 0
      ? new ConsumerGroupMetadata(groupId)
      : new ConsumerGroupMetadata(groupId, generationId, memberId, groupInstanceId)
  }

  /** Serves callbacks; the next message or event, or null when the time is over. */
  async poll(timeout?: Timeout): Promise<Message | null> {
    this.#checkOpen()
    return await this.#serving.poll(callLimits(timeout))
  }

  /** Up to `numMessages` messages and events; fewer when time runs out. */
  async consume(numMessages?: number | ConsumeOptions, timeout?: Timeout): Promise<Message[]> {
    this.#checkOpen()
    const { count, limits } = consumeRequest(numMessages, timeout)
    return count === 0 ? [] : await this.#serving.consume(count, limits)
  }

  /** Commits; the outcome goes to `on_commit`, or with `asynchronous: false` to the promise. */
  commit(options: CommitOptions & { readonly asynchronous: false }): Promise<TopicPartition[]>
  commit(options?: CommitOptions | Message<unknown, unknown> | readonly TopicPartition[]): void
  commit(
    message: Message<unknown, unknown> | null | undefined,
    offsets: readonly TopicPartition[] | null | undefined,
    asynchronous: false,
  ): Promise<TopicPartition[]>
  commit(
    message?: Message<unknown, unknown> | null,
    offsets?: readonly TopicPartition[] | null,
    asynchronous?: boolean,
  ): void
  commit(first?: unknown, second?: unknown, third?: unknown): Promise<TopicPartition[]> | undefined {
    const start = (): Promise<TopicPartition[]> | undefined => {
      this.#checkUsable()
      const { offsets: given, isAsynchronous, signal } = commitRequest(first, second, third)
      signal?.throwIfAborted()
      this.#engine.checkCommit()
      const offsets = (given ?? this.#engine.storedOffsets()).filter(({ offset }) => offset >= 0)
      if (offsets.length === 0)
        throw kafkaException(KafkaError._NO_OFFSET, 'Commit failed: no offset is stored')
      const timeoutMs = this.#engine.core.config.get('socket.timeout.ms')
      if (!isAsynchronous) return untilAborted(signal, () => this.#commit(offsets, timeoutMs))
      this.#engine.commitInBackground(offsets, timeoutMs)
      return undefined
    }
    if (asksForPromise(first, third)) return (async () => (await start()) ?? [])()
    void start()
    return undefined
  }

  /** Marks offsets for the next commit; needs `enable.auto.offset.store=false`. */
  storeOffsets(
    request:
      | { readonly message?: Message<unknown, unknown>; readonly offsets?: readonly TopicPartition[] }
      | Message<unknown, unknown>
      | readonly TopicPartition[],
    offsets?: readonly TopicPartition[],
  ): void {
    this.#checkOpen()
    const wanted = storeRequest(request, offsets)
    const { core } = this.#engine
    if (core.config.get('enable.auto.offset.store')) {
      throw kafkaException(KafkaError._INVALID_ARG, 'storeOffsets needs "enable.auto.offset.store=false"')
    }
    let failure: KafkaError | null = null
    let failures = 0
    for (const entry of wanted) {
      const partition = this.#engine.assignment.get(entry.topic, entry.partition)
      const error = partition === undefined ? this.#unassigned(entry, KafkaError._STATE) : null
      setPartitionError(entry, error)
      if (partition === undefined) {
        failure = error
        failures++
      } else this.#engine.store(partition, entry.offset, entry.leaderEpoch ?? -1, entry.metadata)
    }
    if (failure !== null && failures === wanted.length) throw new KafkaException(failure)
  }

  /** What the group has committed; OFFSET_INVALID where there is nothing. */
  async committed(partitions: readonly TopicPartition[], timeout?: Timeout): Promise<TopicPartition[]> {
    this.#checkUsable()
    const wanted = partitionList(partitions)
    return await committedOffsets(this.#engine.committed, wanted, callLimits(timeout))
  }

  /** Last returned offset + 1; OFFSET_INVALID before the first message. A timeout is accepted and ignored. */
  position(partitions: readonly TopicPartition[], _timeout?: Timeout): TopicPartition[] {
    this.#checkOpen()
    return partitionList(partitions).map((entry) => {
      const { topic, partition: id } = entry
      const partition = this.#engine.assignment.get(topic, id)
      if (partition === undefined) {
        const error = new KafkaError(KafkaError._UNKNOWN_PARTITION)
        return new TopicPartition(topic, id, OFFSET_INVALID, { error })
      }
      return new TopicPartition(topic, id, partition.appOffset, { leaderEpoch: partition.appEpoch })
    })
  }

  /** The next message of the partition is the one at this offset. */
  async seek(partition: TopicPartition, timeout?: Timeout): Promise<void> {
    this.#checkUsable()
    const { topic, partition: id, offset, leaderEpoch } = onePartition(partition)
    callLimits(timeout).signal?.throwIfAborted()
    if (offset === OFFSET_STORED || offset === OFFSET_INVALID || !isUsableOffset(offset)) {
      throw kafkaException(KafkaError._INVALID_ARG, `cannot seek to ${partition}`)
    }
    const assigned = this.#engine.assignment.get(topic, id)
    if (assigned === undefined) throw new KafkaException(this.#unassigned(partition, KafkaError._STATE))
    const known = this.#engine.core.metadata.cache.topic(topic)
    if (known !== undefined && known.partitions.length > 0 && known.partitions[id] === undefined) {
      throw kafkaException(KafkaError._UNKNOWN_PARTITION)
    }
    this.#engine.seek(assigned, offset, leaderEpoch ?? -1)
  }

  /** Stops delivery; what is buffered is kept. Failures stand in the entries. */
  pause(partitions: readonly TopicPartition[]): void {
    this.#setPaused(partitions, true)
  }

  /** Takes `pause` back. Failures stand in the entries. */
  resume(partitions: readonly TopicPartition[]): void {
    this.#setPaused(partitions, false)
  }

  /** The first offsets whose timestamps are at or after the `offset`s given, in milliseconds. OFFSET_END: none is. */
  async offsetsForTimes(partitions: readonly TopicPartition[], timeout?: Timeout): Promise<TopicPartition[]> {
    this.#checkUsable()
    const wanted = partitionList(partitions)
    if (wanted.length === 0) throw kafkaException(KafkaError._INVALID_ARG, 'the list of partitions is empty')
    return await offsetsForTimes(this.#engine.core, wanted, callLimits(timeout))
  }

  /** Oldest and next offset. */
  async getWatermarkOffsets(
    partition: TopicPartition,
    timeout?: number | WatermarkOptions,
    cached?: boolean,
  ): Promise<[low: number, high: number] | null> {
    this.#checkUsable()
    const { topic, partition: id } = onePartition(partition)
    const { isCached, nullOnTimeout, limits } = watermarkRequest(timeout, cached)
    if (isCached) {
      const known = this.#engine.assignment.get(topic, id)
      return [known?.logStartOffset ?? OFFSET_INVALID, known?.highWatermark ?? OFFSET_INVALID]
    }
    try {
      return await watermarkOffsets(this.#engine.core, topic, id, limits)
    } catch (error) {
      const isLate = error instanceof KafkaException && error.error.code() === KafkaError._TIMED_OUT
      if (isLate && nullOnTimeout) return null
      throw error
    }
  }

  /** Messages without error; `break` leaves the consumer open. Subscribe or assign first. */
  messages(options: MessagesOptions = {}): AsyncGenerator<Message, void, undefined> {
    this.#checkUsable()
    checkNames(options, ['signal', 'closeOnEnd', 'partitionEof'])
    return iterateMessages(this.#iterated(), options)
  }

  /** Messages of one partition at a time. */
  batches(options: BatchesOptions = {}): AsyncGenerator<Message[], void, undefined> {
    this.#checkUsable()
    checkNames(options, ['signal', 'closeOnEnd', 'partitionEof', 'maxMessages', 'maxWaitMs'])
    const { maxMessages = 500, maxWaitMs = 0, signal } = options
    if (!Number.isInteger(maxMessages) || maxMessages < 1 || maxMessages > maxMessagesPerCall) {
      throw new ValueError(`maxMessages must be between 1 and ${maxMessagesPerCall}, not ${maxMessages}`)
    }
    const next = (): Promise<Message[]> => this.#serving.batch(maxMessages, maxWaitMs, signal)
    return iterateBatches(this.#iterated(), next, options)
  }

  /** Whether a rebalance waits for the next serving call (addition). */
  get isRebalancing(): boolean {
    return this.#engine.rebalances.isReady
  }

  /**
   * Gives messages of the last calls back, oldest first: the next call hands them out again, without a request (addition).
   * Those of partitions that were sought in or are not assigned any more must not be among them; they are left out.
   */
  unread(messages: readonly Message[]): void {
    this.#checkOpen()
    this.#engine.unread(messages)
  }

  /** Counters and gauges as they are now; `prometheusText` writes them down. */
  metrics(): Metric[] {
    return consumerMetrics(this.#engine)
  }

  /** Counts as a poll for `max.poll.interval.ms`: the application is at work on what it has (addition). */
  heartbeat(): void {
    this.#checkOpen()
    this.#engine.pollWatch.touch()
  }

  /** Rebalances, commits, ends of partitions and lags, in order; ends with `close`. */
  events(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<ConsumerEvent, void, undefined> {
    this.#checkOpen()
    checkNames(options, ['signal'])
    return iterateEvents(this, this.#engine.core, options.signal)
  }

  /** Messages as a Readable; one at a time. Web streams through `Readable.toWeb`. */
  stream(options: StreamOptions = {}): ConsumerStream {
    this.#checkUsable()
    return new ConsumerStream(this, this.#engine, options)
  }

  [Symbol.asyncIterator](): AsyncGenerator<Message, void, undefined> {
    return this.messages()
  }

  /** Brokers, and all topics or one. A timeout in seconds, or the options object. */
  async listTopics(topic?: string | null | ListTopicsOptions, timeout?: Timeout): Promise<ClusterMetadata> {
    this.#checkOpen()
    return await this.#engine.core.listTopics(topic, timeout)
  }

  /** User and password from the next authentication on. */
  setSaslCredentials(username: string, password: string): void {
    this.#checkOpen()
    this.#engine.core.setSaslCredentials(username, password)
  }

  /**
   * Runs the revoke callback, commits what is stored (with `enable.auto.commit`), leaves the group, closes connections.
   * `force` waits for nothing. Idempotent. Rejects with what a callback threw; it is closed nevertheless.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#serving.close(closeLimits(options, defaultCloseMs))
    await this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #checkOpen(): void {
    if (this.#engine.core.isClosed) throw new ClosedError('Consumer closed')
  }

  #checkUsable(): void {
    this.#checkOpen()
    const fatal = this.#engine.fatalError
    if (fatal !== undefined) {
      throw kafkaException(KafkaError._FATAL, `Fatal error: ${fatal.name()}: ${fatal.str()}`, { fatal: true })
    }
  }

  #iterated(): IterationSource<Message> {
    return {
      core: this.#engine.core,
      poll: (limits: CallOptions) => this.poll(limits),
      // Whoever polls in a way of its own (decoding) is asked that way for every message.
      ...(this.poll === Consumer.prototype.poll ? { tryPoll: () => this.#serving.tryPoll() } : {}),
      close: () => this.close(),
    }
  }

  #commit(offsets: readonly TopicPartition[], timeoutMs: number): Promise<TopicPartition[]> {
    return new Promise((resolve, reject) => {
      this.#engine.commits.commit(offsets, timeoutMs, (error, partitions) => {
        if (error !== null) reject(new KafkaException(error))
        else resolve(partitions)
      })
    })
  }

  #setPaused(partitions: readonly TopicPartition[], isPaused: boolean): void {
    this.#checkOpen()
    for (const entry of partitionList(partitions)) {
      const partition = this.#engine.assignment.get(entry.topic, entry.partition)
      setPartitionError(
        entry,
        partition === undefined ? this.#unassigned(entry, KafkaError._UNKNOWN_PARTITION) : null,
      )
      if (partition !== undefined) this.#engine.setPaused(partition, isPaused)
    }
  }

  #unassigned({ topic, partition }: Position, code: number): KafkaError {
    const known = this.#engine.core.metadata.cache.topic(topic)
    const isMissing = known !== undefined && known.partitions.length > 0 && !known.partitions[partition]
    return new KafkaError(
      isMissing ? KafkaError._UNKNOWN_PARTITION : code,
      `${topic}[${partition}] is not assigned`,
    )
  }
}
