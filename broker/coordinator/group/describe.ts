/**
 * How groups look from outside: DescribeGroups, ConsumerGroupDescribe, ListGroups.
 */

import type { DescribeGroups } from '../../../common/protocol/apis/15-describe-groups.ts'
import type { ListGroups } from '../../../common/protocol/apis/16-list-groups.ts'
import type { ConsumerGroupDescribe } from '../../../common/protocol/apis/69-consumer-group-describe.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import { EMPTY_BYTES, type ResponseInputOf } from '../../../common/protocol/schema.ts'
import { ShareGroup } from '../share/share-group.ts'
import { ClassicGroup } from './classic-group.ts'
import { type ConsumerGroup, type ConsumerMember, sortedPartitions } from './consumer-group.ts'
import type { Group, GroupShardState } from './group-state.ts'

export type DescribedGroup = ResponseInputOf<typeof DescribeGroups>['groups'][number]
export type ListedGroup = ResponseInputOf<typeof ListGroups>['groups'][number]
export type DescribedConsumerGroup = ResponseInputOf<typeof ConsumerGroupDescribe>['groups'][number]

export function failDescribe(
  groupId: string,
  errorCode: ErrorCode,
  options: { readonly groupState?: string; readonly errorMessage?: string | null } = {},
): DescribedGroup {
  return {
    errorCode,
    errorMessage: options.errorMessage ?? null,
    groupId,
    groupState: options.groupState ?? '',
    protocolType: '',
    protocolData: '',
    members: [],
  }
}

/** Groups of other kinds and unknown ones are Dead; from version 6 on that is also an error (KIP-1043). */
export function describeClassicGroup(
  shard: GroupShardState,
  groupId: string,
  apiVersion: number,
): DescribedGroup {
  const group = shard.groups.get(groupId)
  if (!(group instanceof ClassicGroup)) {
    if (apiVersion < 6) return failDescribe(groupId, ErrorCode.NONE, { groupState: 'Dead' })
    const errorMessage =
      group === undefined ? `Group ${groupId} not found.` : `Group ${groupId} is not a classic group.`
    return failDescribe(groupId, ErrorCode.GROUP_ID_NOT_FOUND, { groupState: 'Dead', errorMessage })
  }
  // During a rebalance there is no protocol, and so no metadata, that all agree on.
  const isStable = group.state === 'Stable'
  return {
    errorCode: ErrorCode.NONE,
    groupId,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: isStable ? (group.protocolName ?? '') : '',
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: isStable ? group.metadataOf(member) : EMPTY_BYTES,
      memberAssignment: member.assignment,
    })),
  }
}

export interface ListFilter {
  /** Empty: all. Compared without regard to case. */
  readonly states: readonly string[]
  readonly types: readonly string[]
}

export function listGroups(shard: GroupShardState, filter: ListFilter): ListedGroup[] {
  const states = new Set(filter.states.map((state) => state.toLowerCase()))
  const types = new Set(filter.types.map((type) => type.toLowerCase()))
  return [...shard.groups.values()]
    .filter(
      (group) =>
        (states.size === 0 || states.has(group.state.toLowerCase())) &&
        (types.size === 0 || types.has(group.type)),
    )
    .map((group) => ({
      groupId: group.groupId,
      protocolType: protocolTypeOf(group),
      groupState: group.state,
      groupType: group.type,
    }))
}

function protocolTypeOf(group: Group): string {
  if (group instanceof ShareGroup) return 'share'
  return group instanceof ClassicGroup ? (group.protocolType ?? '') : 'consumer'
}

export function failConsumerDescribe(
  groupId: string,
  errorCode: ErrorCode,
  errorMessage: string | null = null,
): DescribedConsumerGroup {
  return {
    errorCode,
    errorMessage,
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
  }
}

export function describeConsumerGroup(
  shard: GroupShardState,
  groupId: string,
  preferredAssignor: (group: ConsumerGroup) => string,
): DescribedConsumerGroup {
  const group = shard.groups.get(groupId)
  if (group === undefined) {
    return failConsumerDescribe(groupId, ErrorCode.GROUP_ID_NOT_FOUND, `Group ${groupId} not found.`)
  }
  if (group instanceof ClassicGroup || group instanceof ShareGroup) {
    const message = `Group ${groupId} is not a consumer group.`
    return failConsumerDescribe(groupId, ErrorCode.GROUP_ID_NOT_FOUND, message)
  }
  return {
    errorCode: ErrorCode.NONE,
    groupId,
    groupState: group.state,
    groupEpoch: group.groupEpoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: preferredAssignor(group),
    members: [...group.members.values()].map((member) => describeMember(shard, group, member)),
  }
}

function describeMember(shard: GroupShardState, group: ConsumerGroup, member: ConsumerMember) {
  return {
    memberId: member.memberId,
    instanceId: member.instanceId,
    rackId: member.rackId,
    memberEpoch: member.memberEpoch,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: member.subscribedTopicNames,
    subscribedTopicRegex: member.subscribedTopicRegex,
    assignment: describeAssignment(shard, heldPartitions(member)),
    targetAssignment: describeAssignment(shard, group.targetOf(member.memberId)),
    memberType: member.classic === null ? 1 : 0,
  }
}

/** What the member may still be reading: its partitions and those it has not given back yet. */
function heldPartitions(member: ConsumerMember): Map<string, Set<number>> {
  const held = new Map<string, Set<number>>()
  for (const owned of [member.assigned, member.pendingRevocation]) {
    for (const [topicId, partitions] of owned) {
      const all = held.get(topicId) ?? new Set()
      for (const partition of partitions.keys()) all.add(partition)
      held.set(topicId, all)
    }
  }
  return held
}

function describeAssignment(shard: GroupShardState, assignment: ReadonlyMap<string, ReadonlySet<number>>) {
  const { topicsById } = shard.metadata()
  return {
    // Topics that were deleted have no name to show.
    topicPartitions: sortedPartitions(assignment).flatMap(({ topicId, partitions }) => {
      const topicName = topicsById.get(topicId)?.name
      return topicName === undefined ? [] : [{ topicId, topicName, partitions }]
    }),
  }
}
