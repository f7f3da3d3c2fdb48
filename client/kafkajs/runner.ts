/**
 * `consumer.run`: takes batches of one partition, gives them to the application's handler (see `BatchProcess`), several partitions
 * at a time if that is wished, and commits what the handler is done with. While a handler works, its partition is held; heartbeats
 * go on.
 *
 * A message whose handler throws is never skipped: its partition goes back to it, after a pause, until the retries are used
 * up. Then the runner crashes, which it tells, and either begins anew or ends.
 */
import type { Message } from '../values/message.ts'
import { TopicPartition } from '../values/topic-partition.ts'
import { type BatchHost, type BatchParts, BatchProcess } from './batch-process.ts'
import type { RetryOptions } from './client-settings.ts'
import { KafkaJSError, KafkaJSNumberOfRetriesExceeded, toKafkaJSError } from './errors.ts'
import { consumerEvents } from './instrumentation.ts'
import type { Logger } from './logger.ts'
import { OffsetTracker } from './offset-tracker.ts'
import type { TopicSelection } from './pauses.ts'

export interface RunnerParts extends BatchParts {
  readonly retry: RetryOptions
  readonly logger: Logger
}

/** Longest batch that a handler gets. */
const maxBatchMessages = 5000
const defaultRetries = 5
const firstPauseMs = 300
const longestPauseMs = 30_000

export class Runner {
  readonly tracker: OffsetTracker
  readonly #parts: RunnerParts
  readonly #host: BatchHost
  readonly #stop = new AbortController()
  /** Handlers at work, by partition. */
  readonly #working = new Map<string, Promise<void>>()
  /** Grows with each seek and revocation of a partition: work of an older epoch is stale. */
  readonly #epochs = new Map<string, number>()
  #attempts = 0
  #crash: Error | undefined
  #isRunning = true
  /** Settled when the loop has ended. Never rejects. */
  #ended: Promise<void> = Promise.resolve()

  constructor(parts: RunnerParts) {
    this.#parts = parts
    this.tracker = new OffsetTracker(parts.timing.monotonicMs())
    this.#host = {
      tracker: this.tracker,
      isRunning: () => this.#isRunning,
      pause: (place) => this.#pause(place),
      commit: (positions) => this.commit(positions),
      commitIfDue: () => this.#commitIfDue(),
    }
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  start(): void {
    this.#ended = this.#run()
  }

