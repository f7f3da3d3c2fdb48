/** All partitions of all topics in order, dealt to the members in turn; members that do not subscribe are passed over. */
import {
  type Assignor,
  compareMembers,
  compareText,
  emptyAssignments,
  give,
  type TopicPartitions,
} from './assignor.ts'

export const roundRobinAssignor: Assignor = {
  name: 'roundrobin',
  isCooperative: false,
  userData: () => null,
  assign(members, partitionCounts): Map<string, TopicPartitions> {
    const assignments = emptyAssignments(members)
    const sorted = [...members].sort(compareMembers)
    let turn = 0
    for (const topic of [...partitionCounts.keys()].sort(compareText)) {
      if (!sorted.some(({ topics }) => topics.includes(topic))) continue
      for (let partition = 0; partition < (partitionCounts.get(topic) ?? 0); partition++) {
        while (sorted[turn % sorted.length]?.topics.includes(topic) !== true) turn++
        const member = sorted[turn++ % sorted.length]
        give(member && assignments.get(member.memberId), topic, partition)
      }
    }
    return assignments
  },
}
