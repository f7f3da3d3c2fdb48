/**
 * The records of `__share_group_state`: whole snapshots of a share partition's state and updates to the last snapshot.
 */
import { ShareSnapshotKey, ShareSnapshotValue } from '../../../common/protocol/records/share-snapshot.ts'
import { ShareUpdateKey, ShareUpdateValue } from '../../../common/protocol/records/share-update.ts'
import type { RecordInputOf } from '../../../common/protocol/schema.ts'
import {
  type CoordinatorRecord,
  type CoordinatorRecordType,
  recordType,
  tombstone,
  valueRecord,
} from '../coordinator-record.ts'

export const ShareSnapshot = recordType(ShareSnapshotKey, ShareSnapshotValue)
export const ShareUpdate = recordType(ShareUpdateKey, ShareUpdateValue)

export const SHARE_STATE_RECORD_TYPES = [
  ShareSnapshot,
  ShareUpdate,
] as unknown as readonly CoordinatorRecordType[]

/** A partition as one group shares it. */
export interface SharePartitionKey {
  readonly groupId: string
  readonly topicId: string
  readonly partition: number
}

/** What the partition of `__share_group_state` is computed from; also the key of FindCoordinator. */
export function coordinatorKeyOf({ groupId, topicId, partition }: SharePartitionKey): string {
  return `${groupId}:${topicId}:${partition}`
}

export function snapshotRecord(
  { groupId, topicId, partition }: SharePartitionKey,
  value: RecordInputOf<typeof ShareSnapshotValue>,
): CoordinatorRecord {
  return valueRecord(ShareSnapshot, 0, { groupId, topicId, partition }, value)
}

export function updateRecord(
  { groupId, topicId, partition }: SharePartitionKey,
  value: RecordInputOf<typeof ShareUpdateValue>,
): CoordinatorRecord {
  return valueRecord(ShareUpdate, 0, { groupId, topicId, partition }, value)
}

export function snapshotTombstone({ groupId, topicId, partition }: SharePartitionKey): CoordinatorRecord {
  return tombstone(ShareSnapshot, { groupId, topicId, partition })
}
