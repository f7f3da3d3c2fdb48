/**
 * The groups and offsets of one partition of `__consumer_offsets`, as a state machine.
 *
 * Owner: the group coordinator's service. Invariants: consumer groups and offsets are exactly the replay of the log; a classic
 * group in memory may be ahead of its last record by one rebalance (see `classic-group.ts`), so while the shard is active its
 * replayed record changes nothing.
 */
import { ErrorCode } from '../../../common/protocol/errors.ts'
import { Deferred } from '../../../common/runtime/deferred.ts'
import type {
  Outcome,
  ReplayContext,
  StateMachine,
  TransactionMarker,
} from '../../statemachine/state-machine.ts'
import { type CoordinatorRecord, ReplayTable } from '../coordinator-record.ts'
import { replayShareGroups, ShareGroup } from '../share/share-group.ts'
import { scheduleShareSession } from '../share/share-heartbeat.ts'
import type { JoinAnswer } from './classic-group.ts'
import {
  ClassicGroup,
  completeJoin,
  completeSync,
  joinError,
  type SyncAnswer,
  syncError,
} from './classic-group.ts'
import { type JoinRequest, joinClassicGroup } from './classic-join.ts'
import {
  heartbeatAsClassicMember,
  joinAsClassicMember,
  leaveAsClassicMembers,
  syncAsClassicMember,
} from './classic-member-of-consumer-group.ts'
import {
  type HeartbeatRequest,
  heartbeatClassicGroup,
  type LeaveAnswer,
  type LeavingMember,
  leaveClassicGroup,
  type SyncRequest,
  syncClassicGroup,
} from './classic-membership.ts'
import { prepareRebalance, scheduleHeartbeat } from './classic-rebalance.ts'
import { scheduleMemberTimers } from './consumer-fencing.ts'
import { assignmentOf, ConsumerGroup } from './consumer-group.ts'
import { groupTombstones, scheduleExpiry } from './expiry.ts'
import {
  ClassicGroupMetadata,
  CommittedOffset,
  ConsumerGroupEpoch,
  ConsumerGroupPartitions,
  ConsumerMemberMetadata,
  CurrentAssignment,
  LegacyOffset,
  ResolvedRegularExpression,
  TargetAssignmentEpoch,
  TargetAssignmentMember,
} from './group-records.ts'
import type { Group, GroupShardState, WaitingOutcome } from './group-state.ts'
import { NO_RECORDS } from './group-state.ts'
import { NO_TOPIC_ID, OffsetStore } from './offset-store.ts'

export type GroupShardOptions = Omit<GroupShardState, 'groups' | 'offsets'>

export class GroupShard implements StateMachine<CoordinatorRecord> {
  readonly state: GroupShardState
  readonly #table: ReplayTable
  #isLoaded = false

  constructor(options: GroupShardOptions) {
    this.state = { ...options, groups: new Map(), offsets: new OffsetStore() }
    this.#table = this.#replayTable()
  }

  // --- state machine -----------------------------------------------------------------------------------------------

  replay(record: CoordinatorRecord, context: ReplayContext): void {
    this.#table.replay(record, context)
  }

  replayTransactionMarker({ producerId, isCommit }: TransactionMarker): void {
    this.state.offsets.endTransaction(producerId, isCommit)
  }

  onLoaded(): void {
    this.#isLoaded = true
    const { groups, config } = this.state
    for (const group of groups.values()) {
      if (group instanceof ConsumerGroup) {
        for (const member of group.members.values()) scheduleMemberTimers(this.state, group, member)
        continue
      }
      if (group instanceof ShareGroup) {
        for (const memberId of group.members.keys()) scheduleShareSession(this.state, group.groupId, memberId)
        continue
      }
      for (const member of group.members.values()) {
        scheduleHeartbeat(this.state, group.groupId, member.memberId, member.sessionTimeoutMs)
      }
      if (group.members.size > config.get('group.max.size')) prepareRebalance(this.state, group)
    }
    scheduleExpiry(this.state)
  }

