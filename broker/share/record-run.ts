/**
 * Neighbouring records of a share partition that are in the same state of delivery (KIP-932):
 *
 *     available ──handed out──► acquired ──accepted──► acknowledged
 *         ▲                        │ └──rejected, or once too often given back──► archived
 *         └──given back, timed out─┘
 */
import type { Timer } from '../../common/runtime/scheduler.ts'

/** Numbers as in the records of `__share_group_state`; `acquired` is never persisted. */
export const DeliveryState = { AVAILABLE: 0, ACQUIRED: 1, ACKNOWLEDGED: 2, ARCHIVED: 4 } as const
export type DeliveryState = (typeof DeliveryState)[keyof typeof DeliveryState]

/** The time for which records handed out together are a member's own. */
export interface AcquisitionLock {
  timer: Timer | undefined
  isExpired: boolean
}

interface Delivery {
  readonly state: DeliveryState
  readonly deliveryCount: number
  /** Empty unless acquired. */
  readonly memberId: string
  readonly lock: AcquisitionLock | undefined
}

export interface RecordRun extends Delivery {
  readonly firstOffset: number
  readonly lastOffset: number
  /** Part of what was handed out together. */
  readonly isPart: boolean
  /** How many records were handed out together at first. */
  readonly batchCount: number
  /** What it was before a change that is being persisted; until that is done it can neither be handed out nor acknowledged. */
  readonly before: Delivery | undefined
}

/** What a run is before anything has happened to it. */
export const NEW_RUN: RecordRun = {
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

/** What goes with every state but acquired. */
export const SETTLED = { memberId: '', lock: undefined } as const

export function isTerminal({ state }: RecordRun): boolean {
  return state === DeliveryState.ACKNOWLEDGED || state === DeliveryState.ARCHIVED
}

export function sizeOf({ firstOffset, lastOffset }: RecordRun): number {
  return lastOffset - firstOffset + 1
}

/** Sorted runs without overlap. Gaps are offsets of which nothing is known. */
export class RunList {
  #runs: RecordRun[] = []

  get isEmpty(): boolean {
    return this.#runs.length === 0
  }

  get first(): RecordRun | undefined {
    return this.#runs[0]
  }

  [Symbol.iterator](): IterableIterator<RecordRun> {
    return this.#runs[Symbol.iterator]()
  }

  /** Index of the first run that ends at the offset or after it. */
  #indexOf(offset: number): number {
    let low = 0
    let high = this.#runs.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#runs[middle] as RecordRun).lastOffset < offset) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The runs with any offset of the range, whole. */
  overlapping(firstOffset: number, lastOffset: number): RecordRun[] {
    const start = this.#indexOf(firstOffset)
    let end = start
    while (end < this.#runs.length && (this.#runs[end] as RecordRun).firstOffset <= lastOffset) end += 1
    return this.#runs.slice(start, end)
  }

  /** Puts a run where nothing is known yet. */
  insert(run: RecordRun): void {
    this.#runs.splice(this.#indexOf(run.firstOffset), 0, run)
  }

  /**
   * Changes the part of each run that lies in the range; runs are split where the range begins and ends.
   * @param change gives the new state, or undefined to leave the run alone
   */
  update(
    firstOffset: number,
    lastOffset: number,
    change: (run: RecordRun) => Partial<RecordRun> | undefined,
  ): void {
    const start = this.#indexOf(firstOffset)
    const replaced: RecordRun[] = []
    let end = start
    for (; end < this.#runs.length; end += 1) {
      const run = this.#runs[end] as RecordRun
      if (run.firstOffset > lastOffset) break
      const isCut = run.firstOffset < firstOffset || run.lastOffset > lastOffset
      const from = Math.max(run.firstOffset, firstOffset)
      const to = Math.min(run.lastOffset, lastOffset)
      const part = { ...run, firstOffset: from, lastOffset: to, isPart: run.isPart || isCut }
      const changed = change(part)
      if (changed === undefined) {
        replaced.push(run)
        continue
      }
      if (run.firstOffset < from) replaced.push({ ...run, lastOffset: from - 1, isPart: true })
      replaced.push({ ...part, ...changed })
      if (run.lastOffset > to) replaced.push({ ...run, firstOffset: to + 1, isPart: true })
    }
    this.#runs.splice(start, end - start, ...replaced)
  }

  /** Drops all that lies before the offset. */
  dropBefore(offset: number): void {
    this.#runs = this.#runs.flatMap((run) => {
      if (run.lastOffset < offset) return []
      return run.firstOffset < offset ? [{ ...run, firstOffset: offset, isPart: true }] : [run]
    })
  }

  /** Whether the offset is known, and if not where the next known one begins (Infinity: nowhere). */
  gapAt(offset: number): { readonly isGap: boolean; readonly until: number } {
    const run = this.#runs[this.#indexOf(offset)]
    if (run === undefined) return { isGap: true, until: Number.POSITIVE_INFINITY }
    return { isGap: run.firstOffset > offset, until: run.firstOffset }
  }
}
