/**
 * Whether a member of a consumer group may speak, and how it is refused.
 */
import type { ConsumerGroupHeartbeat } from '../../../common/protocol/apis/68-consumer-group-heartbeat.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import type { ResponseInputOf } from '../../../common/protocol/schema.ts'
import type { Outcome, Refusal } from '../../statemachine/state-machine.ts'
import type { CoordinatorRecord } from '../coordinator-record.ts'
import type { ConsumerMember, OwnedAssignment } from './consumer-group.ts'
import { type MemberClient, NO_RECORDS } from './group-state.ts'
import type { OwnedPartitions } from './reconcile.ts'

export type ConsumerHeartbeatAnswer = ResponseInputOf<typeof ConsumerGroupHeartbeat>

/** Fields that are null (or -1) have not changed since the member's last word. */
export interface ConsumerHeartbeatRequest extends MemberClient {
  readonly groupId: string
  readonly memberId: string
  readonly memberEpoch: number
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly rebalanceTimeoutMs: number
  readonly subscribedTopicNames: readonly string[] | null
  readonly subscribedTopicRegex: string | null
  readonly serverAssignor: string | null
  readonly topicPartitions: OwnedPartitions
}

export function heartbeatError(error: Exclude<ErrorCode, 0>, message: string): ConsumerHeartbeatAnswer {
  return { errorCode: error, errorMessage: message, memberEpoch: 0, heartbeatIntervalMs: 0 }
}

export function refuseHeartbeat(
  error: Exclude<ErrorCode, 0>,
  message: string,
): Outcome<ConsumerHeartbeatAnswer, CoordinatorRecord> {
  return { records: NO_RECORDS, response: heartbeatError(error, message) }
}

/** A static member is known by its instance id; another member id under it is fenced (KIP-345). */
export function checkStaticMember(
  member: ConsumerMember | undefined,
  instanceId: string,
  memberId: string,
): Refusal | undefined {
  if (member === undefined) {
    return { error: ErrorCode.UNKNOWN_MEMBER_ID, message: `Instance id ${instanceId} is unknown.` }
  }
  if (member.memberId !== memberId) {
    return {
      error: ErrorCode.FENCED_INSTANCE_ID,
      message: `Static member ${memberId} with instance id ${instanceId} was fenced by member ${member.memberId}.`,
    }
  }
  return undefined
}

/**
 * A member must know its epoch. The previous one is accepted from who does not read more than it has: the answer with the new
 * epoch may have got lost.
 */
export function checkMemberEpoch(
  member: ConsumerMember,
  memberEpoch: number,
  owned: OwnedPartitions,
): Refusal | undefined {
  if (memberEpoch > member.memberEpoch) {
    return {
      error: ErrorCode.FENCED_MEMBER_EPOCH,
      message: `Member epoch ${memberEpoch} is greater than ${member.memberEpoch}, the one known here: give up all partitions and rejoin.`,
    }
  }
  const isPrevious = memberEpoch === member.previousMemberEpoch && isSubset(owned, member.assigned)
  if (memberEpoch < member.memberEpoch && !isPrevious) {
    return {
      error: ErrorCode.FENCED_MEMBER_EPOCH,
      message: `Member epoch ${memberEpoch} is smaller than ${member.memberEpoch}, the one known here: give up all partitions and rejoin.`,
    }
  }
  return undefined
}

function isSubset(owned: OwnedPartitions, assigned: OwnedAssignment): boolean {
  if (owned === null) return false
  return owned.every(({ topicId, partitions }) => {
    const held = assigned.get(topicId)
    return partitions.every((partition) => held?.has(partition) === true)
  })
}
