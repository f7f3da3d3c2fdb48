/**
 * An application that is a member of a share group: it accepts what it gets, gives some of it back and rejects a little, one by one or with the
 * next poll, and is slower than its locks now and then.
 */
import {
  AcknowledgeType,
  type ClientConfig,
  KafkaException,
  type Message,
  ShareConsumer,
  type TopicPartition,
} from '../../../client/index.ts'
import type { Application } from './application.ts'
import type { ClientProcess } from './client-process.ts'
import { keyOf, type SharedRecord, type ShareReadings } from './share-readings.ts'

export interface SharingOptions {
  readonly process: ClientProcess
  readonly readings: ShareReadings
  readonly topics: readonly string[]
}

/** Of the group: as short as a broker may be told. */
export const SHARE_LOCK_MS = 1_000
/** As documented. */
const CLOSE_LIMIT_MS = 15_000

interface Verdict {
  readonly record: SharedRecord
  readonly type: AcknowledgeType
}

export class Sharing implements Application {
  readonly process: ClientProcess
  readonly #options: SharingOptions
  readonly #consumer: ShareConsumer
  readonly #isExplicit: boolean
  /** What was given last and has no verdict yet. */
  #batch: readonly SharedRecord[] = []
  /** Verdicts whose fate is unknown, by record: of a record that came twice there may be two. */
  readonly #given = new Map<string, Verdict[]>()
  /** Of them those that leave with the next poll or commit. */
  #fresh: SharedRecord[] = []
  #isStopped = false

  constructor(options: SharingOptions) {
    const { process, readings } = options
    this.#options = options
    this.process = process
    this.#isExplicit = process.onceIn(2)
    this.#consumer = new ShareConsumer(this.#settings(readings.groupId), {}, process.hooks)
    this.#consumer.on('log', process.log)
  }

  async run(): Promise<void> {
    const { process } = this
    const consumer = this.#consumer
    consumer.setAcknowledgementCommitCallback((offsets, exception) => {
      for (const [at, ofPartition] of offsets) this.#told(at, ofPartition, exception)
    })
    consumer.subscribe(this.#options.topics)
    while (!this.#isStopped) {
      this.#acceptRest()
      this.#fresh = []
      await this.#take(await this.#poll(process.random.int(300)))
      if (process.onceIn(4)) await this.#commit()
      else if (process.onceIn(6)) {
        this.#acceptRest()
        this.#fresh = []
        consumer.commitAsync()
      }
      if (process.onceIn(60)) await process.sleep(process.random.int(2 * SHARE_LOCK_MS))
    }
    await this.#close()
  }

  stop(): void {
    this.#isStopped = true
  }

  async #poll(timeoutMs: number): Promise<readonly Message[]> {
    try {
      return await this.#consumer.poll({ timeoutMs })
    } catch (error) {
      if (!(error instanceof KafkaException)) throw error
      this.process.violation('a share consumer survives', error.message)
      return []
    }
  }

  async #take(messages: readonly Message[]): Promise<void> {
    const { process } = this
    const { readings } = this.#options
    this.#batch = messages.map((message) => recordOf(message))
    messages.forEach((message, index) => {
      const error = message.error()
      if (error !== null) process.violation('members get what is in the log', error.str())
      readings.got(this.#batch[index] as SharedRecord, String(message.value()))
    })
    if (!this.#isExplicit) {
      if (process.onceIn(15)) await process.sleep(process.random.int(150))
      return
    }
    const batch = this.#batch
    this.#batch = []
    for (const record of batch) {
      if (process.onceIn(60)) await process.sleep(process.random.int(150))
      const { topic, partition, offset } = record
      const type = this.#verdict()
      this.#consumer.acknowledgeOffset(topic, partition, offset, type)
      this.#give({ record, type })
    }
  }

  #verdict(): AcknowledgeType {
    const { process } = this
    if (process.onceIn(15)) return AcknowledgeType.RELEASE
    return process.onceIn(40) ? AcknowledgeType.REJECT : AcknowledgeType.ACCEPT
  }

  /** In implicit mode the next poll or commit does so. */
  #acceptRest(): void {
    for (const record of this.#batch) this.#give({ record, type: AcknowledgeType.ACCEPT })
    this.#batch = []
  }

  #give(verdict: Verdict): void {
    const key = keyOf(verdict.record)
    this.#fresh.push(verdict.record)
    this.#given.set(key, [...(this.#given.get(key) ?? []), verdict])
    if (verdict.type !== AcknowledgeType.RELEASE) this.#options.readings.settled.add(key)
  }

  async #commit(): Promise<void> {
    this.#acceptRest()
    const fresh = this.#fresh
    this.#fresh = []
    const results = await this.#consumer.commitSync({ timeoutMs: this.process.between(100, 3_000) })
    for (const [at, exception] of results) {
      const offsets = fresh.filter(({ topic, partition }) => topic === at.topic && partition === at.partition)
      this.#told(at, new Set(offsets.map(({ offset }) => offset)), exception)
    }
  }

  #told(
    { topic, partition }: TopicPartition,
    offsets: Iterable<number>,
    exception: KafkaException | null,
  ): void {
    for (const offset of offsets) {
      const record = { topic, partition, offset }
      const verdicts = this.#given.get(keyOf(record))
      this.#given.delete(keyOf(record))
      // Which of two verdicts this is about is not told.
      if (verdicts?.length !== 1 || exception !== null) continue
      if (verdicts[0]?.type !== AcknowledgeType.RELEASE) this.#options.readings.confirmed(record)
    }
  }

  async #close(): Promise<void> {
    const { process } = this
    process.event('closes')
    const startMs = process.nowMs
    await this.#consumer.close()
    const tookMs = process.nowMs - startMs
    if (tookMs > CLOSE_LIMIT_MS + 250 && !process.wasFrozenSince(startMs))
      process.violation('close keeps its limit', `it took ${tookMs} ms`)
    process.event('has closed')
  }

  #settings(groupId: string): ClientConfig {
    const { process } = this
    return {
      ...process.settings,
      'group.id': groupId,
      'share.acknowledgement.mode': this.#isExplicit ? 'explicit' : 'implicit',
      'max.poll.records': process.between(5, 60),
      'fetch.wait.max.ms': process.between(100, 300),
      'retry.backoff.ms': 50,
      'retry.backoff.max.ms': 300,
    }
  }
}

function recordOf(message: Message): SharedRecord {
  return {
    topic: message.topic() ?? '',
    partition: message.partition() ?? -1,
    offset: message.offset() ?? -1,
  }
}
