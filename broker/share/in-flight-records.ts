/**
 * The records of a share partition between its start offset, where delivery begins, and the first one that was never handed out: what has
 * become of each (KIP-932).
 *
 * Owner: the share partition. Invariants: the start offset only grows, and everything before it is done with.
 */
import { combineBatches, type StateBatch } from '../coordinator/share/state-batches.ts'
import { DeliveryState, isTerminal, NEW_RUN, type RecordRun, RunList, sizeOf } from './record-run.ts'

export class InFlightRecords {
  readonly runs = new RunList()
  #startOffset = 0
  #nextOffset = 0

  get startOffset(): number {
    return this.#startOffset
  }
  /** The first offset that was never handed out. */
  get nextOffset(): number {
    return this.#nextOffset
  }

  /** Takes over what was persisted. */
  load(stateBatches: readonly StateBatch[], startOffset: number): void {
    this.#startOffset = startOffset
    this.#nextOffset = startOffset
    for (const { firstOffset, lastOffset, deliveryState, deliveryCount } of combineBatches(
      [],
      stateBatches,
      startOffset,
    )) {
      this.add({
        ...NEW_RUN,
        firstOffset,
        lastOffset,
        state: deliveryStateOf(deliveryState),
        deliveryCount,
        batchCount: lastOffset - firstOffset + 1,
      })
    }
    this.moveStart()
  }

  /** Notes a run of which nothing was known. */
  add(run: RecordRun): void {
    this.runs.insert(run)
    this.#nextOffset = Math.max(this.#nextOffset, run.lastOffset + 1)
  }

  /** Where to read next: the first record that may be handed out again, or of which nothing is known, else the first new one. */
  get nextFetchOffset(): number {
    let offset = this.#startOffset
    for (const run of this.runs) {
      if (run.firstOffset > offset) return offset
      if (run.state === DeliveryState.AVAILABLE && run.before === undefined) return run.firstOffset
      offset = run.lastOffset + 1
    }
    return Math.max(offset, this.#startOffset)
  }

  /** Offsets that the log does not have count as done. */
  fillGaps(firstOffset: number, lastOffset: number): void {
    let offset = Math.max(firstOffset, this.#startOffset)
    while (offset <= lastOffset) {
      const { isGap, until } = this.runs.gapAt(offset)
      if (!isGap) {
        offset = (this.runs.overlapping(offset, offset)[0]?.lastOffset ?? offset) + 1
        continue
      }
      const last = Math.min(until - 1, lastOffset)
      this.add({ ...NEW_RUN, firstOffset: offset, lastOffset: last, state: DeliveryState.ARCHIVED })
      offset = last + 1
    }
    this.moveStart()
  }

  /** The log begins later now: what was before is done with. @returns whether that is news */
  followLogStart(logStartOffset: number): boolean {
    if (logStartOffset <= this.#startOffset) return false
    const isPinned = (run: RecordRun) => run.before !== undefined || run.state === DeliveryState.ACQUIRED
    this.runs.update(this.#startOffset, logStartOffset - 1, (run) =>
      isPinned(run) ? undefined : { state: DeliveryState.ARCHIVED },
    )
    this.#startOffset = logStartOffset
    this.#nextOffset = Math.max(this.#nextOffset, logStartOffset)
    this.#dropDone()
    return true
  }

  /** Records from the start offset on that need no delivery any more (KIP-1226). */
  get completeCount(): number {
    let count = 0
    for (const run of this.runs) if (isTerminal(run)) count += sizeOf(run)
    return count
  }

  /** The start offset goes on over what is done with. */
  moveStart(): void {
    let startOffset = this.#startOffset
    for (const run of this.runs) {
      if (run.firstOffset > startOffset || !isTerminal(run) || run.before !== undefined) break
      startOffset = Math.max(startOffset, run.lastOffset + 1)
    }
    this.#startOffset = startOffset
    this.#dropDone()
  }

  #dropDone(): void {
    const { first } = this.runs
    if (first !== undefined && first.firstOffset < this.#startOffset) this.runs.dropBefore(this.#startOffset)
  }
}

function deliveryStateOf(state: number): DeliveryState {
  if (state === DeliveryState.ACKNOWLEDGED || state === DeliveryState.ARCHIVED) return state
  return DeliveryState.AVAILABLE
}
