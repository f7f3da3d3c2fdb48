/** The records that the application holds: those of the last `poll`, until their verdicts have left. */
import { AcknowledgeType } from '../constants.ts'
import { type AcquiredFrom, type AcquiredRecords, GAP, type Verdict } from './acquired-records.ts'

/** Verdicts over records of one partition, on their way to the leader that gave them. */
export interface Acknowledgements {
  readonly from: AcquiredFrom
  /** By offset, ascending. */
  readonly verdicts: ReadonlyMap<number, Verdict>
}

export class InFlightBatch {
  #records: AcquiredRecords[] = []

  add(records: AcquiredRecords): void {
    this.#records.push(records)
  }

  get hasUndecided(): boolean {
    return this.#records.some(({ verdicts }) => [...verdicts.values()].includes(undefined))
  }

  acceptRest(): void {
    for (const { verdicts } of this.#records) {
      for (const [offset, verdict] of verdicts) {
        if (verdict === undefined) verdicts.set(offset, AcknowledgeType.ACCEPT)
      }
    }
  }

  /** A later verdict takes the place of an earlier one. @returns whether there is such a record */
  decide(topic: string, partition: number, offset: number, type: AcknowledgeType): boolean {
    for (const { from, verdicts } of this.#records) {
      if (from.topic !== topic || from.partition !== partition || !verdicts.has(offset)) continue
      if (verdicts.get(offset) === GAP) continue
      verdicts.set(offset, type)
      return true
    }
    return false
  }

  /** What has a verdict leaves the batch. */
  takeDecided(): Acknowledgements[] {
    const taken: Acknowledgements[] = []
    for (const { from, verdicts } of this.#records) {
      const decided = new Map<number, Verdict>()
      for (const [offset, verdict] of verdicts) {
        if (verdict === undefined) continue
        decided.set(offset, verdict)
        verdicts.delete(offset)
      }
      if (decided.size > 0) taken.push({ from, verdicts: decided })
    }
    this.#records = this.#records.filter(({ verdicts }) => verdicts.size > 0)
    return taken
  }

  /** The leaders release what is left when their sessions end. */
  drop(): void {
    this.#records = []
  }
}

export interface AcknowledgementBatch {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly acknowledgeTypes: number[]
}

/** Offsets without holes in one batch; one type stands for all when they agree. */
export function acknowledgementBatches(verdicts: ReadonlyMap<number, Verdict>): AcknowledgementBatch[] {
  const batches: { firstOffset: number; lastOffset: number; acknowledgeTypes: number[] }[] = []
  for (const [offset, verdict] of verdicts) {
    const last = batches.at(-1)
    if (last !== undefined && last.lastOffset + 1 === offset) {
      last.lastOffset = offset
      last.acknowledgeTypes.push(verdict)
    } else batches.push({ firstOffset: offset, lastOffset: offset, acknowledgeTypes: [verdict] })
  }
  for (const batch of batches) {
    const [first] = batch.acknowledgeTypes
    if (first !== undefined && batch.acknowledgeTypes.every((type) => type === first)) {
      batch.acknowledgeTypes = [first]
    }
  }
  return batches
}
