/**
 * A partition as one share group sees it, on the partition's leader (KIP-932): which records are handed out to whom, for how long and how
 * often, and where delivery begins.
 *
 * Owner: the share partition manager; gone when the broker no longer leads the partition. Invariants: what members are told of an
 * acknowledgement is persisted first; a record has at most one owner at a time; the start offset only grows and everything before it is
 * done with. Limits: `share.partition.max.record.locks` records between the start and the last one handed out.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import type { Reactor, Wakeable } from '../../common/runtime/reactor.ts'
import type { SchedulerScope } from '../../common/runtime/scheduler.ts'
import {
  deliveryCountLimit,
  isRenewEnabled,
  maxRecordLocks,
  recordLockDurationMs,
  type ShareConfig,
} from '../coordinator/share/share-config.ts'
import type { SharePersister } from '../coordinator/share/share-persister.ts'
import type { PartitionState } from '../coordinator/share/share-state-shard.ts'
import { combineBatches, type StateBatch } from '../coordinator/share/state-batches.ts'
import type { DelayedOperation, Watchable } from '../replica/delayed-operation.ts'
import type { Partition } from '../replica/partition.ts'
import { type AcknowledgementBatch, AcknowledgeType, stateAfter } from './acknowledgement.ts'
import {
  type AcquisitionLock,
  DeliveryState,
  isTerminal,
  type RecordRun,
  RunList,
  sizeOf,
} from './record-run.ts'

export interface SharePartitionHost {
  readonly reactor: Reactor
  readonly scheduler: SchedulerScope
  readonly config: ShareConfig
  readonly persister: SharePersister
  /** The share coordinator says that another leader or state is newer, or that there is no such partition. */
  onFenced(partition: SharePartition): void
}

export interface AcquiredRecords {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly deliveryCount: number
}

/** Bounds of a record batch in the log. */
export interface BatchBounds {
  readonly baseOffset: number
  readonly lastOffset: number
}

export interface AcquireRequest {
  readonly memberId: string
  readonly fetchOffset: number
  /** Of the records read at the fetch offset. */
  readonly batches: readonly BatchBounds[]
  /** Of aborted transactions: nobody gets them. */
  readonly aborted: readonly BatchBounds[]
  /** A bound that whole batches may exceed, unless `isExact`. */
  readonly maxRecords: number
  readonly isExact: boolean
  /** How many records make a good batch of acquired ones. */
  readonly batchSize: number
}

export interface AcknowledgeResult {
  readonly error: ErrorCode
  readonly message: string | null
}

const DONE: AcknowledgeResult = { error: ErrorCode.NONE, message: null }

export class SharePartition implements Watchable, Wakeable {
  readonly groupId: string
  readonly partition: Partition
  /** Of the partition when its state was read. */
  readonly leaderEpoch: number
  readonly #host: SharePartitionHost
  readonly #runs = new RunList()
  readonly #watchers = new Set<DelayedOperation>()
  #stateEpoch = 0
  #startOffset = 0
  /** The first offset that was never handed out. */
  #nextOffset = 0
  #isFenced = false

  constructor(host: SharePartitionHost, groupId: string, partition: Partition) {
    this.#host = host
    this.groupId = groupId
    this.partition = partition
    this.leaderEpoch = partition.leaderEpoch
  }

