/**
 * `consumer.stream()`: messages as an object-mode Readable. It reads as its consumer's reader does, one poll for each message
 * that fits; what does not fit stays in the consumer's queue, partition by partition, and full partitions are not fetched.
 * While nobody reads, nobody polls: heartbeats go on, and after `max.poll.interval.ms` the member leaves, which the
 * consumer's `error` event (or the log) tells. Destroying the stream leaves the group; the consumer stays usable.
 */
import { Readable } from 'node:stream'
import type { Timer } from '../../common/runtime/scheduler.ts'
import { OFFSET_BEGINNING, OFFSET_END } from '../constants.ts'
import { KafkaError, KafkaException, kafkaException } from '../errors.ts'
import type { CallOptions } from '../timeouts.ts'
import type { Message } from '../values/message.ts'
import { TopicPartition } from '../values/topic-partition.ts'
import { CommitQueue } from './commit-queue.ts'
import type { ConsumerEngine } from './consumer-engine.ts'
import { endsReading } from './iteration.ts'
import type { RebalanceCallbacks } from './rebalance-queue.ts'
import { StreamMessage } from './stream-message.ts'
import { type StreamOptions, type StreamSettings, streamSettings } from './stream-options.ts'

/** What a stream needs of its consumer. */
export interface StreamedConsumer {
  poll(limits: CallOptions): Promise<Message | null>
  subscribe(topics: readonly string[], callbacks: RebalanceCallbacks<unknown>): void
  unsubscribe(): void
  assign(partitions: readonly TopicPartition[]): void
  incrementalAssign(partitions: readonly TopicPartition[]): void
  unassign(): void
  committed(partitions: readonly TopicPartition[]): Promise<TopicPartition[]>
}

export type StreamedEngine = Pick<
  ConsumerEngine<unknown>,
  | 'core'
  | 'assignment'
  | 'commits'
  | 'membership'
  | 'topics'
  | 'isClosing'
  | 'fatalError'
  | 'storesOffsets'
  | 'isStreamed'
>

/** Longest that the end of a stream waits for commits and for leaving the group. */
const endMs = 5000

const corruptedCodes: ReadonlySet<number> = new Set([
  KafkaError._BAD_MSG,
  KafkaError._BAD_COMPRESSION,
  KafkaError._UNDERFLOW,
  KafkaError._NOT_IMPLEMENTED,
])

export class ConsumerStream<K = Buffer, V = Buffer> extends Readable {
  readonly #consumer: StreamedConsumer
  readonly #engine: StreamedEngine
  readonly #settings: StreamSettings
  readonly #commits: CommitQueue
  readonly #abort = new AbortController()
  readonly #onClose: () => void
  readonly #signal: AbortSignal | undefined
  readonly #storedBefore: boolean
  /** What was pushed and may still lie in this stream's buffer, oldest first. */
  readonly #pushed: TopicPartition[] = []
  /** Positions behind what has left the stream, by partition. */
  readonly #handled = new Map<string, TopicPartition>()
  /** Next offsets of the partitions that this stream has met. */
  readonly #met = new Map<string, number>()
  #commitTimer: Timer | undefined
  #isFilling = false

  /** Applications get it from `consumer.stream()`. */
  constructor(consumer: StreamedConsumer, engine: StreamedEngine, options: StreamOptions) {
    const { config } = engine.core
    const settings = streamSettings(options, {
      commits: config.get('enable.auto.commit'),
      commitIntervalMs: Math.max(1, config.get('auto.commit.interval.ms')),
    })
    if (engine.isStreamed) {
      throw kafkaException(KafkaError._CONFLICT, 'The consumer has a stream already')
    }
    super({
      objectMode: true,
      highWaterMark: settings.highWaterMark,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    this.#consumer = consumer
    this.#engine = engine
    this.#settings = settings
    this.#signal = options.signal
    this.#commits = new CommitQueue(engine)
    this.#storedBefore = engine.storesOffsets
    engine.storesOffsets = false
    engine.isStreamed = true
    this.#onClose = engine.core.onClose(() => this.push(null))
    if (settings.topics !== undefined) this.#subscribe(settings.topics)
    if (settings.commitIntervalMs !== undefined) this.#scheduleCommit(settings.commitIntervalMs)
  }

  override [Symbol.asyncIterator](): NodeJS.AsyncIterator<StreamMessage<K, V>> {
    return super[Symbol.asyncIterator]()
  }

  override _read(): void {
    if (!this.#isFilling) void this.#fill()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#abort.abort()
    this.#commitTimer?.cancel()
    this.#onClose()
    // `break` out of a loop over the stream is no failure; Node calls it one.
    const isBreak = error?.name === 'AbortError' && this.#signal?.aborted !== true
    const failure = isBreak ? null : error
    this.#leave().then(
      () => done(failure),
      (thrown: unknown) => done(failure ?? (thrown as Error)),
    )
  }

  async #fill(): Promise<void> {
    this.#isFilling = true
    try {
      for (;;) {
        const message = await this.#consumer.poll({ signal: this.#abort.signal })
        if (message === null || this.destroyed) return
        if (message.error() !== null) this.#event(message)
        else if (!this.#pushMessage(message)) return
      }
    } catch (error) {
      if (!this.destroyed) this.destroy(error as Error)
    } finally {
      this.#isFilling = false
    }
  }

  #pushMessage(message: Message): boolean {
    const topic = message.topic() ?? ''
    const offset = (message.offset() ?? -1) + 1
    const leaderEpoch = message.leaderEpoch()
    const position = new TopicPartition(topic, message.partition() ?? -1, offset, { leaderEpoch })
    this.#met.set(position.key(), offset)
    if (this.#settings.commitIntervalMs !== undefined) this.#pushed.push(position)
    const view = new StreamMessage(message, () => this.#commits.commit(position))
    const isWanted = this.push(view)
    this.#noteHandled()
    return isWanted
  }

  /** What has left the buffer is handled, but for the last: it may still be in work. */
  #noteHandled(): void {
    const held = this.readableLength + 1
    while (this.#pushed.length > held) {
      const position = this.#pushed.shift() as TopicPartition
      this.#handled.set(position.key(), position)
    }
  }

  #event(message: Message): void {
    const error = message.error() as KafkaError
    if (error.code() === KafkaError._PARTITION_EOF) return
    if (corruptedCodes.has(error.code())) {
      if (this.#settings.onCorrupted?.(error, message) !== true) throw new KafkaException(error)
      return
    }
    if (endsReading(error) || error.code() === KafkaError._AUTO_OFFSET_RESET) throw new KafkaException(error)
    this.#engine.core.notifier.error(new KafkaException(error))
  }

  #subscribe(topics: readonly string[]): void {
    this.#consumer.subscribe(topics, {
      onAssign: async (_consumer, partitions) => {
        this.#commits.forget(partitions)
        const placed = await this.#place(partitions)
        if (this.#engine.membership.rebalanceProtocol === 'cooperative')
          this.#consumer.incrementalAssign(placed)
        else this.#consumer.assign(placed)
      },
      onRevoke: async (_consumer, partitions) => {
        await this.#commitHandled().catch((error: unknown) => this.#engine.core.notifier.error(error))
        this.#forget(partitions)
      },
      onLost: (_consumer, partitions) => this.#forget(partitions),
    })
  }

