/**
 * The metadata log of one node and its quorum (KRaft): appends of the active controller, copies of the other nodes, what is committed,
 * and who leads.
 *
 * Leadership may come and go; commits follow appends, when a majority of the voters has them on disk. The leader counts itself after its
 * own sync, at the end of the turn; with one voter that is all, and an answer still leaves in the turn of its append.
 *
 * Owner: the broker. Invariants: a listener gets each committed batch once, in order; it hears of lost leadership before anything of a
 * later epoch is in the log.
 */
import type { FetchRequest } from '../../common/protocol/apis/01-fetch.ts'
import type { FetchSnapshotRequest } from '../../common/protocol/apis/59-fetch-snapshot.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import {
  buildControlBatch,
  ControlRecordType,
  encodeLeaderChange,
} from '../../common/record/control-record.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import type { Flushable, Wakeable } from '../../common/runtime/reactor.ts'
import type { Runtime } from '../../common/runtime/runtime.ts'
import type { SchedulerScope } from '../../common/runtime/scheduler.ts'
import type { Address } from '../../common/runtime/transport.ts'
import type { Log } from '../../storage/log.ts'
import type { SnapshotId } from '../metadata/snapshot.ts'
import type { PeerClient } from '../peer/peer-client.ts'
import type { ReplicatedLog } from '../statemachine/replicated-log.ts'
import { CommitDelivery, type CommitListener } from './commit-delivery.ts'
import { FetchService, type OnClosed } from './fetch-service.ts'
import { FollowedLog } from './followed-log.ts'
import type { ReplicaDescription } from './leader-state.ts'
import { LogFollower } from './log-follower.ts'
import { Quorum, type QuorumHost, type Role } from './quorum.ts'
import type { RaftSender } from './quorum-calls.ts'
import { DEFAULT_QUORUM_LIMITS, type QuorumLimits } from './quorum-limits.ts'
import { readQuorumState, writeQuorumState } from './quorum-state.ts'
import { DEFAULT_QUORUM_TIMEOUTS, type QuorumTimeouts } from './quorum-timeouts.ts'
import { RaftLog, type StartingSnapshot } from './raft-log.ts'
import type { BeginQuorumEpochRequest, EndQuorumEpochRequest, VoteRequest } from './raft-messages.ts'

export interface Leadership {
  /** Of this node. */
  readonly isLeader: boolean
  /** -1 while nobody is known to lead. */
  readonly leaderId: number
  readonly leaderEpoch: number
}

export interface MetadataLogListener extends CommitListener {
  /** Leader or epoch changed. A node that leads may append from within this call; one that leads no more cannot. */
  onLeadership?(leadership: Leadership): void
}

export interface MetadataLogOptions {
  readonly nodeId: number
  /** Its timers are to be those of the broker. */
  readonly runtime: Runtime
  readonly log: Log
  readonly listener: MetadataLogListener
  readonly clusterId?: string
  /** Who votes; this node alone when absent. A node that is not among them only follows. */
  readonly voters?: readonly number[]
  /** Where a node's controller listens; undefined while that is not known. */
  readonly addressOf?: (nodeId: number) => Address | undefined
  /** Of its own: a Fetch that waits holds up what comes behind it. Needed when there are other voters. */
  readonly peers?: PeerClient
  readonly timeouts?: Partial<QuorumTimeouts>
  readonly limits?: QuorumLimits
}

/** What DescribeQuorum tells. */
export interface QuorumDescription extends Leadership {
  readonly highWatermark: number
  readonly voters: readonly ReplicaDescription[]
  readonly observers: readonly ReplicaDescription[]
}

export class MetadataLog implements ReplicatedLog, Flushable, Wakeable {
  readonly nodeId: number
  readonly voterIds: readonly number[]
  readonly #options: MetadataLogOptions
  readonly #runtime: Runtime
  readonly #timeouts: QuorumTimeouts
  readonly #scheduler: SchedulerScope
  readonly #log: RaftLog
  readonly #quorum: Quorum
  readonly #delivery: CommitDelivery
  readonly #follower: LogFollower
  readonly #fetches: FetchService
  #isClosed = false
  #told: Leadership = { isLeader: false, leaderId: -1, leaderEpoch: -1 }

