import { defineRecord, int32, int64, type RecordOf } from '../schema.ts'

export const UnregisterBrokerRecord = defineRecord({
  name: 'UnregisterBrokerRecord',
  kind: 'metadata',
  type: 1,
  versions: '0',
  flexible: '0+',
  fields: {
    brokerId: int32('0+', { entity: 'brokerId' }),
    brokerEpoch: int64('0+'),
  },
})

export type UnregisterBrokerRecord = RecordOf<typeof UnregisterBrokerRecord>
