/**
 * Runs one state machine on one replicated log: append, then replay, then answer when committed.
 *
 * Owner: the coordinator or controller that leads the log. Invariants: the machine's state is exactly the replay of the log
 * up to its end offset; a response leaves only when the high watermark has passed its records; after `unload` nothing of the
 * machine is used any more. Limits: loading replays at most `loadBytesPerSlice` per turn.
 */

import { ErrorCode } from '../../common/protocol/errors.ts'
import { BatchView } from '../../common/record/batch.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import type { Runtime } from '../../common/runtime/runtime.ts'
import type { SchedulerScope, Timer } from '../../common/runtime/scheduler.ts'
import type { ReplicatedLog } from './replicated-log.ts'
import type {
  Outcome,
  ProducerIdentity,
  Refusal,
  Result,
  StateMachine,
  StateRecordFormat,
} from './state-machine.ts'
import { accepted } from './state-machine.ts'

/** How a coordinator names the troubles of its log. */
export interface RuntimeErrors {
  /** Asked while the log is still being replayed. */
  readonly loading: Exclude<ErrorCode, 0>
  /** Asked after leadership has moved on. */
  readonly notLeader: Exclude<ErrorCode, 0>
  /** The records were appended but not committed within `writeTimeoutMs`. */
  readonly timedOut: Exclude<ErrorCode, 0>
  /** Translates what the log answered to an append. */
  readonly fromAppend: (error: ErrorCode) => Exclude<ErrorCode, 0>
}

export interface StateMachineRuntimeOptions<StateRecord, Machine extends StateMachine<StateRecord>> {
  /** Names the shard in timers and traces: `group coordinator __consumer_offsets-3`. */
  readonly name: string
  readonly runtime: Runtime
  readonly log: ReplicatedLog
  readonly format: StateRecordFormat<StateRecord>
  readonly createMachine: (timers: MachineTimers<StateRecord>) => Machine
  readonly errors: RuntimeErrors
  /** How long a response may wait for its records to be committed; undefined: for ever (controller). */
  readonly writeTimeoutMs: number | undefined
  readonly loadBytesPerSlice?: number
}

/**
 * Timers of a machine: what they do is an operation like any other, so it appends before it changes anything. An operation whose records
 * the log refuses (too few in-sync replicas) has not happened: timers that it cancelled run on, and the one that it was is tried again.
 */
export interface MachineTimers<StateRecord> {
  /** (Re)starts the timer called `key`. */
  schedule(key: string, label: string, delayMs: number, operation: () => Outcome<void, StateRecord>): void
  cancel(key: string): void
  isScheduled(key: string): boolean
}

interface PendingResponse {
  /** Committed when the high watermark is above this offset. */
  readonly offset: number
  readonly complete: () => void
  readonly fail: (error: Exclude<ErrorCode, 0>) => void
}

const DEFAULT_LOAD_BYTES_PER_SLICE = 1 << 20
/** Until the operation of a timer is tried again after its records were refused; as in Kafka. */
const TIMER_RETRY_MS = 500

export class StateMachineRuntime<StateRecord, Machine extends StateMachine<StateRecord>> {
  readonly name: string
  readonly machine: Machine
  /** Completes once, when the log is replayed (true) or the shard was unloaded before (false). */
  readonly loaded = new Deferred<boolean>()
  readonly #options: StateMachineRuntimeOptions<StateRecord, Machine>
  readonly #scope: SchedulerScope
  readonly #timers = new Map<string, Timer>()
  /** What the operation that runs has cancelled; takes effect with its records. */
  #cancelled: Map<string, Timer> | undefined
  #state: 'loading' | 'active' | 'unloaded' = 'loading'
  #nextLoadOffset: number
  /** In offset order. */
  #pending: PendingResponse[] = []
  #lastWrittenOffset = -1

  constructor(options: StateMachineRuntimeOptions<StateRecord, Machine>) {
    this.name = options.name
    this.#options = options
    this.#scope = options.runtime.scheduler.scope(options.name)
    this.#nextLoadOffset = options.log.logStartOffset
    this.machine = options.createMachine({
      schedule: (key, label, delayMs, operation) => this.#scheduleTimer(key, label, delayMs, operation),
      cancel: (key) => this.#cancelTimer(key),
      isScheduled: (key) => this.#timers.has(key) && this.#cancelled?.has(key) !== true,
    })
  }

