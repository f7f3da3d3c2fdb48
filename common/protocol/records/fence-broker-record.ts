import { defineRecord, int32, int64, type RecordOf } from '../schema.ts'

export const FenceBrokerRecord = defineRecord({
  name: 'FenceBrokerRecord',
  kind: 'metadata',
  type: 7,
  versions: '0',
  flexible: '0+',
  fields: {
    id: int32('0+', { entity: 'brokerId' }),
    epoch: int64('0+'),
  },
})

export type FenceBrokerRecord = RecordOf<typeof FenceBrokerRecord>
