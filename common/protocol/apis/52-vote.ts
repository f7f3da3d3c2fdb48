import {
  array,
  bool,
  defineApi,
  errorCode,
  int32,
  int64,
  type RequestOf,
  type ResponseOf,
  string,
  uint16,
  uuid,
  ZERO_UUID,
} from '../schema.ts'

export const Vote = defineApi({
  key: 52,
  name: 'Vote',
  versions: '0-2',
  flexible: '0+',
  kips: [853],
  listeners: ['controller'],
  request: {
    clusterId: string('0+', { nullable: '0+', default: null }),
    voterId: int32('1+', { default: -1, ignorable: true, entity: 'brokerId' }),
    topics: array('0+', {
      topicName: string('0+', { entity: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        replicaEpoch: int32('0+'),
        replicaId: int32('0+', { entity: 'brokerId' }),
        replicaDirectoryId: uuid('1+', { default: ZERO_UUID, ignorable: true }),
        voterDirectoryId: uuid('1+', { default: ZERO_UUID, ignorable: true }),
        lastOffsetEpoch: int32('0+'),
        lastOffset: int64('0+'),
        preVote: bool('2+', { default: false }),
      }),
    }),
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
        voteGranted: bool('0+'),
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

export type VoteRequest = RequestOf<typeof Vote>
export type VoteResponse = ResponseOf<typeof Vote>
