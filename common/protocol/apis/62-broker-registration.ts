import {
  array,
  arrayOf,
  bool,
  defineApi,
  errorCode,
  int16,
  int32,
  int64,
  type RequestOf,
  type ResponseOf,
  string,
  uint16,
  uuid,
} from '../schema.ts'

export const BrokerRegistration = defineApi({
  key: 62,
  name: 'BrokerRegistration',
  versions: '0-4',
  flexible: '0+',
  kips: [858, 966],
  listeners: ['controller'],
  request: {
    brokerId: int32('0+', { entity: 'brokerId' }),
    clusterId: string('0+'),
    incarnationId: uuid('0+'),
    listeners: array('0+', {
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
    isMigratingZkBroker: bool('1+', { default: false }),
    logDirs: arrayOf('2+', uuid, { default: [], ignorable: true }),
    previousBrokerEpoch: int64('3+', { default: -1, ignorable: true }),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    errorCode: errorCode('0+'),
    brokerEpoch: int64('0+', { default: -1 }),
  },
})

export type BrokerRegistrationRequest = RequestOf<typeof BrokerRegistration>
export type BrokerRegistrationResponse = ResponseOf<typeof BrokerRegistration>
