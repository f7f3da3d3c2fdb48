/**
 * An application that is a member of a group: it gets messages, handles them, slowly now and then, and commits before or after, as its group does.
 */
import {
  type ClientConfig,
  Consumer,
  type KafkaError,
  KafkaException,
  type Message,
  TopicPartition,
} from '../../../client/index.ts'
import type { Application } from './application.ts'
import type { ClientProcess } from './client-process.ts'
import type { GroupReadings, Tenure } from './readings.ts'

export type GroupProtocol = 'range' | 'cooperative-sticky' | 'consumer'
export type CommitMode = 'before' | 'after' | 'in the background' | 'automatic'

export interface ConsumingOptions {
  readonly process: ClientProcess
  readonly readings: GroupReadings
  readonly topics: readonly string[]
  readonly protocol: GroupProtocol
  readonly commitMode: CommitMode
  /** Of a static member: the same in all lives of one place. */
  readonly instanceId: string | null
  /** Whether the application is too slow for its group at times. */
  readonly isLazy: () => boolean
}

const MAX_POLL_MS = 2_500
/** Of an application that is lazy. */
export const LONGEST_SLEEP_MS = 2 * MAX_POLL_MS
/** As documented. */
const CLOSE_LIMIT_MS = 15_000
const QUEUED_KBYTES = 1
const FETCH_BYTES = 1_000
/** A supervisor does not start who was shut out again at once. */
const FENCED_PAUSE_MS = 300
const FENCED = ['FENCED_INSTANCE_ID', 'UNRELEASED_INSTANCE_ID'] as const

export class Consuming implements Application {
  readonly process: ClientProcess
  readonly #options: ConsumingOptions
  readonly #consumer: Consumer
  readonly #tenures = new Map<string, Tenure>()
  /** Handled and not committed: the next offsets. */
  readonly #done = new Map<string, TopicPartition>()
  #isStopped = false

  constructor(options: ConsumingOptions) {
    this.#options = options
    this.process = options.process
    this.#consumer = new Consumer(this.#settings(), {}, options.process.hooks)
    this.#consumer.on('log', options.process.log)
  }

  async run(): Promise<void> {
    const { process } = this
    const consumer = this.#consumer
    consumer.subscribe([...this.#options.topics], {
      onAssign: (_, partitions) => this.#assigned(partitions),
      onRevoke: async (_, partitions) => {
        if (process.onceIn(3)) await process.sleep(process.random.int(200))
        if (this.#options.commitMode === 'after') await this.#commit([...this.#done.values()])
        this.#taken(partitions)
      },
      onLost: (_, partitions) => this.#taken(partitions),
    })
    try {
      while (!this.#isStopped) {
        const timeoutMs = process.random.int(300)
        const messages = process.onceIn(2)
          ? await consumer.consume({ numMessages: process.between(1, 12), timeoutMs })
          : [await consumer.poll({ timeoutMs })].filter((message) => message !== null)
        await this.#take(messages.filter((message) => message.error() === null))
        if (this.#options.isLazy() && process.onceIn(60))
          await process.sleep(process.random.int(LONGEST_SLEEP_MS))
      }
    } catch (error) {
      if (!this.#mayBeFenced(error)) throw error
      process.event('ends, since another has its instance id')
      await process.sleep(FENCED_PAUSE_MS)
    }
    await this.#close()
  }

  stop(): void {
    this.#isStopped = true
  }

  /** Whether it is what only static members hear: another member is there with their instance id, or has not left yet. */
  #mayBeFenced(error: unknown): boolean {
    if (this.#options.instanceId === null || !(error instanceof KafkaException)) return false
    // Told once with its own code, and then as the cause of a fatal state.
    return (
      error.error.fatal() &&
      FENCED.some((name) => error.error.name() === name || error.message.includes(name))
    )
  }

  async #take(messages: readonly Message[]): Promise<void> {
    const { process } = this
    const { commitMode, readings } = this.#options
    for (const message of messages) {
      const tenure = this.#tenures.get(placeOf(message))
      const offset = message.offset() ?? -1
      if (tenure === undefined) process.violation('only owners get messages', `${placeOf(message)}@${offset}`)
      else readings.got(tenure, offset, String(message.value()))
    }
    if (commitMode === 'before' && messages.length > 0 && !(await this.#commit(nextOffsets(messages)))) return
    for (const message of messages) {
      // A slow handler.
      if (process.onceIn(30)) await process.sleep(process.random.int(150))
      const offset = message.offset() ?? -1
      readings.hasHandled(process, placeOf(message), offset)
      const [next] = nextOffsets([message])
      if (next === undefined) continue
      this.#done.set(placeOf(message), next)
      // A rebalance was not served meanwhile, so the partition is assigned still.
      if (commitMode === 'automatic') this.#consumer.storeOffsets([next])
    }
    if (messages.length === 0) return
    if (commitMode === 'after') await this.#commit([...this.#done.values()])
    else if (commitMode === 'in the background') this.#consumer.commit({ offsets: [...this.#done.values()] })
  }

  /** @returns whether it is certain */
  async #commit(offsets: readonly TopicPartition[]): Promise<boolean> {
    if (offsets.length === 0) return true
    try {
      const committed = await this.#consumer.commit({ offsets, asynchronous: false })
      for (const { topic, partition, offset, error } of committed) {
        if (error !== null) return false
        this.#options.readings.hasCommitted(`${topic}-${partition}`, offset)
      }
      return true
    } catch (error) {
      if (!(error instanceof KafkaException)) throw error
      this.process.event(`cannot commit: ${error.error.name()}`)
      return false
    }
  }

  #assigned(partitions: readonly TopicPartition[]): void {
    const { process } = this
    const { readings } = this.#options
    for (const { topic, partition } of partitions) {
      const place = `${topic}-${partition}`
      const generation = (): number => {
        try {
          return this.#consumer.consumerGroupMetadata().generationId
        } catch {
          return -1
        }
      }
      const tenure: Tenure = {
        process,
        place,
        generation,
        instanceId: this.#options.instanceId,
        lastOffset: -1,
      }
      readings.begin(tenure)
      this.#tenures.set(place, tenure)
    }
  }

  #taken(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      const place = `${topic}-${partition}`
      const tenure = this.#tenures.get(place)
      if (tenure === undefined)
        this.process.violation('only what was assigned is revoked', `${place} was not`)
      else this.#options.readings.end(tenure)
      this.#tenures.delete(place)
      this.#done.delete(place)
    }
  }

