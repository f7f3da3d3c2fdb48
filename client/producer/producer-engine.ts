/**
 * What a producer consists of, and how its parts hear of each other: `Accumulator` holds records, `Sender` carries batches,
 * `BatchOutcomes` decides over answers, `TopicMetadata` knows where records go, `Expiry` ends lives. `producer.ts` puts the
 * documented surface on top.
 */
import { BATCH_HEADER_BYTES } from '../../common/record/batch.ts'
import { recordSizeBound } from '../../common/record/batch-builder.ts'
import { ClientCore } from '../client-core.ts'
import type { ClientHooks } from '../client-hooks.ts'
import type { Config } from '../config/config.ts'
import { KafkaError, KafkaException, kafkaException } from '../errors.ts'
import { OnceEvent } from '../event-queue.ts'
import type { Emitter } from '../events/event-notifier.ts'
import type { CallLimits } from '../timeouts.ts'
import { channels } from '../tracing/channels.ts'
import { Accumulator, type ProduceRecord } from './accumulator.ts'
import { accumulatorSettingsOf } from './accumulator-settings.ts'
import { BatchOutcomes } from './batch-outcomes.ts'
import { Expiry } from './expiry.ts'
import { traceProduce } from './produce-trace.ts'
import { type IdentitySource, ProducerIdentity } from './producer-identity.ts'
import { producerStatistics } from './producer-statistics.ts'
import type { RecordMetadata } from './send-arguments.ts'
import { SendQueue, type TopicRecords } from './send-queue.ts'
import { Sender } from './sender.ts'
import { TopicMetadata } from './topic-metadata.ts'
import { TransactionManager } from './transaction-manager.ts'

const noReport = (): void => {}

export class ProducerEngine {
  readonly core: ClientCore
  readonly accumulator: Accumulator
  readonly sends: SendQueue
  /** undefined without `transactional.id`. */
  readonly transactions: TransactionManager | undefined
  readonly #clientId: string
  readonly #maxMessageBytes: number
  readonly #sender: Sender
  readonly #outcomes: BatchOutcomes
  readonly #expiry: Expiry
  readonly #topics: TopicMetadata
  /** undefined without idempotence. */
  readonly #identity: IdentitySource | undefined
  #fatalError: KafkaError | undefined
  #isClosing = false

