/**
 * What an answer means for one partition: records and ends go to the delivery queue, errors to back-offs, resets, events and
 * metadata.
 */
import type { FetchResponse } from '../../common/protocol/apis/01-fetch.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ClientCore } from '../client-core.ts'
import { OFFSET_INVALID } from '../constants.ts'
import { KafkaError } from '../errors.ts'
import { Window } from '../statistics/window.ts'
import { Message } from '../values/message.ts'
import type { AssignedPartition } from './assigned-partition.ts'
import type { DeliveryQueue } from './delivery-queue.ts'
import { FetchChunk } from './fetch-chunk.ts'
import type { Asked, FetchAnswer, FetchAnswers } from './fetcher.ts'
import type { PositionResolver } from './position-resolver.ts'

const maxFetchBytes = 1000000000

/** Errors after which fresh metadata leads on; nothing is told to the application. */
const movedCodes: ReadonlySet<number> = new Set([
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.LEADER_NOT_AVAILABLE,
  ErrorCode.REPLICA_NOT_AVAILABLE,
  ErrorCode.BROKER_NOT_AVAILABLE,
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.INCONSISTENT_TOPIC_ID,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
])

/** Errors that pass by themselves. */
const passingCodes: ReadonlySet<number> = new Set([
  ErrorCode.OFFSET_NOT_AVAILABLE,
  ErrorCode.UNKNOWN_LEADER_EPOCH,
  ErrorCode.REQUEST_TIMED_OUT,
  ErrorCode.UNKNOWN_SERVER_ERROR,
])

export interface FetchOutcomesOptions {
  readonly core: ClientCore
  readonly delivery: DeliveryQueue
  readonly resolver: PositionResolver
}

/** What was fetched since the start, and windows by topic for the statistics. */
export class FetchTotals {
  messages = 0
  bytes = 0
  readonly batchSize = new Map<string, Window>()
  readonly batchCount = new Map<string, Window>()

  add(topic: string, messageCount: number, sizeBytes: number): void {
    this.messages += messageCount
    this.bytes += sizeBytes
    windowOf(this.batchSize, topic).add(sizeBytes)
    windowOf(this.batchCount, topic).add(messageCount)
  }
}

function windowOf(windows: Map<string, Window>, topic: string): Window {
  let window = windows.get(topic)
  if (window === undefined) {
    window = new Window()
    windows.set(topic, window)
  }
  return window
}

export class FetchOutcomes implements FetchAnswers {
  readonly fetched = new FetchTotals()
  readonly #options: FetchOutcomesOptions
  readonly #isReadCommitted: boolean
  readonly #tellsEnds: boolean
  readonly #checksCrcs: boolean
  readonly #backoffMs: number
  /** Partitions whose error was told, with the code: told again only after another outcome. */
  readonly #told = new WeakMap<AssignedPartition, number>()

  constructor(options: FetchOutcomesOptions) {
    this.#options = options
    const { config } = options.core
    this.#isReadCommitted = config.get('isolation.level') === 'read_committed'
    this.#tellsEnds = config.get('enable.partition.eof')
    this.#checksCrcs = config.get('check.crcs')
    this.#backoffMs = Math.max(1, config.get('fetch.error.backoff.ms'))
  }

  answered({ partition, version, fetchOffset, nodeId }: Asked, answer: FetchAnswer): void {
    if (partition.version !== version || partition.fetchOffset !== fetchOffset) return
    if (partition.state !== 'active') return
    const { errorCode } = answer
    if (errorCode !== ErrorCode.NONE) {
      this.#refused(partition, nodeId, errorCode)
      return
    }
    this.#told.delete(partition)
    this.#noteEnds(partition, answer)
    if (answer.preferredReadReplica >= 0) {
      this.#prefer(partition, answer.preferredReadReplica)
      return
    }
    if (answer.records !== null && answer.records.length > 0) this.#records(partition, answer, answer.records)
    this.#maybeEnd(partition)
    this.#tellLag(partition)
  }

  failed({ partition, version }: Asked, error: KafkaError): void {
    if (partition.version !== version) return
    partition.preferredReplica = undefined
    this.#options.core.metadata.refreshSoon(`fetching ${partition.key} failed: ${error.str()}`)
  }

  learn(response: FetchResponse): void {
    const { metadata, pool } = this.#options.core
    for (const { topic, topicId, partitions } of response.responses) {
      for (const { partitionIndex, currentLeader, errorCode } of partitions) {
        const { leaderId, leaderEpoch } = currentLeader
        if (leaderId < 0 || errorCode === ErrorCode.NONE) continue
        const name = topic === '' ? metadata.cache.topicById(topicId)?.name : topic
        const endpoint = response.nodeEndpoints.find(({ nodeId }) => nodeId === leaderId)
        if (name === undefined || (endpoint === undefined && pool.byId(leaderId) === undefined)) continue
        if (endpoint !== undefined) pool.learn(endpoint)
        metadata.cache.applyLeaderHint(name, partitionIndex, leaderId, leaderEpoch)
      }
    }
  }

