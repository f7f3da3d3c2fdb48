/**
 * What goes away by itself: offsets past their retention (KIP-211), groups without members and offsets, offsets of deleted
 * topics, and groups that are deleted on request. All of it is tombstones.
 */
import { ErrorCode } from '../../../common/protocol/errors.ts'
import type { Outcome } from '../../statemachine/state-machine.ts'
import type { CoordinatorRecord } from '../coordinator-record.ts'
import { ShareGroup } from '../share/share-group.ts'
import { shareGroupTombstones } from '../share/share-group-records.ts'
import { ClassicGroup } from './classic-group.ts'
import { consumerGroupTombstones } from './consumer-group-records.ts'
import { committedOffsetTombstone, groupMetadataTombstone } from './group-records.ts'
import type { Group, GroupShardState } from './group-state.ts'
import type { CommittedOffset } from './offset-store.ts'

const EXPIRY_KEY = 'expiry'

/** Looks for expired offsets every `offsets.retention.check.interval.ms`. */
export function scheduleExpiry(shard: GroupShardState): void {
  const intervalMs = shard.config.get('offsets.retention.check.interval.ms')
  shard.timers.schedule(EXPIRY_KEY, 'check of offset retention', intervalMs, () => {
    scheduleExpiry(shard)
    return { records: expireOffsets(shard), response: undefined }
  })
}

/** @returns tombstones of expired offsets, and of groups that have nothing left */
export function expireOffsets(shard: GroupShardState): CoordinatorRecord[] {
  const records: CoordinatorRecord[] = []
  for (const [groupId, group] of shard.groups) {
    // Share groups stay until they are deleted.
    if (group instanceof ShareGroup) continue
    const isBare = expireOffsetsOf(shard, group, records)
    if (isBare && group.isEmpty && !shard.offsets.hasPending(groupId)) records.push(...groupTombstones(group))
  }
  return records
}

/** @returns whether no committed offset is left */
function expireOffsetsOf(shard: GroupShardState, group: Group, records: CoordinatorRecord[]): boolean {
  const topics = shard.offsets.topicsOf(group.groupId)
  if (topics.size === 0) return true
  const baseTimestampMs = expiryBase(group)
  if (baseTimestampMs === undefined) return false
  const nowMs = shard.clock.wallMs()
  const retentionMs = shard.config.get('offsets.retention.minutes') * 60_000
  let isBare = true
  for (const [topic, partitions] of topics) {
    const isRead = group.isSubscribedTo(topic)
    for (const [partition, offset] of partitions) {
      const isExpired =
        offset.expireTimestampMs === -1
          ? nowMs - baseTimestampMs(offset) >= retentionMs
          : nowMs >= offset.expireTimestampMs
      if (isRead || !isExpired || shard.offsets.isPending(group.groupId, topic, partition)) isBare = false
      else records.push(committedOffsetTombstone(group.groupId, topic, partition))
    }
  }
  return isBare
}

/**
 * From when the retention of an offset counts: from the moment its group became empty, else from its commit.
 * @returns undefined when offsets of the group do not expire now
 */
function expiryBase(group: Group): ((offset: CommittedOffset) => number) | undefined {
  const sinceCommit = (offset: CommittedOffset) => offset.commitTimestampMs
  if (!(group instanceof ClassicGroup) || group.protocolType === undefined) return sinceCommit
  if (group.isEmpty) return (offset) => group.stateTimestampMs ?? offset.commitTimestampMs
  return group.usesConsumerProtocol && group.hasSubscriptions && group.state === 'Stable'
    ? sinceCommit
    : undefined
}

/** Tombstones of everything that the group itself has written; its offsets are not among them. */
export function groupTombstones(group: Group): CoordinatorRecord[] {
  if (group instanceof ShareGroup) return shareGroupTombstones(group)
  return group instanceof ClassicGroup
    ? [groupMetadataTombstone(group.groupId)]
    : consumerGroupTombstones(group)
}

/** DeleteGroups: only groups without members, with all their offsets. */
export function deleteGroup(shard: GroupShardState, groupId: string): Outcome<ErrorCode, CoordinatorRecord> {
  const group = shard.groups.get(groupId)
  if (group === undefined || (group instanceof ClassicGroup && group.state === 'Dead')) {
    return { records: [], response: ErrorCode.GROUP_ID_NOT_FOUND }
  }
  if (!group.isEmpty) return { records: [], response: ErrorCode.NON_EMPTY_GROUP }
  const offsets = shard.offsets
    .partitionsOf(groupId)
    .map(({ topic, partition }) => committedOffsetTombstone(groupId, topic, partition))
  return { records: [...offsets, ...groupTombstones(group)], response: ErrorCode.NONE }
}

/** Topics are gone: so are the offsets in them. */
export function deleteOffsetsOfTopics(
  shard: GroupShardState,
  topics: ReadonlySet<string>,
): Outcome<void, CoordinatorRecord> {
  const records: CoordinatorRecord[] = []
  for (const groupId of shard.offsets.allGroupIds()) {
    for (const { topic, partition } of shard.offsets.partitionsOf(groupId)) {
      if (topics.has(topic)) records.push(committedOffsetTombstone(groupId, topic, partition))
    }
  }
  return { records, response: undefined }
}
