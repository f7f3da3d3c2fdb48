/**
 * A classic group of consumers becomes a consumer group when the first member of the new protocol joins
 * (`group.consumer.migration.policy` upgrade or bidirectional). The others stay in it as classic members.
 */
import { decodeMessage } from '../../../common/protocol/codec.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import { MalformedFrame } from '../../../common/protocol/malformed-frame.ts'
import { ConsumerProtocolAssignment } from '../../../common/protocol/records/consumer-protocol-assignment.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import type { CoordinatorRecord } from '../coordinator-record.ts'
import {
  type ClassicGroup,
  type ClassicMember,
  completeJoin,
  completeSync,
  joinError,
  subscriptionOf,
  syncError,
} from './classic-group.ts'
import { cancelHeartbeat } from './classic-rebalance.ts'
import { scheduleSession } from './consumer-fencing.ts'
import {
  type Assignment,
  ConsumerGroup,
  type ConsumerMember,
  MemberState,
  newConsumerMember,
  sortedPartitions,
} from './consumer-group.ts'
import { currentRecord, memberRecord } from './consumer-group-records.ts'
import { migrationPolicy } from './group-config.ts'
import {
  groupEpochRecord,
  groupMetadataTombstone,
  targetAssignmentEpochRecord,
  targetAssignmentRecord,
} from './group-records.ts'
import type { GroupShardState } from './group-state.ts'
import { metadataHash, subscribedTopics } from './subscription.ts'

export interface UpgradedGroup {
  /** The group as it will be once the records are replayed. */
  readonly group: ConsumerGroup
  readonly records: CoordinatorRecord[]
}

/** @returns undefined when the group must stay what it is */
export function upgradeToConsumerGroup(
  shard: GroupShardState,
  classic: ClassicGroup,
): UpgradedGroup | undefined {
  const policy = migrationPolicy(shard.config)
  if (policy !== 'upgrade' && policy !== 'bidirectional') return undefined
  if (!classic.usesConsumerProtocol) return undefined
  if (classic.members.size > shard.config.get('group.consumer.max.size')) return undefined
  const image = shard.metadata()
  const members: ConsumerMember[] = []
  for (const member of classic.members.values()) {
    const converted = convertMember(image, classic, member)
    if (converted === undefined) return undefined
    members.push(converted)
  }
  for (const member of classic.members.values()) {
    completeJoin(member, joinError(ErrorCode.REBALANCE_IN_PROGRESS, member.memberId))
    completeSync(member, syncError(ErrorCode.REBALANCE_IN_PROGRESS))
    cancelHeartbeat(shard, classic.groupId, member.memberId)
  }
  const { groupId, generationId } = classic
  const group = new ConsumerGroup(groupId)
  group.groupEpoch = generationId
  group.assignmentEpoch = generationId
  group.metadataHash = metadataHash(
    image,
    subscribedTopics(members, () => undefined),
  )
  const targets = members.map(({ memberId, assigned }) => {
    const topicPartitions = sortedPartitions(assigned)
    group.targets.set(
      memberId,
      new Map(topicPartitions.map(({ topicId, partitions }) => [topicId, new Set(partitions)])),
    )
    return targetAssignmentRecord(groupId, memberId, { topicPartitions })
  })
  for (const member of members) {
    group.adopt(member)
    scheduleSession(shard, groupId, member)
  }
  return {
    group,
    records: [
      groupMetadataTombstone(groupId),
      ...members.map((member) => memberRecord(groupId, member)),
      groupEpochRecord(groupId, generationId, group.metadataHash),
      ...targets,
      targetAssignmentEpochRecord(groupId, generationId, 0),
      ...members.map((member) => currentRecord(groupId, member)),
    ],
  }
}

function convertMember(
  image: MetadataImage,
  group: ClassicGroup,
  member: ClassicMember,
): ConsumerMember | undefined {
  const [first] = member.protocols
  const subscription = first === undefined ? undefined : subscriptionOf(first.metadata)
  if (subscription === undefined) return undefined
  const assignment = decodeAssignment(image, member.assignment)
  if (assignment === undefined) return undefined
  return {
    ...newConsumerMember(member.memberId),
    memberEpoch: group.generationId,
    previousMemberEpoch: group.generationId,
    state: MemberState.STABLE,
    instanceId: member.groupInstanceId,
    rackId: subscription.rackId,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: [...new Set(subscription.topics)].sort(),
    classic: { sessionTimeoutMs: member.sessionTimeoutMs, supportedProtocols: member.protocols },
    assigned: new Map(
      [...assignment].map(([topicId, partitions]) => [
        topicId,
        new Map([...partitions].map((partition) => [partition, group.generationId])),
      ]),
    ),
  }
}

/**
 * What the leader gave the member; nothing when it is not in the consumer's format. Topics that are gone are left out.
 * @returns undefined when an assignor put data of its own beside it, which would be lost
 */
function decodeAssignment(image: MetadataImage, assignment: Buffer): Assignment | undefined {
  const topics = new Map<string, Set<number>>()
  if (assignment.length < 2) return topics
  const version = assignment.readInt16BE(0)
  if (version < 0) return topics
  try {
    const decoded = decodeMessage(ConsumerProtocolAssignment, Math.min(version, 3), assignment.subarray(2))
    if (decoded.userData !== null && decoded.userData.length > 0) return undefined
    for (const { topic, partitions } of decoded.assignedPartitions) {
      const topicId = image.topicsByName.get(topic)?.id
      if (topicId !== undefined) topics.set(topicId, new Set(partitions))
    }
    return topics
  } catch (error) {
    if (error instanceof MalformedFrame) return new Map()
    throw error
  }
}
