/**
 * Holds what was produced and not answered: per topic what waits for metadata, per partition its batches. Knows the limits
 * of the local queue and when batches become due. Owned by the producer; the `Sender` empties it.
 */

import type { Runtime } from '../../common/runtime/runtime.ts'
import type { Timer } from '../../common/runtime/scheduler.ts'
import type { PartitionerFunction, PartitionerName } from '../config/producer-properties.ts'
import { PARTITION_UA } from '../constants.ts'
import { BufferError, KafkaError, KafkaException } from '../errors.ts'
import type { TopicInfo } from '../metadata/metadata-cache.ts'
import { copyBytes } from '../values/bytes.ts'
import { copyHeaders } from '../values/headers.ts'
import type { PendingReport, ReportCallback } from './delivery.ts'
import { type BatchLimits, PartitionQueue } from './partition-queue.ts'
import { TopicPartitioner } from './partitioner.ts'
import type { BatchFormat } from './producer-batch.ts'

/**
 * One record as it comes from `produce`, checked. With a callback, the same object is what waits for the report: there may be a
 * hundred thousand of them, and a second object for each would be most of the garbage.
 */
export interface ProduceRecord extends Omit<PendingReport, 'callback'> {
  /** -1: the partitioner decides. */
  readonly partition: number
  callback: ReportCallback | undefined
}

export class TopicQueue {
  readonly name: string
  readonly partitions: PartitionQueue[] = []
  readonly partitioner: TopicPartitioner
  /** Usable facts about the topic; undefined while it is not known. */
  info: TopicInfo | undefined
  unassigned: ProduceRecord[] = []
  readonly createdMs: number
  /** Since when the topic is unknown; monotonic. */
  unknownSinceMs: number

  readonly #isTransactional: boolean

  constructor(name: string, partitioner: TopicPartitioner, nowMs: number, isTransactional: boolean) {
    this.name = name
    this.#isTransactional = isTransactional
    this.partitioner = partitioner
    this.createdMs = nowMs
    this.unknownSinceMs = nowMs
  }

  /** The queue of the partition, made with those before it where it is new. */
  partition(id: number): PartitionQueue {
    let queue = this.partitions[id]
    while (queue === undefined) {
      const next = new PartitionQueue(this.name, this.partitions.length, this.#isTransactional)
      this.partitions.push(next)
      this.updateLeader(next)
      queue = this.partitions[id]
    }
    return queue
  }

  /** What waits for metadata, to be settled by the caller. */
  takeUnassigned(): ProduceRecord[] {
    const records = this.unassigned
    this.unassigned = []
    return records
  }

  /** Takes the leader over from `info`; does nothing where that lacks the partition. */
  updateLeader(queue: PartitionQueue): void {
    const partition = this.info?.partitions[queue.id]
    if (this.info === undefined || partition === undefined) return
    queue.setLeader(partition.leaderId, partition.leaderEpoch, this.info.topicId)
  }
}

export interface AccumulatorOptions {
  readonly runtime: Runtime
  readonly limits: BatchLimits
  readonly format: BatchFormat
  /** 0: unbounded. */
  readonly maxMessages: number
  readonly maxBytes: number
  readonly partitioner: PartitionerName | PartitionerFunction
  readonly stickyMs: number
  /** A topic was used for the first time. */
  readonly onNewTopic: (topic: TopicQueue) => void
  /** The partition has a batch that may leave. */
  readonly onReady: (partition: PartitionQueue) => void
}

export interface RefusedRecord {
  readonly record: ProduceRecord
  readonly error: KafkaError
}

export interface Withdrawn {
  readonly topic: string
  readonly partition: number
  readonly reports: readonly PendingReport[]
}

/**
 * Copies the bytes of a record that is kept as it came: the application may write into its buffers as soon as `produce` has
 * returned. Batches are copies by themselves.
 */
export function keepBytes(record: ProduceRecord): void {
  const own = record as { -readonly [Field in keyof ProduceRecord]: ProduceRecord[Field] }
  own.key = copyBytes(record.key)
  own.value = copyBytes(record.value)
  own.headers = copyHeaders(record.headers)
}

/** undefined without a callback: nobody waits for a report. */
export function reportOf(record: ProduceRecord): PendingReport | undefined {
  return record.callback === undefined ? undefined : (record as PendingReport)
}

/** Throws a KafkaException when there is no such partition. */
function partitionOf(topic: TopicQueue, info: TopicInfo, record: ProduceRecord, nowMs: number): number {
  const { partition } = record
  if (partition === PARTITION_UA) return topic.partitioner.choose(info, record.key, nowMs)
  if (partition < info.partitions.length) return partition
  throw new KafkaException(new KafkaError(KafkaError._UNKNOWN_PARTITION))
}

/** What a message takes of `queue.buffering.max.kbytes` besides its bytes: the object that waits for the report. */
const messageOverheadBytes = 64

export class Accumulator {
  readonly #options: AccumulatorOptions
  readonly #topics = new Map<string, TopicQueue>()
  /** Partitions with an open batch that lingers, by the time it is due; due times never decrease. */
  #lingering: { readonly partition: PartitionQueue; readonly order: number; readonly dueMs: number }[] = []
  #lingerHead = 0
  #lingerTimer: Timer | undefined
  /** Flushes in progress: nothing lingers then. */
  #flushes = 0
  /** Messages accepted whose report was not served (or, without a callback, that are not done). */
  messageCount = 0
  chargedBytes = 0
  /** Set while somebody waits for room. */
  onRelease: (() => void) | undefined