  async #close(): Promise<void> {
    const { process } = this
    process.event('closes')
    const startMs = process.nowMs
    await this.#consumer.close()
    const tookMs = process.nowMs - startMs
    // The callback of a revocation may sleep.
    if (tookMs > CLOSE_LIMIT_MS + 250 && !process.wasFrozenSince(startMs))
      process.violation('close keeps its limit', `it took ${tookMs} ms`)
    if (this.#tenures.size > 0)
      process.violation('close gives everything back', `${[...this.#tenures.keys()]} is left`)
    process.event('has closed')
  }

  #settings(): ClientConfig {
    const { process, readings, protocol, commitMode, instanceId } = this.#options
    const isAutomatic = commitMode === 'automatic'
    return {
      ...process.settings,
      ...groupSettings(readings.groupId, protocol),
      ...(instanceId === null ? {} : { 'group.instance.id': instanceId }),
      'max.poll.interval.ms': MAX_POLL_MS,
      'enable.auto.commit': isAutomatic,
      'auto.commit.interval.ms': 150,
      'enable.auto.offset.store': false,
      'fetch.wait.max.ms': process.between(10, 300),
      'fetch.queue.backoff.ms': 50,
      'fetch.message.max.bytes': FETCH_BYTES,
      'queued.max.messages.kbytes': QUEUED_KBYTES,
      'retry.backoff.ms': 50,
      'retry.backoff.max.ms': 300,
      'statistics.interval.ms': 250,
      stats_cb: (json) => this.#checkQueue(json),
      error_cb: (error: KafkaError) => {
        if (error.fatal()) process.violation('a consumer survives', error.str())
      },
    }
  }

  #checkQueue(json: string): void {
    const document = JSON.parse(json) as {
      topics?: Record<string, { partitions?: Record<string, { fetchq_size?: number }> }>
    }
    let queuedBytes = 0
    for (const { partitions } of Object.values(document.topics ?? {}))
      for (const { fetchq_size } of Object.values(partitions ?? {})) queuedBytes += fetchq_size ?? 0
    // One answer of each partition comes on top.
    if (queuedBytes > QUEUED_KBYTES * 1024 + 4 * FETCH_BYTES + 4_096)
      this.process.violation('a queue keeps its limit', `${queuedBytes} bytes are queued`)
  }
}

/** How every member of this world is in its group. */
export function groupSettings(groupId: string, protocol: GroupProtocol): ClientConfig {
  return {
    'group.id': groupId,
    'auto.offset.reset': 'earliest',
    'fetch.error.backoff.ms': 50,
    ...(protocol === 'consumer'
      ? { 'group.protocol': protocol }
      : {
          'partition.assignment.strategy': protocol,
          'session.timeout.ms': 1_500,
          'heartbeat.interval.ms': 200,
        }),
  }
}

function placeOf(message: Message): string {
  return `${message.topic()}-${message.partition()}`
}

/** Where to go on behind these messages. */
export function nextOffsets(messages: readonly Message[]): TopicPartition[] {
  const next = new Map<string, TopicPartition>()
  for (const message of messages) {
    const offset = (message.offset() ?? -1) + 1
    next.set(
      placeOf(message),
      new TopicPartition(message.topic() ?? '', message.partition() ?? -1, offset, {
        leaderEpoch: message.leaderEpoch(),
      }),
    )
  }
  return [...next.values()]
}
