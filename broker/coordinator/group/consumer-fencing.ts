/**
 * Taking members out of a consumer group, and the timers that do it: sessions, and the time to give partitions back.
 */
import type { CoordinatorRecord } from '../coordinator-record.ts'
import { ConsumerGroup, type ConsumerMember, MemberState } from './consumer-group.ts'
import { memberTombstones } from './consumer-group-records.ts'
import { maybeDowngrade } from './downgrade.ts'
import { consumerSessionTimeoutMs } from './group-config.ts'
import { groupEpochRecord, targetAssignmentEpochRecord } from './group-records.ts'
import { type GroupShardState, NO_RECORDS } from './group-state.ts'
import { metadataHash, subscribedTopics, unusedRegexTombstones } from './subscription.ts'

const sessionKey = (groupId: string, memberId: string) => `session ${groupId} ${memberId}`
const revocationKey = (groupId: string, memberId: string) => `revocation ${groupId} ${memberId}`

/** What a loaded member needs. */
export function scheduleMemberTimers(
  shard: GroupShardState,
  group: ConsumerGroup,
  member: ConsumerMember,
): void {
  scheduleSession(shard, group.groupId, member)
  if (member.state === MemberState.UNREVOKED_PARTITIONS && member.classic === null) {
    scheduleRevocation(shard, group.groupId, member)
  }
}

/** (Re)starts the session of a member; without a heartbeat until its end the member is removed. */
export function scheduleSession(shard: GroupShardState, groupId: string, member: ConsumerMember): void {
  const { memberId, classic } = member
  const timeoutMs = classic?.sessionTimeoutMs ?? consumerSessionTimeoutMs(shard.config, groupId)
  shard.timers.schedule(
    sessionKey(groupId, memberId),
    `session timeout of member ${memberId} in group ${groupId}`,
    timeoutMs,
    () => {
      const group = shard.groups.get(groupId)
      const isIn = group instanceof ConsumerGroup && group.members.has(memberId)
      return { records: isIn ? fenceMembers(shard, group, [memberId]) : NO_RECORDS, response: undefined }
    },
  )
}

/** The member has `rebalanceTimeoutMs` to give back what it must; after that it is removed. */
export function scheduleRevocation(shard: GroupShardState, groupId: string, member: ConsumerMember): void {
  const { memberId, memberEpoch, rebalanceTimeoutMs } = member
  shard.timers.schedule(
    revocationKey(groupId, memberId),
    `rebalance timeout of member ${memberId} in group ${groupId}`,
    Math.max(rebalanceTimeoutMs, 0),
    () => {
      const group = shard.groups.get(groupId)
      const current = group instanceof ConsumerGroup ? group.members.get(memberId) : undefined
      const isLate = current !== undefined && current.memberEpoch === memberEpoch
      return {
        records: isLate ? fenceMembers(shard, group as ConsumerGroup, [memberId]) : NO_RECORDS,
        response: undefined,
      }
    },
  )
}

export function cancelRevocation(shard: GroupShardState, groupId: string, memberId: string): void {
  shard.timers.cancel(revocationKey(groupId, memberId))
}

/** What a classic member has to do next. */
export type ClassicStep = 'join' | 'sync'

const classicKey = (step: ClassicStep, groupId: string, memberId: string) => `${step} ${groupId} ${memberId}`

/**
 * A classic member that was told to rejoin, or has rejoined and must sync, has its rebalance timeout for it. The step before is
 * done by then.
 */
export function scheduleClassicDeadline(
  shard: GroupShardState,
  groupId: string,
  member: ConsumerMember,
  step: ClassicStep,
): void {
  const { memberId, memberEpoch, rebalanceTimeoutMs } = member
  if (step === 'sync') cancelClassicDeadline(shard, groupId, memberId, 'join')
  const key = classicKey(step, groupId, memberId)
  if (step === 'join' && shard.timers.isScheduled(key)) return
  shard.timers.schedule(
    key,
    `${step} timeout of member ${memberId} in group ${groupId}`,
    Math.max(rebalanceTimeoutMs, 0),
    () => {
      const group = shard.groups.get(groupId)
      const current = group instanceof ConsumerGroup ? group.members.get(memberId) : undefined
      const isLate = current !== undefined && current.classic !== null && current.memberEpoch === memberEpoch
      return {
        records: isLate ? fenceMembers(shard, group as ConsumerGroup, [memberId]) : NO_RECORDS,
        response: undefined,
      }
    },
  )
}

export function cancelClassicDeadline(
  shard: GroupShardState,
  groupId: string,
  memberId: string,
  step: ClassicStep,
): void {
  shard.timers.cancel(classicKey(step, groupId, memberId))
}

export function cancelMemberTimers(shard: GroupShardState, groupId: string, memberId: string): void {
  shard.timers.cancel(sessionKey(groupId, memberId))
  shard.timers.cancel(revocationKey(groupId, memberId))
  cancelClassicDeadline(shard, groupId, memberId, 'join')
  cancelClassicDeadline(shard, groupId, memberId, 'sync')
}

/** Takes members out of the group, whose epoch grows: the others get their partitions. */
export function fenceMembers(
  shard: GroupShardState,
  group: ConsumerGroup,
  memberIds: readonly string[],
): CoordinatorRecord[] {
  const { groupId } = group
  const downgraded = maybeDowngrade(shard, group, memberIds)
  if (downgraded !== undefined) return downgraded
  const remaining = [...group.members.values()].filter(({ memberId }) => !memberIds.includes(memberId))
  const records = memberIds.flatMap((memberId) => memberTombstones(groupId, memberId))
  for (const memberId of memberIds) cancelMemberTimers(shard, groupId, memberId)
  records.push(...unusedRegexTombstones(group, remaining))
  const groupEpoch = group.groupEpoch + 1
  const topics = subscribedTopics(remaining, (regex) => group.regexes.get(regex)?.topics)
  records.push(groupEpochRecord(groupId, groupEpoch, metadataHash(shard.metadata(), topics)))
  // Nobody is left to assign to: the assignment is as new as the group.
  if (remaining.length === 0) records.push(targetAssignmentEpochRecord(groupId, groupEpoch, 0))
  return records
}
