/**
 * What the members of one group say of themselves: who owns which partition, and which record came how often. Kept in the order in which it
 * was heard; between two processes that order may differ from what happened, so ownership is judged when the group has come to rest.
 */
import { check, checkEqual, within } from '../lib/cases.ts'

const DEADLINE_MS = 60_000

/** What a member tells while it lives. Partitions are those of the one topic. */
export interface MemberEvents {
  assigned(partitions: readonly number[]): void
  revoked(partitions: readonly number[]): void
  got(value: string): void
  problem(text: string): void
}

export class GroupObserver {
  readonly #partitionCount: number
  readonly #owned = new Map<string, Set<number>>()
  readonly #seen = new Map<string, string[]>()
  readonly #problems: string[] = []
  readonly #watchers = new Set<() => void>()

  constructor(partitionCount: number) {
    this.#partitionCount = partitionCount
  }

  /** For one life of a member. */
  events(life: string): MemberEvents {
    const owned = new Set<number>()
    this.#owned.set(life, owned)
    const tell = (change: () => void): void => {
      change()
      for (const watcher of [...this.#watchers]) watcher()
    }
    return {
      assigned: (partitions) => tell(() => partitions.forEach((one) => void owned.add(one))),
      revoked: (partitions) => tell(() => partitions.forEach((one) => void owned.delete(one))),
      got: (value) => tell(() => this.#seen.set(value, [...(this.#seen.get(value) ?? []), life])),
      problem: (text) => tell(() => this.#problems.push(`${life}: ${text}`)),
    }
  }

  /** A member that has left owns nothing. */
  left(life: string): void {
    const owned = this.#owned.get(life)
    this.#owned.delete(life)
    check(owned?.size === 0, `${life} left and told nobody that it gave up ${[...(owned ?? [])]}`)
  }

  /** `life: 0,1` for every member that is in, as the broker's describe is written down too. */
  get ownership(): string {
    return ownershipText(this.#owned)
  }

  /** Every partition is owned once, and nobody has two more than another. */
  get isSettled(): boolean {
    const shares = [...this.#owned.values()]
    const all = shares.flatMap((share) => [...share])
    const sizes = shares.map(({ size }) => size)
    return (
      all.length === this.#partitionCount &&
      new Set(all).size === all.length &&
      Math.max(...sizes) - Math.min(...sizes) <= 1
    )
  }

  async untilSettled(): Promise<void> {
    await this.#until('every partition owned once', () => this.isSettled)
  }

  /** @param sent values of all records that were acknowledged */
  async untilSeen(sent: readonly string[]): Promise<void> {
    await this.#until('every record', () => sent.every((value) => this.#seen.has(value)))
  }

  /** Nobody had a problem, and no record came twice. */
  checkOnce(sent: readonly string[]): void {
    checkEqual(this.#problems, [], 'problems of members')
    const repeated = [...this.#seen].filter(([, lives]) => lives.length > 1)
    const text = repeated.slice(0, 10).map(([value, lives]) => `${value} by ${lives.join(', ')}`)
    check(repeated.length === 0, `${repeated.length} records came more than once: ${text.join('; ')}`)
    checkEqual(this.#seen.size, sent.length, 'records')
  }

  async #until(what: string, condition: () => boolean): Promise<void> {
    let watcher: () => void = () => {}
    const happened = new Promise<void>((resolve) => {
      watcher = () => {
        if (condition()) resolve()
      }
      this.#watchers.add(watcher)
      watcher()
    })
    try {
      await within(happened, what, DEADLINE_MS)
    } catch (error) {
      const seen = `${this.#seen.size} records seen, problems: ${this.#problems.join('; ') || 'none'}`
      throw new Error(`${String(error)}\n${this.ownership}\n${seen}`)
    } finally {
      this.#watchers.delete(watcher)
    }
  }
}

export function ownershipText(owned: Iterable<readonly [string, Iterable<number>]>): string {
  return [...owned]
    .map(([life, partitions]) => `${life}: ${[...partitions].sort((one, other) => one - other).join()}`)
    .sort()
    .join('\n')
}
