import { defineRecord, int16, type RecordOf } from '../schema.ts'

export const KRaftVersionRecord = defineRecord({
  name: 'KRaftVersionRecord',
  kind: 'data',
  versions: '0',
  flexible: '0+',
  fields: {
    version: int16('0+'),
    kRaftVersion: int16('0+'),
  },
})

export type KRaftVersionRecord = RecordOf<typeof KRaftVersionRecord>