  onUnloaded(): void {
    for (const group of this.state.groups.values()) {
      if (!(group instanceof ClassicGroup)) continue
      group.transitionTo('Dead')
      for (const member of group.members.values()) {
        completeJoin(member, joinError(ErrorCode.NOT_COORDINATOR, member.memberId))
        completeSync(member, syncError(ErrorCode.NOT_COORDINATOR))
      }
    }
  }

  // --- classic protocol --------------------------------------------------------------------------------------------

  join(request: JoinRequest): WaitingOutcome<JoinAnswer> {
    const group = this.state.groups.get(request.groupId)
    if (group instanceof ShareGroup) {
      const answer = joinError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, request.memberId)
      return { records: NO_RECORDS, response: Deferred.of(answer) }
    }
    if (group instanceof ConsumerGroup) {
      if (!group.isEmpty) return joinAsClassicMember(this.state, group, request)
      return this.#replaceEmptyGroup(group, request)
    }
    return joinClassicGroup(this.state, group, request)
  }

  sync(request: SyncRequest): WaitingOutcome<SyncAnswer> {
    const group = this.#ownedGroup(request.groupId)
    if (group === undefined) {
      return { records: NO_RECORDS, response: Deferred.of(syncError(ErrorCode.UNKNOWN_MEMBER_ID)) }
    }
    return group instanceof ClassicGroup
      ? syncClassicGroup(this.state, group, request)
      : syncAsClassicMember(this.state, group, request)
  }

  heartbeat(groupId: string, request: HeartbeatRequest): Outcome<ErrorCode, CoordinatorRecord> {
    const group = this.#ownedGroup(groupId)
    if (group === undefined) return { records: NO_RECORDS, response: ErrorCode.UNKNOWN_MEMBER_ID }
    const response =
      group instanceof ClassicGroup
        ? heartbeatClassicGroup(this.state, group, request)
        : heartbeatAsClassicMember(this.state, group, request)
    return { records: NO_RECORDS, response }
  }

  leave(groupId: string, leaving: readonly LeavingMember[]): Outcome<LeaveAnswer[], CoordinatorRecord> {
    const group = this.#ownedGroup(groupId)
    if (group === undefined) {
      return {
        records: NO_RECORDS,
        response: leaving.map((member) => ({ ...member, error: ErrorCode.UNKNOWN_MEMBER_ID })),
      }
    }
    return group instanceof ClassicGroup
      ? leaveClassicGroup(this.state, group, leaving)
      : leaveAsClassicMembers(this.state, group, leaving)
  }

  /** Share groups have no members that the classic protocol could speak of. */
  #ownedGroup(groupId: string): ClassicGroup | ConsumerGroup | undefined {
    const group = this.state.groups.get(groupId)
    return group instanceof ShareGroup ? undefined : group
  }

  /** A stranger of the classic protocol takes over the id of an empty consumer group. */
  #replaceEmptyGroup(group: ConsumerGroup, request: JoinRequest): WaitingOutcome<JoinAnswer> {
    const outcome = joinClassicGroup(this.state, undefined, request)
    if (outcome.records.length === 0) return outcome
    return {
      ...outcome,
      records: [...groupTombstones(group), ...outcome.records],
      onWritten: (error) => {
        outcome.onWritten?.(error)
        if (error !== ErrorCode.NONE && !this.state.groups.has(request.groupId)) {
          this.state.groups.set(request.groupId, group)
        }
      },
    }
  }

  // --- replay ------------------------------------------------------------------------------------------------------

  #replayTable(): ReplayTable {
    const { offsets, groups } = this.state
    const table = new ReplayTable()
      .on(LegacyOffset, (key, value, context) => {
        if (value === null) offsets.remove(key.group, key.topic, key.partition)
        else
          this.#replayOffset(
            key,
            { ...value, leaderEpoch: -1, expireTimestamp: -1, topicId: NO_TOPIC_ID },
            context,
          )
      })
      .on(CommittedOffset, (key, value, context) => {
        if (value === null) offsets.remove(key.group, key.topic, key.partition)
        else this.#replayOffset(key, value, context)
      })
      .on(ClassicGroupMetadata, ({ group: groupId }, value) => {
        const known = groups.get(groupId)
        if (value === null) {
          if (known instanceof ClassicGroup) groups.delete(groupId)
          return
        }
        const isAhead = this.#isLoaded && known instanceof ClassicGroup
        if (!isAhead) groups.set(groupId, ClassicGroup.fromRecord(groupId, value, this.state.clock))
      })
      .on(ConsumerGroupEpoch, ({ groupId }, value) => {
        if (value === null) {
          if (groups.get(groupId) instanceof ConsumerGroup) groups.delete(groupId)
          return
        }
        const group = this.#consumerGroup(groupId)
        group.groupEpoch = value.epoch
        group.metadataHash = value.metadataHash
      })
      .on(ConsumerGroupPartitions, () => {
        // Deprecated since Kafka 4.1: the hash of the group epoch record took its place.
      })
      .on(ConsumerMemberMetadata, ({ groupId, memberId }, value) => {
        if (value === null) this.#knownConsumerGroup(groupId)?.removeMember(memberId)
        else this.#consumerGroup(groupId).replayMemberMetadata(memberId, value)
      })
      .on(TargetAssignmentEpoch, ({ groupId }, value) => {
        const group = value === null ? this.#knownConsumerGroup(groupId) : this.#consumerGroup(groupId)
        if (group === undefined) return
        group.assignmentEpoch = value?.assignmentEpoch ?? -1
        group.assignmentTimestampMs = value?.assignmentTimestamp ?? 0
      })
      .on(TargetAssignmentMember, ({ groupId, memberId }, value) => {
        if (value === null) this.#knownConsumerGroup(groupId)?.targets.delete(memberId)
        else this.#consumerGroup(groupId).targets.set(memberId, assignmentOf(value.topicPartitions))
      })
      .on(CurrentAssignment, ({ groupId, memberId }, value) => {
        if (value === null) this.#knownConsumerGroup(groupId)?.replayCurrentAssignment(memberId, null)
        else this.#consumerGroup(groupId).replayCurrentAssignment(memberId, value)
      })
      .on(ResolvedRegularExpression, ({ groupId, regularExpression }, value) => {
        if (value === null) this.#knownConsumerGroup(groupId)?.regexes.delete(regularExpression)
        else {
          this.#consumerGroup(groupId).regexes.set(regularExpression, {
            topics: new Set(value.topics),
            version: value.version,
            timestampMs: value.timestamp,
          })
        }
      })
    replayShareGroups(table, groups, this.state.clock)
    return table
  }

  #replayOffset(
    key: { group: string; topic: string; partition: number },
    value: {
      offset: number
      leaderEpoch: number
      metadata: string
      commitTimestamp: number
      expireTimestamp: number
      topicId: string
    },
    context: ReplayContext,
  ): void {
    this.state.offsets.put(
      key,
      {
        recordOffset: context.offset,
        offset: value.offset,
        leaderEpoch: value.leaderEpoch,
        metadata: value.metadata,
        commitTimestampMs: value.commitTimestamp,
        expireTimestampMs: value.expireTimestamp,
        topicId: value.topicId,
      },
      context.producerId,
    )
    this.#knowGroup(key.group)
  }

  /** Offsets without members make a simple group. */
  #knowGroup(groupId: string): Group {
    const known = this.state.groups.get(groupId)
    if (known !== undefined) return known
    const group = new ClassicGroup(groupId, this.state.clock)
    this.state.groups.set(groupId, group)
    return group
  }

  #knownConsumerGroup(groupId: string): ConsumerGroup | undefined {
    const group = this.state.groups.get(groupId)
    return group instanceof ConsumerGroup ? group : undefined
  }

  /** A simple group gives way to the first record of a consumer group. */
  #consumerGroup(groupId: string): ConsumerGroup {
    const known = this.state.groups.get(groupId)
    if (known instanceof ConsumerGroup) return known
    const group = new ConsumerGroup(groupId)
    this.state.groups.set(groupId, group)
    return group
  }
}
