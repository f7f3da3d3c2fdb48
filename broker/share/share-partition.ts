/**
 * A partition as one share group sees it, on the partition's leader (KIP-932): what members are given (`RecordAcquirer`), for how long
 * (`AcquisitionLocks`), what they say of it, and what of that is persisted. What has become of each record is in `InFlightRecords`.
 *
 * Owner: the share partition manager; gone when the broker no longer leads the partition. Invariant: what members are told of an
 * acknowledgement is persisted first.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import type { Reactor, Wakeable } from '../../common/runtime/reactor.ts'
import type { SchedulerScope } from '../../common/runtime/scheduler.ts'
import {
  deliveryCountLimit,
  isRenewEnabled,
  recordLockDurationMs,
  type ShareConfig,
} from '../coordinator/share/share-config.ts'
import type { SharePersister } from '../coordinator/share/share-persister.ts'
import type { PartitionState } from '../coordinator/share/share-state-shard.ts'
import { combineBatches, type StateBatch } from '../coordinator/share/state-batches.ts'
import type { DelayedOperation, Watchable } from '../replica/delayed-operation.ts'
import type { Partition } from '../replica/partition.ts'
import {
  type AcknowledgementBatch,
  AcknowledgeType,
  ownershipProblem,
  stateAfter,
  typedRanges,
} from './acknowledgement.ts'
import { AcquisitionLocks } from './acquisition-locks.ts'
import { InFlightRecords } from './in-flight-records.ts'
import { persisterError } from './persister-error.ts'
import { type AcquiredRecords, type AcquireRequest, RecordAcquirer } from './record-acquirer.ts'
import { DeliveryState, type RecordRun, SETTLED } from './record-run.ts'

export interface SharePartitionHost {
  readonly reactor: Reactor
  readonly scheduler: SchedulerScope
  readonly config: ShareConfig
  readonly persister: SharePersister
  /** The share coordinator says that another leader or state is newer, or that there is no such partition. */
  onFenced(partition: SharePartition): void
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
  readonly #records = new InFlightRecords()
  readonly #locks: AcquisitionLocks
  readonly #acquirer: RecordAcquirer
  readonly #watchers = new Set<DelayedOperation>()
  #stateEpoch = 0
  #isFenced = false

  constructor(host: SharePartitionHost, groupId: string, partition: Partition) {
    this.#host = host
    this.groupId = groupId
    this.partition = partition
    this.leaderEpoch = partition.leaderEpoch
    const { scheduler, config } = host
    this.#locks = new AcquisitionLocks({
      scheduler,
      label: `acquisition lock of group ${groupId} on ${partition}`,
      durationMs: () => recordLockDurationMs(config, groupId),
      onExpired: (expired) => this.#release(({ lock }) => lock === expired),
    })
    this.#acquirer = new RecordAcquirer({ groupId, config, records: this.#records, locks: this.#locks })
  }

  get isFenced(): boolean {
    return this.#isFenced
  }
  get startOffset(): number {
    return this.#records.startOffset
  }
  /** Runs as they are, for views and tests. */
  get runs(): readonly RecordRun[] {
    return [...this.#records.runs]
  }

  /** Takes over what the share coordinator knows. @param startOffset where to begin when it does not say */
  load(state: PartitionState, startOffset: number): void {
    this.#stateEpoch = state.stateEpoch
    this.#records.load(state.stateBatches, startOffset)
  }

  /** The leadership or the state is lost: nothing is handed out or taken back any more. */
  fence(): void {
    if (this.#isFenced) return
    this.#isFenced = true
    this.#locks.cancelAll()
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

  /** Where to read next. */
  get nextFetchOffset(): number {
    return this.#records.nextFetchOffset
  }

  get canAcquire(): boolean {
    return !this.#isFenced && this.#acquirer.canAcquire
  }

  acquire(request: AcquireRequest): AcquiredRecords[] {
    return this.#isFenced ? [] : this.#acquirer.acquire(request)
  }

  /** The log begins later now: what was before is done with. */
  followLogStart(logStartOffset: number): void {
    if (this.#records.followLogStart(logStartOffset)) this.#locks.cancelUnused(this.#records.runs)
  }

  // --- taking back ---------------------------------------------------------------------------------------------------

  /** Time is up, or the member is gone: what it has is free again, or archived when it was handed out often enough. */
  releaseMember(memberId: string): void {
    this.#release((run) => run.memberId === memberId)
  }

  #release(isMeant: (run: RecordRun) => boolean): void {
    if (this.#isFenced) return
    const written: StateBatch[] = []
    for (const run of [...this.#records.runs]) {
      if (run.state !== DeliveryState.ACQUIRED || !isMeant(run)) continue
      this.#records.runs.update(run.firstOffset, run.lastOffset, (part) => {
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
        run.lastOffset < this.#records.startOffset)
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
    if (batch.lastOffset < this.#records.startOffset) return undefined
    const firstOffset = Math.max(batch.firstOffset, this.#records.startOffset)
    const past = (end: string) =>
      refused(
        ErrorCode.INVALID_REQUEST,
        `Batch record not found. The ${end} offset in request is past acquired records.`,
      )
    if (firstOffset >= this.#records.nextOffset) return past('first')
    if (batch.lastOffset >= this.#records.nextOffset) return past('last')
    const found = this.#records.runs.overlapping(firstOffset, batch.lastOffset)
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
      this.#records.runs.update(first, last, (run) => {
        const after = this.#settled(run, state)
        written.push(stateBatchOf(run, after))
        return { ...after, before: run }
      })
    }
    return undefined
  }

  #renew(firstOffset: number, lastOffset: number): void {
    const lock = this.#locks.take()
    this.#records.runs.update(firstOffset, lastOffset, (run) =>
      run.state === DeliveryState.ACQUIRED ? { lock } : undefined,
    )
    this.#locks.cancelUnused(this.#records.runs)
  }

  #commit(firstOffset: number, lastOffset: number): void {
    this.#records.runs.update(firstOffset, lastOffset, (run) =>
      run.before === undefined ? undefined : { before: undefined },
    )
  }

  #rollBack(firstOffset: number, lastOffset: number): void {
    this.#records.runs.update(firstOffset, lastOffset, ({ before }) => {
      if (before === undefined) return undefined
      const { state, deliveryCount, memberId, lock } = before
      return { state, deliveryCount, memberId, lock, before: undefined }
    })
    // A lock that ran out meanwhile found nothing to free.
    this.#release((run) => run.lock?.isExpired === true)
  }

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
          startOffset: this.#records.startOffset,
          deliveryCompleteCount: this.#records.completeCount,
          stateBatches: combineBatches([], stateBatches, this.#records.startOffset),
        },
      ])
      .map(([answer]): AcknowledgeResult => {
        const error = persisterError(answer?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR)
        if (error === ErrorCode.NONE) return DONE
        if (error !== ErrorCode.COORDINATOR_NOT_AVAILABLE) this.#host.onFenced(this)
        return refused(error)
      })
  }

  #moveStart(): void {
    this.#records.moveStart()
    this.#locks.cancelUnused(this.#records.runs)
  }
}

function refused(error: ErrorCode, message: string | null = null): AcknowledgeResult {
  return { error, message }
}

function stateBatchOf(run: RecordRun, after: { readonly state: DeliveryState }): StateBatch {
  const { firstOffset, lastOffset, deliveryCount } = run
  return { firstOffset, lastOffset, deliveryState: after.state, deliveryCount }
}
