/**
 * A consumer group becomes a classic one when its last member of the consumer protocol goes, or comes back as a static member of the
 * classic protocol, and classic members stay
 * (`group.consumer.migration.policy` downgrade or bidirectional).
 */
import { codecOf, writeBuffer } from '../../../common/protocol/codec.ts'
import { ConsumerProtocolAssignment } from '../../../common/protocol/records/consumer-protocol-assignment.ts'
import { EMPTY_BYTES } from '../../../common/protocol/schema.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import type { CoordinatorRecord } from '../coordinator-record.ts'
import { ClassicGroup, CONSUMER_PROTOCOL_TYPE, subscriptionOf } from './classic-group.ts'
import { prepareRebalance, scheduleHeartbeat } from './classic-rebalance.ts'
import {
  type Assignment,
  type ConsumerGroup,
  type ConsumerMember,
  sortedPartitions,
} from './consumer-group.ts'
import { consumerGroupTombstones } from './consumer-group-records.ts'
import { migrationPolicy } from './group-config.ts'
import { groupMetadataRecord } from './group-records.ts'
import { type GroupShardState, NO_RECORDS } from './group-state.ts'

/**
 * @param replacement the classic member that takes over from the one that leaves, with what was meant for that; the group rebalances
 *   only when it asks for something else, or the assignment is not up to date
 * @returns the records of the conversion, undefined when the group stays what it is
 */
export function maybeDowngrade(
  shard: GroupShardState,
  group: ConsumerGroup,
  leavingIds: readonly string[],
  replacement?: { readonly successor: ConsumerMember; readonly mustRebalance: boolean },
): CoordinatorRecord[] | undefined {
  const policy = migrationPolicy(shard.config)
  if (policy !== 'downgrade' && policy !== 'bidirectional') return undefined
  const remaining = [...group.members.values()].filter(({ memberId }) => !leavingIds.includes(memberId))
  const successor = replacement?.successor
  if (successor !== undefined) remaining.push(successor)
  const targetOf = (member: ConsumerMember) =>
    group.targetOf(member === successor ? (leavingIds[0] ?? '') : member.memberId)
  if (remaining.length === 0 || remaining.some(({ classic }) => classic === null)) return undefined
  if (remaining.length > shard.config.get('group.max.size')) return undefined
  const protocol = commonProtocol(remaining)
  if (protocol === undefined) return undefined
  const image = shard.metadata()
  const members = remaining.map((member) => {
    const metadata =
      member.classic?.supportedProtocols.find(({ name }) => name === protocol)?.metadata ?? EMPTY_BYTES
    return {
      memberId: member.memberId,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeout: member.rebalanceTimeoutMs,
      sessionTimeout: member.classic?.sessionTimeoutMs ?? 0,
      subscription: metadata,
      assignment: encodeAssignment(image, targetOf(member), metadata),
    }
  })
  scheduleStart(shard, group.groupId, replacement?.mustRebalance ?? true)
  return [
    ...consumerGroupTombstones(group),
    groupMetadataRecord(group.groupId, {
      protocolType: CONSUMER_PROTOCOL_TYPE,
      generation: group.groupEpoch,
      protocol,
      leader: members[0]?.memberId ?? null,
      currentStateTimestamp: shard.clock.wallMs(),
      members,
    }),
  ]
}

/** The partitions of who left for good are free: the classic group rebalances as soon as it is there. */
function scheduleStart(shard: GroupShardState, groupId: string, mustRebalance: boolean): void {
  shard.timers.schedule(`downgrade ${groupId}`, `start of downgraded group ${groupId}`, 0, () => {
    const group = shard.groups.get(groupId)
    if (!(group instanceof ClassicGroup) || group.state !== 'Stable')
      return { records: NO_RECORDS, response: undefined }
    for (const { memberId, sessionTimeoutMs } of group.members.values()) {
      scheduleHeartbeat(shard, groupId, memberId, sessionTimeoutMs)
    }
    return { records: mustRebalance ? prepareRebalance(shard, group) : NO_RECORDS, response: undefined }
  })
}

function commonProtocol(members: readonly ConsumerMember[]): string | undefined {
  const [first, ...others] = members
  return first?.classic?.supportedProtocols.find(({ name }) =>
    others.every(({ classic }) => classic?.supportedProtocols.some((protocol) => protocol.name === name)),
  )?.name
}

/** An assignment in the form that members of the classic protocol read, in the version they speak. */
export function encodeAssignment(image: MetadataImage, assignment: Assignment, metadata: Buffer): Buffer {
  const version = subscriptionOf(metadata) === undefined ? 0 : Math.min(metadata.readInt16BE(0), 3)
  const assignedPartitions = sortedPartitions(assignment).flatMap(({ topicId, partitions }) => {
    const topic = image.topicsById.get(topicId)?.name
    return topic === undefined ? [] : [{ topic, partitions }]
  })
  return writeBuffer(
    (writer) => writer.int16(version, 'assignment version'),
    (writer) =>
      codecOf(ConsumerProtocolAssignment, version).encode(writer, { assignedPartitions, userData: null }),
  )
}
