/** Topic by topic, each member gets a run of neighbouring partitions; the first members get one more. */
import {
  type Assignor,
  compareMembers,
  compareText,
  emptyAssignments,
  type MemberSubscription,
  type TopicPartitions,
} from './assignor.ts'

export const rangeAssignor: Assignor = {
  name: 'range',
  isCooperative: false,
  userData: () => null,
  assign(members, partitionCounts): Map<string, TopicPartitions> {
    const assignments = emptyAssignments(members)
    const sorted = [...members].sort(compareMembers)
    for (const topic of [...partitionCounts.keys()].sort(compareText)) {
      const count = partitionCounts.get(topic) ?? 0
      const subscribers = sorted.filter(({ topics }: MemberSubscription) => topics.includes(topic))
      let next = 0
      for (const [index, { memberId }] of subscribers.entries()) {
        const isAmongFirst = index < count % subscribers.length
        const share = Math.floor(count / subscribers.length) + (isAmongFirst ? 1 : 0)
        if (share === 0) continue
        const first = next
        next += share
        assignments.get(memberId)?.set(
          topic,
          Array.from({ length: share }, (_, offset) => first + offset),
        )
      }
    }
    return assignments
  },
}