  get state(): 'loading' | 'active' | 'unloaded' {
    return this.#state
  }

  /** Replays the log from its start, in slices of one turn each; `loaded` tells when it is done. */
  startLoading(): void {
    // A snapshot may have been found since the log was given to us.
    this.#nextLoadOffset = Math.max(this.#nextLoadOffset, this.#options.log.logStartOffset)
    this.#loadSlice()
  }

  /**
   * Decides, appends, replays; the answer comes when the records are committed.
   * @param producer makes the records part of that producer's transaction
   */
  write<Response>(
    label: string,
    operation: (machine: Machine) => Outcome<Response, StateRecord>,
    producer?: ProducerIdentity,
  ): Deferred<Result<Response>> {
    const refusal = this.#refusal()
    if (refusal !== undefined) return Deferred.of<Result<Response>>(refusal)
    const carriedOut = this.#carryOut(operation, producer)
    return 'error' in carriedOut
      ? Deferred.of<Result<Response>>(carriedOut)
      : this.#whenCommitted(label, carriedOut.response)
  }

  /** As `write` without records: answers when all earlier writes are committed. */
  read<Response>(label: string, operation: (machine: Machine) => Response): Deferred<Result<Response>> {
    const refusal = this.#refusal()
    if (refusal !== undefined) return Deferred.of<Result<Response>>(refusal)
    return this.#whenCommitted(label, operation(this.machine))
  }