  /** Resolves when the handlers have ended, or after the time. What is done is committed. */
  async stop(limitMs: number): Promise<void> {
    this.#isRunning = false
    this.#stop.abort()
    const done = new AbortController()
    const ended = this.#ended.then(() => done.abort())
    await Promise.race([ended, this.#parts.timing.pause('stopping a consumer', limitMs, done.signal)])
    await this.#commitAll()
  }

  /** Work in progress on these partitions is void from now. */
  invalidate(partitions: readonly TopicPartition[]): void {
    for (const entry of partitions) this.#epochs.set(entry.key(), this.#epochOf(entry.key()) + 1)
  }

  /** Partitions are about to be taken: their handlers end first, and what they did is committed. */
  async release(partitions: readonly TopicPartition[]): Promise<void> {
    this.invalidate(partitions)
    await Promise.all(partitions.map((entry) => this.#working.get(entry.key())))
    await this.#commitAll()
    this.tracker.forget(partitions)
  }

  /** Whether the runner itself holds the partition back. */
  isHeld(partition: TopicPartition): boolean {
    return this.#isConcurrent && this.#working.has(partition.key())
  }

  async #run(): Promise<void> {
    while (this.#isRunning) {
      try {
        await this.#consume()
      } catch (error) {
        await this.#crashed(toKafkaJSError(error))
      }
    }
    await Promise.all(this.#working.values())
  }

  get #isConcurrent(): boolean {
    return (this.#parts.config.partitionsConsumedConcurrently ?? 1) > 1
  }

  async #consume(): Promise<void> {
    const { consumer, config } = this.#parts
    const concurrency = Math.max(1, config.partitionsConsumedConcurrently ?? 1)
    const batches = consumer.batches({ maxMessages: maxBatchMessages, signal: this.#stop.signal })
    while (this.#isRunning) {
      if (this.#crash !== undefined) {
        const crash = this.#crash
        this.#crash = undefined
        throw crash
      }
      if (this.#working.size >= concurrency) {
        await Promise.race(this.#working.values())
        continue
      }
      let messages: Message[] | undefined
      try {
        messages = (await batches.next()).value as Message[] | undefined
      } catch (error) {
        if (!this.#isRunning) return
        throw error
      }
      if (messages === undefined) {
        this.#isRunning = false
        return
      }
      this.#begin(messages)
    }
  }

  #begin(messages: readonly Message[]): void {
    const first = messages[0] as Message
    const place = new TopicPartition(first.topic() ?? '', first.partition() ?? -1)
    const key = place.key()
    if (this.#isConcurrent) this.#parts.consumer.pause([place])
    const work = this.#work(place, messages).finally(() => {
      this.#working.delete(key)
      if (
        this.#isConcurrent &&
        !this.#parts.pauses.has(place.topic, place.partition) &&
        this.#isAssigned(place)
      ) {
        this.#parts.consumer.resume([place])
      }
    })
    this.#working.set(key, work)
  }

  /** Never rejects. */
  async #work(place: TopicPartition, messages: readonly Message[]): Promise<void> {
    const epoch = this.#epochOf(place.key())
    const isCurrent = (): boolean => this.#epochOf(place.key()) === epoch
    try {
      await new BatchProcess(this.#parts, this.#host, place, messages, isCurrent).run()
      this.#attempts = 0
      this.#goBack(place, messages, isCurrent)
      await this.#commitAll()
    } catch (thrown) {
      const error = toKafkaJSError(thrown)
      this.#parts.logger.error(`Error when calling the handler: ${error.message}`, {
        topic: place.topic,
        partition: place.partition,
        stack: error.stack,
      })
      this.#goBack(place, messages, isCurrent)
      await this.#commitAll()
      await this.#failed(error)
    }
  }

  /** Throws as `commit` does. */
  async commit(positions: readonly TopicPartition[]): Promise<void> {
    const { consumer, timing } = this.#parts
    if (positions.length === 0) return
    const committed = await consumer.commit({ offsets: positions, asynchronous: false })
    this.tracker.committed(committed, timing.monotonicMs())
    const failed = committed.find(({ error }) => error !== null)?.error
    if (failed !== undefined && failed !== null) throw new Error(failed.str())
  }

  async #commitIfDue(): Promise<void> {
    const { config, timing } = this.#parts
    const { autoCommitInterval: intervalMs = null, autoCommitThreshold: threshold = null } = config
    if (this.tracker.isCommitDue({ intervalMs, threshold }, timing.monotonicMs())) await this.#commitAll()
  }

  /** Of what is done; a failure is logged, since the next one commits it too. */
  async #commitAll(): Promise<void> {
    if (this.#parts.config.autoCommit === false) return
    const positions = this.tracker.uncommitted().filter((entry) => this.#isAssigned(entry))
    try {
      await this.commit(positions)
    } catch (error) {
      this.#parts.logger.warn(`Committing offsets failed: ${(error as Error).message}`)
    }
  }

  /** The first message that is not done with comes next. */
  #goBack(place: TopicPartition, messages: readonly Message[], isCurrent: () => boolean): void {
    if (!isCurrent() || !this.#isAssigned(place)) return
    const firstOffset = messages[0]?.offset() ?? 0
    const next = Math.max(firstOffset, this.tracker.next(place) ?? firstOffset)
    this.#parts.consumer.unread(messages.filter((message) => (message.offset() ?? -1) >= next))
  }

  #isAssigned(place: TopicPartition): boolean {
    try {
      return this.#parts.consumer.assignment().some((entry) => entry.equals(place))
    } catch {
      return false
    }
  }

  #epochOf(key: string): number {
    return this.#epochs.get(key) ?? 0
  }

  #pause({ topic, partition }: TopicPartition): () => void {
    const selection: TopicSelection = [{ topic, partitions: [partition] }]
    this.onPause?.(selection)
    return () => this.onResume?.(selection)
  }

  /** Set by the consumer, which knows what is held for which reason. */
  onPause: ((selection: TopicSelection) => void) | undefined
  onResume: ((selection: TopicSelection) => void) | undefined

  async #failed(error: Error): Promise<void> {
    const { retries = defaultRetries } = this.#parts.retry
    const isLasting = error instanceof KafkaJSError && !error.retriable
    if (isLasting) this.#crash = error
    else if (this.#attempts++ >= retries) {
      this.#crash = new KafkaJSNumberOfRetriesExceeded(error, retries)
      this.#attempts = 0
    } else await this.#backOff(this.#attempts)
  }

  async #crashed(error: Error): Promise<void> {
    const { instrumentation, logger, groupId, retry } = this.#parts
    const mayRestart =
      error instanceof KafkaJSNumberOfRetriesExceeded || !(error instanceof KafkaJSError) || error.retriable
    let restart = mayRestart && this.#isRunning
    if (restart && retry.restartOnFailure !== undefined) {
      restart = await retry.restartOnFailure(error).catch(() => true)
    }
    logger.error(`Crash: ${error.name}: ${error.message}`, { groupId, stack: error.stack })
    instrumentation.emit(consumerEvents.CRASH, { error, groupId, restart })
    if (restart) await this.#backOff(1)
    else {
      this.#isRunning = false
      this.onEnded?.()
    }
  }

  /** Called when a crash ended the runner for good. */
  onEnded: (() => void) | undefined

  #backOff(attempt: number): Promise<void> {
    const {
      initialRetryTime = firstPauseMs,
      multiplier = 2,
      maxRetryTime = longestPauseMs,
    } = this.#parts.retry
    const delayMs = Math.min(maxRetryTime, initialRetryTime * multiplier ** (attempt - 1))
    return this.#parts.timing.pause('a handler is tried again', delayMs, this.#stop.signal)
  }
}