  constructor(options: MetadataLogOptions) {
    const { nodeId, runtime, log, voters = [nodeId], clusterId = '' } = options
    this.nodeId = nodeId
    this.voterIds = [...voters].sort((left, right) => left - right)
    this.#options = options
    this.#runtime = runtime
    this.#timeouts = { ...DEFAULT_QUORUM_TIMEOUTS, ...options.timeouts }
    const limits = options.limits ?? DEFAULT_QUORUM_LIMITS
    this.#scheduler = runtime.scheduler.scope(`metadata quorum of node ${nodeId}`)
    this.#log = new RaftLog(log, runtime.files)
    const { clock, random, trace } = runtime
    const shared = {
      nodeId,
      clusterId,
      voters: this.voterIds,
      timeouts: this.#timeouts,
      clock,
      random,
      trace,
      scheduler: this.#scheduler,
      send: this.#send,
    }
    this.#delivery = new CommitDelivery(this.#log, options.listener, () => runtime.reactor.touch(this))
    const quorum = new Quorum({
      ...shared,
      addressOf: (peerId) => options.addressOf?.(peerId),
      host: this.#quorumHost(),
    })
    this.#quorum = quorum
    this.#follower = new LogFollower({
      ...shared,
      host: new FollowedLog({ ...shared, quorum, log: this.#log, limits, delivery: this.#delivery }),
    })
    this.#fetches = new FetchService({
      ...shared,
      quorum,
      log: this.#log,
      limits,
      onProgress: () => this.#maybeCommit(),
    })
  }

  get role(): Role {
    return this.#quorum.role
  }
  get leaderId(): number {
    return this.#quorum.leaderId
  }
  get leaderEpoch(): number {
    return this.#quorum.epoch
  }
  get isLeader(): boolean {
    return this.#quorum.leader !== undefined
  }
  get logStartOffset(): number {
    return this.#log.startOffset
  }
  get logEndOffset(): number {
    return this.#log.endOffset
  }
  get highWatermark(): number {
    return this.#log.highWatermark
  }
  get log(): Log {
    return this.#log.log
  }
  /** The snapshot that the log continues, when its beginning is gone. */
  get startingSnapshot(): StartingSnapshot | undefined {
    return this.#log.startingSnapshot
  }

  /** Delivers what is known to be committed and takes part in the quorum; a single voter leads when this returns. */
  start(): void {
    this.#log.open()
    if (!this.#delivery.begin()) this.#reportMissingSnapshot()
    this.#quorum.start()
    this.wake()
  }

  #reportMissingSnapshot(): void {
    this.#runtime.trace.emit({
      level: 'error',
      kind: 'metadata.snapshot-missing',
      nodeId: this.nodeId,
      message: `the metadata log begins at offset ${this.log.logStartOffset} and there is no snapshot of what was before`,
    })
  }

  /** Gives leadership up and never takes it again; the result is there when the other voters have been told. */
  resign(): Deferred<void> {
    return this.#quorum.resign()
  }

  /** Ends every part in the quorum, without a word to anybody. */
  close(): void {
    this.#isClosed = true
    this.#quorum.close()
    this.#follower.follow(undefined)
    this.#fetches.close()
    this.#scheduler.close()
  }

  /** What DescribeQuorum answers; voters and observers only while this node leads. */
  describe(): QuorumDescription {
    const { clock } = this.#runtime
    const { leader } = this.#quorum
    const own = { logEndOffset: this.logEndOffset, nowMs: clock.monotonicMs(), wallMs: clock.wallMs() }
    const { voters, observers } = leader?.describe(own) ?? { voters: [], observers: [] }
    return { ...this.#leadership(), highWatermark: this.highWatermark, voters, observers }
  }

  // --- appends and commits --------------------------------------------------------------------------------------------

  appendStateBatch(batch: Buffer): { readonly error: ErrorCode; readonly lastOffset: number } {
    if (!this.isLeader) return { error: ErrorCode.NOT_LEADER_OR_FOLLOWER, lastOffset: -1 }
    return this.#append(batch)
  }

  readStateBatches(offset: number, maxBytes: number): Buffer | undefined {
    const read = this.log.read({ offset, maxBytes, upTo: 'logEnd', atLeastOneBatch: true })
    return read.error === ErrorCode.NONE ? read.records : undefined
  }

  /** Durable before the send phase of this turn, and so before anybody counts it. */
  flush(): void {
    if (this.#quorum.isEnded) return
    if (this.#log.sync() === ErrorCode.NONE) this.#maybeCommit()
    else this.#quorum.fail()
  }

  wake(): void {
    if (this.#isClosed) return
    this.#fetches.wake()
    this.#delivery.deliver()
  }

  /** Keeps a snapshot of everything below `id.endOffset`, all of it committed; the log stays. Raises FileError. */
  writeSnapshot(id: SnapshotId, buffers: readonly Buffer[]): void {
    this.#log.writeSnapshot(id, buffers)
  }

  #append(batch: Buffer): { readonly error: ErrorCode; readonly lastOffset: number } {
    const { reactor } = this.#runtime
    const appended = this.log.appendAsLeader(batch, { origin: 'raft', leaderEpoch: this.leaderEpoch })
    if (appended.error !== ErrorCode.NONE) {
      if (appended.error === ErrorCode.KAFKA_STORAGE_ERROR) this.#quorum.fail()
      return { error: appended.error, lastOffset: -1 }
    }
    reactor.flushLater(this)
    reactor.touch(this)
    return { error: ErrorCode.NONE, lastOffset: appended.lastOffset }
  }

  #maybeCommit(): void {
    const committed = this.#quorum.leader?.committedOffset(this.#log.durableEndOffset)
    if (committed !== undefined) this.#delivery.advanceHighWatermark(committed)
  }

  // --- requests of other nodes ----------------------------------------------------------------------------------------

  handleVote(request: VoteRequest) {
    return this.#quorum.requests.vote(request)
  }

  handleBeginQuorumEpoch(request: BeginQuorumEpochRequest) {
    return this.#quorum.requests.begin(request)
  }

  handleEndQuorumEpoch(request: EndQuorumEpochRequest) {
    return this.#quorum.requests.end(request)
  }

  /** Fetch on a controller listener. */
  handleFetch(request: FetchRequest, onClosed?: OnClosed) {
    return this.#fetches.handleFetch(request, onClosed)
  }

  handleFetchSnapshot(request: FetchSnapshotRequest) {
    return this.#fetches.handleFetchSnapshot(request)
  }

  // --- the quorum's view ----------------------------------------------------------------------------------------------

  #quorumHost(): QuorumHost {
    const log = this.#log
    const directory = log.log.path
    const { files } = this.#runtime
    return {
      get logEndOffset() {
        return log.endOffset
      },
      get lastLogEpoch() {
        return log.lastEpoch
      },
      readState: () => log.guard(undefined, () => readQuorumState(files, directory)),
      writeState: (state) =>
        !log.log.isFailed &&
        log.guard(false, () => {
          writeQuorumState(files, directory, state)
          return true
        }),
      beginEpoch: (epoch, grantingVoters) => this.#beginEpoch(epoch, grantingVoters),
      onChanged: () => this.#onQuorumChanged(),
    }
  }

  #beginEpoch(epoch: number, grantingVoters: readonly number[]): number | undefined {
    const value = encodeLeaderChange({
      version: 0,
      leaderId: this.nodeId,
      voters: this.voterIds.map((voterId) => ({ voterId })),
      grantingVoters: grantingVoters.map((voterId) => ({ voterId })),
    })
    const timestamp = this.#runtime.clock.wallMs()
    const change = { type: ControlRecordType.LEADER_CHANGE, value, timestamp }
    const { error, lastOffset } = this.#append(buildControlBatch([change], { partitionLeaderEpoch: epoch }))
    return error === ErrorCode.NONE && this.#log.sync() === ErrorCode.NONE ? lastOffset : undefined
  }

  #onQuorumChanged(): void {
    const { role, leaderId, isVoter, isEnded } = this.#quorum
    const source = isEnded
      ? undefined
      : role === 'follower'
        ? leaderId
        : role === 'unattached' && !isVoter
          ? 'any-voter'
          : undefined
    const leadership = this.#leadership()
    const isSame =
      leadership.isLeader === this.#told.isLeader &&
      leadership.leaderId === this.#told.leaderId &&
      leadership.leaderEpoch === this.#told.leaderEpoch
    // Requests carry the epoch, so a new epoch is a new loop.
    if (source !== this.#follower.source || leadership.leaderEpoch !== this.#told.leaderEpoch)
      this.#follower.follow(source)
    this.#maybeCommit()
    this.#runtime.reactor.touch(this)
    if (isSame) return
    this.#told = leadership
    this.#options.listener.onLeadership?.(leadership)
  }

  #leadership(): Leadership {
    return { isLeader: this.isLeader, leaderId: this.leaderId, leaderEpoch: this.leaderEpoch }
  }

  readonly #send: RaftSender = (nodeId, api, request) => {
    const { peers, addressOf } = this.#options
    const address = addressOf?.(nodeId)
    if (peers === undefined || address === undefined)
      return Deferred.of({ ok: false, failure: 'disconnected' })
    return peers.call(address, api, request, { timeoutMs: this.#timeouts.requestTimeoutMs })
  }
}
