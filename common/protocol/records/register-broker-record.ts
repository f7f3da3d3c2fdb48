import {
  array,
  arrayOf,
  bool,
  defineRecord,
  int16,
  int32,
  int64,
  type RecordOf,
  string,
  uint16,
  uuid,
} from '../schema.ts'

export const RegisterBrokerRecord = defineRecord({
  name: 'RegisterBrokerRecord',
  kind: 'metadata',
  type: 0,
  versions: '0-4',
  flexible: '0+',
  fields: {
    brokerId: int32('0+', { entity: 'brokerId' }),
    isMigratingZkBroker: bool('2+', { default: false }),
    incarnationId: uuid('0+'),
    brokerEpoch: int64('0+'),
    endPoints: array('0+', {
      name: string('0+', { mapKey: true }),
      host: string('0+'),
      port: uint16('0+'),
      securityProtocol: int16('0+'),
    }),
    features: array('0+', {
      name: string('0+', { mapKey: true }),
      minSupportedVersion: int16('0+'),
      maxSupportedVersion: int16('0+'),
    }),
    rack: string('0+', { nullable: '0+' }),
    fenced: bool('0+', { default: true }),
    inControlledShutdown: bool('1+', { default: false }),
    logDirs: arrayOf('3+', uuid, { tag: 0 }),
    cordonedLogDirs: arrayOf('4+', uuid, { nullable: '4+', default: null, tag: 1 }),
  },
})

export type RegisterBrokerRecord = RecordOf<typeof RegisterBrokerRecord>