  constructor(config: Config, hooks: ClientHooks, emitter: Emitter) {
    this.core = new ClientCore(config, hooks, {
      onRoom: (broker) => this.#sender.roomAt(broker),
      onDown: () => {},
      emitter,
    })
    const { core } = this
    const { runtime } = core
    this.#clientId = config.get('client.id')
    this.#maxMessageBytes = config.get('message.max.bytes')
    this.accumulator = new Accumulator({
      ...accumulatorSettingsOf(config),
      runtime,
      onNewTopic: (topic) => this.#topics.want(topic),
      onReady: (partition) => this.#sender.markReady(partition),
    })
    const { accumulator } = this
    this.transactions = this.#makeTransactions(config)
    this.#identity = this.transactions ?? this.#makeIdentity(config)
    const shared = { core, accumulator, identity: this.#identity, transactions: this.transactions }
    this.#outcomes = new BatchOutcomes({
      ...shared,
      retryLater: (partition, attempts) => this.#sender.retryLater(partition, attempts),
      onFatal: (error) => this.#fatal(error),
    })
    const outcomes = this.#outcomes
    this.#sender = new Sender({ ...shared, outcomes })
    this.#expiry = new Expiry({ core, accumulator, outcomes })
    this.#topics = new TopicMetadata({
      core,
      accumulator,
      outcomes,
      sender: this.#sender,
      expiry: this.#expiry,
    })
    this.sends = new SendQueue({
      accumulator,
      outcomes,
      notifier: core.notifier,
      reactor: runtime.reactor,
      add: (topic, record) => {
        this.checkProduce()
        this.produce(topic, record)
      },
    })
    core.metadata.onUpdate(() => this.#topics.updated())
    core.startStatistics(() => producerStatistics({ ...shared, sender: this.#sender, config }))
  }

  /** Messages that wait, are in flight, or are done with their report not served. */
  get messageCount(): number {
    return this.accumulator.messageCount + this.sends.waitingCount
  }

  /** Throws when nothing may be produced now: closed, ended by a fatal error (`_FATAL`), outside a transaction (`_STATE`). */
  checkProduce(): void {
    this.core.checkOpen()
    const fatal = this.#fatalError
    if (fatal !== undefined) {
      throw kafkaException(KafkaError._FATAL, `Fatal error: ${fatal.name()}: ${fatal.str()}`, { fatal: true })
    }
    this.transactions?.checkProduce()
  }

  /**
   * Takes a record, after `checkProduce`, or throws: `MSG_SIZE_TOO_LARGE`, `_UNKNOWN_TOPIC`, `_UNKNOWN_PARTITION`, and
   * `_QUEUE_FULL` as a BufferError.
   */
  produce(topicName: string, record: ProduceRecord): void {
    const recordBytes = recordSizeBound(record.key, record.value, record.headers)
    if (recordBytes + BATCH_HEADER_BYTES > this.#maxMessageBytes) {
      throw kafkaException(
        KafkaError.MSG_SIZE_TOO_LARGE,
        `Message of ${recordBytes} bytes exceeds message.max.bytes (${this.#maxMessageBytes})`,
      )
    }
    const topic = this.accumulator.topicFor(topicName)
    this.#topics.check(topic, record.partition)
    const isTraced = channels.produce.hasSubscribers
    // For those who trace or listen: a message without a callback is reported too.
    if (record.callback === undefined && (isTraced || this.core.notifier.has('delivery-report'))) {
      record.callback = noReport
      record.isDirect = true
    }
    this.accumulator.add(topic, record, recordBytes)
    this.#expiry.watch()
    // Not sooner: what is refused, or waits for room, is no operation that would ever end.
    if (isTraced) record.trace = traceProduce(this.#clientId, topicName, record)
  }

  /** Takes records, those that find no room later. As `SendQueue.sendAll`; many bytes leave at once. */
  sendAll(sends: readonly TopicRecords[], signal: AbortSignal | undefined): Promise<RecordMetadata[]> {
    const settled = this.sends.sendAll(sends, signal)
    let addedBytes = 0
    // What waits for room has no size yet.
    for (const { records } of sends) for (const { sizeBytes } of records) addedBytes += sizeBytes
    this.#sender.added(addedBytes)
    return settled
  }

  /**
   * Serves callbacks until everything is reported, at most `timeoutMs`.
   * @param isInVain what is left will not be sent any more
   * @returns how many messages are left
   */
  async flush({ timeoutMs, signal }: CallLimits, isInVain = (): boolean => false): Promise<number> {
    signal?.throwIfAborted()
    const { events, runtime } = this.core
    const deadlineMs = runtime.clock.monotonicMs() + timeoutMs
    this.accumulator.beginFlush()
    try {
      await events.turn()
      for (;;) {
        events.serveReady()
        signal?.throwIfAborted()
        const leftMs = deadlineMs - runtime.clock.monotonicMs()
        if (this.messageCount === 0 || leftMs <= 0 || isInVain()) return this.messageCount
        await events.wait(leftMs, signal)
      }
    } finally {
      this.accumulator.endFlush()
    }
  }

  /** Drops messages (`_PURGE_QUEUE`, `_PURGE_INFLIGHT`); their reports are queued. */
  purge(inQueue: boolean, inFlight: boolean): void {
    const queueError = new KafkaError(KafkaError._PURGE_QUEUE)
    const flightError = new KafkaError(KafkaError._PURGE_INFLIGHT)
    if (inQueue) this.sends.fail(queueError)
    for (const topic of this.accumulator.topics()) {
      if (inQueue) this.#outcomes.failUnassigned(topic.name, topic.takeUnassigned(), queueError)
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

  /** Flushes within the limits, purges what is left then, and ends. */
  async close({ timeoutMs, signal }: CallLimits): Promise<void> {
    this.#isClosing = true
    const { clock } = this.core.runtime
    const deadlineMs = clock.monotonicMs() + timeoutMs
    const limits = (): CallLimits => ({ timeoutMs: deadlineMs - clock.monotonicMs(), signal })
    try {
      // Outside a transaction nothing can be sent: waiting would be in vain.
      const state = this.transactions?.transactionState
      if (state !== undefined && state !== 'InTransaction') this.purge(true, true)
      let left = await this.flush({ timeoutMs, signal })
      if (left === 0) {
        await this.core.pushLastMetrics(limits())
        // What the application produced in the meantime.
        if (this.messageCount > 0) left = await this.flush(limits())
      }
      if (left > 0) {
        this.purge(true, true)
        this.core.events.serveReady()
      }
    } finally {
      this.#sender.stop()
      this.#expiry.close()
      this.accumulator.close()
      this.#identity?.close()
      this.core.close()
      this.sends.fail(new KafkaError(KafkaError._PURGE_QUEUE))
      this.accumulator.release(this.accumulator.messageCount, this.accumulator.chargedBytes)
    }
  }

  #makeTransactions(config: Config): TransactionManager | undefined {
    const transactionalId = config.get('transactional.id')
    if (transactionalId === undefined) return undefined
    return new TransactionManager(this.core, transactionalId, {
      onPartitionAdded: (partition) => this.#sender.markReady(partition),
      onFatal: (error) => this.#fatal(error),
      flushAll: (signal) => this.#flushTransaction(signal),
      discardAll: () => this.#discardAll(),
      hasGaps: () => this.#hasGaps(),
    })
  }

  /** Ends with the first message that fails: nothing of a transaction that must be aborted is sent. */
  async #flushTransaction(signal: AbortSignal | undefined): Promise<void> {
    const limits = { timeoutMs: Number.POSITIVE_INFINITY, signal }
    await this.flush(limits, () => this.transactions?.transactionState !== 'InTransaction')
  }

  #makeIdentity(config: Config): ProducerIdentity | undefined {
    if (!config.get('enable.idempotence')) return undefined
    return new ProducerIdentity(
      this.core,
      () => this.core.runtime.reactor.touch(this.#sender),
      (error) => this.#fatal(error),
    )
  }

  async #discardAll(): Promise<void> {
    this.purge(true, true)
    const { events } = this.core
    for (;;) {
      events.serveReady()
      // A request on its way could write after the end of the transaction.
      if (this.#sender.requestsInFlight === 0 && this.messageCount === 0) return
      await events.wait(Number.POSITIVE_INFINITY)
    }
  }

  /** Whether sequences are missing somewhere; the new epoch that follows repairs all. */
  #hasGaps(): boolean {
    for (const partition of this.accumulator.partitions()) if (partition.needsNewEpoch) return true
    return false
  }

  /**
   * The first fatal error ends the instance: everything outstanding fails, and the next serving call throws. Not `close`, which is what is
   * left to do then.
   */
  #fatal(error: KafkaError): void {
    if (this.#fatalError !== undefined) return
    this.#fatalError = error
    this.#sender.stop()
    this.sends.fail(error)
    for (const topic of this.accumulator.topics()) {
      this.#outcomes.failUnassigned(topic.name, topic.takeUnassigned(), error)
      for (const partition of topic.partitions) {
        for (const batch of [...partition.inFlight, ...partition.takeQueued()]) {
          this.#outcomes.giveUp(partition, batch, error)
        }
      }
    }
    this.core.events.push(
      new OnceEvent(() => {
        if (!this.#isClosing) throw new KafkaException(error)
      }),
    )
  }
}
