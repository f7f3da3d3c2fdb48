/**
 * `producer.writable()`: an object-mode Writable. A written message is taken when the local queue has room and fewer than
 * `highWaterMark` are undelivered; ending waits until all are delivered. A failed delivery destroys the stream.
 *
 * What was read from a `consumer.stream()` is committed when it, and everything written before it, is delivered.
 */
import { Writable } from 'node:stream'
import type { Timer } from '../../common/runtime/scheduler.ts'
import type { ClientCore } from '../client-core.ts'
import { KafkaError, KafkaException, ValueError } from '../errors.ts'
import { Message } from '../values/message.ts'
import { checkOptionNames } from './produce-arguments.ts'
import type { DeliveryReport, SendOptions } from './send-arguments.ts'

export interface WritableOptions {
  /** For what names no topic of its own. */
  readonly topic?: string
  /** Messages of one `flush` event. Default 100. */
  readonly batchSize?: number
  /** A `flush` event comes for what is delivered so long after its first write at the latest. Default 100. */
  readonly batchTimeMs?: number
  /** `delivery-report` events: none, a list for each batch, or one for each message. Default `none`. */
  readonly report?: 'none' | 'batch' | 'message'
  /** Messages that are written and not delivered. Default 1000. */
  readonly highWaterMark?: number
}

/** What the message was made of: committed after the delivery. A message of a consumer's stream is one. */
export interface CommitSource {
  commit(): Promise<void>
}

export interface WritableMessage extends SendOptions {
  readonly topic?: string
  readonly source?: CommitSource
}

export interface FlushEvent {
  readonly messageCount: number
  readonly durationMs: number
}

interface Written {
  readonly source: CommitSource | undefined
  isDelivered: boolean
}

interface Batch {
  readonly startedMs: number
  readonly reports: DeliveryReport[]
  written: number
  isSealed: boolean
}

export interface WritableParts {
  readonly core: ClientCore
  readonly send: (topic: string, message: SendOptions) => Promise<DeliveryReport>
  /** Hurries what lingers. */
  readonly flush: () => Promise<unknown>
  /** Whether the local queue has room. */
  readonly hasRoom: () => boolean
}

/** Another member has the partition by now, and delivers the message again. */
const lostCodes: ReadonlySet<number> = new Set([
  KafkaError._ASSIGNMENT_LOST,
  KafkaError.ILLEGAL_GENERATION,
  KafkaError.UNKNOWN_MEMBER_ID,
  KafkaError.REBALANCE_IN_PROGRESS,
  KafkaError.STALE_MEMBER_EPOCH,
])

function ignoreLost(error: unknown): void {
  if (!(error instanceof KafkaException && lostCodes.has(error.error.code()))) throw error
}

const reportKinds = ['none', 'batch', 'message'] as const

export class ProducerWritable extends Writable {
  readonly #parts: WritableParts
  readonly #options: Required<Omit<WritableOptions, 'topic'>> & { readonly topic: string | undefined }
  /** In the order they were written; the delivered ones at the front are committed and removed. */
  readonly #undelivered: Written[] = []
  #outstanding = 0
  #batch: Batch | undefined
  #batchTimer: Timer | undefined
  /** The write that waits for room. */
  #resume: (() => void) | undefined
  #finished: (() => void) | undefined
  #commits: Promise<void> = Promise.resolve()

  /** Applications get it from `producer.writable()`. */
  constructor(parts: WritableParts, options: WritableOptions) {
    const names = ['topic', 'batchSize', 'batchTimeMs', 'report', 'highWaterMark']
    checkOptionNames(options, (name) => names.includes(name))
    const { topic, batchSize = 100, batchTimeMs = 100, report = 'none', highWaterMark = 1000 } = options
    for (const [name, value] of Object.entries({ batchSize, batchTimeMs, highWaterMark })) {
      if (!Number.isInteger(value) || value < 1) throw new ValueError(`${name} must be a positive number`)
    }
    if (topic !== undefined && typeof topic !== 'string') throw new TypeError('topic must be a string')
    if (!reportKinds.includes(report)) throw new ValueError(`report must be one of ${reportKinds.join()}`)
    super({ objectMode: true, highWaterMark: 16 })
    this.#parts = parts
    this.#options = { topic, batchSize, batchTimeMs, report, highWaterMark }
  }

