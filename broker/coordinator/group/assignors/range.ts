/**
 * The range assignor: of every topic each subscribed member gets one run of partitions, in the order of the members, so that
 * equal partition numbers of equally large topics meet at the same member. Static members come first, by instance id.
 */
import {
  type Assignor,
  type AssignorMember,
  type AssignorResult,
  give,
  subscribedTopics,
} from './assignor.ts'

export const rangeAssignor: Assignor = ({ members, partitionCountOf }) => {
  const result: AssignorResult = new Map()
  const ordered = [...members].sort(compareMembers)
  for (const topicId of subscribedTopics(members)) {
    const takers = ordered.filter((member) => member.topicIds.has(topicId))
    const count = partitionCountOf(topicId)
    const least = Math.floor(count / takers.length)
    const extra = count % takers.length
    let next = 0
    takers.forEach(({ memberId }, index) => {
      const end = next + least + (index < extra ? 1 : 0)
      for (; next < end; next += 1) give(result, memberId, topicId, next)
    })
  }
  return result
}

function compareMembers(left: AssignorMember, right: AssignorMember): number {
  if (left.instanceId !== null && right.instanceId !== null) return compare(left.instanceId, right.instanceId)
  if (left.instanceId !== null) return -1
  if (right.instanceId !== null) return 1
  return compare(left.memberId, right.memberId)
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
