/**
 * An application that consumes, transforms and produces exactly once: what it writes and how far it has read become visible together. It aborts
 * now and then; what fails is aborted and read again; what cannot go on ends, and the next life takes its place.
 */
import {
  Consumer,
  KafkaException,
  type Message,
  OFFSET_BEGINNING,
  Producer,
  TopicPartition,
} from '../../../client/index.ts'
import type { SimTransaction } from '../cluster/ledger.ts'
import type { Application } from './application.ts'
import type { ClientProcess } from './client-process.ts'
import { type GroupProtocol, groupSettings, nextOffsets } from './consuming.ts'
import type { GroupReadings, Tenure } from './readings.ts'

export interface TransformingOptions {
  readonly process: ClientProcess
  /** The same in all lives: each shuts out the one before it. */
  readonly transactionalId: string
  readonly readings: GroupReadings
  readonly transactions: SimTransaction[]
  readonly protocol: GroupProtocol
  readonly inputs: readonly string[]
  readonly output: string
}

const TRANSACTION_TIMEOUT_MS = 4_000
const CALL_MS = 2_000
const MAX_CALLS = 30
const IDLE_MS = 2_000

export class Transforming implements Application {
  readonly process: ClientProcess
  readonly #options: TransformingOptions
  readonly #consumer: Consumer
  readonly #producer: Producer
  readonly #tenures = new Map<string, Tenure>()
  #isStopped = false
  #count = 0
  #idleSinceMs = Number.POSITIVE_INFINITY