  override _write(chunk: unknown, _encoding: string, done: (error?: Error | null) => void): void {
    try {
      const { topic, source, message } = this.#messageOf(chunk)
      this.#send(topic, message, source)
    } catch (error) {
      done(error as Error)
      return
    }
    if (this.#hasRoom()) done()
    else this.#resume = () => done()
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#sealBatch()
    const finish = (): void => {
      this.#commits.then(
        () => done(),
        (error: unknown) => done(error as Error),
      )
    }
    if (this.#outstanding === 0) {
      finish()
      return
    }
    this.#finished = finish
    this.#parts.flush().catch((error: unknown) => this.destroy(error as Error))
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#batchTimer?.cancel()
    this.#resume = undefined
    done(error)
  }

  #hasRoom(): boolean {
    return this.#outstanding < this.#options.highWaterMark && this.#parts.hasRoom()
  }

  #messageOf(chunk: unknown): { topic: string; source: CommitSource | undefined; message: SendOptions } {
    if (chunk instanceof Message) {
      const topic = this.#options.topic ?? chunk.topic() ?? undefined
      const source = 'commit' in chunk ? (chunk as unknown as CommitSource) : undefined
      const [type, timestamp] = chunk.timestamp()
      const message = {
        key: chunk.key(),
        value: chunk.value(),
        headers: chunk.headers(),
        ...(type === 0 ? {} : { timestamp }),
      }
      return { topic: this.#named(topic), source, message }
    }
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) {
      return { topic: this.#named(this.#options.topic), source: undefined, message: { value: chunk } }
    }
    if (typeof chunk !== 'object' || chunk === null) throw new TypeError('a message must be an object')
    const { topic = this.#options.topic, source, ...message } = chunk as WritableMessage
    return { topic: this.#named(topic), source, message }
  }

  #named(topic: unknown): string {
    if (typeof topic !== 'string') throw new TypeError('a message needs a topic, or the stream one')
    return topic
  }

  #send(topic: string, message: SendOptions, source: CommitSource | undefined): void {
    const batch = this.#batchOf()
    const written: Written = { source, isDelivered: false }
    const sent = this.#parts.send(topic, message)
    this.#outstanding++
    this.#undelivered.push(written)
    sent.then(
      (report) => {
        written.isDelivered = true
        this.#delivered(batch, report)
      },
      (error: unknown) => {
        this.#outstanding--
        this.destroy(error as Error)
      },
    )
  }

  #delivered(batch: Batch, report: DeliveryReport): void {
    this.#outstanding--
    this.#commitDelivered()
    if (this.#options.report === 'message') this.emit('delivery-report', report)
    batch.reports.push(report)
    this.#maybeFlushed(batch)
    if (this.#resume !== undefined && this.#hasRoom()) {
      const resume = this.#resume
      this.#resume = undefined
      resume()
    }
    if (this.#outstanding === 0) {
      this.#finished?.()
      this.#finished = undefined
    }
  }

  /** One commit for each partition would do, but sources know their partitions, not this stream: they put them together. */
  #commitDelivered(): void {
    const commits: Promise<void>[] = []
    while (this.#undelivered[0]?.isDelivered === true) {
      const source = this.#undelivered.shift()?.source
      if (source !== undefined) commits.push(source.commit().catch(ignoreLost))
    }
    if (commits.length === 0) return
    const before = this.#commits
    this.#commits = (async () => {
      await Promise.all([before, ...commits])
    })()
    this.#commits.catch((error: unknown) => this.destroy(error as Error))
  }

  #batchOf(): Batch {
    const { core } = this.#parts
    if (this.#batch === undefined) {
      this.#batch = { startedMs: core.runtime.clock.monotonicMs(), reports: [], written: 0, isSealed: false }
      this.#batchTimer = core.runtime.scheduler.schedule(
        'a writable flushes',
        this.#options.batchTimeMs,
        () => this.#sealBatch(),
      )
    }
    const batch = this.#batch
    if (++batch.written >= this.#options.batchSize) this.#sealBatch()
    return batch
  }

  #sealBatch(): void {
    const batch = this.#batch
    if (batch === undefined) return
    this.#batch = undefined
    this.#batchTimer?.cancel()
    batch.isSealed = true
    this.#maybeFlushed(batch)
  }

  #maybeFlushed(batch: Batch): void {
    if (!batch.isSealed || batch.reports.length < batch.written) return
    const durationMs = this.#parts.core.runtime.clock.monotonicMs() - batch.startedMs
    if (this.#options.report === 'batch') this.emit('delivery-report', batch.reports)
    const flushed: FlushEvent = { messageCount: batch.written, durationMs }
    this.emit('flush', flushed)
  }
}
