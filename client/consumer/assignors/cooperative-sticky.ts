/**
 * As even as the subscriptions allow, with as few changes as evenness allows; what changes hands is first given up by its
 * owner and assigned in the next round (KIP-429).
 *
 * Where racks make a difference (KIP-881), partitions then change places as long as that brings one of them near its member and none
 * away; how many each member has stays.
 *
 * Even means: no member could take a partition from another that has two more. Claims of an older generation than another
 * member's count for nothing; two claims of the same generation cancel each other.
 */
import {
  type Assignor,
  compareMembers,
  compareText,
  give,
  type MemberSubscription,
  type TopicPartitions,
} from './assignor.ts'
import { type IsNear, nearness } from './racks.ts'

interface Slot {
  readonly topic: string
  readonly partition: number
}

class Holder {
  readonly member: MemberSubscription
  readonly topics: ReadonlySet<string>
  readonly slots: Slot[] = []

  constructor(member: MemberSubscription) {
    this.member = member
    this.topics = new Set(member.topics)
  }

  get count(): number {
    return this.slots.length
  }
}

export const cooperativeStickyAssignor: Assignor = {
  name: 'cooperative-sticky',
  isCooperative: true,
  userData(generationId: number): Buffer {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(generationId)
    return bytes
  },
  assign(members, partitionCounts, racksOf): Map<string, TopicPartitions> {
    const holders = [...members].sort(compareMembers).map((member) => new Holder(member))
    const owners = currentOwners(holders, partitionCounts)
    const open = keepOwned(holders, owners, partitionCounts)
    for (const slot of open) leastLoaded(holders, slot.topic)?.slots.push(slot)
    level(holders)
    const isNear = nearness(members, partitionCounts, racksOf)
    if (isNear !== undefined) bringNear(holders, isNear)
    const assignments = new Map<string, TopicPartitions>()
    for (const { member, slots } of holders) {
      const assigned: TopicPartitions = new Map()
      slots.sort((one, other) => compareText(one.topic, other.topic) || one.partition - other.partition)
      for (const { topic, partition } of slots) {
        // Whoever claims it has to give it up first, however weak the claim.
        const isClaimedByOther = holders.some(
          (holder) =>
            holder.member !== member && holder.member.owned.get(topic)?.includes(partition) === true,
        )
        if (!isClaimedByOther) give(assigned, topic, partition)
      }
      assignments.set(member.memberId, assigned)
    }
    return assignments
  },
}

function key({ topic, partition }: Slot): string {
  return `${topic}-${partition}`
}

function generationOf({ generationId, userData }: MemberSubscription): number {
  if (generationId >= 0) return generationId
  return userData !== null && userData.length === 4 ? userData.readInt32BE(0) : -1
}

/** Valid claims: topic and partition exist, the member still subscribes, and nobody's claim is newer or as new. */
function currentOwners(
  holders: readonly Holder[],
  partitionCounts: ReadonlyMap<string, number>,
): Map<string, Holder> {
  const owners = new Map<string, { holder: Holder; generation: number; isDisputed: boolean }>()
  for (const holder of holders) {
    const generation = generationOf(holder.member)
    for (const [topic, partitions] of holder.member.owned) {
      if (!holder.topics.has(topic)) continue
      for (const partition of partitions) {
        if (partition >= (partitionCounts.get(topic) ?? 0)) continue
        const slotKey = key({ topic, partition })
        const known = owners.get(slotKey)
        if (known === undefined || known.generation < generation) {
          owners.set(slotKey, { holder, generation, isDisputed: false })
        } else if (known.generation === generation) known.isDisputed = true
      }
    }
  }
  const result = new Map<string, Holder>()
  for (const [slotKey, { holder, isDisputed }] of owners) if (!isDisputed) result.set(slotKey, holder)
  return result
}

/** @returns what nobody keeps: without owner, or above the share of the owner */
function keepOwned(
  holders: readonly Holder[],
  owners: ReadonlyMap<string, Holder>,
  partitionCounts: ReadonlyMap<string, number>,
): Slot[] {
  const open: Slot[] = []
  for (const topic of [...partitionCounts.keys()].sort(compareText)) {
    if (!holders.some(({ topics }) => topics.has(topic))) continue
    for (let partition = 0; partition < (partitionCounts.get(topic) ?? 0); partition++) {
      const slot = { topic, partition }
      const owner = owners.get(key(slot))
      if (owner === undefined) open.push(slot)
      else owner.slots.push(slot)
    }
  }
  return open
}

function leastLoaded(holders: readonly Holder[], topic: string): Holder | undefined {
  let best: Holder | undefined
  for (const holder of holders) {
    if (holder.topics.has(topic) && (best === undefined || holder.count < best.count)) best = holder
  }
  return best
}

/** Moves single partitions from those with more to those with at least two fewer, until there is nothing to move. */
function level(holders: readonly Holder[]): void {
  for (let hasMoved = true; hasMoved; ) {
    hasMoved = false
    for (const holder of [...holders].sort((one, other) => other.count - one.count)) {
      for (let index = holder.slots.length - 1; index >= 0; index--) {
        const slot = holder.slots[index] as Slot
        const taker = leastLoaded(holders, slot.topic)
        if (taker === undefined || taker.count + 1 >= holder.count) continue
        holder.slots.splice(index, 1)
        taker.slots.push(slot)
        hasMoved = true
      }
    }
  }
}

/** Every change makes one more partition near its member, so this ends; done again it changes nothing. */
function bringNear(holders: readonly Holder[], isNear: IsNear): void {
  for (let hasChanged = true; hasChanged; ) {
    hasChanged = false
    for (const holder of holders) {
      for (let index = holder.slots.length - 1; index >= 0; index--) {
        if (exchange(holders, holder, index, isNear)) hasChanged = true
      }
    }
  }
}

/** Gives a partition that is far from its member to one that is near, who gives another one back unless it has fewer. */
function exchange(holders: readonly Holder[], holder: Holder, index: number, isNear: IsNear): boolean {
  const near = ({ member }: Holder, { topic, partition }: Slot): boolean => isNear(member, topic, partition)
  const slot = holder.slots[index] as Slot
  if (near(holder, slot)) return false
  for (const other of holders) {
    if (other === holder || !other.topics.has(slot.topic) || !near(other, slot)) continue
    if (other.count < holder.count) {
      holder.slots.splice(index, 1)
      other.slots.push(slot)
      return true
    }
    const backIndex = other.slots.findIndex(
      (back) => holder.topics.has(back.topic) && (near(holder, back) || !near(other, back)),
    )
    if (backIndex < 0) continue
    holder.slots[index] = other.slots[backIndex] as Slot
    other.slots[backIndex] = slot
    return true
  }
  return false
}