  get isFenced(): boolean {
    return this.#isFenced
  }
  get startOffset(): number {
    return this.#startOffset
  }
  /** Runs as they are, for views and tests. */
  get runs(): readonly RecordRun[] {
    return [...this.#runs]
  }

  /** Takes over what the share coordinator knows. @param startOffset where to begin when it does not say */
  load(state: PartitionState, startOffset: number): void {
    this.#stateEpoch = state.stateEpoch
    this.#startOffset = startOffset
    this.#nextOffset = startOffset
    for (const batch of combineBatches([], state.stateBatches, startOffset)) {
      this.#runs.insert({
        firstOffset: batch.firstOffset,
        lastOffset: batch.lastOffset,
        state: deliveryStateOf(batch.deliveryState),
        deliveryCount: batch.deliveryCount,
        memberId: '',
        lock: undefined,
        isPart: false,
        batchCount: batch.lastOffset - batch.firstOffset + 1,
        before: undefined,
      })
      this.#nextOffset = Math.max(this.#nextOffset, batch.lastOffset + 1)
    }
    this.#moveStart()
  }

  /** The leadership or the state is lost: nothing is handed out or taken back any more. */
  fence(): void {
    if (this.#isFenced) return
    this.#isFenced = true
    for (const { lock } of this.#runs) lock?.timer?.cancel()
    this.touch()
  }

  watch(operation: DelayedOperation): void {
    this.#watchers.add(operation)
  }
  unwatch(operation: DelayedOperation): void {
    this.#watchers.delete(operation)
  }
  touch(): void {
    if (this.#watchers.size > 0) this.#host.reactor.touch(this)
  }
  wake(): void {
    for (const operation of [...this.#watchers]) operation.tryComplete()
  }

  // --- handing out -------------------------------------------------------------------------------------------------

  /** Where to read next: the first record that may be handed out again, or of which nothing is known, else the first new one. */
  get nextFetchOffset(): number {
    let offset = this.#startOffset
    for (const run of this.#runs) {
      if (run.firstOffset > offset) return offset
      if (run.state === DeliveryState.AVAILABLE && run.before === undefined) return run.firstOffset
      offset = run.lastOffset + 1
    }
    return Math.max(offset, this.#startOffset)
  }

  get canAcquire(): boolean {
    return !this.#isFenced && (this.nextFetchOffset < this.#nextOffset || this.#freeLocks > 0)
  }

  get #freeLocks(): number {
    return maxRecordLocks(this.#host.config, this.groupId) - (this.#nextOffset - this.#startOffset)
  }

  /** The log begins later now: what was before is done with. */
  followLogStart(logStartOffset: number): void {
    if (logStartOffset <= this.#startOffset) return
    const isPinned = (run: RecordRun) => run.before !== undefined || run.state === DeliveryState.ACQUIRED
    this.#runs.update(this.#startOffset, logStartOffset - 1, (run) =>
      isPinned(run) ? undefined : { state: DeliveryState.ARCHIVED },
    )
    this.#startOffset = logStartOffset
    this.#nextOffset = Math.max(this.#nextOffset, logStartOffset)
    this.#dropDone()
  }

  acquire(request: AcquireRequest): AcquiredRecords[] {
    const firstBatch = request.batches[0]
    const lastBatch = request.batches.at(-1)
    if (this.#isFenced || firstBatch === undefined || lastBatch === undefined) return []
    this.#fillGaps(request.fetchOffset, firstBatch.baseOffset - 1)
    const acquired: AcquiredRecords[] = []
    let remaining = request.maxRecords
    let offset = Math.max(firstBatch.baseOffset, this.#startOffset)
    while (offset <= lastBatch.lastOffset && remaining > 0) {
      const gap = this.#runs.gapAt(offset)
      if (gap.isGap) {
        const taken = this.#acquireNew(
          request,
          offset,
          Math.min(gap.until - 1, lastBatch.lastOffset),
          remaining,
        )
        if (taken.length === 0) break
        acquired.push(...taken)
        remaining -= countOf(taken)
        offset = (taken.at(-1)?.lastOffset ?? offset) + 1
        continue
      }
      const run = this.#runs.overlapping(offset, offset)[0]
      if (run === undefined) break
      const until = Math.min(run.lastOffset, lastBatch.lastOffset)
      if (run.state === DeliveryState.AVAILABLE && run.before === undefined) {
        const share = this.#cautiousCount(run)
        // What is on its last attempt comes alone: if it kills its reader, nothing else is lost with it.
        if (share === 1 && acquired.length > 0) break
        const limit = Math.min(
          share ?? Number.POSITIVE_INFINITY,
          request.isExact ? remaining : Number.POSITIVE_INFINITY,
        )
        const again = this.#acquireAgain(request.memberId, offset, Math.min(until, offset + limit - 1))
        acquired.push(again)
        remaining -= countOf([again])
        if (share !== undefined) break
      }
      offset = until + 1
    }
    this.#archiveAborted(request.aborted, acquired)
    return mergeNeighbours(this.#stillAcquired(acquired, request.memberId))
  }

  /**
   * Records that came back often may be poison: they are handed out in ever smaller parts, at last one by one.
   * @returns undefined while there is no suspicion
   */
  #cautiousCount({ deliveryCount, batchCount }: RecordRun): number | undefined {
    const limit = deliveryCountLimit(this.#host.config, this.groupId)
    const suspect = Math.max(2, Math.ceil(limit / 2))
    if (deliveryCount < suspect) return undefined
    return deliveryCount >= limit - 1 ? 1 : Math.max(1, batchCount >> (deliveryCount - suspect + 1))
  }

  /** Offsets that the log does not have count as done. */
  #fillGaps(firstOffset: number, lastOffset: number): void {
    let offset = Math.max(firstOffset, this.#startOffset)
    while (offset <= lastOffset) {
      const { isGap, until } = this.#runs.gapAt(offset)
      if (!isGap) {
        offset = (this.#runs.overlapping(offset, offset)[0]?.lastOffset ?? offset) + 1
        continue
      }
      const last = Math.min(until - 1, lastOffset)
      this.#runs.insert({ ...NEW_RUN, firstOffset: offset, lastOffset: last, state: DeliveryState.ARCHIVED })
      this.#nextOffset = Math.max(this.#nextOffset, last + 1)
      offset = last + 1
    }
    this.#moveStart()
  }

  /** Records that nobody had yet, up to a batch's end (or exactly as many as asked for), cut into batches of a good size. */
  #acquireNew(
    { memberId, batches, batchSize, isExact }: AcquireRequest,
    firstOffset: number,
    lastOffset: number,
    maxRecords: number,
  ): AcquiredRecords[] {
    const isBeyond = firstOffset >= this.#nextOffset
    const limit = isBeyond ? Math.min(maxRecords, this.#freeLocks) : maxRecords
    if (limit <= 0) return []
    const wanted = firstOffset + limit - 1
    const boundary = batches.find((batch) => batch.lastOffset >= wanted)?.lastOffset ?? lastOffset
    const last = Math.min(lastOffset, isExact ? wanted : boundary)
    const starts = [firstOffset]
    if (last - firstOffset + 1 > batchSize) {
      for (const { baseOffset } of batches) {
        if (baseOffset <= firstOffset) continue
        if (baseOffset > last) break
        if (baseOffset - (starts.at(-1) as number) >= batchSize) starts.push(baseOffset)
      }
    }
    const acquired = starts.map((start, index) => ({
      firstOffset: start,
      lastOffset: (starts[index + 1] ?? last + 1) - 1,
      deliveryCount: 1,
    }))
    for (const range of acquired) {
      const lock = this.#lock()
      const batchCount = countOf([range])
      this.#runs.insert({ ...NEW_RUN, ...range, state: DeliveryState.ACQUIRED, memberId, lock, batchCount })
    }
    this.#nextOffset = Math.max(this.#nextOffset, last + 1)
    return acquired
  }

  #acquireAgain(memberId: string, firstOffset: number, lastOffset: number): AcquiredRecords {
    const lock = this.#lock()
    let deliveryCount = 0
    this.#runs.update(firstOffset, lastOffset, (run) => {
      deliveryCount = run.deliveryCount + 1
      return { state: DeliveryState.ACQUIRED, deliveryCount, memberId, lock }
    })
    return { firstOffset, lastOffset, deliveryCount }
  }

  #archiveAborted(aborted: readonly BatchBounds[], acquired: readonly AcquiredRecords[]): void {
    if (aborted.length === 0 || acquired.length === 0) return
    for (const { baseOffset, lastOffset } of aborted) {
      for (const range of acquired) {
        const first = Math.max(baseOffset, range.firstOffset)
        const last = Math.min(lastOffset, range.lastOffset)
        if (first > last) continue
        this.#runs.update(first, last, () => ({ ...SETTLED, state: DeliveryState.ARCHIVED }))
      }
    }
  }

  #stillAcquired(acquired: readonly AcquiredRecords[], memberId: string): AcquiredRecords[] {
    const result = acquired.flatMap(({ firstOffset, lastOffset }) =>
      this.#runs
        .overlapping(firstOffset, lastOffset)
        .filter((run) => run.state === DeliveryState.ACQUIRED && run.memberId === memberId)
        .map((run) => ({
          firstOffset: Math.max(run.firstOffset, firstOffset),
          lastOffset: Math.min(run.lastOffset, lastOffset),
          deliveryCount: run.deliveryCount,
        })),
    )
    this.#moveStart()
    return result
  }

  // --- locks -------------------------------------------------------------------------------------------------------

  #lock(): AcquisitionLock {
    const lock: AcquisitionLock = { timer: undefined, isExpired: false }
    lock.timer = this.#host.scheduler.schedule(
      `acquisition lock of group ${this.groupId} on ${this.partition}`,
      recordLockDurationMs(this.#host.config, this.groupId),
      () => {
        lock.isExpired = true
        this.#release((run) => run.lock === lock)
      },
    )
    return lock
  }

  /** Time is up, or the member is gone: what it has is free again, or archived when it was handed out often enough. */
  releaseMember(memberId: string): void {
    this.#release((run) => run.memberId === memberId)
  }

  #release(isMeant: (run: RecordRun) => boolean): void {
    if (this.#isFenced) return
    const written: StateBatch[] = []
    for (const run of [...this.#runs]) {
      if (run.state !== DeliveryState.ACQUIRED || !isMeant(run)) continue
      this.#runs.update(run.firstOffset, run.lastOffset, (part) => {
        const after = this.#settled(part, DeliveryState.AVAILABLE)
        written.push(stateBatchOf(part, after))
        // Being free does not wait until it is written down: the next leader frees it anyway.
        return after
      })
    }
    if (written.length === 0) return
    this.#persist(written).whenDone(() => undefined)
    this.#moveStart()
    this.touch()
  }

  /** What becomes of an acquired run. */
  #settled(
    run: RecordRun,
    state: DeliveryState,
  ): { state: DeliveryState; memberId: string; lock: undefined } {
    const isWornOut =
      state === DeliveryState.AVAILABLE &&
      (run.deliveryCount >= deliveryCountLimit(this.#host.config, this.groupId) ||
        run.lastOffset < this.#startOffset)
    return { ...SETTLED, state: isWornOut ? DeliveryState.ARCHIVED : state }
  }

  // --- acknowledging -----------------------------------------------------------------------------------------------

  /** All batches or none; done when it is persisted. */
  acknowledge(memberId: string, batches: readonly AcknowledgementBatch[]): Deferred<AcknowledgeResult> {
    if (this.#isFenced) return Deferred.of<AcknowledgeResult>(refused(ErrorCode.NOT_LEADER_OR_FOLLOWER))
    const written: StateBatch[] = []
    const renewed: { firstOffset: number; lastOffset: number }[] = []
    for (const batch of batches) {
      const problem = this.#acknowledgeBatch(memberId, batch, written, renewed)
      if (problem === undefined) continue
      for (const { firstOffset, lastOffset } of written) this.#rollBack(firstOffset, lastOffset)
      return Deferred.of(problem)
    }
    for (const { firstOffset, lastOffset } of renewed) this.#renew(firstOffset, lastOffset)
    if (written.length === 0) return Deferred.of(DONE)
    return this.#persist(written).map((result) => {
      for (const { firstOffset, lastOffset } of written) {
        if (result.error === ErrorCode.NONE) this.#commit(firstOffset, lastOffset)
        else this.#rollBack(firstOffset, lastOffset)
      }
      this.#moveStart()
      this.touch()
      return result
    })
  }

  #acknowledgeBatch(
    memberId: string,
    batch: AcknowledgementBatch,
    written: StateBatch[],
    renewed: { firstOffset: number; lastOffset: number }[],
  ): AcknowledgeResult | undefined {
    if (batch.lastOffset < this.#startOffset) return undefined
    const firstOffset = Math.max(batch.firstOffset, this.#startOffset)
    const past = (end: string) =>
      refused(
        ErrorCode.INVALID_REQUEST,
        `Batch record not found. The ${end} offset in request is past acquired records.`,
      )
    if (firstOffset >= this.#nextOffset) return past('first')
    if (batch.lastOffset >= this.#nextOffset) return past('last')
    const found = this.#runs.overlapping(firstOffset, batch.lastOffset)
    if (found.length === 0) {
      const message = 'Batch record not found. The request batch offsets are not found in the cache.'
      return refused(ErrorCode.INVALID_REQUEST, message)
    }
    for (const run of found) {
      const isWhole = run.firstOffset >= firstOffset && run.lastOffset <= batch.lastOffset && !run.isPart
      const problem = ownershipProblem(run, memberId, isWhole)
      if (problem !== undefined) return refused(ErrorCode.INVALID_RECORD_STATE, problem)
    }
    for (const { first, last, type } of typedRanges(batch, firstOffset)) {
      const state = stateAfter(type)
      if (state === undefined) {
        if (type !== AcknowledgeType.RENEW || !isRenewEnabled(this.#host.config, this.groupId)) {
          const message = 'Renewing acquisition locks is not enabled for the group.'
          return refused(ErrorCode.INVALID_RECORD_STATE, message)
        }
        renewed.push({ firstOffset: first, lastOffset: last })
        continue
      }
      this.#runs.update(first, last, (run) => {
        const after = this.#settled(run, state)
        written.push(stateBatchOf(run, after))
        return { ...after, before: run }
      })
    }
    return undefined
  }

  #renew(firstOffset: number, lastOffset: number): void {
    const lock = this.#lock()
    this.#runs.update(firstOffset, lastOffset, (run) =>
      run.state === DeliveryState.ACQUIRED ? { lock } : undefined,
    )
    this.#cancelUnusedLocks()
  }

  #commit(firstOffset: number, lastOffset: number): void {
    this.#runs.update(firstOffset, lastOffset, (run) =>
      run.before === undefined ? undefined : { before: undefined },
    )
  }

  #rollBack(firstOffset: number, lastOffset: number): void {
    this.#runs.update(firstOffset, lastOffset, ({ before }) => {
      if (before === undefined) return undefined
      const { state, deliveryCount, memberId, lock } = before
      return { state, deliveryCount, memberId, lock, before: undefined }
    })
    // A lock that ran out meanwhile found nothing to free.
    this.#release((run) => run.lock?.isExpired === true)
  }

  #cancelUnusedLocks(): void {
    const used = new Set<AcquisitionLock>()
    for (const { lock, before } of this.#runs) {
      if (lock !== undefined) used.add(lock)
      if (before?.lock !== undefined) used.add(before.lock)
    }
    for (const lock of this.#knownLocks) {
      if (used.has(lock)) continue
      lock.timer?.cancel()
      this.#knownLocks.delete(lock)
    }
    for (const lock of used) this.#knownLocks.add(lock)
  }

  readonly #knownLocks = new Set<AcquisitionLock>()

  // --- state -------------------------------------------------------------------------------------------------------

  #persist(stateBatches: readonly StateBatch[]): Deferred<AcknowledgeResult> {
    const { topicId, index } = this.partition
    return this.#host.persister
      .write(this.groupId, [
        {
          topicId,
          partition: index,
          stateEpoch: this.#stateEpoch,
          leaderEpoch: this.leaderEpoch,
          startOffset: this.#startOffset,
          deliveryCompleteCount: this.#completeCount,
          stateBatches: combineBatches([], stateBatches, this.#startOffset),
        },
      ])
      .map(([answer]): AcknowledgeResult => {
        const error = persisterError(answer?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR)
        if (error === ErrorCode.NONE) return DONE
        if (error !== ErrorCode.COORDINATOR_NOT_AVAILABLE) this.#host.onFenced(this)
        return refused(error)
      })
  }

  /** Records from the start offset on that need no delivery any more (KIP-1226). */
  get #completeCount(): number {
    let count = 0
    for (const run of this.#runs) if (isTerminal(run)) count += sizeOf(run)
    return count
  }

  #moveStart(): void {
    let startOffset = this.#startOffset
    for (const run of this.#runs) {
      if (run.firstOffset > startOffset || !isTerminal(run) || run.before !== undefined) break
      startOffset = Math.max(startOffset, run.lastOffset + 1)
    }
    this.#startOffset = startOffset
    this.#dropDone()
  }

  #dropDone(): void {
    const first = this.#runs.first
    if (first !== undefined && first.firstOffset < this.#startOffset) this.#runs.dropBefore(this.#startOffset)
    this.#cancelUnusedLocks()
  }
}

