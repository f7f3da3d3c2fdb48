import {
  array,
  arrayOf,
  defineApi,
  errorCode,
  int16,
  int32,
  int64,
  type RequestOf,
  type ResponseOf,
  string,
} from '../schema.ts'

export const DescribeTransactions = defineApi({
  key: 65,
  name: 'DescribeTransactions',
  versions: '0',
  flexible: '0+',
  request: {
    transactionalIds: arrayOf('0+', string, { entity: 'transactionalId' }),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    transactionStates: array('0+', {
      errorCode: errorCode('0+'),
      transactionalId: string('0+', { entity: 'transactionalId' }),
      transactionState: string('0+'),
      transactionTimeoutMs: int32('0+'),
      transactionStartTimeMs: int64('0+'),
      producerId: int64('0+', { entity: 'producerId' }),
      producerEpoch: int16('0+'),
      topics: array('0+', {
        topic: string('0+', { mapKey: true, entity: 'topicName' }),
        partitions: arrayOf('0+', int32),
      }),
    }),
  },
})

export type DescribeTransactionsRequest = RequestOf<typeof DescribeTransactions>
export type DescribeTransactionsResponse = ResponseOf<typeof DescribeTransactions>