  /** To be called when the log's high watermark has moved. */
  onHighWatermark(): void {
    const highWatermark = this.#options.log.highWatermark
    let count = 0
    while (count < this.#pending.length && (this.#pending[count] as PendingResponse).offset < highWatermark)
      count += 1
    if (count === 0) return
    const committed = this.#pending.splice(0, count)
    for (const response of committed) response.complete()
  }

  /**
   * To be called by the owner when somebody else appended a transaction marker to this log, after the append.
   */
  replayTransactionMarker(
    marker: { producerId: number; producerEpoch: number; isCommit: boolean },
    offset: number,
  ): void {
    if (this.#state === 'unloaded') return
    this.#lastWrittenOffset = Math.max(this.#lastWrittenOffset, offset)
    if (this.#state === 'active') this.machine.replayTransactionMarker?.(marker)
  }

  /** Leadership is lost: who waits is refused, timers are gone, the machine is not used again. */
  unload(): void {
    if (this.#state === 'unloaded') return
    this.#state = 'unloaded'
    this.#scope.close()
    this.#timers.clear()
    const pending = this.#pending
    this.#pending = []
    for (const response of pending) response.fail(this.#options.errors.notLeader)
    this.machine.onUnloaded?.()
    this.loaded.complete(false)
  }

  #refusal(): Refusal | undefined {
    if (this.#state === 'active') return undefined
    return {
      error: this.#state === 'loading' ? this.#options.errors.loading : this.#options.errors.notLeader,
    }
  }

  /** Decides, appends, replays. When the log refuses the records nothing has changed, and no timer is gone. */
  #carryOut<Response>(
    operation: (machine: Machine) => Outcome<Response, StateRecord>,
    producer?: ProducerIdentity,
  ): Refusal | { readonly response: Response } {
    const cancelled = new Map<string, Timer>()
    this.#cancelled = cancelled
    let outcome: Outcome<Response, StateRecord>
    try {
      outcome = operation(this.machine)
    } finally {
      this.#cancelled = undefined
    }
    if (outcome.records.length > 0) {
      const refused = this.#append(outcome.records, producer)
      if (refused !== undefined) return refused
    }
    for (const [key, timer] of cancelled) if (this.#timers.get(key) === timer) this.#cancelTimer(key)
    return { response: outcome.response }
  }

  #append(records: readonly StateRecord[], producer: ProducerIdentity | undefined): Refusal | undefined {
    const { log, format, runtime, errors } = this.#options
    const timestampMs = runtime.clock.wallMs()
    const batch = format.encodeBatch(records, { timestampMs, leaderEpoch: log.leaderEpoch, producer })
    const appended = log.appendStateBatch(batch, producer?.verificationGuard)
    if (appended.error !== ErrorCode.NONE) return { error: errors.fromAppend(appended.error) }
    const baseOffset = appended.lastOffset - records.length + 1
    this.#lastWrittenOffset = appended.lastOffset
    records.forEach((record, index) => {
      this.machine.replay(record, {
        offset: baseOffset + index,
        timestampMs,
        producerId: producer?.producerId ?? -1,
        producerEpoch: producer?.producerEpoch ?? -1,
      })
    })
    return undefined
  }

  #whenCommitted<Response>(label: string, response: Response): Deferred<Result<Response>> {
    const offset = this.#lastWrittenOffset
    if (offset < this.#options.log.highWatermark) return Deferred.of(accepted(response))
    const deferred = new Deferred<Result<Response>>()
    const { writeTimeoutMs, errors } = this.#options
    const timer =
      writeTimeoutMs === undefined
        ? undefined
        : this.#scope.schedule(`time limit of ${label} in ${this.name}`, writeTimeoutMs, () =>
            deferred.complete({ error: errors.timedOut }),
          )
    this.#pending.push({
      offset,
      complete: () => {
        timer?.cancel()
        deferred.complete(accepted(response))
      },
      fail: (error) => {
        timer?.cancel()
        deferred.complete({ error })
      },
    })
    return deferred
  }

  #loadSlice(): void {
    if (this.#state !== 'loading') return
    const { log, runtime, loadBytesPerSlice = DEFAULT_LOAD_BYTES_PER_SLICE } = this.#options
    if (this.#nextLoadOffset < log.logEndOffset) {
      const buffer = log.readStateBatches(this.#nextLoadOffset, loadBytesPerSlice)
      if (buffer === undefined || buffer.length === 0) {
        runtime.trace.emit({
          level: 'error',
          kind: 'statemachine.load-failed',
          message: `${this.name}: cannot read its log at offset ${this.#nextLoadOffset}`,
        })
        this.unload()
        return
      }
      this.#replayBatches(buffer)
    }
    if (this.#nextLoadOffset < log.logEndOffset) {
      runtime.reactor.post(() => this.#loadSlice())
      return
    }
    this.#state = 'active'
    this.#lastWrittenOffset = log.logEndOffset - 1
    this.machine.onLoaded?.()
    this.loaded.complete(true)
  }

  #replayBatches(buffer: Buffer): void {
    const visitor = {
      onRecord: this.machine.replay.bind(this.machine),
      onMarker: (marker: { producerId: number; producerEpoch: number; isCommit: boolean }) =>
        this.machine.replayTransactionMarker?.(marker),
      onUnknown: (description: string, offset: number) =>
        this.#options.runtime.trace.emit({
          level: 'warn',
          kind: 'statemachine.unknown-record',
          message: `${this.name}: skipped ${description} at offset ${offset}`,
        }),
    }
    let position = 0
    while (position < buffer.length) {
      this.#options.format.decodeBatch(buffer, position, visitor)
      const batch = new BatchView(buffer, position)
      this.#nextLoadOffset = batch.nextOffset
      position = batch.end
    }
  }

  #scheduleTimer(
    key: string,
    label: string,
    delayMs: number,
    operation: () => Outcome<void, StateRecord>,
  ): void {
    if (this.#state === 'unloaded') return
    this.#timers.get(key)?.cancel()
    this.#cancelled?.delete(key)
    const timer = this.#scope.schedule(label, delayMs, () => {
      if (this.#timers.get(key) === timer) this.#timers.delete(key)
      if (this.#state !== 'active') return
      const isRefused = 'error' in this.#carryOut(operation)
      if (isRefused && !this.#timers.has(key)) this.#scheduleTimer(key, label, TIMER_RETRY_MS, operation)
    })
    this.#timers.set(key, timer)
  }

  #cancelTimer(key: string): void {
    const timer = this.#timers.get(key)
    if (timer === undefined) return
    if (this.#cancelled !== undefined) {
      this.#cancelled.set(key, timer)
      return
    }
    timer.cancel()
    this.#timers.delete(key)
  }
}
