/**
 * The simple assignor of share groups (KIP-932): every subscribed partition has equally many members, every member equally many
 * partitions, and who has a partition keeps it as far as that allows. With more members than partitions several members share one.
 */
import type { PartitionSets } from './share-group.ts'

export interface SimpleAssignorMember {
  readonly memberId: string
  /** Ids of topics that the member asks for. */
  readonly topicIds: ReadonlySet<string>
  readonly current: PartitionSets
}

/** @param assignable partitions of each topic that may be given out */
export function assignSimply(
  members: readonly SimpleAssignorMember[],
  assignable: PartitionSets,
): Map<string, Map<string, Set<number>>> {
  const result = new Map(members.map(({ memberId }) => [memberId, new Map<string, Set<number>>()]))
  const [first, ...others] = members
  if (first === undefined) return result
  if (others.every(({ topicIds }) => isSameSet(topicIds, first.topicIds))) {
    assignAmong(result, members, [...first.topicIds].sort(), assignable)
    return result
  }
  // With different subscriptions each topic is dealt out for itself.
  const topicIds = new Set(members.flatMap((member) => [...member.topicIds]))
  for (const topicId of [...topicIds].sort()) {
    const subscribers = members.filter((member) => member.topicIds.has(topicId))
    assignAmong(result, subscribers, [topicId], assignable)
  }
  return result
}

interface Slot {
  readonly topicId: string
  readonly partition: number
  count: number
}

function assignAmong(
  result: Map<string, Map<string, Set<number>>>,
  members: readonly SimpleAssignorMember[],
  topicIds: readonly string[],
  assignable: PartitionSets,
): void {
  const slots: Slot[] = topicIds.flatMap((topicId) =>
    [...(assignable.get(topicId) ?? [])]
      .sort((left, right) => left - right)
      .map((partition) => ({ topicId, partition, count: 0 })),
  )
  if (slots.length === 0) return
  const sharing = Math.ceil(members.length / slots.length)
  const perMember = (sharing * slots.length) / members.length
  const missing = members.map((member, index) => {
    const quota = Math.ceil(perMember * (index + 1)) - Math.ceil(perMember * index)
    const held = slots.filter(
      ({ topicId, partition }) => member.current.get(topicId)?.has(partition) === true,
    )
    // Who has too many gives away the first ones.
    let kept = 0
    for (const slot of held.slice(Math.max(0, held.length - quota))) {
      if (slot.count >= sharing) continue
      give(result, member.memberId, slot)
      kept += 1
    }
    return quota - kept
  })
  members.forEach(({ memberId }, index) => {
    for (let count = missing[index] ?? 0; count > 0; count -= 1) {
      let least: Slot | undefined
      for (const slot of slots) {
        if (result.get(memberId)?.get(slot.topicId)?.has(slot.partition) === true) continue
        if (least === undefined || slot.count < least.count) least = slot
      }
      if (least === undefined || least.count >= sharing) return
      give(result, memberId, least)
    }
  })
}

function give(result: Map<string, Map<string, Set<number>>>, memberId: string, slot: Slot): void {
  const topics = result.get(memberId)
  if (topics === undefined) return
  const partitions = topics.get(slot.topicId) ?? new Set()
  partitions.add(slot.partition)
  topics.set(slot.topicId, partitions)
  slot.count += 1
}

function isSameSet(left: ReadonlySet<string>, right: ReadonlySet<string>): boolean {
  return left.size === right.size && [...left].every((value) => right.has(value))
}
