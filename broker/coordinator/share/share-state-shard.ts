/**
 * The share partitions of one partition of `__share_group_state`, as a state machine (KIP-932): where each group begins in a partition
 * and how far the delivery of what follows has come.
 *
 * Owner: the share coordinator's service. Invariants: state and leader epoch of a share partition never go back; a state is the last
 * snapshot with all later updates laid over it.
 */
import { ErrorCode, errorInfo } from '../../../common/protocol/errors.ts'
import type { Clock } from '../../../common/runtime/clock.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import type { Outcome, ReplayContext, StateMachine } from '../../statemachine/state-machine.ts'
import { type CoordinatorRecord, ReplayTable } from '../coordinator-record.ts'
import type { ShareConfig } from './share-config.ts'
import {
  coordinatorKeyOf,
  type SharePartitionKey,
  ShareSnapshot,
  ShareUpdate,
  snapshotRecord,
  snapshotTombstone,
  updateRecord,
} from './share-state-records.ts'
import { combineBatches, type StateBatch } from './state-batches.ts'

interface SharePartitionState {
  readonly key: SharePartitionKey
  readonly snapshotEpoch: number
  readonly stateEpoch: number
  readonly leaderEpoch: number
  /** -1: the group has not begun. */
  readonly startOffset: number
  /** Records from the start offset on that need no delivery any more; -1 unknown (KIP-1226). */
  readonly deliveryCompleteCount: number
  readonly batches: readonly StateBatch[]
  readonly createTimestampMs: number
  readonly writeTimestampMs: number
  readonly updatesSinceSnapshot: number
  /** Where the snapshot lies in the log: everything before the oldest of these is redundant. */
  readonly snapshotOffset: number
}

export interface PartitionError {
  readonly partition: number
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
}

export interface PartitionState extends PartitionError {
  readonly stateEpoch: number
  readonly startOffset: number
  readonly stateBatches: readonly StateBatch[]
}

export interface PartitionSummary extends PartitionError {
  readonly stateEpoch: number
  readonly leaderEpoch: number
  readonly startOffset: number
  readonly deliveryCompleteCount: number
}

export interface StateWrite {
  readonly stateEpoch: number
  readonly leaderEpoch: number
  readonly startOffset: number
  readonly deliveryCompleteCount: number
  readonly stateBatches: readonly StateBatch[]
}

export interface ShareStateShardOptions {
  readonly clock: Clock
  readonly config: ShareConfig
  readonly metadata: () => MetadataImage
}

const NO_EPOCH = 0
const UNKNOWN_OFFSET = -1
const NO_RECORDS: readonly CoordinatorRecord[] = []

export class ShareStateShard implements StateMachine<CoordinatorRecord> {
  readonly #options: ShareStateShardOptions
  readonly #states = new Map<string, SharePartitionState>()
  readonly #table: ReplayTable

