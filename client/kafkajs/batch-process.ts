/**
 * One batch of a partition at the application's handler: `eachBatch` gets it whole, `eachMessage` message by message. Ends early when the
 * consumer stops, or when the partition was taken, sought in or paused meanwhile.
 */
import type { Consumer as ClientConsumer } from '../consumer/consumer.ts'
import { channels, type ProcessContext, Trace } from '../tracing/channels.ts'
import type { Message } from '../values/message.ts'
import type { TopicPartition } from '../values/topic-partition.ts'
import type { Batch, ConsumerRunConfig, EachBatchPayload } from './consumer-types.ts'
import { consumerEvents, type Instrumentation } from './instrumentation.ts'
import { toKafkaMessage } from './messages.ts'
import { fromOffsets, type OffsetTracker, toOffsets } from './offset-tracker.ts'
import type { Pauses } from './pauses.ts'
import type { Timing } from './timing.ts'

export interface BatchParts {
  readonly consumer: ClientConsumer
  readonly config: ConsumerRunConfig
  readonly groupId: string
  readonly clientId: string
  readonly pauses: Pauses
  readonly instrumentation: Instrumentation
  readonly timing: Timing
}

/** What a batch needs of its runner. */
export interface BatchHost {
  readonly tracker: OffsetTracker
  readonly isRunning: () => boolean
  /** Holds the partition until the returned function is called. */
  readonly pause: (place: TopicPartition) => () => void
  readonly commit: (positions: readonly TopicPartition[]) => Promise<void>
  readonly commitIfDue: () => Promise<void>
}

export class BatchProcess {
  readonly #parts: BatchParts
  readonly #host: BatchHost
  readonly #place: TopicPartition
  readonly #messages: readonly Message[]
  readonly #isCurrent: () => boolean

  /** @param isCurrent false once the partition was taken or sought in: what the handler does then is void */
  constructor(
    parts: BatchParts,
    host: BatchHost,
    place: TopicPartition,
    messages: readonly Message[],
    isCurrent: () => boolean,
  ) {
    this.#parts = parts
    this.#host = host
    this.#place = place
    this.#messages = messages
    this.#isCurrent = isCurrent
  }

  /** Rejects with what the handler throws. */
  async run(): Promise<void> {
    const batch = await this.#batch()
    const { config, instrumentation, timing } = this.#parts
    const { topic, partition } = this.#place
    const startedMs = timing.monotonicMs()
    const payload = {
      topic,
      partition,
      highWatermark: batch.highWatermark,
      offsetLag: batch.offsetLag(),
      offsetLagLow: batch.offsetLagLow(),
      batchSize: this.#messages.length,
      firstOffset: batch.firstOffset() ?? '-1',
      lastOffset: batch.lastOffset(),
    }
    instrumentation.emit(consumerEvents.START_BATCH_PROCESS, payload)
    if (config.eachBatch !== undefined) await this.#eachBatch(batch)
    else await this.#eachMessage(batch)
    const duration = timing.monotonicMs() - startedMs
    instrumentation.emit(consumerEvents.END_BATCH_PROCESS, { ...payload, duration })
  }

  async #batch(): Promise<Batch> {
    const messages = this.#messages
    const { topic, partition } = this.#place
    const ends = await this.#parts.consumer.getWatermarkOffsets(this.#place, { cached: true })
    const first = messages[0]?.offset() ?? 0
    const last = messages.at(-1)?.offset() ?? 0
    const highWatermark = Math.max(ends?.[1] ?? 0, last + 1)
    return {
      topic,
      partition,
      highWatermark: `${highWatermark}`,
      messages: messages.map(toKafkaMessage),
      isEmpty: () => messages.length === 0,
      firstOffset: () => (messages.length === 0 ? null : `${first}`),
      lastOffset: () => `${last}`,
      offsetLag: () => `${highWatermark - 1 - last}`,
      offsetLagLow: () => `${highWatermark - 1 - first}`,
    }
  }

  async #eachMessage(batch: Batch): Promise<void> {
    const { config, pauses } = this.#parts
    const { commitIfDue, isRunning, pause, tracker } = this.#host
    const { topic, partition } = this.#place
    for (const [index, message] of batch.messages.entries()) {
      const isHalted = !isRunning() || this.#isStale() || pauses.has(topic, partition)
      if (isHalted) return
      const one = [this.#messages[index] as Message]
      await this.#traced(one, async () => {
        await config.eachMessage?.({
          topic,
          partition,
          message,
          heartbeat: () => this.#heartbeat(),
          pause: () => pause(this.#place),
        })
      })
      if (this.#isCurrent()) tracker.resolve(topic, partition, Number(message.offset))
      await commitIfDue()
    }
  }

  async #eachBatch(batch: Batch): Promise<void> {
    const { config } = this.#parts
    const { commit, commitIfDue, isRunning, pause, tracker } = this.#host
    const { topic, partition } = this.#place
    const payload: EachBatchPayload = {
      batch,
      resolveOffset: (offset) => {
        if (this.#isCurrent()) tracker.resolve(topic, partition, Number(offset))
      },
      heartbeat: () => this.#heartbeat(),
      pause: () => pause(this.#place),
      commitOffsetsIfNecessary: async (offsets) => {
        if (offsets === undefined) await commitIfDue()
        else await commit(fromOffsets(offsets))
      },
      uncommittedOffsets: () => toOffsets(tracker.uncommitted()),
      isRunning,
      isStale: () => this.#isStale(),
    }
    await this.#traced(this.#messages, async () => await config.eachBatch?.(payload))
    const resolvesAll = config.eachBatchAutoResolve !== false && this.#isCurrent()
    if (resolvesAll) tracker.resolve(topic, partition, Number(batch.lastOffset()))
  }

  #isStale(): boolean {
    return !this.#isCurrent() || this.#parts.consumer.isRebalancing
  }

  async #heartbeat(): Promise<void> {
    this.#parts.consumer.heartbeat()
  }

  #traced(messages: readonly Message[], call: () => Promise<void>): Promise<void> {
    const { groupId, clientId } = this.#parts
    const { topic, partition } = this.#place
    const [first] = messages
    const context = (): ProcessContext => ({
      operation: 'process',
      clientId,
      topic,
      partition,
      offset: first?.offset() ?? -1,
      messageCount: messages.length,
      headers: messages.length === 1 ? (first?.headers() ?? null) : null,
      attributes: {
        'messaging.system': 'kafka',
        'messaging.operation.type': 'process',
        'messaging.operation.name': 'process',
        'messaging.destination.name': topic,
        'messaging.destination.partition.id': `${partition}`,
        'messaging.consumer.group.name': groupId,
        'messaging.client.id': clientId,
        'messaging.batch.message_count': messages.length,
      },
    })
    return Trace.run(channels.process, context, call)
  }
}
