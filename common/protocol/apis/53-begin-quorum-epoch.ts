import {
  array,
  defineApi,
  errorCode,
  int32,
  type RequestOf,
  type ResponseOf,
  string,
  uint16,
  uuid,
  ZERO_UUID,
} from '../schema.ts'

export const BeginQuorumEpoch = defineApi({
  key: 53,
  name: 'BeginQuorumEpoch',
  versions: '0-1',
  flexible: '1+',
  kips: [853],
  listeners: ['controller'],
  request: {
    clusterId: string('0+', { nullable: '0+', default: null }),
    voterId: int32('1+', { default: -1, ignorable: true, entity: 'brokerId' }),
    topics: array('0+', {
      topicName: string('0+', { entity: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        voterDirectoryId: uuid('1+', { default: ZERO_UUID, ignorable: true }),
        leaderId: int32('0+', { entity: 'brokerId' }),
        leaderEpoch: int32('0+'),
      }),
    }),
    leaderEndpoints: array(
      '1+',
      {
        name: string('1+', { mapKey: true }),
        host: string('1+'),
        port: uint16('1+'),
      },
      { default: [], ignorable: true },
    ),
  },
  response: {
    errorCode: errorCode('0+'),
    topics: array('0+', {
      topicName: string('0+', { entity: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: errorCode('0+'),
        leaderId: int32('0+', { entity: 'brokerId' }),
        leaderEpoch: int32('0+'),
      }),
    }),
    nodeEndpoints: array(
      '1+',
      {
        nodeId: int32('1+', { mapKey: true, entity: 'brokerId' }),
        host: string('1+'),
        port: uint16('1+'),
      },
      { tag: 0 },
    ),
  },
})

export type BeginQuorumEpochRequest = RequestOf<typeof BeginQuorumEpoch>
export type BeginQuorumEpochResponse = ResponseOf<typeof BeginQuorumEpoch>
