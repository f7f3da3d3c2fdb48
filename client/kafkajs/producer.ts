/**
 * kafkajs's producer over the client's. What kafkajs chooses for each call (acks, compression, time-out) the client chooses
 * for each producer: one is made for every combination that is used. A transactional or idempotent one must be a single
 * producer, so its compression is that of its configuration.
 */
import type { ClientConfig } from '../config/table.ts'
import { Producer as ClientProducer, type ProducerExtra } from '../producer/producer.ts'
import type { TopicMessages as ClientTopicMessages, RecordMetadata } from '../producer/send-arguments.ts'
import type { Transaction as ClientTransaction } from '../producer/transaction.ts'
import type { CloseOptions } from '../timeouts.ts'
import { ConsumerGroupMetadata } from '../values/consumer-group-metadata.ts'
import { TopicPartition } from '../values/topic-partition.ts'
import { clamp, type RetryOptions } from './client-settings.ts'
import { KafkaJSNonRetriableError, toKafkaJSError, translated } from './errors.ts'
import type { FacadeParts } from './facade-parts.ts'
import { firstContact } from './first-contact.ts'
import { forwardRequests, Instrumentation, type Listener, producerEvents } from './instrumentation.ts'
import { forwardLog, type Logger } from './logger.ts'
import { type ProducedMessage, toSendOptions } from './messages.ts'
import {
  customPartitioner,
  type ICustomPartitioner,
  type Partitioner,
  partitionMetadataOf,
} from './partitioners.ts'

export const CompressionTypes = { None: 0, GZIP: 1, Snappy: 2, LZ4: 3, ZSTD: 4 } as const
export type CompressionTypes = (typeof CompressionTypes)[keyof typeof CompressionTypes]

/** Programs register codecs of other packages here. All of Kafka's are built in: what is registered is never asked. */
export const CompressionCodecs: Record<number, unknown> = {}

const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

export interface ProducerConfig {
  readonly createPartitioner?: ICustomPartitioner
  readonly retry?: RetryOptions
  readonly metadataMaxAge?: number
  readonly allowAutoTopicCreation?: boolean
  readonly idempotent?: boolean
  readonly transactionalId?: string
  readonly transactionTimeout?: number
  readonly maxInFlightRequests?: number | null
  /** Addition: of a transactional or idempotent producer. */
  readonly compression?: CompressionTypes
}

export interface SendChoices {
  readonly acks?: number
  readonly timeout?: number
  readonly compression?: CompressionTypes
}

export interface ProducerRecord extends SendChoices {
  readonly topic: string
  readonly messages: readonly ProducedMessage[]
}

export interface TopicMessages {
  readonly topic: string
  readonly messages: readonly ProducedMessage[]
}

export interface ProducerBatch extends SendChoices {
  readonly topicMessages?: readonly TopicMessages[]
}

export interface OffsetsToSend {
  readonly consumerGroupId: string
  readonly topics: readonly {
    readonly topic: string
    readonly partitions: readonly { readonly partition: number; readonly offset: string }[]
  }[]
}

export class Producer {
  readonly events = producerEvents
  readonly #parts: FacadeParts
  readonly #config: ProducerConfig
  readonly #instrumentation: Instrumentation
  readonly #partitioner: Partitioner | undefined
  /** By acks, compression and time-out; the first is that of `connect`. */
  readonly #producers = new Map<string, ClientProducer>()
  #connected: Promise<void> | undefined
  #transaction: Transaction | undefined
  #base: ClientConfig = {}
  #isWarned = false

