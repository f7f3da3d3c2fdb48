/**
 * One transaction as an object, for `await using`: what leaves its scope without `commit` is aborted. The producer's own
 * transactional calls stay usable beside it.
 */
import type { Timeout } from '../timeouts.ts'
import type { ConsumerGroupMetadata } from '../values/consumer-group-metadata.ts'
import type { TopicPartition } from '../values/topic-partition.ts'
import type { ProduceOptions } from './produce-arguments.ts'
import type {
  DeliveryReport,
  RecordMetadata,
  SendCallOptions,
  SendOptions,
  SendRequest,
  TopicMessages,
} from './send-arguments.ts'

/** What a transaction needs of its producer. */
export interface TransactionalProducer {
  produce(topic: string, options?: ProduceOptions): void
  send(topic: string, message: SendOptions, options?: SendCallOptions): Promise<DeliveryReport>
  send(request: SendRequest, options?: SendCallOptions): Promise<RecordMetadata[]>
  sendBatch(
    batch: { readonly topicMessages: readonly TopicMessages[] },
    options?: SendCallOptions,
  ): Promise<RecordMetadata[]>
  sendOffsetsToTransaction(
    positions: readonly TopicPartition[],
    groupMetadata: ConsumerGroupMetadata,
    timeout?: Timeout,
  ): Promise<void>
  commitTransaction(timeout?: Timeout): Promise<void>
  abortTransaction(timeout?: Timeout): Promise<void>
}

export class Transaction {
  readonly #producer: TransactionalProducer
  #isActive = true

  /** Begun already. Applications get it from `producer.transaction()`. */
  constructor(producer: TransactionalProducer) {
    this.#producer = producer
  }

  /** Neither committed nor aborted. */
  isActive(): boolean {
    return this.#isActive
  }

  produce(topic: string, options?: ProduceOptions): void {
    this.#producer.produce(topic, options)
  }

  send(topic: string, message: SendOptions, options?: SendCallOptions): Promise<DeliveryReport>
  send(request: SendRequest, options?: SendCallOptions): Promise<RecordMetadata[]>
  send(
    first: string | SendRequest,
    second?: SendOptions | SendCallOptions,
    third?: SendCallOptions,
  ): Promise<DeliveryReport | RecordMetadata[]> {
    if (typeof first === 'string') return this.#producer.send(first, second as SendOptions, third)
    return this.#producer.send(first, second as SendCallOptions | undefined)
  }

  sendBatch(
    batch: { readonly topicMessages: readonly TopicMessages[] },
    options?: SendCallOptions,
  ): Promise<RecordMetadata[]> {
    return this.#producer.sendBatch(batch, options)
  }

  /** Adds consumed positions: the next offsets to read. */
  sendOffsets(
    positions: readonly TopicPartition[],
    groupMetadata: ConsumerGroupMetadata,
    timeout?: Timeout,
  ): Promise<void> {
    return this.#producer.sendOffsetsToTransaction(positions, groupMetadata, timeout)
  }

  /** After a failure that may be tried again it is still active. */
  async commit(timeout?: Timeout): Promise<void> {
    await this.#producer.commitTransaction(timeout)
    this.#isActive = false
  }

  async abort(timeout?: Timeout): Promise<void> {
    await this.#producer.abortTransaction(timeout)
    this.#isActive = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isActive) await this.abort()
  }
}
