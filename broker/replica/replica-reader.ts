/**
 * Fetches of consumers and followers, as far as they concern the replicas here: reads within their limits, waits for enough bytes, and
 * notes what followers have. Which partitions a fetch is about is its source's concern.
 *
 * Owner: the replica manager.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Clock } from '../../common/runtime/clock.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import type { RecycledBytes } from '../../common/runtime/recycled-bytes.ts'
import type { SchedulerScope } from '../../common/runtime/scheduler.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { TopicCounters } from '../metrics/counters.ts'
import { DelayedFetch } from './delayed-fetch.ts'
import type { FetchPartitionRequest } from './fetch-request.ts'
import type { FetchEntry, FetchEntryResult, Fetcher, FetchSource } from './fetch-source.ts'
import type { Partition } from './partition.ts'
import { EMPTY_RECORDS, type PartitionRead, readPartition, refusedRead } from './partition-reads.ts'
import { preferredReadReplica } from './replica-selector.ts'
import type { ReplicationThrottle } from './replication-throttle.ts'

export interface FetchOptions extends Fetcher {
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  /** Fetch v3+: the first batch of the answer is whole even above the limits. */
  readonly atLeastOneBatch: boolean
  /** Drops the wait when the connection closes. */
  readonly onClosed: (abandon: () => void) => () => void
  /** Told how to end the wait early, when there is one. */
  readonly onWait?: (expire: () => void) => void
  /** Where records that come from files may be put; whoever asked gives them back. Absent: they are the caller's for ever. */
  readonly memory?: RecycledBytes | undefined
}

export interface ReplicaReaderOptions {
  readonly clock: Clock
  readonly scheduler: SchedulerScope
  readonly metadata: MetadataImage
  readonly counters: TopicCounters
  readonly throttle: ReplicationThrottle
}

export class ReplicaReader {
  readonly #options: ReplicaReaderOptions

  constructor(options: ReplicaReaderOptions) {
    this.#options = options
  }

