import {
  array,
  arrayOf,
  defineApi,
  errorCode,
  int8,
  int32,
  int64,
  type RequestOf,
  type ResponseOf,
  uuid,
} from '../schema.ts'

export const AlterPartition = defineApi({
  key: 56,
  name: 'AlterPartition',
  versions: '2-3',
  flexible: '0+',
  kips: [704, 841, 903],
  listeners: ['controller'],
  request: {
    brokerId: int32('0+', { entity: 'brokerId' }),
    brokerEpoch: int64('0+', { default: -1 }),
    topics: array('0+', {
      topicId: uuid('2+', { ignorable: true }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        leaderEpoch: int32('0+'),
        newIsr: arrayOf('0-2', int32, { default: [], entity: 'brokerId' }),
        newIsrWithEpochs: array(
          '3+',
          {
            brokerId: int32('3+', { entity: 'brokerId' }),
            brokerEpoch: int64('3+', { default: -1 }),
          },
          { default: [] },
        ),
        leaderRecoveryState: int8('1+', { default: 0 }),
        partitionEpoch: int32('0+'),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    errorCode: errorCode('0+'),
    topics: array('0+', {
      topicId: uuid('2+', { ignorable: true }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: errorCode('0+'),
        leaderId: int32('0+', { entity: 'brokerId' }),
        leaderEpoch: int32('0+'),
        isr: arrayOf('0+', int32, { entity: 'brokerId' }),
        leaderRecoveryState: int8('1+', { default: 0, ignorable: true }),
        partitionEpoch: int32('0+'),
      }),
    }),
  },
})

export type AlterPartitionRequest = RequestOf<typeof AlterPartition>
export type AlterPartitionResponse = ResponseOf<typeof AlterPartition>
