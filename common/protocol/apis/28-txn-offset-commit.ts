import {
  array,
  defineApi,
  errorCode,
  int16,
  int32,
  int64,
  type RequestOf,
  type ResponseOf,
  string,
  uuid,
  ZERO_UUID,
} from '../schema.ts'

export const TxnOffsetCommit = defineApi({
  key: 28,
  name: 'TxnOffsetCommit',
  versions: '0-6',
  flexible: '3+',
  kips: [890, 1319],
  request: {
    transactionalId: string('0+', { entity: 'transactionalId' }),
    groupId: string('0+', { entity: 'groupId' }),
    producerId: int64('0+', { entity: 'producerId' }),
    producerEpoch: int16('0+'),
    generationIdOrMemberEpoch: int32('3+', { default: -1 }),
    memberId: string('3+', { default: '' }),
    groupInstanceId: string('3+', { nullable: '3+', default: null }),
    topics: array('0+', {
      name: string('0-5', { default: '', ignorable: true, entity: 'topicName' }),
      topicId: uuid('6+', { default: ZERO_UUID, ignorable: true }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        committedOffset: int64('0+'),
        committedLeaderEpoch: int32('2+', { default: -1, ignorable: true }),
        committedMetadata: string('0+', { nullable: '0+' }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    topics: array('0+', {
      name: string('0-5', { default: '', ignorable: true, entity: 'topicName' }),
      topicId: uuid('6+', { default: ZERO_UUID, ignorable: true }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: errorCode('0+'),
      }),
    }),
  },
})

export type TxnOffsetCommitRequest = RequestOf<typeof TxnOffsetCommit>
export type TxnOffsetCommitResponse = ResponseOf<typeof TxnOffsetCommit>