const NEW_RUN: RecordRun = {
  firstOffset: 0,
  lastOffset: 0,
  state: DeliveryState.AVAILABLE,
  deliveryCount: 0,
  memberId: '',
  lock: undefined,
  isPart: false,
  batchCount: 1,
  before: undefined,
}

const SETTLED = { memberId: '', lock: undefined } as const

function refused(error: ErrorCode, message: string | null = null): AcknowledgeResult {
  return { error, message }
}

function deliveryStateOf(state: number): DeliveryState {
  if (state === DeliveryState.ACKNOWLEDGED || state === DeliveryState.ARCHIVED) return state
  return DeliveryState.AVAILABLE
}

function countOf(ranges: readonly AcquiredRecords[]): number {
  return ranges.reduce((sum, { firstOffset, lastOffset }) => sum + lastOffset - firstOffset + 1, 0)
}

/** Ranges of records handed out again are told as one where they touch; new ones keep the size that was asked for. */
function mergeNeighbours(ranges: readonly AcquiredRecords[]): AcquiredRecords[] {
  const result: AcquiredRecords[] = []
  for (const range of ranges) {
    const last = result.at(-1)
    const isSame =
      last !== undefined &&
      range.deliveryCount > 1 &&
      last.deliveryCount === range.deliveryCount &&
      last.lastOffset + 1 === range.firstOffset
    if (isSame) result[result.length - 1] = { ...last, lastOffset: range.lastOffset }
    else result.push(range)
  }
  return result
}

