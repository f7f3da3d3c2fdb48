/**
 * One incremental fetch session (KIP-227): the partitions that a client fetches, what it was told of them, and those with news since
 * then. A request of it costs as much as there is new, however many partitions it is about.
 *
 * Owner: the cache of sessions. Invariant: a partition outside the news was read to its end, was answered as it is, and is watched; one
 * with an error, with records to give, or read by a follower outside the ISR stays among the news.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { SchedulerScope } from '../../common/runtime/scheduler.ts'
import type { DelayedOperation } from './delayed-operation.ts'
import { FetchInterest, NewsBoard } from './fetch-interest.ts'
import type { FetchPartitionAnswer, FetchPartitionRequest, FetchSessionRequest } from './fetch-request.ts'
import {
  type FetchEntry,
  type FetchEntryResult,
  type Fetcher,
  type FetchSource,
  type WaitingPartition,
  watchedNews,
} from './fetch-source.ts'

class SessionPartition extends FetchInterest {
  sentHighWatermark = -1
  sentLogStartOffset = -1
  /** Place in which it is served; one that gave records moves to the end. */
  place: number
  error: ErrorCode = ErrorCode.NONE

  constructor(board: NewsBoard, request: FetchPartitionRequest, place: number) {
    super(board, { ...request })
    this.place = place
  }

  hasSent(watermarks: { readonly highWatermark: number; readonly logStartOffset: number }): boolean {
    return (
      this.sentHighWatermark === watermarks.highWatermark &&
      this.sentLogStartOffset === watermarks.logStartOffset
    )
  }
}

function keyOf(
  partition: { readonly topic: string; readonly topicId: string; readonly partition: number },
  usesTopicIds: boolean,
): string {
  return `${usesTopicIds ? partition.topicId : partition.topic}\n${partition.partition}`
}

export class FetchSession {
  readonly id: number
  readonly isPrivileged: boolean
  readonly usesTopicIds: boolean
  readonly createdMs: number
  readonly partitions = new Map<string, SessionPartition>()
  readonly board = new NewsBoard()
  /** Of any request, for eviction. */
  lastUsedMs: number
  /** Of the latest fetch that was recorded, if a follower's. */
  lastFetchMs = 0
  /** The epoch that the next request must carry. */
  epoch: number
  /** Number of partitions when it was last measured: eviction prefers small ones. */
  cachedSize = 0
  #nextPlace = 0
  #fetcher: Fetcher | undefined
  /** What the latest answer is about, and which of it needs no look before there are news. */
  #seen: readonly SessionPartition[] = []
  #quiet: readonly boolean[] = []

  constructor(options: {
    id: number
    isPrivileged: boolean
    usesTopicIds: boolean
    createdMs: number
    epoch: number
  }) {
    this.id = options.id
    this.isPrivileged = options.isPrivileged
    this.usesTopicIds = options.usesTopicIds
    this.createdMs = options.createdMs
    this.lastUsedMs = options.createdMs
    this.epoch = options.epoch
  }

