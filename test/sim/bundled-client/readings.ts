/**
 * What the members of one group did: who owned what, what they got, handled and committed. Owner: the simulation. What can be judged at once is
 * judged at once; the rest is held against the logs in the end.
 */
import type { ClientProcess } from './client-process.ts'

/** A member's ownership of one partition, from its assignment to its loss. */
export interface Tenure {
  readonly process: ClientProcess
  readonly place: string
  /** Generation or member epoch as of now; below 0 when it is not a member. */
  readonly generation: () => number
  /** Of a static member. */
  readonly instanceId: string | null
  lastOffset: number
}

/** Two offsets that a member got one after the other, of one partition. */
export interface Step {
  readonly place: string
  readonly member: string
  readonly from: number
  readonly to: number
}

export class GroupReadings {
  readonly groupId: string
  /** Whether offsets are committed before messages are handled, or after. */
  readonly commitsFirst: boolean
  readonly steps: Step[] = []
  readonly values: { readonly place: string; readonly offset: number; readonly value: string }[] = []
  /** How often an offset was handled, by `place@offset`. */
  readonly handled = new Map<string, number>()
  /** Next offset that a member was told to be committed, by place. */
  readonly committed = new Map<string, number>()
  /** The highest offset that any member got, by place. */
  readonly reached = new Map<string, number>()
  readonly #tenures = new Set<Tenure>()

  constructor(groupId: string, commitsFirst: boolean) {
    this.groupId = groupId
    this.commitsFirst = commitsFirst
  }

  begin(tenure: Tenure): void {
    const { process, place } = tenure
    process.event(`owns ${place} in generation ${tenure.generation()}`)
    for (const other of this.#tenures) {
      if (other.place !== place) continue
      // Who was shut out does not know it yet, and can do no harm in its generation.
      if (other.process === process)
        process.violation('a partition is assigned once', `${place} was assigned already`)
      else if (
        other.process.isAlive &&
        other.generation() === tenure.generation() &&
        // Who takes the place of a static member gets what it had, in the same generation (KIP-345).
        (tenure.instanceId === null || other.instanceId !== tenure.instanceId)
      )
        process.violation(
          'a partition has one owner in a generation',
          `${place} belongs to ${other.process.name} too in generation ${tenure.generation()}`,
        )
    }
    this.#tenures.add(tenure)
  }

  end(tenure: Tenure): void {
    tenure.process.event(`owns ${tenure.place} no more`)
    this.#tenures.delete(tenure)
  }

  got(tenure: Tenure, offset: number, value: string): void {
    const { process, place, lastOffset } = tenure
    if (offset <= lastOffset)
      process.violation('positions never go back', `${place} gave ${offset} after ${lastOffset}`)
    if (lastOffset >= 0) this.steps.push({ place, member: process.name, from: lastOffset, to: offset })
    tenure.lastOffset = offset
    this.values.push({ place, offset, value })
    this.reached.set(place, Math.max(this.reached.get(place) ?? -1, offset))
  }

  hasHandled(process: ClientProcess, place: string, offset: number): void {
    const key = `${place}@${offset}`
    const times = (this.handled.get(key) ?? 0) + 1
    this.handled.set(key, times)
    if (this.commitsFirst && times > 1)
      process.violation('what is committed first is handled at most once', `${key} was handled again`)
  }

  hasCommitted(place: string, offset: number): void {
    this.committed.set(place, Math.max(this.committed.get(place) ?? -1, offset))
  }

  /** Tenures of those that are alive. */
  tenures(): readonly Tenure[] {
    return [...this.#tenures].filter(({ process }) => process.isAlive)
  }

  /** Owners that are alive, by place. */
  owners(): Map<string, string[]> {
    const owners = new Map<string, string[]>()
    for (const { process, place } of this.tenures())
      owners.set(place, [...(owners.get(place) ?? []), process.name])
    return owners
  }
}