  constructor(options: AccumulatorOptions) {
    this.#options = options
  }

  topics(): IterableIterator<TopicQueue> {
    return this.#topics.values()
  }

  topic(name: string): TopicQueue | undefined {
    return this.#topics.get(name)
  }

  *partitions(): IterableIterator<PartitionQueue> {
    for (const topic of this.#topics.values()) yield* topic.partitions
  }

  /**
   * Accepts a record or throws: BufferError when the queue is full, `_UNKNOWN_PARTITION` through the caller.
   * @param recordBytes upper bound of its size in a batch
   */
  add(topic: TopicQueue, record: ProduceRecord, recordBytes: number): void {
    const { maxMessages, maxBytes, runtime } = this.#options
    const chargedBytes = recordBytes + messageOverheadBytes
    if (maxMessages > 0 && this.messageCount >= maxMessages) throw queueFull('queue.buffering.max.messages')
    if (this.messageCount > 0 && this.chargedBytes + chargedBytes > maxBytes) {
      throw queueFull('queue.buffering.max.kbytes')
    }
    const nowMs = runtime.clock.monotonicMs()
    const { info } = topic
    // Before anything is counted: an application's partitioner may refuse.
    const partition = info === undefined ? PARTITION_UA : partitionOf(topic, info, record, nowMs)
    this.messageCount++
    this.chargedBytes += chargedBytes
    record.createdMs = nowMs
    record.sizeBytes = chargedBytes
    if (info !== undefined) this.#append(topic.partition(partition), record, nowMs)
    else {
      keepBytes(record)
      topic.unassigned.push(record)
    }
  }

  /** The queues of the topic, made where it is produced to for the first time. */
  topicFor(name: string): TopicQueue {
    let topic = this.#topics.get(name)
    if (topic === undefined) {
      const { partitioner, stickyMs, runtime } = this.#options
      const chooser = new TopicPartitioner({ partitioner, stickyMs, random: runtime.random })
      topic = new TopicQueue(name, chooser, runtime.clock.monotonicMs(), this.#options.format.isTransactional)
      this.#topics.set(name, topic)
      this.#options.onNewTopic(topic)
    }
    return topic
  }

  /** The topic is known now: its waiting records go to their partitions. @returns those that got none */
  assign(topic: TopicQueue): RefusedRecord[] {
    const { info } = topic
    if (info === undefined || topic.unassigned.length === 0) return []
    const waiting = topic.takeUnassigned()
    const nowMs = this.#options.runtime.clock.monotonicMs()
    const refused: RefusedRecord[] = []
    for (const record of waiting) {
      try {
        this.#append(topic.partition(partitionOf(topic, info, record, nowMs)), record, nowMs)
      } catch (error) {
        if (!(error instanceof KafkaException)) throw error
        refused.push({ record, error: error.error })
      }
    }
    return refused
  }

  /** A message is done and, where it has a callback, reported. */
  release(count: number, chargedBytes: number): void {
    this.messageCount -= count
    this.chargedBytes -= chargedBytes
    this.onRelease?.()
  }

  /**
   * Takes messages back that were never sent, by their callbacks. @returns their reports, by partition; -1: not chosen yet
   */
  withdraw(callbacks: ReadonlySet<ReportCallback>): Withdrawn[] {
    const withdrawn: Withdrawn[] = []
    for (const topic of this.#topics.values()) {
      const kept = topic.unassigned.filter(
        ({ callback }) => callback === undefined || !callbacks.has(callback),
      )
      if (kept.length < topic.unassigned.length) {
        const taken = topic.unassigned.filter((record) => !kept.includes(record))
        topic.unassigned = kept
        withdrawn.push({
          topic: topic.name,
          partition: -1,
          reports: taken.map(reportOf).filter((report) => report !== undefined),
        })
      }
      for (const partition of topic.partitions) {
        const reports = partition.withdraw((report) => callbacks.has(report.callback))
        if (reports.length > 0) withdrawn.push({ topic: topic.name, partition: partition.id, reports })
      }
    }
    return withdrawn
  }

  /** Nothing lingers until `endFlush`; what waits is ready at once. */
  beginFlush(): void {
    this.#flushes++
    for (const topic of this.#topics.values()) {
      for (const partition of topic.partitions) if (partition.open !== undefined) this.#makeDue(partition)
    }
  }

  endFlush(): void {
    this.#flushes--
  }

  close(): void {
    this.#lingerTimer?.cancel()
    this.#lingering = []
    this.#lingerHead = 0
  }

  #append(partition: PartitionQueue, record: ProduceRecord, nowMs: number): void {
    const { limits, format, onReady } = this.#options
    const { key, value, headers, timestampMs, sizeBytes, createdMs } = record
    const before = partition.open
    // What waited for metadata has used up a part of its life, but nothing of its linger.
    const batch = partition.batchFor(sizeBytes, createdMs, nowMs + limits.lingerMs, limits, format)
    partition.append(batch, timestampMs, key, value, headers, sizeBytes, reportOf(record))
    if (batch !== before) {
      // The old batch was full, or there was none.
      if (before !== undefined) onReady(partition)
      if (this.#flushes > 0 || limits.lingerMs <= 0) this.#makeDue(partition)
      else this.#linger(partition, batch.order, batch.dueMs)
    }
    if (batch.recordCount >= limits.maxRecords || batch.sizeBytes >= limits.maxBytes) {
      partition.seal()
      onReady(partition)
    }
  }

  #makeDue(partition: PartitionQueue): void {
    if (partition.open !== undefined) partition.open.dueMs = 0
    this.#options.onReady(partition)
  }

  #linger(partition: PartitionQueue, order: number, dueMs: number): void {
    this.#lingering.push({ partition, order, dueMs })
    if (this.#lingerTimer === undefined) this.#armLinger(dueMs)
  }

  #armLinger(dueMs: number): void {
    const { runtime } = this.#options
    const delayMs = dueMs - runtime.clock.monotonicMs()
    this.#lingerTimer = runtime.scheduler.schedule('batches have lingered', delayMs, () => this.#lingered())
  }

  #lingered(): void {
    this.#lingerTimer = undefined
    const nowMs = this.#options.runtime.clock.monotonicMs()
    for (; this.#lingerHead < this.#lingering.length; this.#lingerHead++) {
      const entry = this.#lingering[this.#lingerHead]
      if (entry === undefined) continue
      if (entry.dueMs > nowMs) {
        this.#armLinger(entry.dueMs)
        if (this.#lingerHead > 1024) {
          this.#lingering.splice(0, this.#lingerHead)
          this.#lingerHead = 0
        }
        return
      }
      if (entry.partition.open?.order === entry.order) this.#options.onReady(entry.partition)
    }
    this.#lingering = []
    this.#lingerHead = 0
  }
}

function queueFull(property: string): BufferError {
  return new BufferError(new KafkaError(KafkaError._QUEUE_FULL, `Local: Queue full (${property})`))
}
