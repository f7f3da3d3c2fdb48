import { defineRecord, int32, int64, type RecordOf } from '../schema.ts'

export const UnfenceBrokerRecord = defineRecord({
  name: 'UnfenceBrokerRecord',
  kind: 'metadata',
  type: 8,
  versions: '0',
  flexible: '0+',
  fields: {
    id: int32('0+', { entity: 'brokerId' }),
    epoch: int64('0+'),
  },
})

export type UnfenceBrokerRecord = RecordOf<typeof UnfenceBrokerRecord>
