/**
 * A member leaves a consumer group by its own word, for good or (static members) for a moment.
 */
import { ErrorCode } from '../../../common/protocol/errors.ts'
import type { Outcome } from '../../statemachine/state-machine.ts'
import type { CoordinatorRecord } from '../coordinator-record.ts'
import { fenceMembers } from './consumer-fencing.ts'
import { ConsumerGroup, type ConsumerMember, EMPTY_OWNED, STATIC_LEAVE_EPOCH } from './consumer-group.ts'
import { currentRecord } from './consumer-group-records.ts'
import {
  type ConsumerHeartbeatAnswer,
  type ConsumerHeartbeatRequest,
  checkStaticMember,
  refuseHeartbeat,
} from './consumer-member-checks.ts'
import type { GroupShardState } from './group-state.ts'

export function leaveConsumerGroup(
  shard: GroupShardState,
  request: ConsumerHeartbeatRequest,
): Outcome<ConsumerHeartbeatAnswer, CoordinatorRecord> {
  const { groupId, memberId, memberEpoch, instanceId } = request
  const group = shard.groups.get(groupId)
  if (!(group instanceof ConsumerGroup)) {
    const message =
      group === undefined ? `Group ${groupId} not found.` : `Group ${groupId} is not a consumer group.`
    return refuseHeartbeat(ErrorCode.GROUP_ID_NOT_FOUND, message)
  }
  const answer: ConsumerHeartbeatAnswer = {
    errorCode: ErrorCode.NONE,
    memberId,
    memberEpoch,
    heartbeatIntervalMs: 0,
  }
  if (instanceId === null) {
    return group.members.has(memberId)
      ? { records: fenceMembers(shard, group, [memberId]), response: answer }
      : refuseHeartbeat(
          ErrorCode.UNKNOWN_MEMBER_ID,
          `Member ${memberId} is not a member of group ${groupId}.`,
        )
  }
  const member = group.staticMember(instanceId)
  const refusal = checkStaticMember(member, instanceId, memberId)
  if (member === undefined || refusal !== undefined) {
    return refuseHeartbeat(refusal?.error ?? ErrorCode.UNKNOWN_MEMBER_ID, refusal?.message ?? '')
  }
  if (memberEpoch === STATIC_LEAVE_EPOCH) {
    // Its session runs on: who does not come back in time loses its partitions.
    const away: ConsumerMember = {
      ...member,
      memberEpoch: STATIC_LEAVE_EPOCH,
      // Whoever comes back counts as having had them always, so that commits in any older epoch are taken (KIP-1251).
      assigned: new Map(
        [...member.assigned].map(([topicId, partitions]) => [
          topicId,
          new Map([...partitions.keys()].map((partition) => [partition, 0])),
        ]),
      ),
      pendingRevocation: EMPTY_OWNED,
    }
    return { records: [currentRecord(groupId, away)], response: answer }
  }
  return { records: fenceMembers(shard, group, [memberId]), response: answer }
}
