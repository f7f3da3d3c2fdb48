import {
  arrayOf,
  bool,
  defineApi,
  errorCode,
  int32,
  int64,
  type RequestOf,
  type ResponseOf,
  uuid,
} from '../schema.ts'

export const BrokerHeartbeat = defineApi({
  key: 63,
  name: 'BrokerHeartbeat',
  versions: '0-2',
  flexible: '0+',
  listeners: ['controller'],
  request: {
    brokerId: int32('0+', { entity: 'brokerId' }),
    brokerEpoch: int64('0+', { default: -1 }),
    currentMetadataOffset: int64('0+'),
    wantFence: bool('0+'),
    wantShutDown: bool('0+'),
    offlineLogDirs: arrayOf('1+', uuid, { tag: 0 }),
    cordonedLogDirs: arrayOf('2+', uuid, { nullable: '2+', default: null, tag: 1 }),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    errorCode: errorCode('0+'),
    isCaughtUp: bool('0+', { default: false }),
    isFenced: bool('0+', { default: true }),
    shouldShutDown: bool('0+'),
  },
})

export type BrokerHeartbeatRequest = RequestOf<typeof BrokerHeartbeat>
export type BrokerHeartbeatResponse = ResponseOf<typeof BrokerHeartbeat>
