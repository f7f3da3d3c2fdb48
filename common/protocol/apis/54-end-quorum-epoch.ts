import {
  array,
  arrayOf,
  defineApi,
  errorCode,
  int32,
  type RequestOf,
  type ResponseOf,
  string,
  uint16,
  uuid,
} from '../schema.ts'

export const EndQuorumEpoch = defineApi({
  key: 54,
  name: 'EndQuorumEpoch',
  versions: '0-1',
  flexible: '1+',
  kips: [853],
  listeners: ['controller'],
  request: {
    clusterId: string('0+', { nullable: '0+', default: null }),
    topics: array('0+', {
      topicName: string('0+', { entity: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        leaderId: int32('0+', { entity: 'brokerId' }),
        leaderEpoch: int32('0+'),
        preferredSuccessors: arrayOf('0', int32, { default: [], ignorable: true }),
        preferredCandidates: array(
          '1+',
          {
            candidateId: int32('1+', { entity: 'brokerId' }),
            candidateDirectoryId: uuid('1+'),
          },
          { default: [], ignorable: true },
        ),
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

export type EndQuorumEpochRequest = RequestOf<typeof EndQuorumEpoch>
export type EndQuorumEpochResponse = ResponseOf<typeof EndQuorumEpoch>