  constructor(parts: FacadeParts, config: ProducerConfig) {
    this.#parts = parts
    this.#config = config
    this.#instrumentation = new Instrumentation(producerEvents, parts.timing, (error) =>
      parts.logger.error(`a listener failed: ${error}`),
    )
    this.#partitioner = customPartitioner(config.createPartitioner)
  }

  /** Rejects when no broker answers. */
  async connect(): Promise<void> {
    this.#connected ??= this.#connect()
    try {
      await this.#connected
    } catch (error) {
      this.#connected = undefined
      await this.#closeProducers({ force: true })
      throw error
    }
  }

  async disconnect(): Promise<void> {
    if (this.#connected === undefined) return
    this.#connected = undefined
    await translated(() => this.#closeProducers())
    this.#instrumentation.emit(producerEvents.DISCONNECT, null)
  }

  isIdempotent(): boolean {
    return this.#isSingle
  }

  send(record: ProducerRecord): Promise<RecordMetadata[]> {
    const { topic, messages, ...choices } = record
    return this.sendBatch({ ...choices, topicMessages: [{ topic, messages }] })
  }

  async sendBatch({ topicMessages = [], ...choices }: ProducerBatch): Promise<RecordMetadata[]> {
    const producer = this.#producerFor(choices)
    return await translated(async () =>
      producer.sendBatch({ topicMessages: await this.#partitioned(producer, topicMessages) }),
    )
  }

  async transaction(): Promise<Transaction> {
    if (this.#config.transactionalId === undefined) {
      throw new KafkaJSNonRetriableError('Must provide transactional id for transactional producer')
    }
    const producer = this.#producerFor({})
    if (this.#transaction?.isActive() === true) {
      throw new KafkaJSNonRetriableError('The ongoing transaction has to end before another begins')
    }
    const transaction = await translated(() => producer.transaction())
    this.#transaction = new Transaction(transaction, (topicMessages) =>
      this.#partitioned(producer, topicMessages),
    )
    return this.#transaction
  }

  on<N extends string>(name: N, listener: Listener<N>): () => void {
    return this.#instrumentation.on(name, listener)
  }

  logger(): Logger {
    return this.#parts.logger
  }

  get #isSingle(): boolean {
    return this.#config.idempotent === true || this.#config.transactionalId !== undefined
  }

  async #connect(): Promise<void> {
    this.#base = { ...(await this.#parts.settings()), ...producerSettings(this.#config) }
    await firstContact(this.#producerOf({}), this.#parts.patience)
    this.#instrumentation.emit(producerEvents.CONNECT, null)
  }

  async #closeProducers(options: CloseOptions = {}): Promise<void> {
    const producers = [...this.#producers.values()]
    this.#producers.clear()
    await Promise.all(producers.map((producer) => producer.close(options)))
  }

  #producerFor(choices: SendChoices): ClientProducer {
    if (this.#connected === undefined) throw new KafkaJSNonRetriableError('The producer is disconnected')
    const { acks = -1, compression = CompressionTypes.None } = choices
    if (!this.#isSingle) return this.#producerOf(choices)
    if (acks !== -1) {
      throw new KafkaJSNonRetriableError(
        "Not requiring ack for all messages invalidates the idempotent producer's EoS guarantees",
      )
    }
    if (compression !== (this.#config.compression ?? CompressionTypes.None) && !this.#isWarned) {
      this.#isWarned = true
      this.#parts.logger.warn(
        'an idempotent producer compresses as its configuration says: set `compression` there',
      )
    }
    return this.#producerOf({})
  }

  #producerOf({ acks = -1, timeout = 30_000, compression }: SendChoices): ClientProducer {
    const codec =
      compression ?? (this.#isSingle ? this.#config.compression : undefined) ?? CompressionTypes.None
    const key = `${acks} ${timeout} ${codec}`
    let producer = this.#producers.get(key)
    if (producer !== undefined) return producer
    const name = codecNames[codec]
    if (name === undefined) throw new KafkaJSNonRetriableError(`there is no compression ${codec}`)
    const extra: ProducerExtra = {
      autoPoll: true,
      acks,
      'request.timeout.ms': clamp(timeout, 1, 900_000),
      'compression.type': name,
    }
    producer = new ClientProducer(this.#base, extra)
    forwardLog(producer, this.#parts.logger)
    forwardRequests(producer, this.#instrumentation, producerEvents, this.#parts.timing)
    this.#producers.set(key, producer)
    return producer
  }

  async #partitioned(
    producer: ClientProducer,
    topicMessages: NonNullable<ProducerBatch['topicMessages']>,
  ): Promise<ClientTopicMessages[]> {
    const partitioner = this.#partitioner
    const result: ClientTopicMessages[] = []
    for (const { topic, messages } of topicMessages) {
      if (typeof topic !== 'string' || topic === '') throw new KafkaJSNonRetriableError('Invalid topic')
      if (!Array.isArray(messages)) throw new KafkaJSNonRetriableError(`Invalid messages array for ${topic}`)
      const own = messages.map(toSendOptions)
      if (partitioner === undefined) {
        result.push({ topic, messages: own })
        continue
      }
      const partitionMetadata = partitionMetadataOf(await producer.listTopics(topic), topic)
      const placed = own.map((options, index) => {
        const message = messages[index] as ProducedMessage
        return {
          ...options,
          partition: message.partition ?? partitioner({ topic, partitionMetadata, message }),
        }
      })
      result.push({ topic, messages: placed })
    }
    return result
  }
}

/** kafkajs's transaction: sends in it are part of it until `commit` or `abort`. */
export class Transaction {
  readonly #transaction: ClientTransaction
  readonly #place: (
    topicMessages: NonNullable<ProducerBatch['topicMessages']>,
  ) => Promise<ClientTopicMessages[]>

  constructor(
    transaction: ClientTransaction,
    place: (topicMessages: NonNullable<ProducerBatch['topicMessages']>) => Promise<ClientTopicMessages[]>,
  ) {
    this.#transaction = transaction
    this.#place = place
  }

  send({ topic, messages }: ProducerRecord): Promise<RecordMetadata[]> {
    return this.sendBatch({ topicMessages: [{ topic, messages }] })
  }

  async sendBatch({ topicMessages = [] }: ProducerBatch): Promise<RecordMetadata[]> {
    this.#checkActive()
    return await translated(async () =>
      this.#transaction.sendBatch({ topicMessages: await this.#place(topicMessages) }),
    )
  }

  async sendOffsets({ consumerGroupId, topics }: OffsetsToSend): Promise<void> {
    this.#checkActive()
    const positions = topics.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => new TopicPartition(topic, partition, Number(offset))),
    )
    await translated(() =>
      this.#transaction.sendOffsets(positions, new ConsumerGroupMetadata(consumerGroupId)),
    )
  }

  commit(): Promise<void> {
    return this.#end(() => this.#transaction.commit())
  }

  abort(): Promise<void> {
    return this.#end(() => this.#transaction.abort())
  }

  isActive(): boolean {
    return this.#transaction.isActive()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transaction[Symbol.asyncDispose]()
  }

  #checkActive(): void {
    if (!this.isActive()) throw new KafkaJSNonRetriableError('Transaction has already ended')
  }

  async #end(call: () => Promise<void>): Promise<void> {
    this.#checkActive()
    try {
      await call()
    } catch (error) {
      throw toKafkaJSError(error)
    }
  }
}

function producerSettings(config: ProducerConfig): ClientConfig {
  const { retry, metadataMaxAge, allowAutoTopicCreation = true, maxInFlightRequests } = config
  const { transactionalId, transactionTimeout, idempotent } = config
  return {
    // As kafkajs: what is sent leaves at once.
    'linger.ms': 0,
    partitioner: 'murmur2_random',
    'allow.auto.create.topics': allowAutoTopicCreation,
    ...(retry?.retries === undefined || idempotent === true || transactionalId !== undefined
      ? {}
      : { retries: retry.retries }),
    ...(metadataMaxAge === undefined
      ? {}
      : { 'topic.metadata.refresh.interval.ms': clamp(metadataMaxAge, 1, 3_600_000) }),
    ...(maxInFlightRequests === undefined || maxInFlightRequests === null
      ? {}
      : { 'max.in.flight': maxInFlightRequests }),
    ...(idempotent === true ? { 'enable.idempotence': true } : {}),
    ...(transactionalId === undefined ? {} : { 'transactional.id': transactionalId }),
    ...(transactionTimeout === undefined
      ? {}
      : { 'transaction.timeout.ms': Math.max(1000, transactionTimeout) }),
  }
}
