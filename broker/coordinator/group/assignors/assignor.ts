/**
 * What a server-side assignor is given and gives back.
 */
import type { Assignment } from '../consumer-group.ts'

export interface AssignorMember {
  readonly memberId: string
  readonly instanceId: string | null
  /** Ids of existing topics that the member asks for. */
  readonly topicIds: ReadonlySet<string>
  /** Its target so far. */
  readonly current: Assignment
}

export interface AssignorInput {
  readonly members: readonly AssignorMember[]
  readonly partitionCountOf: (topicId: string) => number
}

/** member id -> topic id -> partitions; members without partitions may be missing. */
export type AssignorResult = Map<string, Map<string, Set<number>>>

/** A pure function: the same input gives the same result. */
export type Assignor = (input: AssignorInput) => AssignorResult

export function give(result: AssignorResult, memberId: string, topicId: string, partition: number): void {
  let topics = result.get(memberId)
  if (topics === undefined) {
    topics = new Map()
    result.set(memberId, topics)
  }
  let partitions = topics.get(topicId)
  if (partitions === undefined) {
    partitions = new Set()
    topics.set(topicId, partitions)
  }
  partitions.add(partition)
}

/** Topics that anybody asks for, in order of their ids. */
export function subscribedTopics(members: readonly AssignorMember[]): string[] {
  const topics = new Set<string>()
  for (const member of members) for (const topicId of member.topicIds) topics.add(topicId)
  return [...topics].sort()
}
