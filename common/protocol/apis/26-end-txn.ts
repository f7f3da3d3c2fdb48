import {
  bool,
  defineApi,
  errorCode,
  int16,
  int32,
  int64,
  type RequestOf,
  type ResponseOf,
  string,
} from '../schema.ts'

export const EndTxn = defineApi({
  key: 26,
  name: 'EndTxn',
  versions: '0-5',
  flexible: '3+',
  kips: [890],
  request: {
    transactionalId: string('0+', { entity: 'transactionalId' }),
    producerId: int64('0+', { entity: 'producerId' }),
    producerEpoch: int16('0+'),
    committed: bool('0+'),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    errorCode: errorCode('0+'),
    producerId: int64('5+', { default: -1, ignorable: true, entity: 'producerId' }),
    producerEpoch: int16('5+', { default: -1, ignorable: true }),
  },
})

export type EndTxnRequest = RequestOf<typeof EndTxn>
export type EndTxnResponse = ResponseOf<typeof EndTxn>