  #noteEnds(partition: AssignedPartition, answer: FetchAnswer): void {
    partition.highWatermark = answer.highWatermark
    if (answer.lastStableOffset >= 0) partition.lastStableOffset = answer.lastStableOffset
    if (answer.logStartOffset >= 0) partition.logStartOffset = answer.logStartOffset
  }

  #prefer(partition: AssignedPartition, nodeId: number): void {
    const { runtime, config } = this.#options.core
    const untilMs = runtime.clock.monotonicMs() + config.get('metadata.max.age.ms')
    partition.preferredReplica = { nodeId, untilMs }
  }

  #records(partition: AssignedPartition, answer: FetchAnswer, records: Buffer): void {
    const { core, delivery } = this.#options
    const chunk = new FetchChunk({
      topic: partition.topic,
      partition: partition.id,
      records,
      fetchOffset: partition.fetchOffset,
      abortedTransactions: this.#isReadCommitted ? (answer.abortedTransactions ?? []) : undefined,
      checksCrcs: this.#checksCrcs,
    })
    if (chunk.isTruncated) {
      partition.maxBytes = Math.min(maxFetchBytes, partition.maxBytes * 2)
      return
    }
    if (chunk.nextOffset > partition.fetchOffset) {
      delivery.push(partition, chunk)
      partition.fetchOffset = chunk.nextOffset
      partition.fetchEpoch = chunk.leaderEpoch
      partition.rxMessages += chunk.messageCount
      partition.rxBytes += chunk.sizeBytes
      this.fetched.add(partition.topic, chunk.messageCount, chunk.sizeBytes)
      core.events.notify()
    } else if (chunk.isCorrupt) {
      this.#backOff(partition)
      this.#tell(partition, new KafkaError(KafkaError._BAD_MSG, 'fetched bytes are no record batches'))
    }
  }

  #tellLag(partition: AssignedPartition): void {
    const { notifier } = this.#options.core
    if (!notifier.has('lag')) return
    const endOffset = partition.endOffset(this.#isReadCommitted)
    const position = Math.max(partition.appOffset, partition.committed.offset)
    if (endOffset < 0) return
    const lag = Math.max(0, endOffset - (position >= 0 ? position : partition.fetchOffset))
    if (lag === partition.toldLag) return
    partition.toldLag = lag
    const { topic, id } = partition
    notifier.tell('lag', { topic, partition: id, lag, endOffset })
  }

  #maybeEnd(partition: AssignedPartition): void {
    if (!this.#tellsEnds) return
    const end = partition.endOffset(this.#isReadCommitted)
    if (
      end === OFFSET_INVALID ||
      partition.fetchOffset < end ||
      partition.eofOffset === partition.fetchOffset
    )
      return
    partition.eofOffset = partition.fetchOffset
    const { core, delivery } = this.#options
    delivery.push(
      partition,
      new Message({
        topic: partition.topic,
        partition: partition.id,
        offset: partition.fetchOffset,
        error: new KafkaError(KafkaError._PARTITION_EOF, 'No more messages'),
      }),
    )
    core.events.notify()
  }

  #refused(partition: AssignedPartition, nodeId: number, code: number): void {
    const { core, resolver } = this.#options
    const wasFollower = partition.preferredReplica?.nodeId === nodeId
    partition.preferredReplica = undefined
    if (code === ErrorCode.OFFSET_OUT_OF_RANGE) {
      // A follower may lag behind: the leader decides.
      if (!wasFollower) {
        const text = `offset ${partition.fetchOffset} is out of range`
        resolver.reset(partition, new KafkaError(ErrorCode.OFFSET_OUT_OF_RANGE, text))
      }
      return
    }
    this.#backOff(partition)
    if (movedCodes.has(code)) {
      core.metadata.refresh(`fetching ${partition.key} was refused with ${code}`)
      return
    }
    if (passingCodes.has(code)) return
    const told = code === ErrorCode.CORRUPT_MESSAGE ? KafkaError._BAD_MSG : code
    this.#tell(partition, new KafkaError(told))
  }

  #backOff(partition: AssignedPartition): void {
    partition.retryAtMs = this.#options.core.runtime.clock.monotonicMs() + this.#backoffMs
  }

  #tell(partition: AssignedPartition, error: KafkaError): void {
    if (this.#told.get(partition) === error.code()) return
    this.#told.set(partition, error.code())
    const { topic, id, fetchOffset: offset } = partition
    this.#options.delivery.push(partition, new Message({ topic, partition: id, offset, error }))
    this.#options.core.events.notify()
  }
}
