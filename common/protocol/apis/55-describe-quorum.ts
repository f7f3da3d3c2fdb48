import {
  array,
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

const replicaState = {
  replicaId: int32('0+', { entity: 'brokerId' }),
  replicaDirectoryId: uuid('2+', { default: ZERO_UUID }),
  logEndOffset: int64('0+'),
  lastFetchTimestamp: int64('1+', { default: -1, ignorable: true }),
  lastCaughtUpTimestamp: int64('1+', { default: -1, ignorable: true }),
}

export const DescribeQuorum = defineApi({
  key: 55,
  name: 'DescribeQuorum',
  versions: '0-2',
  flexible: '0+',
  kips: [836, 853],
  listeners: ['broker', 'controller'],
  request: {
    topics: array('0+', {
      topicName: string('0+', { entity: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
      }),
    }),
  },
  response: {
    errorCode: errorCode('0+'),
    errorMessage: string('2+', { nullable: '2+', default: '', ignorable: true }),
    topics: array('0+', {
      topicName: string('0+', { entity: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: errorCode('0+'),
        errorMessage: string('2+', { nullable: '2+', default: '', ignorable: true }),
        leaderId: int32('0+', { entity: 'brokerId' }),
        leaderEpoch: int32('0+'),
        highWatermark: int64('0+'),
        currentVoters: array('0+', replicaState),
        observers: array('0+', replicaState),
      }),
    }),
    nodes: array(
      '2+',
      {
        nodeId: int32('2+', { mapKey: true, entity: 'brokerId' }),
        listeners: array('2+', {
          name: string('2+', { mapKey: true }),
          host: string('2+'),
          port: uint16('2+'),
        }),
      },
      { default: [] },
    ),
  },
})

export type DescribeQuorumRequest = RequestOf<typeof DescribeQuorum>
export type DescribeQuorumResponse = ResponseOf<typeof DescribeQuorum>
