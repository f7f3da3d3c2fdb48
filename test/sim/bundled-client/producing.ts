/**
 * An application that sends: by promise and by callback, in bursts, with settings that its seed chooses. It flushes, purges and closes now and then.
 */
import {
  BufferError,
  type ClientConfig,
  DeliveryError,
  type KafkaError,
  KafkaException,
  type Message,
  PersistenceStatus,
  Producer,
} from '../../../client/index.ts'
import type { Application } from './application.ts'
import type { ClientProcess } from './client-process.ts'
import type { SentMessage, SentMessages } from './sent-messages.ts'

export interface ProducingOptions {
  readonly process: ClientProcess
  readonly sent: SentMessages
  readonly topics: readonly string[]
  /** Of the topics where the application chooses partitions at times. */
  readonly partitionCounts: Readonly<Record<string, number>>
  /** acks of the producer; -1 with idempotence or not. */
  readonly acks: number
  readonly isIdempotent: boolean
}

/** What `close` may take beyond its limit: turns, and a last push of metrics that is under way. */
const CLOSE_SLACK_MS = 50
const LONGEST_PAUSE_MS = 150
const BURST = 8
const MAX_MESSAGES = 200

export class Producing implements Application {
  readonly process: ClientProcess
  readonly #options: ProducingOptions
  readonly #producer: Producer
  readonly #unreported = new Set<SentMessage>()
  #number = 0
  #isStopped = false
  #isLast = false

  constructor(options: ProducingOptions) {
    this.#options = options
    const { process } = options
    this.process = process
    this.#producer = new Producer(settingsOf(options), {}, process.hooks)
    this.#producer.on('log', process.log)
  }

  async run(): Promise<void> {
    const { process } = this
    const producer = this.#producer
    while (!this.#isStopped) {
      try {
        this.#burst()
        if (process.onceIn(3)) await producer.poll({ timeoutMs: process.random.int(30) })
        if (process.onceIn(8)) await this.#flush(process.random.int(400))
        if (process.onceIn(60)) await producer.purge({ inQueue: true, inFlight: process.onceIn(2) })
        this.#checkQueue()
      } catch (error) {
        if (!isFatal(error)) throw error
        process.violation('a producer survives', (error as Error).message)
      }
      await process.sleep(process.random.int(LONGEST_PAUSE_MS))
    }
    if (this.#isLast) {
      await this.#flush(Number.POSITIVE_INFINITY)
      await producer.close()
    } else await this.#close(process.onceIn(2) ? process.random.int(1_000) : 10_000)
    if (this.#unreported.size > 0)
      process.violation('every message is reported', `${[...this.#unreported][0]?.value} is not, after close`)
    process.event('has closed')
  }

  stop(isLast: boolean): void {
    this.#isStopped = true
    this.#isLast = isLast
  }

  #burst(): void {
    const { process } = this
    for (let left = process.random.int(BURST); left > 0; left--) {
      const sent = this.#next()
      const partitionCount = this.#options.partitionCounts[sent.topic]
      const isFree = partitionCount === undefined || process.onceIn(3)
      const message = {
        value: sent.value,
        ...(isFree ? {} : { partition: process.random.int(partitionCount) }),
        ...(process.onceIn(2) ? {} : { key: `key ${process.random.int(20)}` }),
      }
      this.#unreported.add(sent)
      if (process.onceIn(2)) {
        this.#producer.send(sent.topic, message).then(
          (report) => this.#reported(sent, null, report),
          (error: unknown) => this.#refused(sent, error),
        )
        continue
      }
      try {
        this.#producer.produce(sent.topic, {
          ...message,
          onDelivery: (error, report) => this.#reported(sent, error, report),
        })
      } catch (error) {
        if (!(error instanceof BufferError)) throw error
        this.#notAccepted(sent, 'no room')
      }
    }
  }

  /** What waits for room is not in the queue. */
  #checkQueue(): void {
    const queued = this.#producer.metrics().find(({ name }) => name === 'kafka_producer_queue_messages')
    const count = queued?.samples[0]?.value ?? 0
    if (count > MAX_MESSAGES) this.process.violation('a queue keeps its limit', `${count} messages wait`)
  }

  #next(): SentMessage {
    const { process, sent, topics, acks, isIdempotent } = this.#options
    const number = ++this.#number
    const topic = topics[process.random.int(topics.length)] as string
    return sent.add({
      value: `${process.name}:${number}`,
      topic,
      producer: process.name,
      number,
      acks,
      isIdempotent,
    })
  }

  async #flush(timeoutMs: number): Promise<void> {
    const before = [...this.#unreported]
    const left = await this.#producer.flush({ timeoutMs })
    // A promise's callback comes a moment after its report.
    await Promise.resolve()
    if (left > 0) return
    for (const { value, reports } of before)
      if (reports === 0) this.process.violation('flush waits for all reports', `${value} was not reported`)
  }

  async #close(timeoutMs: number): Promise<void> {
    const { process } = this
    process.event(`closes within ${timeoutMs} ms`)
    const deadlineMs = process.nowMs + timeoutMs
    await this.#producer.close({ timeoutMs })
    await Promise.resolve()
    if (process.nowMs > deadlineMs + CLOSE_SLACK_MS && !process.wasFrozenSince(deadlineMs - timeoutMs))
      process.violation('close keeps its limit', `${process.nowMs - deadlineMs} ms more than ${timeoutMs} ms`)
  }

  #refused(sent: SentMessage, error: unknown): void {
    if (error instanceof DeliveryError) this.#reported(sent, error.error, error.report)
    else if (error instanceof KafkaException) this.#notAccepted(sent, error.message)
    else this.process.cluster.fail(error)
  }

  #notAccepted(sent: SentMessage, reason: string): void {
    sent.reports += 1
    sent.fate = 'failed'
    sent.error = reason
    this.#unreported.delete(sent)
  }

  #reported(sent: SentMessage, error: KafkaError | null, report: Message): void {
    const { process } = this
    if (!process.isAlive) return
    sent.reports += 1
    if (sent.reports > 1)
      process.violation('every message is reported once', `${sent.value} was reported again`)
    this.#unreported.delete(sent)
    sent.partition = report.partition() ?? -1
    sent.offset = report.offset()
    sent.fate = error === null ? 'delivered' : 'failed'
    sent.error = error?.name() ?? ''
    sent.isPossiblyPersisted = report.persistence() !== PersistenceStatus.NOT_PERSISTED
    process.event(
      `${sent.value} ${error === null ? `is at ${sent.offset}` : `failed: ${error.name()}`} of ${sent.topic}-${sent.partition}`,
    )
  }
}

function isFatal(error: unknown): boolean {
  return error instanceof KafkaException && error.error.fatal()
}

function settingsOf({ process, acks, isIdempotent }: ProducingOptions): ClientConfig {
  const codecs = ['none', 'gzip', 'snappy', 'lz4'] as const
  return {
    ...process.settings,
    acks,
    'enable.idempotence': isIdempotent,
    'linger.ms': process.random.int(30),
    'batch.num.messages': process.between(1, 10),
    'max.in.flight.requests.per.connection': process.between(1, 5),
    'request.timeout.ms': process.between(300, 2_000),
    'delivery.timeout.ms': process.onceIn(2) ? 60_000 : process.between(1_000, 5_000),
    'retry.backoff.ms': process.between(10, 100),
    'queue.buffering.max.messages': MAX_MESSAGES,
    'compression.type': codecs[process.random.int(codecs.length)] ?? 'none',
  }
}
