import {
  array,
  arrayOf,
  bool,
  defineApi,
  errorCode,
  int32,
  type RequestOf,
  type ResponseOf,
  string,
  struct,
  uuid,
} from '../schema.ts'

export const DescribeTopicPartitions = defineApi({
  key: 75,
  name: 'DescribeTopicPartitions',
  versions: '0',
  flexible: '0+',
  request: {
    topics: array('0+', {
      name: string('0+', { entity: 'topicName' }),
    }),
    responsePartitionLimit: int32('0+', { default: 2000 }),
    cursor: struct(
      '0+',
      {
        topicName: string('0+', { entity: 'topicName' }),
        partitionIndex: int32('0+'),
      },
      { nullable: '0+', default: null },
    ),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0, ignorable: true }),
    topics: array('0+', {
      errorCode: errorCode('0+'),
      name: string('0+', { nullable: '0+', mapKey: true, entity: 'topicName' }),
      topicId: uuid('0+', { ignorable: true }),
      isInternal: bool('0+', { default: false, ignorable: true }),
      partitions: array('0+', {
        errorCode: errorCode('0+'),
        partitionIndex: int32('0+'),
        leaderId: int32('0+', { entity: 'brokerId' }),
        leaderEpoch: int32('0+', { default: -1, ignorable: true }),
        replicaNodes: arrayOf('0+', int32, { entity: 'brokerId' }),
        isrNodes: arrayOf('0+', int32, { entity: 'brokerId' }),
        eligibleLeaderReplicas: arrayOf('0+', int32, { nullable: '0+', default: null, entity: 'brokerId' }),
        lastKnownElr: arrayOf('0+', int32, { nullable: '0+', default: null, entity: 'brokerId' }),
        offlineReplicas: arrayOf('0+', int32, { ignorable: true, entity: 'brokerId' }),
      }),
      topicAuthorizedOperations: int32('0+', { default: -(2 ** 31) }),
    }),
    nextCursor: struct(
      '0+',
      {
        topicName: string('0+', { entity: 'topicName' }),
        partitionIndex: int32('0+'),
      },
      { nullable: '0+', default: null },
    ),
  },
})

export type DescribeTopicPartitionsRequest = RequestOf<typeof DescribeTopicPartitions>
export type DescribeTopicPartitionsResponse = ResponseOf<typeof DescribeTopicPartitions>
