/**
 * The target assignment of a consumer group: who should have what, for one group epoch. Written member by member, only what
 * differs, then the epoch.
 */
import type { CoordinatorRecord } from '../coordinator-record.ts'
import type { Assignor, AssignorMember } from './assignors/assignor.ts'
import { rangeAssignor } from './assignors/range.ts'
import { uniformAssignor } from './assignors/uniform.ts'
import {
  type Assignment,
  type ConsumerGroup,
  type ConsumerMember,
  EMPTY_ASSIGNMENT,
  isSameAssignment,
  sortedPartitions,
} from './consumer-group.ts'
import type { GroupCoordinatorConfig } from './group-config.ts'
import { targetAssignmentEpochRecord, targetAssignmentRecord } from './group-records.ts'
import type { GroupShardState } from './group-state.ts'

const ASSIGNORS: ReadonlyMap<string, Assignor> = new Map([
  ['uniform', uniformAssignor],
  ['range', rangeAssignor],
])

/** Names that members may ask for; the first is the default. Full class names of Kafka's own are understood. */
export function supportedAssignors(config: GroupCoordinatorConfig): string[] {
  const names = config
    .get('group.consumer.assignors')
    .map((name) => /(\w+?)Assignor$/.exec(name)?.[1]?.toLowerCase() ?? name)
    .filter((name) => ASSIGNORS.has(name))
  return names.length > 0 ? names : [...ASSIGNORS.keys()]
}

/** The assignor that most members ask for, the default when none does. */
export function preferredAssignor(
  group: { readonly members: ReadonlyMap<string, ConsumerMember> },
  config: GroupCoordinatorConfig,
): string {
  const votes = new Map<string, number>()
  for (const { serverAssignor } of group.members.values()) {
    if (serverAssignor !== null) votes.set(serverAssignor, (votes.get(serverAssignor) ?? 0) + 1)
  }
  const [winner] = [...votes].sort(([, left], [, right]) => right - left)
  return winner?.[0] ?? supportedAssignors(config)[0] ?? 'uniform'
}

export interface TargetAssignment {
  readonly records: CoordinatorRecord[]
  targetOf(memberId: string): Assignment
}

export interface TargetAssignmentInput {
  readonly group: ConsumerGroup
  readonly groupEpoch: number
  /** The members as they will be. */
  readonly members: ReadonlyMap<string, ConsumerMember>
  readonly topicsOf: (member: ConsumerMember) => ReadonlySet<string>
  /** The targets as they will be before this one: a replaced static member hands its own on. */
  readonly targetOf: (memberId: string) => Assignment
}

export function computeTargetAssignment(
  shard: GroupShardState,
  input: TargetAssignmentInput,
): TargetAssignment {
  const { group, groupEpoch, members, topicsOf, targetOf } = input
  const { topicsByName, topicsById } = shard.metadata()
  const assignorMembers = [...members.values()].map((member): AssignorMember => {
    const topicIds = new Set<string>()
    for (const name of topicsOf(member)) {
      const topic = topicsByName.get(name)
      if (topic !== undefined) topicIds.add(topic.id)
    }
    const { memberId, instanceId } = member
    return { memberId, instanceId, topicIds, current: targetOf(memberId) }
  })
  const assignor = ASSIGNORS.get(preferredAssignor({ members }, shard.config)) ?? uniformAssignor
  const result = assignor({
    members: assignorMembers,
    partitionCountOf: (topicId) => topicsById.get(topicId)?.partitions.length ?? 0,
  })
  const records: CoordinatorRecord[] = []
  for (const { memberId, current } of assignorMembers) {
    const target = result.get(memberId) ?? EMPTY_ASSIGNMENT
    if (isSameAssignment(target, current) && group.targets.has(memberId)) continue
    records.push(
      targetAssignmentRecord(group.groupId, memberId, { topicPartitions: sortedPartitions(target) }),
    )
  }
  records.push(targetAssignmentEpochRecord(group.groupId, groupEpoch, shard.clock.wallMs()))
  return { records, targetOf: (memberId) => result.get(memberId) ?? EMPTY_ASSIGNMENT }
}