  add(request: FetchPartitionRequest, answer?: FetchPartitionAnswer): void {
    const partition = new SessionPartition(this.board, request, this.#nextPlace++)
    if (answer !== undefined) {
      partition.sentHighWatermark = answer.errorCode === 0 ? answer.highWatermark : -1
      partition.sentLogStartOffset = answer.logStartOffset
    }
    this.partitions.set(keyOf(request, this.usesTopicIds), partition)
    this.board.news.add(partition)
  }

  update({ partitions, forgotten }: FetchSessionRequest): void {
    for (const request of partitions) {
      const known = this.partitions.get(keyOf(request, this.usesTopicIds))
      if (known === undefined) {
        this.add(request)
      } else {
        Object.assign(known.request, request)
        this.board.news.add(known)
      }
    }
    for (const partition of forgotten) {
      const key = keyOf(partition, this.usesTopicIds)
      const known = this.partitions.get(key)
      if (known === undefined) continue
      this.partitions.delete(key)
      this.#drop(known)
    }
    this.cachedSize = this.partitions.size
  }

  /** It was closed or evicted. */
  end(): void {
    for (const partition of this.partitions.values()) this.#drop(partition)
  }

  #drop(partition: SessionPartition): void {
    partition.unwatch()
    this.board.news.delete(partition)
    partition.partition?.progressOf(this.#fetcher?.replicaId ?? -1)?.leaveSession(this)
  }

  /** The partitions with news in the order in which they are served, watched from here on. */
  look(fetcher: Fetcher): readonly SessionPartition[] {
    const isAnother = this.#fetcher === undefined || !isSameFetcher(this.#fetcher, fetcher)
    this.#fetcher = fetcher
    // Which replica is near a consumer is not for the partition alone to say.
    if (isAnother || fetcher.rack !== '')
      for (const partition of this.partitions.values()) this.board.news.add(partition)
    const seen = ([...this.board.news] as SessionPartition[]).sort((left, right) => left.place - right.place)
    for (const partition of seen) partition.watch()
    this.#seen = seen
    this.#quiet = []
    return seen
  }

  /** Nothing was answered: what was told already and is quiet needs no look before there are news. */
  settle(results: readonly FetchEntryResult[], quiet: readonly boolean[]): void {
    this.#seen.forEach((partition, index) => {
      const result = results[index]
      if (quiet[index] === true && result !== undefined && partition.hasSent(result)) this.#rest(partition)
    })
  }

  /** Before `changedAnswers`: which of what was seen needs no look before there are news. */
  noteQuiet(quiet: readonly boolean[]): void {
    this.#quiet = quiet
  }

  /** As `FetchSessionCache.changedAnswers`. */
  changedAnswers(answers: readonly FetchPartitionAnswer[], commit: boolean): boolean[] {
    return this.#seen.map((partition, index) => {
      const answer = answers[index] as FetchPartitionAnswer
      const mustName =
        answer.recordsSizeBytes > 0 ||
        answer.errorCode !== 0 ||
        answer.hasDivergingEpoch ||
        answer.preferredReadReplica >= 0 ||
        !partition.hasSent(answer)
      if (!commit) return mustName
      if (mustName) {
        // An error must be repeated until it is gone, so the watermark is forgotten with it.
        partition.sentHighWatermark = answer.errorCode === 0 ? answer.highWatermark : -1
        partition.sentLogStartOffset = answer.logStartOffset
        if (answer.recordsSizeBytes > 0) partition.place = this.#nextPlace++
      }
      if (this.#quiet[index] === true) this.#rest(partition)
      return mustName
    })
  }

  #rest(partition: SessionPartition): void {
    if (!partition.isTouched) this.board.news.delete(partition)
  }
}

function isSameFetcher(left: Fetcher, right: Fetcher): boolean {
  return (
    left.replicaId === right.replicaId &&
    left.replicaEpoch === right.replicaEpoch &&
    left.range.upTo === right.range.upTo &&
    left.range.mustLead === right.range.mustLead
  )
}

/** One request of a session. */
export class SessionFetch implements FetchSource {
  readonly #session: FetchSession
  readonly #resolve: (request: FetchPartitionRequest) => FetchEntry

  /** @param resolve finds the replica, or why there is none */
  constructor(session: FetchSession, resolve: (request: FetchPartitionRequest) => FetchEntry) {
    this.#session = session
    this.#resolve = resolve
  }

  get size(): number {
    return this.#session.partitions.size
  }

  get times(): FetchSession {
    return this.#session
  }

  asked(fetcher: Fetcher): readonly FetchEntry[] {
    return this.#session.look(fetcher).map((seen) => {
      const entry = this.#resolve(seen.request)
      seen.error = entry.error
      seen.partition = entry.partition
      seen.watch()
      return entry
    })
  }

  wait(results: readonly FetchEntryResult[], quiet: readonly boolean[]): void {
    this.#session.settle(results, quiet)
  }

  news(): Iterable<WaitingPartition> {
    return watchedNews(this.#session.board)
  }

  start(operation: DelayedOperation, scheduler: SchedulerScope, label: string, timeoutMs: number): void {
    operation.start(scheduler, label, timeoutMs, [this.#session.board])
  }

  answered(fetcher: Fetcher): readonly FetchEntry[] {
    return this.#session.look(fetcher).map(({ partition, error, request }) => ({ partition, error, request }))
  }

  done(quiet: readonly boolean[]): void {
    this.#session.noteQuiet(quiet)
  }

  close(): void {}
}
