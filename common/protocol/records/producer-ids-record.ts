import { defineRecord, int32, int64, type RecordOf } from '../schema.ts'

export const ProducerIdsRecord = defineRecord({
  name: 'ProducerIdsRecord',
  kind: 'metadata',
  type: 15,
  versions: '0',
  flexible: '0+',
  fields: {
    brokerId: int32('0+', { entity: 'brokerId' }),
    brokerEpoch: int64('0+', { default: -1 }),
    nextProducerId: int64('0+'),
  },
})

export type ProducerIdsRecord = RecordOf<typeof ProducerIdsRecord>