  #forget(partitions: readonly TopicPartition[]): void {
    for (const entry of partitions) this.#handled.delete(entry.key())
    const gone = new Set(partitions.map((entry) => entry.key()))
    const kept = this.#pushed.filter((entry) => !gone.has(entry.key()))
    this.#pushed.splice(0, this.#pushed.length, ...kept)
  }

  /** Where partitions start. */
  async #place(partitions: readonly TopicPartition[]): Promise<TopicPartition[]> {
    const { mode, offsets, fallbackMode } = this.#settings
    const isFresh = (entry: TopicPartition): boolean => !this.#met.has(entry.key())
    const needsCommitted = partitions.filter(
      (entry) =>
        !isFresh(entry) || ((mode === 'committed' || mode === 'manual') && !offsets.has(entry.key())),
    )
    const needed = fallbackMode !== undefined || needsCommitted.some((entry) => !isFresh(entry))
    const committed = new Map<string, TopicPartition>()
    if (needed && needsCommitted.length > 0) {
      for (const entry of await this.#consumer.committed(needsCommitted)) committed.set(entry.key(), entry)
    }
    return partitions.map((entry) => {
      const { topic, partition } = entry
      const key = entry.key()
      const found = committed.get(key)
      const own = this.#met.get(key)
      if (found !== undefined && found.offset >= 0) return found
      if (own !== undefined) return new TopicPartition(topic, partition, own)
      this.#met.set(key, -1)
      if (mode === 'latest') return new TopicPartition(topic, partition, OFFSET_END)
      if (mode === 'earliest') return new TopicPartition(topic, partition, OFFSET_BEGINNING)
      const given = mode === 'manual' ? offsets.get(key) : undefined
      if (given !== undefined) return new TopicPartition(topic, partition, given)
      if (fallbackMode === undefined) return new TopicPartition(topic, partition)
      if (fallbackMode === 'fail') {
        throw kafkaException(KafkaError._NO_OFFSET, `${topic}[${partition}] has no committed offset`)
      }
      return new TopicPartition(topic, partition, fallbackMode === 'latest' ? OFFSET_END : OFFSET_BEGINNING)
    })
  }

  async #commitHandled(): Promise<void> {
    this.#noteHandled()
    const positions = [...this.#handled.values()]
    this.#handled.clear()
    const still = positions.filter(({ topic, partition }) => this.#engine.assignment.get(topic, partition))
    await Promise.all(still.map((position) => this.#commits.commit(position)))
  }

  #scheduleCommit(intervalMs: number): void {
    this.#commitTimer = this.#engine.core.runtime.scheduler.schedule('stream commits', intervalMs, () => {
      this.#commitHandled().catch((error: unknown) => this.#engine.core.notifier.error(error))
      this.#scheduleCommit(intervalMs)
    })
  }

  /** Commits and leaves, within bounds. */
  async #leave(): Promise<void> {
    const engine = this.#engine
    try {
      if (engine.core.isClosed || engine.isClosing || engine.fatalError !== undefined) return
      const { clock } = engine.core.runtime
      const deadlineMs = clock.monotonicMs() + endMs
      await Promise.race([this.#commitHandled(), engine.core.pause('the end of a stream', endMs)])
      if (engine.topics.subscription === undefined) this.#consumer.unassign()
      else this.#consumer.unsubscribe()
      const isIn = (): boolean => engine.membership.isMember || engine.assignment.size > 0
      while (isIn() && !engine.core.isClosed && clock.monotonicMs() < deadlineMs) {
        await this.#consumer.poll({ timeoutMs: 20 })
      }
    } finally {
      engine.storesOffsets = this.#storedBefore
      engine.isStreamed = false
    }
  }
}