  constructor(options: TransformingOptions) {
    this.#options = options
    const { process, readings, protocol, transactionalId } = options
    this.process = process
    this.#consumer = new Consumer(
      {
        ...process.settings,
        ...groupSettings(readings.groupId, protocol),
        'max.poll.interval.ms': 10_000,
        'enable.auto.commit': false,
        'isolation.level': 'read_committed',
        'fetch.wait.max.ms': 100,
      },
      {},
      process.hooks,
    )
    this.#producer = new Producer(
      {
        ...process.settings,
        'transactional.id': transactionalId,
        'transaction.timeout.ms': TRANSACTION_TIMEOUT_MS,
        'linger.ms': process.random.int(10),
        'batch.num.messages': process.between(1, 5),
        'request.timeout.ms': 1_000,
        'retry.backoff.ms': process.between(10, 100),
      },
      {},
      process.hooks,
    )
    this.#consumer.on('log', process.log)
    this.#producer.on('log', process.log)
  }

  /** There has been nothing to do for a while. */
  get isIdle(): boolean {
    return this.process.nowMs - this.#idleSinceMs >= IDLE_MS
  }

  async run(): Promise<void> {
    try {
      await this.#again(() => this.#producer.initTransactions({ timeoutMs: CALL_MS }))
      this.#subscribe()
      while (!this.#isStopped) await this.#step()
    } catch (error) {
      if (!(error instanceof KafkaException)) throw error
      this.process.event(`cannot go on: ${error.error.name()}`)
    }
    await this.#consumer.close()
    await this.#producer.close({ timeoutMs: 1_000 })
    this.process.event('has closed')
  }

  stop(): void {
    this.#isStopped = true
  }

  #subscribe(): void {
    const { process } = this
    const taken = (partitions: readonly TopicPartition[]): void => {
      for (const { topic, partition } of partitions) {
        const tenure = this.#tenures.get(`${topic}-${partition}`)
        if (tenure !== undefined) this.#options.readings.end(tenure)
        this.#tenures.delete(`${topic}-${partition}`)
      }
    }
    this.#consumer.subscribe([...this.#options.inputs], {
      onAssign: (consumer, partitions) => {
        for (const { topic, partition } of partitions) {
          const generation = (): number => {
            try {
              return consumer.consumerGroupMetadata().generationId
            } catch {
              return -1
            }
          }
          const tenure: Tenure = {
            process,
            place: `${topic}-${partition}`,
            generation,
            instanceId: null,
            lastOffset: -1,
          }
          this.#options.readings.begin(tenure)
          this.#tenures.set(tenure.place, tenure)
        }
      },
      onRevoke: (_, partitions) => taken(partitions),
      onLost: (_, partitions) => taken(partitions),
    })
  }

  async #step(): Promise<void> {
    const { process } = this
    const consumed = await this.#consumer.consume({
      numMessages: process.between(1, 10),
      timeoutMs: process.between(10, 200),
    })
    const messages = consumed.filter((message) => message.error() === null)
    if (messages.length === 0) {
      this.#idleSinceMs = Math.min(this.#idleSinceMs, process.nowMs)
      return
    }
    this.#idleSinceMs = Number.POSITIVE_INFINITY
    for (const message of messages) {
      const tenure = this.#tenures.get(`${message.topic()}-${message.partition()}`)
      if (tenure === undefined)
        process.violation('only owners get messages', `${message.topic()}-${message.partition()}`)
      else this.#options.readings.got(tenure, message.offset() ?? -1, String(message.value()))
    }
    const transaction: SimTransaction = {
      id: `${process.name}/${++this.#count}`,
      values: [],
      outcome: 'open',
    }
    this.#options.transactions.push(transaction)
    if (await this.#tryTransform(transaction, messages)) return
    await this.#again(() => this.#producer.abortTransaction({ timeoutMs: CALL_MS }))
    if (transaction.outcome === 'open') transaction.outcome = 'aborted'
    process.event(`aborted ${transaction.id}`)
    await this.#readAgain()
  }

  /** @returns false when the transaction is to be aborted @throws KafkaException when the producer is at its end */
  async #tryTransform(transaction: SimTransaction, messages: readonly Message[]): Promise<boolean> {
    const { process } = this
    const producer = this.#producer
    try {
      producer.beginTransaction()
      for (const message of messages) {
        const value = `${message.topic()}-${message.partition()}@${message.offset()}#${transaction.id}`
        transaction.values.push(value)
        producer.send(this.#options.output, { value }).catch(() => {})
        if (process.onceIn(10)) await process.sleep(process.random.int(100))
      }
      if (process.onceIn(8)) return false
      const group = this.#consumer.consumerGroupMetadata()
      const limits = { timeoutMs: CALL_MS }
      await this.#again(() => producer.sendOffsetsToTransaction(nextOffsets(messages), group, limits))
      if (process.onceIn(15)) return false
      await this.#again(() => {
        transaction.outcome = 'unknown'
        return producer.commitTransaction(limits)
      })
      transaction.outcome = 'committed'
      process.event(`committed ${transaction.id}`)
      return true
    } catch (error) {
      if (!(error instanceof KafkaException) || error.error.fatal()) throw error
      process.event(`${transaction.id} failed: ${error.error.name()}`)
      // Only what asks for it was certainly not committed.
      if (error.error.txnRequiresAbort()) return false
      throw error
    }
  }

  /** From what is committed: a transaction that was aborted has read nothing. */
  async #readAgain(): Promise<void> {
    const assigned = this.#consumer.assignment()
    const committed = await this.#again(() => this.#consumer.committed(assigned, { timeoutMs: CALL_MS }))
    for (const { topic, partition, offset, error } of committed) {
      if (error !== null) throw new KafkaException(error)
      const tenure = this.#tenures.get(`${topic}-${partition}`)
      if (tenure !== undefined) tenure.lastOffset = -1
      await this.#consumer.seek(new TopicPartition(topic, partition, offset < 0 ? OFFSET_BEGINNING : offset))
    }
  }

  /** A call that did not end in time goes on when it is made again. */
  async #again<T>(call: () => Promise<T>): Promise<T> {
    for (let calls = 1; ; calls++) {
      try {
        return await call()
      } catch (error) {
        if (!(error instanceof KafkaException) || !error.error.retriable() || calls >= MAX_CALLS) throw error
        await this.process.sleep(20)
      }
    }
  }
}
