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
} from '../schema.ts'

export const ListTransactions = defineApi({
  key: 66,
  name: 'ListTransactions',
  versions: '0-2',
  flexible: '0+',
  kips: [994, 1152],
  request: {
    stateFilters: arrayOf('0+', string),
    producerIdFilters: arrayOf('0+', int64, { entity: 'producerId' }),
    durationFilter: int64('1+', { default: -1 }),
    transactionalIdPattern: string('2+', { nullable: '2+', default: null }),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    errorCode: errorCode('0+'),
    unknownStateFilters: arrayOf('0+', string),
    transactionStates: array('0+', {
      transactionalId: string('0+', { entity: 'transactionalId' }),
      producerId: int64('0+', { entity: 'producerId' }),
      transactionState: string('0+'),
    }),
  },
})

export type ListTransactionsRequest = RequestOf<typeof ListTransactions>
export type ListTransactionsResponse = ResponseOf<typeof ListTransactions>
