/**
 * The loop of a replica of the metadata log that does not lead it: one Fetch at a time, or one FetchSnapshot when the leader's log does
 * not reach back far enough. The next fetch acknowledges what the one before brought, so it goes out only when that is on disk.
 *
 * Owner: the metadata log. Limits: one request in flight; a snapshot is held in memory until it is whole.
 */
import { Fetch, type FetchRequest, type FetchResponse } from '../../common/protocol/apis/01-fetch.ts'
import {
  FetchSnapshot,
  type FetchSnapshotRequest,
  type FetchSnapshotResponse,
} from '../../common/protocol/apis/59-fetch-snapshot.ts'
import type { RequestInputOf } from '../../common/protocol/schema.ts'
import type { Random } from '../../common/runtime/random.ts'
import type { SchedulerScope } from '../../common/runtime/scheduler.ts'
import type { SnapshotId } from '../metadata/snapshot.ts'
import type { RaftSender } from './quorum-calls.ts'
import { type QuorumTimeouts, retryDelayMs } from './quorum-timeouts.ts'

/** What comes after an answer: the next fetch at once, or after a pause, or a snapshot. */
export type NextFetch = 'now' | 'later' | SnapshotId
/** What comes after a piece of a snapshot: the next piece, or the log again, at once or after a pause. */
export type NextPiece = 'more' | 'now' | 'later'

export interface LogFollowerHost {
  fetchRequest(): RequestInputOf<typeof Fetch>
  onFetched(response: FetchResponse, fromNodeId: number): NextFetch
  snapshotRequest(id: SnapshotId, position: number): RequestInputOf<typeof FetchSnapshot>
  /** Adds the piece to `pieces`, and installs the snapshot when it is whole. */
  onSnapshotPiece(response: FetchSnapshotResponse, id: SnapshotId, pieces: Buffer[]): NextPiece
}

export interface LogFollowerOptions {
  readonly nodeId: number
  readonly voters: readonly number[]
  readonly timeouts: QuorumTimeouts
  readonly scheduler: SchedulerScope
  readonly random: Random
  readonly send: RaftSender
  readonly host: LogFollowerHost
}

/** Whom to fetch from: a node, or any voter that may know who leads. */
export type FetchSource = number | 'any-voter' | undefined

export class LogFollower {
  readonly #options: LogFollowerOptions
  #source: FetchSource
  /** Renewed with the source: answers to requests of before are known by it. */
  #stay: SchedulerScope | undefined

  constructor(options: LogFollowerOptions) {
    this.#options = options
  }

  get source(): FetchSource {
    return this.#source
  }

  /** Fetches from there from now on; undefined ends it. */
  follow(source: FetchSource): void {
    this.#stay?.close()
    this.#stay = undefined
    this.#source = source
    if (source === undefined) return
    this.#stay = this.#options.scheduler.scope(`metadata log of node ${this.#options.nodeId}`)
    this.#fetch(this.#stay, 0)
  }

  #fetch(stay: SchedulerScope, failures: number): void {
    const { send, host } = this.#options
    const target = this.#target(failures)
    if (target === undefined) return
    send(target, Fetch, host.fetchRequest()).whenDone((result) => {
      if (stay !== this.#stay) return
      const next = result.ok ? host.onFetched(result.response, target) : 'later'
      if (stay !== this.#stay) return
      if (next === 'now') this.#fetch(stay, 0)
      else if (next === 'later') this.#fetchLater(stay, failures + 1)
      else this.#fetchSnapshot(stay, { id: next, target, pieces: [] })
    })
  }

  #fetchLater(stay: SchedulerScope, failures: number): void {
    const { nodeId, timeouts } = this.#options
    stay.schedule(`metadata fetch of node ${nodeId}`, retryDelayMs(timeouts, failures), () =>
      this.#fetch(stay, failures),
    )
  }

  #fetchSnapshot(
    stay: SchedulerScope,
    download: { readonly id: SnapshotId; readonly target: number; readonly pieces: Buffer[] },
  ): void {
    const { send, host } = this.#options
    const { id, target, pieces } = download
    const position = pieces.reduce((sum, piece) => sum + piece.length, 0)
    send(target, FetchSnapshot, host.snapshotRequest(id, position)).whenDone((result) => {
      if (stay !== this.#stay) return
      const next = result.ok ? host.onSnapshotPiece(result.response, id, pieces) : 'later'
      if (stay !== this.#stay) return
      if (next === 'more') this.#fetchSnapshot(stay, download)
      else if (next === 'now') this.#fetch(stay, 0)
      else this.#fetchLater(stay, 1)
    })
  }

  #target(failures: number): number | undefined {
    const { nodeId, voters, random } = this.#options
    // A leader that does not answer may be none any more; who is no voter is not told.
    const mayAskOthers = !voters.includes(nodeId) && failures % 2 === 1
    if (typeof this.#source === 'number' && !mayAskOthers) return this.#source
    const others = voters.filter((voterId) => voterId !== nodeId)
    return others[random.int(Math.max(1, others.length))]
  }
}

export type { FetchRequest, FetchSnapshotRequest }
