import {
  array,
  arrayOf,
  defineApi,
  errorCode,
  int32,
  int64,
  type RequestOf,
  type ResponseOf,
  string,
  uuid,
} from '../schema.ts'

export const DescribeShareGroupOffsets = defineApi({
  key: 90,
  name: 'DescribeShareGroupOffsets',
  versions: '0-1',
  flexible: '0+',
  kips: [932, 1226],
  request: {
    groups: array('0+', {
      groupId: string('0+', { entity: 'groupId' }),
      topics: array(
        '0+',
        {
          topicName: string('0+', { entity: 'topicName' }),
          partitions: arrayOf('0+', int32),
        },
        { nullable: '0+' },
      ),
    }),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    groups: array('0+', {
      groupId: string('0+', { entity: 'groupId' }),
      topics: array('0+', {
        topicName: string('0+', { entity: 'topicName' }),
        topicId: uuid('0+'),
        partitions: array('0+', {
          partitionIndex: int32('0+'),
          startOffset: int64('0+'),
          leaderEpoch: int32('0+'),
          lag: int64('1+', { default: -1, ignorable: true }),
          errorCode: errorCode('0+'),
          errorMessage: string('0+', { nullable: '0+', default: null }),
        }),
      }),
      errorCode: errorCode('0+'),
      errorMessage: string('0+', { nullable: '0+', default: null }),
    }),
  },
})

export type DescribeShareGroupOffsetsRequest = RequestOf<typeof DescribeShareGroupOffsets>
export type DescribeShareGroupOffsetsResponse = ResponseOf<typeof DescribeShareGroupOffsets>
