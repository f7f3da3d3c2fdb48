import {
  array,
  defineApi,
  errorCode,
  int32,
  int64,
  type RequestOf,
  type ResponseOf,
  string,
  uuid,
} from '../schema.ts'

export const ReadShareGroupStateSummary = defineApi({
  key: 87,
  name: 'ReadShareGroupStateSummary',
  versions: '0-1',
  flexible: '0+',
  kips: [932, 1226],
  request: {
    groupId: string('0+'),
    topics: array('0+', {
      topicId: uuid('0+'),
      partitions: array('0+', {
        partition: int32('0+'),
        leaderEpoch: int32('0+'),
      }),
    }),
  },
  response: {
    results: array('0+', {
      topicId: uuid('0+'),
      partitions: array('0+', {
        partition: int32('0+'),
        errorCode: errorCode('0+'),
        errorMessage: string('0+', { nullable: '0+', default: null }),
        stateEpoch: int32('0+'),
        leaderEpoch: int32('0+'),
        startOffset: int64('0+'),
        deliveryCompleteCount: int32('1+', { default: -1, ignorable: true }),
      }),
    }),
  },
})

export type ReadShareGroupStateSummaryRequest = RequestOf<typeof ReadShareGroupStateSummary>
export type ReadShareGroupStateSummaryResponse = ResponseOf<typeof ReadShareGroupStateSummary>