  /** Reads for a fetch; waits for `minBytes` when nothing speaks against it. */
  fetch(source: FetchSource, options: FetchOptions): Deferred<FetchEntryResult[]> {
    const first = this.#readAll(source.asked(options), options)
    if (options.replicaId >= 0) this.#recordFollower(first, options, source.times)
    const { size } = source
    if (this.#mustAnswerAtOnce(first, size, options))
      return Deferred.of(this.#answered(first, source, options))
    source.wait(first, this.#quietOf(first, options))
    for (const { records } of first) options.memory?.give(records)
    const answer = new Deferred<FetchEntryResult[]>()
    const operation = new DelayedFetch({
      news: () => source.news(),
      range: options.range,
      minBytes: options.minBytes,
      mayRead: (partition) => !this.#mustHoldBack(partition, options.replicaId),
      onDone: () => {
        stopListening()
        source.close()
        const reads = this.#readAll(source.answered(options), options)
        answer.complete(this.#answered(reads, source, options))
      },
    })
    const stopListening = options.onClosed(() => {
      source.close()
      operation.abandon()
    })
    const label = `long poll of a Fetch on ${size} partitions`
    source.start(operation, this.#options.scheduler, label, options.maxWaitMs)
    options.onWait?.(() => operation.expire())
    return answer
  }

  #answered(reads: FetchEntryResult[], source: FetchSource, options: FetchOptions): FetchEntryResult[] {
    source.done(this.#quietOf(reads, options))
    this.#count(reads, source.size, options)
    return reads
  }

  /** Which of the reads would give the same again until something happens to the partition. */
  #quietOf(reads: readonly FetchEntryResult[], { range, replicaId }: FetchOptions): boolean[] {
    return reads.map(
      ({ error, records, divergingEpoch, preferredReadReplica, highWatermark, partition, request }) =>
        error === ErrorCode.NONE &&
        records.length === 0 &&
        divergingEpoch === undefined &&
        preferredReadReplica === undefined &&
        request.knownHighWatermark >= highWatermark &&
        partition?.log?.isReadable(request.fetchOffset, range.upTo) === false &&
        // A follower outside the ISR asks with every fetch to be let in.
        (replicaId < 0 || partition.isr.includes(replicaId)),
    )
  }

  /**
   * Notes what a follower has: only the first read of a request tells, when it has waited it knows nothing newer. Of the partitions of its
   * session that were not read it has what it had, and at this time.
   */
  #recordFollower(
    reads: readonly FetchEntryResult[],
    { replicaId, replicaEpoch }: FetchOptions,
    session: FetchSource['times'],
  ): void {
    for (const { partition, error, divergingEpoch, request } of reads) {
      if (partition === undefined) continue
      if (error !== ErrorCode.NONE || divergingEpoch !== undefined) {
        partition.progressOf(replicaId)?.leaveSession(session)
        continue
      }
      const { fetchOffset, logStartOffset } = request
      partition.recordFollowerFetch({ replicaId, replicaEpoch, fetchOffset, logStartOffset, session })
    }
    if (session !== undefined) session.lastFetchMs = this.#options.clock.monotonicMs()
  }

  #count(reads: readonly FetchEntryResult[], size: number, { replicaId }: FetchOptions): void {
    const { counters, throttle } = this.#options
    counters.totalFetchRequests += size
    let bytes = 0
    for (const { error, records, partition } of reads) {
      if (error !== ErrorCode.NONE) counters.failedFetchRequests += 1
      bytes += records.length
      if (replicaId < 0 || records.length === 0 || partition === undefined) continue
      if (throttle.isThrottled(partition.topic, partition.index)) throttle.record(records.length)
    }
    if (replicaId >= 0) counters.replicationBytesOut += bytes
    else counters.bytesOut += bytes
  }

  /** A follower outside the ISR that has had its share gets nothing for now (KIP-73). */
  #mustHoldBack(partition: Partition, replicaId: number): boolean {
    const { throttle } = this.#options
    if (replicaId < 0 || partition.isr.includes(replicaId)) return false
    return throttle.isThrottled(partition.topic, partition.index) && throttle.isExceeded
  }

  #mustAnswerAtOnce(reads: readonly FetchEntryResult[], size: number, options: FetchOptions): boolean {
    if (options.maxWaitMs <= 0 || size === 0) return true
    let bytes = 0
    for (const read of reads) {
      if (read.error !== ErrorCode.NONE || read.divergingEpoch !== undefined) return true
      if (read.preferredReadReplica !== undefined) return true
      bytes += read.records.length
    }
    return bytes >= options.minBytes
  }

  #readAll(entries: readonly FetchEntry[], options: FetchOptions): FetchEntryResult[] {
    let budget = options.maxBytes
    let atLeastOneBatch = options.atLeastOneBatch
    return entries.map(({ partition, error, request }): FetchEntryResult => {
      if (partition === undefined || error !== ErrorCode.NONE)
        return { request, partition, ...refusedRead(error) }
      const elsewhere = options.rack === '' ? undefined : this.#readElsewhere(partition, request, options)
      if (elsewhere !== undefined) return { request, partition, ...elsewhere }
      const isHeldBack = this.#mustHoldBack(partition, options.replicaId)
      const read = readPartition(partition, request, {
        range: options.range,
        maxBytes: isHeldBack ? 0 : Math.max(0, Math.min(request.partitionMaxBytes, budget)),
        atLeastOneBatch: atLeastOneBatch && !isHeldBack,
        memory: options.memory,
      })
      if (read.records.length > 0) atLeastOneBatch = false
      budget = Math.max(0, budget - read.records.length)
      return { request, partition, ...read }
    })
  }

  /** A refusal, or an empty read that sends the consumer to a replica near it; undefined when it reads here. */
  #readElsewhere(
    partition: Partition,
    request: FetchPartitionRequest,
    options: FetchOptions,
  ): PartitionRead | undefined {
    const replica = preferredReadReplica(partition, this.#options.metadata, {
      rack: options.rack,
      fetchOffset: request.fetchOffset,
    })
    if (replica === undefined) return undefined
    const read = readPartition(partition, request, {
      range: options.range,
      maxBytes: 0,
      atLeastOneBatch: false,
    })
    if (read.error !== ErrorCode.NONE) return read
    return { ...read, records: EMPTY_RECORDS, preferredReadReplica: replica }
  }
}