  constructor(options: ShareStateShardOptions) {
    this.#options = options
    this.#table = new ReplayTable()
      .on(ShareSnapshot, (key, value, { offset }) => {
        const id = coordinatorKeyOf(key)
        if (value === null) {
          this.#states.delete(id)
          return
        }
        this.#states.set(id, {
          key,
          snapshotEpoch: value.snapshotEpoch,
          stateEpoch: value.stateEpoch,
          leaderEpoch: value.leaderEpoch,
          startOffset: value.startOffset,
          deliveryCompleteCount: value.deliveryCompleteCount,
          batches: value.stateBatches,
          createTimestampMs: value.createTimestamp,
          writeTimestampMs: value.writeTimestamp,
          updatesSinceSnapshot: 0,
          snapshotOffset: offset,
        })
      })
      .on(ShareUpdate, (key, value, { timestampMs }) => {
        const id = coordinatorKeyOf(key)
        const known = this.#states.get(id)
        if (known === undefined || value === null) return
        const startOffset = Math.max(value.startOffset, known.startOffset)
        this.#states.set(id, {
          ...known,
          leaderEpoch: Math.max(value.leaderEpoch, known.leaderEpoch),
          startOffset,
          deliveryCompleteCount: value.deliveryCompleteCount,
          batches: combineBatches(known.batches, value.stateBatches, startOffset),
          writeTimestampMs: timestampMs,
          updatesSinceSnapshot: known.updatesSinceSnapshot + 1,
        })
      })
  }

  replay(record: CoordinatorRecord, context: ReplayContext): void {
    this.#table.replay(record, context)
  }

  initialize(
    key: SharePartitionKey,
    request: { readonly stateEpoch: number; readonly startOffset: number },
  ): Outcome<PartitionError, CoordinatorRecord> {
    const { stateEpoch, startOffset } = request
    if (key.partition < 0) return refuse(key, ErrorCode.INVALID_REQUEST, NEGATIVE_PARTITION)
    if (stateEpoch < 0) return refuse(key, ErrorCode.INVALID_REQUEST, NEGATIVE_STATE_EPOCH)
    const known = this.#stateOf(key)
    if (known !== undefined && stateEpoch < known.stateEpoch) return refuse(key, ErrorCode.FENCED_STATE_EPOCH)
    if (!this.#isPartition(key)) return refuse(key, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const nowMs = this.#options.clock.wallMs()
    const record = snapshotRecord(key, {
      snapshotEpoch: known === undefined ? 0 : known.snapshotEpoch + 1,
      stateEpoch,
      leaderEpoch: NO_EPOCH,
      startOffset,
      deliveryCompleteCount: startOffset === UNKNOWN_OFFSET ? -1 : 0,
      createTimestamp: nowMs,
      writeTimestamp: nowMs,
      stateBatches: [],
    })
    return { records: [record], response: done(key) }
  }

  write(key: SharePartitionKey, request: StateWrite): Outcome<PartitionError, CoordinatorRecord> {
    if (key.partition < 0) return refuse(key, ErrorCode.INVALID_REQUEST, NEGATIVE_PARTITION)
    if (request.stateEpoch < 0) return refuse(key, ErrorCode.INVALID_REQUEST, NEGATIVE_STATE_EPOCH)
    if (request.leaderEpoch < 0) return refuse(key, ErrorCode.INVALID_REQUEST, NEGATIVE_LEADER_EPOCH)
    const known = this.#stateOf(key)
    if (known === undefined) {
      const message = 'Write operation on uninitialized share partition not allowed.'
      return refuse(key, ErrorCode.INVALID_REQUEST, message)
    }
    if (request.leaderEpoch < known.leaderEpoch) return refuse(key, ErrorCode.FENCED_LEADER_EPOCH)
    if (request.stateEpoch < known.stateEpoch) return refuse(key, ErrorCode.FENCED_STATE_EPOCH)
    if (!this.#isPartition(key)) return refuse(key, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    return { records: [this.#nextRecord(known, request, known.leaderEpoch)], response: done(key) }
  }

  /** Every so many updates the whole state is written anew. A write never moves the start back, nor the leader epoch: a read does. */
  #nextRecord(known: SharePartitionState, request: StateWrite, leaderEpoch: number): CoordinatorRecord {
    const limit = this.#options.config.get('share.coordinator.snapshot.update.records.per.snapshot')
    const isBehind = request.startOffset < known.startOffset
    const startOffset = isBehind ? known.startOffset : request.startOffset
    const count = request.deliveryCompleteCount
    const deliveryCompleteCount = isBehind || count < 0 ? known.deliveryCompleteCount : count
    if (known.updatesSinceSnapshot < limit) {
      return updateRecord(known.key, {
        snapshotEpoch: known.snapshotEpoch,
        leaderEpoch,
        startOffset,
        deliveryCompleteCount,
        stateBatches: combineBatches([], request.stateBatches, startOffset),
      })
    }
    const nowMs = this.#options.clock.wallMs()
    return snapshotRecord(known.key, {
      snapshotEpoch: known.snapshotEpoch + 1,
      stateEpoch: known.stateEpoch,
      leaderEpoch,
      startOffset,
      deliveryCompleteCount,
      createTimestamp: known.createTimestampMs,
      writeTimestamp: nowMs,
      stateBatches: combineBatches(known.batches, request.stateBatches, startOffset),
    })
  }

  /** A leader reads with its epoch, which fences the leaders before it. */
  read(key: SharePartitionKey, leaderEpoch: number): Outcome<PartitionState, CoordinatorRecord> {
    const nothing = { stateEpoch: 0, startOffset: 0, stateBatches: [] }
    const failed = (error: Exclude<ErrorCode, 0>, message: string | null = null) => ({
      records: NO_RECORDS,
      response: { ...failure(key, error, message), ...nothing },
    })
    if (key.partition < 0) return failed(ErrorCode.INVALID_REQUEST, NEGATIVE_PARTITION)
    if (leaderEpoch < 0) return failed(ErrorCode.INVALID_REQUEST, NEGATIVE_LEADER_EPOCH)
    const known = this.#stateOf(key)
    if (known === undefined) {
      const message = 'Read operation on uninitialized share partition not allowed.'
      return failed(ErrorCode.INVALID_REQUEST, message)
    }
    if (leaderEpoch < known.leaderEpoch) return failed(ErrorCode.FENCED_LEADER_EPOCH)
    if (!this.#isPartition(key)) return failed(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const { stateEpoch, startOffset, batches } = known
    const response = { ...done(key), stateEpoch, startOffset, stateBatches: batches }
    if (leaderEpoch === known.leaderEpoch) return { records: NO_RECORDS, response }
    const update = { ...known, stateBatches: [] }
    return { records: [this.#nextRecord(known, update, leaderEpoch)], response }
  }

  /** Whoever asks: the leader epoch is not compared. */
  readSummary(key: SharePartitionKey): PartitionSummary {
    const failed = (error: Exclude<ErrorCode, 0>, message: string | null = null) => ({
      ...failure(key, error, message),
      stateEpoch: 0,
      leaderEpoch: 0,
      startOffset: 0,
      deliveryCompleteCount: -1,
    })
    if (key.partition < 0) return failed(ErrorCode.INVALID_REQUEST, NEGATIVE_PARTITION)
    if (!this.#isPartition(key)) return failed(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const known = this.#stateOf(key)
    return {
      ...done(key),
      stateEpoch: known?.stateEpoch ?? 0,
      leaderEpoch: known?.leaderEpoch ?? 0,
      startOffset: known?.startOffset ?? UNKNOWN_OFFSET,
      deliveryCompleteCount: known?.deliveryCompleteCount ?? -1,
    }
  }

  delete(key: SharePartitionKey): Outcome<PartitionError, CoordinatorRecord> {
    if (key.partition < 0) return refuse(key, ErrorCode.INVALID_REQUEST, NEGATIVE_PARTITION)
    if (!this.#isPartition(key)) return refuse(key, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const isKnown = this.#stateOf(key) !== undefined
    return { records: isKnown ? [snapshotTombstone(key)] : NO_RECORDS, response: done(key) }
  }

  deleteTopics(topicIds: ReadonlySet<string>): Outcome<void, CoordinatorRecord> {
    const records: CoordinatorRecord[] = []
    for (const { key } of this.#states.values())
      if (topicIds.has(key.topicId)) records.push(snapshotTombstone(key))
    return { records, response: undefined }
  }

  /**
   * Writes partitions anew that have not changed for long: their old records hold the log's start back. When all are like that there is
   * nothing to gain.
   */
  snapshotCold(): Outcome<void, CoordinatorRecord> {
    const nowMs = this.#options.clock.wallMs()
    const intervalMs = this.#options.config.get('share.coordinator.cold.partition.snapshot.interval.ms')
    const states = [...this.#states.values()]
    const cold = states.filter(({ writeTimestampMs }) => nowMs - writeTimestampMs >= intervalMs)
    const isIdle = cold.length === states.length && cold.every((state) => state.updatesSinceSnapshot === 0)
    if (isIdle) return { records: NO_RECORDS, response: undefined }
    const records = cold.map(({ key, snapshotEpoch, ...state }) =>
      snapshotRecord(key, {
        snapshotEpoch: snapshotEpoch + 1,
        stateEpoch: state.stateEpoch,
        leaderEpoch: state.leaderEpoch,
        startOffset: state.startOffset,
        deliveryCompleteCount: state.deliveryCompleteCount,
        createTimestamp: state.createTimestampMs,
        writeTimestamp: nowMs,
        stateBatches: state.batches,
      }),
    )
    return { records, response: undefined }
  }

  /** Everything before it may go: each share partition has a later snapshot. undefined: nothing is known here. */
  get redundantBefore(): number | undefined {
    let least: number | undefined
    for (const { snapshotOffset } of this.#states.values())
      least = Math.min(least ?? snapshotOffset, snapshotOffset)
    return least
  }

  #stateOf(key: SharePartitionKey): SharePartitionState | undefined {
    return this.#states.get(coordinatorKeyOf(key))
  }

  #isPartition({ topicId, partition }: SharePartitionKey): boolean {
    return this.#options.metadata().topicsById.get(topicId)?.partitions[partition] !== undefined
  }
}

const NEGATIVE_PARTITION = 'The partition id cannot be a negative number.'
const NEGATIVE_STATE_EPOCH = 'The state epoch cannot be a negative number.'
const NEGATIVE_LEADER_EPOCH = 'The leader epoch cannot be a negative number.'

function done({ partition }: SharePartitionKey): PartitionError {
  return { partition, errorCode: ErrorCode.NONE, errorMessage: null }
}

function failure(
  { partition }: SharePartitionKey,
  error: Exclude<ErrorCode, 0>,
  message: string | null = null,
): PartitionError {
  return { partition, errorCode: error, errorMessage: message ?? errorInfo(error).message }
}

function refuse(
  key: SharePartitionKey,
  error: Exclude<ErrorCode, 0>,
  message: string | null = null,
): Outcome<PartitionError, CoordinatorRecord> {
  return { records: NO_RECORDS, response: failure(key, error, message) }
}
