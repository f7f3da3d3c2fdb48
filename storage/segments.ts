/**
 * The segments of one log, ascending by base offset. Owned by its `LocalLog`. Never empty once the log is loaded; the last
 * one is active.
 */
import type { Segment } from './segment.ts'

export class Segments {
  #segments: Segment[] = []

  get all(): readonly Segment[] {
    return this.#segments
  }

  get count(): number {
    return this.#segments.length
  }

  get first(): Segment {
    return this.#segments[0] as Segment
  }

  get active(): Segment {
    return this.#segments[this.#segments.length - 1] as Segment
  }

  get sizeBytes(): number {
    let sizeBytes = 0
    for (const segment of this.#segments) sizeBytes += segment.sizeBytes
    return sizeBytes
  }

  add(segment: Segment): void {
    let slot = this.#segments.length
    while (slot > 0 && (this.#segments[slot - 1] as Segment).baseOffset > segment.baseOffset) slot--
    this.#segments.splice(slot, 0, segment)
  }

  remove(segment: Segment): void {
    const slot = this.#segments.indexOf(segment)
    if (slot >= 0) this.#segments.splice(slot, 1)
  }

  /** The segment that holds `offset` if any does: the last one whose base is at or below it. */
  floor(offset: number): Segment | undefined {
    return this.#segments[this.#floorSlot(offset)]
  }

  /** The next segment after `segment`. */
  after(segment: Segment): Segment | undefined {
    return this.#segments[this.#floorSlot(segment.baseOffset) + 1]
  }

  /** From the segment that holds `from` up to, not including, those that begin at or after `to`. */
  range(from: number, to = Number.POSITIVE_INFINITY): Segment[] {
    const start = Math.max(0, this.#floorSlot(from))
    return this.#segments.slice(start).filter((segment) => segment.baseOffset < to)
  }

  #floorSlot(offset: number): number {
    let low = 0
    let high = this.#segments.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#segments[middle] as Segment).baseOffset <= offset) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}
