/**
 * Topic by topic, each member gets a run of neighbouring partitions; the first members get one more. Where racks make a difference
 * (KIP-881) members first take partitions near them, as many as are theirs, and then what is left. Topics of the same members and
 * size are shared alike, so that partitions of one number come together.
 */
import {
  type Assignor,
  compareMembers,
  compareText,
  emptyAssignments,
  give,
  type MemberSubscription,
  type TopicPartitions,
} from './assignor.ts'
import { type IsNear, nearness } from './racks.ts'

export const rangeAssignor: Assignor = {
  name: 'range',
  isCooperative: false,
  userData: () => null,
  assign(members, partitionCounts, racksOf): Map<string, TopicPartitions> {
    const assignments = emptyAssignments(members)
    const sorted = [...members].sort(compareMembers)
    const shares = [...partitionCounts]
      .sort(([one], [other]) => compareText(one, other))
      .map(([topic, count]) => new Share(topic, count, sorted))
      .filter(({ subscribers }) => subscribers.length > 0)
    const isNear = nearness(members, partitionCounts, racksOf)
    if (isNear !== undefined) takeNear(shares, isNear)
    for (const share of shares) share.takeWhere(() => true)
    for (const { topic, given } of shares) {
      for (const { memberId } of sorted) {
        const own = assignments.get(memberId)
        for (const partition of given.get(memberId)?.sort((one, other) => one - other) ?? []) {
          give(own, topic, partition)
        }
      }
    }
    return assignments
  },
}

/** The partitions of one topic, and how many of them each member may still take. */
class Share {
  readonly topic: string
  readonly subscribers: readonly MemberSubscription[]
  readonly given = new Map<string, number[]>()
  readonly #left: Set<number>
  readonly #each: number
  /** Members that may have one more than each. */
  #extras: number

  constructor(topic: string, count: number, sorted: readonly MemberSubscription[]) {
    this.topic = topic
    this.subscribers = sorted.filter(({ topics }) => topics.includes(topic))
    this.#left = new Set(Array.from({ length: count }, (_, partition) => partition))
    this.#each = Math.floor(count / this.subscribers.length)
    this.#extras = count % this.subscribers.length
  }

  /** Topics of one text are shared alike. */
  get kind(): string {
    return JSON.stringify([this.#left.size, this.subscribers.map(({ memberId }) => memberId)])
  }

  get left(): readonly number[] {
    return [...this.#left]
  }

  mayTake({ memberId }: MemberSubscription): number {
    const has = this.given.get(memberId)?.length ?? 0
    if (has > this.#each) return 0
    return this.#each - has + (this.#extras > 0 ? 1 : 0)
  }

  take({ memberId }: MemberSubscription, partition: number): void {
    const own = this.given.get(memberId) ?? []
    own.push(partition)
    this.given.set(memberId, own)
    this.#left.delete(partition)
    if (own.length === this.#each + 1) this.#extras--
  }

  /** Every member takes the first that it may. */
  takeWhere(isWanted: (member: MemberSubscription, partition: number) => boolean): void {
    for (const member of this.subscribers) {
      const room = this.mayTake(member)
      const wanted = this.left.filter((partition) => isWanted(member, partition)).slice(0, room)
      for (const partition of wanted) this.take(member, partition)
    }
  }
}

function takeNear(shares: readonly Share[], isNear: IsNear): void {
  const byKind = new Map<string, Share[]>()
  for (const share of shares) byKind.set(share.kind, [...(byKind.get(share.kind) ?? []), share])
  for (const alike of byKind.values()) {
    const [first] = alike
    if (first === undefined) continue
    if (alike.length === 1) {
      first.takeWhere((member, partition) => isNear(member, first.topic, partition))
      continue
    }
    for (const partition of first.left) {
      const taker = first.subscribers.find((member) =>
        alike.every((share) => share.mayTake(member) > 0 && isNear(member, share.topic, partition)),
      )
      if (taker !== undefined) for (const share of alike) share.take(taker, partition)
    }
  }
}
