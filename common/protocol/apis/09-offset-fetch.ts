import {
  array,
  arrayOf,
  bool,
  defineApi,
  errorCode,
  int32,
  int64,
  type RequestOf,
  type ResponseOf,
  string,
  uuid,
  ZERO_UUID,
} from '../schema.ts'

export const OffsetFetch = defineApi({
  key: 9,
  name: 'OffsetFetch',
  versions: '1-10',
  flexible: '6+',
  kips: [848],
  request: {
    groupId: string('0-7', { default: '', entity: 'groupId' }),
    topics: array(
      '0-7',
      {
        name: string('0-7', { entity: 'topicName' }),
        partitionIndexes: arrayOf('0-7', int32),
      },
      { nullable: '2-7', default: [] },
    ),
    groups: array(
      '8+',
      {
        groupId: string('8+', { entity: 'groupId' }),
        memberId: string('9+', { nullable: '9+', default: null, ignorable: true }),
        memberEpoch: int32('9+', { default: -1, ignorable: true }),
        topics: array(
          '8+',
          {
            name: string('8-9', { default: '', ignorable: true, entity: 'topicName' }),
            topicId: uuid('10+', { default: ZERO_UUID, ignorable: true }),
            partitionIndexes: arrayOf('8+', int32),
          },
          { nullable: '8+' },
        ),
      },
      { default: [] },
    ),
    requireStable: bool('7+', { default: false }),
  },
  response: {
    throttleTimeMs: int32('3+', { default: 0, ignorable: true }),
    topics: array(
      '0-7',
      {
        name: string('0-7', { entity: 'topicName' }),
        partitions: array('0-7', {
          partitionIndex: int32('0-7'),
          committedOffset: int64('0-7'),
          committedLeaderEpoch: int32('5-7', { default: -1, ignorable: true }),
          metadata: string('0-7', { nullable: '0-7' }),
          errorCode: errorCode('0-7'),
        }),
      },
      { default: [] },
    ),
    errorCode: errorCode('2-7', { default: 0, ignorable: true }),
    groups: array(
      '8+',
      {
        groupId: string('8+', { entity: 'groupId' }),
        topics: array('8+', {
          name: string('8-9', { default: '', ignorable: true, entity: 'topicName' }),
          topicId: uuid('10+', { default: ZERO_UUID, ignorable: true }),
          partitions: array('8+', {
            partitionIndex: int32('8+'),
            committedOffset: int64('8+'),
            committedLeaderEpoch: int32('8+', { default: -1, ignorable: true }),
            metadata: string('8+', { nullable: '8+' }),
            errorCode: errorCode('8+'),
          }),
        }),
        errorCode: errorCode('8+', { default: 0 }),
      },
      { default: [] },
    ),
  },
})

export type OffsetFetchRequest = RequestOf<typeof OffsetFetch>
export type OffsetFetchResponse = ResponseOf<typeof OffsetFetch>