function stateBatchOf(run: RecordRun, after: { readonly state: DeliveryState }): StateBatch {
  const { firstOffset, lastOffset, deliveryCount } = run
  return { firstOffset, lastOffset, deliveryState: after.state, deliveryCount }
}

function ownershipProblem(run: RecordRun, memberId: string, isWhole: boolean): string | undefined {
  if (!run.isPart && run.memberId !== memberId) return 'Member is not the owner of batch record'
  if (run.state !== DeliveryState.ACQUIRED || run.before !== undefined) {
    if (isWhole) return 'The batch cannot be acknowledged. The batch is not in the acquired state.'
    return run.isPart
      ? 'The offset cannot be acknowledged. The offset is not acquired.'
      : 'The batch cannot be acknowledged. The subset batch is not in the acquired state.'
  }
  return run.memberId === memberId ? undefined : 'Member is not the owner of offset'
}

/** Neighbouring offsets with the same type as one range. */
function typedRanges(
  { firstOffset: batchFirst, lastOffset, acknowledgeTypes }: AcknowledgementBatch,
  firstOffset: number,
): { first: number; last: number; type: number }[] {
  const [only] = acknowledgeTypes
  if (acknowledgeTypes.length === 1) return [{ first: firstOffset, last: lastOffset, type: only ?? 0 }]
  const ranges: { first: number; last: number; type: number }[] = []
  for (let offset = firstOffset; offset <= lastOffset; offset += 1) {
    const type = acknowledgeTypes[offset - batchFirst] ?? 0
    const range = ranges.at(-1)
    if (range?.type === type) range.last = offset
    else ranges.push({ first: offset, last: offset, type })
  }
  return ranges
}

/** What a leader tells its clients of what the share coordinator told it. */
export function persisterError(error: ErrorCode): ErrorCode {
  switch (error) {
    case ErrorCode.NONE:
      return error
    case ErrorCode.NOT_COORDINATOR:
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
    case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
      return ErrorCode.COORDINATOR_NOT_AVAILABLE
    case ErrorCode.GROUP_ID_NOT_FOUND:
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
      return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    case ErrorCode.FENCED_LEADER_EPOCH:
    case ErrorCode.FENCED_STATE_EPOCH:
      return ErrorCode.NOT_LEADER_OR_FOLLOWER
    default:
      return ErrorCode.UNKNOWN_SERVER_ERROR
  }
}
