/** The records of __share_group_state by type. */
import {
  type CoordinatorRecord,
  type CoordinatorRecordSchema,
  coordinatorRecordDecoder,
} from '../coordinator-record.ts'
import { ShareSnapshotKey, ShareSnapshotValue } from './share-snapshot.ts'
import { ShareUpdateKey, ShareUpdateValue } from './share-update.ts'

export const shareRecords = [
  { name: 'ShareSnapshot', key: ShareSnapshotKey, value: ShareSnapshotValue },
  { name: 'ShareUpdate', key: ShareUpdateKey, value: ShareUpdateValue },
] as const satisfies readonly CoordinatorRecordSchema[]

/** A decoded record of __share_group_state; `name` tells the types apart. */
export type ShareRecord = CoordinatorRecord<(typeof shareRecords)[number]>

/** undefined for a type or version that Kafka 4.4 does not know; loading skips it, as in Kafka. */
export const decodeShareRecord: (key: Buffer, value: Buffer | null) => ShareRecord | undefined =
  coordinatorRecordDecoder(shareRecords)
