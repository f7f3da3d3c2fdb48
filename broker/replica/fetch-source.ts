/**
 * The partitions of one Fetch request, as the replica manager reads them: all of them, or those of its session with news (KIP-227).
 */
import type { ErrorCode } from '../../common/protocol/errors.ts'
import type { SchedulerScope } from '../../common/runtime/scheduler.ts'
import type { DelayedOperation } from './delayed-operation.ts'
import { FetchInterest, NewsBoard } from './fetch-interest.ts'
import type { FetchPartitionRequest } from './fetch-request.ts'
import type { Partition } from './partition.ts'
import type { PartitionRead, ReadRange } from './partition-reads.ts'
import type { FetchTimes } from './replica-progress.ts'

export interface FetchEntry {
  /** Absent when the topic or partition is not known here. */
  readonly partition: Partition | undefined
  /** Why it is not read; NONE to read it. */
  readonly error: ErrorCode
  readonly request: FetchPartitionRequest
}

export interface FetchEntryResult extends PartitionRead {
  readonly request: FetchPartitionRequest
  readonly partition: Partition | undefined
}

/** Who fetches, and how: what every partition of a session has in common. */
export interface Fetcher {
  /** -1 for consumers. */
  readonly replicaId: number
  readonly replicaEpoch: number
  readonly range: ReadRange
  /** Rack of a consumer that may be sent to a replica near it; empty: it may not. */
  readonly rack: string
}

/** A partition that a waiting fetch must look at. */
export interface WaitingPartition {
  readonly partition: Partition
  readonly request: FetchPartitionRequest
}

export interface FetchSource {
  /** Of partitions that the request is about, with or without news. */
  readonly size: number
  /** Stands for the fetches of followers that bring nothing new about a partition. */
  readonly times?: FetchTimes & { lastFetchMs: number }
  /** What must be read when the request comes in. */
  asked(fetcher: Fetcher): readonly FetchEntry[]
  /** Nothing was answered yet. @param quiet by position of what was `asked`: nothing more to be had before there are news */
  wait(results: readonly FetchEntryResult[], quiet: readonly boolean[]): void
  /** While it waits: what may give something now; each is watched from here on. */
  news(): Iterable<WaitingPartition>
  /** After `wait`: asks the operation when there are news. */
  start(operation: DelayedOperation, scheduler: SchedulerScope, label: string, timeoutMs: number): void
  /** What must be read for the answer. */
  answered(fetcher: Fetcher): readonly FetchEntry[]
  /** It is answered now. @param quiet as for `wait`, of what was read last */
  done(quiet: readonly boolean[]): void
  /** It waits no more. */
  close(): void
}

/** Each interest of `board` with a replica to read, watched. */
export function* watchedNews(board: NewsBoard): IterableIterator<WaitingPartition> {
  for (const interest of board.news) {
    const { partition, request } = interest
    if (partition === undefined) continue
    interest.watch()
    yield { partition, request }
  }
}

/** A fetch without a session, or the one that begins it: its answer names every partition. */
export class WholeFetch implements FetchSource {
  readonly #entries: readonly FetchEntry[]
  readonly #board = new NewsBoard()
  #interests: readonly FetchInterest[] = []

  constructor(entries: readonly FetchEntry[]) {
    this.#entries = entries
  }

  get size(): number {
    return this.#entries.length
  }

  asked(): readonly FetchEntry[] {
    return this.#entries
  }

  answered(): readonly FetchEntry[] {
    return this.#entries
  }

  wait(results: readonly FetchEntryResult[], quiet: readonly boolean[]): void {
    this.#interests = results.map((result, index) => {
      const interest = new FetchInterest(this.#board, result.request)
      interest.partition = result.partition
      interest.watch()
      if (quiet[index] !== true) this.#board.news.add(interest)
      return interest
    })
  }

  news(): Iterable<WaitingPartition> {
    return watchedNews(this.#board)
  }

  start(operation: DelayedOperation, scheduler: SchedulerScope, label: string, timeoutMs: number): void {
    operation.start(scheduler, label, timeoutMs, [this.#board])
  }

  done(): void {}

  close(): void {
    for (const interest of this.#interests) interest.unwatch()
    this.#interests = []
  }
}
