/**
 * A share group (KIP-932): members that share partitions instead of owning them. Its records lie in `__consumer_offsets`; what is
 * delivered of a partition is known to the share coordinator.
 *
 * Owner: a group shard; only replay changes it. Invariant: only partitions whose state is initialized are assigned.
 */

import type { ShareGroupCurrentMemberAssignmentValue } from '../../../common/protocol/records/share-group-current-member-assignment.ts'
import type { ShareGroupMemberMetadataValue } from '../../../common/protocol/records/share-group-member-metadata.ts'
import type { ShareGroupStatePartitionMetadataValue } from '../../../common/protocol/records/share-group-state-partition-metadata.ts'
import type { Clock } from '../../../common/runtime/clock.ts'
import type { ReplayTable } from '../coordinator-record.ts'
import {
  ShareCurrentAssignment,
  ShareGroupEpoch,
  ShareMemberMetadata,
  ShareStateTopics,
  ShareTargetEpoch,
  ShareTargetMember,
} from './share-group-record-types.ts'

/** topic id -> partitions */
export type PartitionSets = ReadonlyMap<string, ReadonlySet<number>>

export const NO_PARTITIONS: PartitionSets = new Map()

/** Immutable; a change makes a new one. */
export interface ShareMember {
  readonly memberId: string
  readonly memberEpoch: number
  readonly previousMemberEpoch: number
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** Sorted. */
  readonly subscribedTopicNames: readonly string[]
  readonly assigned: PartitionSets
}

export interface NamedPartitions {
  readonly topicName: string
  readonly partitions: ReadonlySet<number>
}

/** What the share coordinator knows of the group's partitions, by topic id. */
export interface ShareStatePartitions {
  readonly initializing: ReadonlyMap<string, NamedPartitions>
  readonly initialized: ReadonlyMap<string, NamedPartitions>
  /** topic id -> name */
  readonly deleting: ReadonlyMap<string, string>
}

export const NO_STATE: ShareStatePartitions = {
  initializing: new Map(),
  initialized: new Map(),
  deleting: new Map(),
}

export type ShareGroupState = 'Empty' | 'Stable' | 'Dead'

export function newShareMember(memberId: string): ShareMember {
  return {
    memberId,
    memberEpoch: 0,
    previousMemberEpoch: 0,
    rackId: null,
    clientId: '',
    clientHost: '',
    subscribedTopicNames: [],
    assigned: NO_PARTITIONS,
  }
}

export class ShareGroup {
  readonly type = 'share'
  readonly groupId: string
  groupEpoch = 1
  metadataHash = 0n
  assignmentEpoch = 1
  assignmentTimestampMs = 0
  /** Partitions with state at the share coordinator. */
  statePartitions: ShareStatePartitions = NO_STATE
  /** When their initialization was last asked for, wall time; not durable. */
  initializingSinceMs = 0
  readonly members = new Map<string, ShareMember>()
  readonly targets = new Map<string, PartitionSets>()

  constructor(groupId: string) {
    this.groupId = groupId
  }

  get isEmpty(): boolean {
    return this.members.size === 0
  }

  get state(): ShareGroupState {
    return this.isEmpty ? 'Empty' : 'Stable'
  }

  targetOf(memberId: string): PartitionSets {
    return this.targets.get(memberId) ?? NO_PARTITIONS
  }

  isSubscribedTo(topic: string): boolean {
    for (const { subscribedTopicNames } of this.members.values())
      if (subscribedTopicNames.includes(topic)) return true
    return false
  }

  replayMember(memberId: string, value: ShareGroupMemberMetadataValue): void {
    const known = this.members.get(memberId) ?? newShareMember(memberId)
    this.members.set(memberId, {
      ...known,
      rackId: value.rackId,
      clientId: value.clientId,
      clientHost: value.clientHost,
      subscribedTopicNames: [...value.subscribedTopicNames].sort(),
    })
  }

  replayCurrentAssignment(memberId: string, value: ShareGroupCurrentMemberAssignmentValue | null): void {
    const known = this.members.get(memberId)
    if (known === undefined && value === null) return
    this.members.set(memberId, {
      ...(known ?? newShareMember(memberId)),
      memberEpoch: value?.memberEpoch ?? -1,
      previousMemberEpoch: value?.previousMemberEpoch ?? -1,
      assigned: partitionSetsOf(value?.assignedPartitions ?? []),
    })
  }

  replayState(value: ShareGroupStatePartitionMetadataValue, nowMs: number): void {
    const topicsOf = (topics: ShareGroupStatePartitionMetadataValue['initializedTopics']) =>
      new Map(
        topics.map(({ topicId, topicName, partitions }) => [
          topicId,
          { topicName, partitions: new Set(partitions) },
        ]),
      )
    if (value.initializingTopics.length > 0) this.initializingSinceMs = nowMs
    this.statePartitions = {
      initializing: topicsOf(value.initializingTopics),
      initialized: topicsOf(value.initializedTopics),
      deleting: new Map(value.deletingTopics.map(({ topicId, topicName }) => [topicId, topicName])),
    }
  }
}

/** Adds the records of share groups to those that a group shard replays. */
export function replayShareGroups<Other>(
  table: ReplayTable,
  groups: Map<string, Other | ShareGroup>,
  clock: Clock,
): void {
  const known = (groupId: string): ShareGroup | undefined => {
    const group = groups.get(groupId)
    return group instanceof ShareGroup ? group : undefined
  }
  const made = (groupId: string): ShareGroup => {
    const group = known(groupId) ?? new ShareGroup(groupId)
    groups.set(groupId, group)
    return group
  }
  table
    .on(ShareGroupEpoch, ({ groupId }, value) => {
      if (value === null) {
        if (known(groupId) !== undefined) groups.delete(groupId)
        return
      }
      const group = made(groupId)
      group.groupEpoch = value.epoch
      group.metadataHash = value.metadataHash
    })
    .on(ShareMemberMetadata, ({ groupId, memberId }, value) => {
      if (value === null) known(groupId)?.members.delete(memberId)
      else made(groupId).replayMember(memberId, value)
    })
    .on(ShareTargetEpoch, ({ groupId }, value) => {
      const group = value === null ? known(groupId) : made(groupId)
      if (group === undefined) return
      group.assignmentEpoch = value?.assignmentEpoch ?? -1
      group.assignmentTimestampMs = value?.assignmentTimestamp ?? 0
    })
    .on(ShareTargetMember, ({ groupId, memberId }, value) => {
      if (value === null) known(groupId)?.targets.delete(memberId)
      else made(groupId).targets.set(memberId, partitionSetsOf(value.topicPartitions))
    })
    .on(ShareCurrentAssignment, ({ groupId, memberId }, value) => {
      if (value === null) known(groupId)?.replayCurrentAssignment(memberId, null)
      else made(groupId).replayCurrentAssignment(memberId, value)
    })
    .on(ShareStateTopics, ({ groupId }, value) => {
      if (value !== null) made(groupId).replayState(value, clock.wallMs())
      else {
        const group = known(groupId)
        if (group !== undefined) group.statePartitions = NO_STATE
      }
    })
}

function partitionSetsOf(
  topics: readonly { readonly topicId: string; readonly partitions: readonly number[] }[],
): PartitionSets {
  return new Map(topics.map(({ topicId, partitions }) => [topicId, new Set(partitions)]))
}
