import { defineRecord, int16, type RecordOf } from '../schema.ts'

export const SnapshotFooterRecord = defineRecord({
  name: 'SnapshotFooterRecord',
  kind: 'data',
  versions: '0',
  flexible: '0+',
  fields: {
    version: int16('0+'),
  },
})

export type SnapshotFooterRecord = RecordOf<typeof SnapshotFooterRecord>
