import { defineRecord, int16, int64, type RecordOf } from '../schema.ts'

export const SnapshotHeaderRecord = defineRecord({
  name: 'SnapshotHeaderRecord',
  kind: 'data',
  versions: '0',
  flexible: '0+',
  fields: {
    version: int16('0+'),
    lastContainedLogTimestamp: int64('0+'),
  },
})

export type SnapshotHeaderRecord = RecordOf<typeof SnapshotHeaderRecord>
