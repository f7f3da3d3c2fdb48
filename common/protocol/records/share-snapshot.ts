import { array, defineRecord, int8, int16, int32, int64, type RecordOf, string, uuid } from '../schema.ts'

export const ShareSnapshotKey = defineRecord({
  name: 'ShareSnapshotKey',
  kind: 'coordinator-key',
  type: 0,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: string('0'),
    topicId: uuid('0'),
    partition: int32('0'),
  },
})

export type ShareSnapshotKey = RecordOf<typeof ShareSnapshotKey>

export const ShareSnapshotValue = defineRecord({
  name: 'ShareSnapshotValue',
  kind: 'coordinator-value',
  type: 0,
  versions: '0',
  flexible: '0+',
  fields: {
    snapshotEpoch: int32('0+'),
    stateEpoch: int32('0+'),
    leaderEpoch: int32('0+'),
    startOffset: int64('0+'),
    deliveryCompleteCount: int32('0+', { default: -1, tag: 0 }),
    createTimestamp: int64('0+'),
    writeTimestamp: int64('0+'),
    stateBatches: array('0+', {
      firstOffset: int64('0+'),
      lastOffset: int64('0+'),
      deliveryState: int8('0+'),
      deliveryCount: int16('0+'),
    }),
  },
})

export type ShareSnapshotValue = RecordOf<typeof ShareSnapshotValue>
