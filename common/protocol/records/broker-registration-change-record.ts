import { arrayOf, defineRecord, int8, int32, int64, type RecordOf, uuid } from '../schema.ts'

export const BrokerRegistrationChangeRecord = defineRecord({
  name: 'BrokerRegistrationChangeRecord',
  kind: 'metadata',
  type: 17,
  versions: '0-3',
  flexible: '0+',
  fields: {
    brokerId: int32('0+', { entity: 'brokerId' }),
    brokerEpoch: int64('0+'),
    fenced: int8('0+', { tag: 0, about: '-1 unfences, 0 changes nothing, 1 fences.' }),
    inControlledShutdown: int8('1+', { tag: 1, about: '0 changes nothing, 1 begins it.' }),
    logDirs: arrayOf('2+', uuid, { tag: 2 }),
    cordonedLogDirs: arrayOf('3+', uuid, { nullable: '3+', default: null, tag: 3 }),
  },
})

export type BrokerRegistrationChangeRecord = RecordOf<typeof BrokerRegistrationChangeRecord>
