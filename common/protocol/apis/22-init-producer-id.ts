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

export const InitProducerId = defineApi({
  key: 22,
  name: 'InitProducerId',
  versions: '0-6',
  flexible: '2+',
  kips: [890, 939],
  latestVersionUnstable: true,
  request: {
    transactionalId: string('0+', { nullable: '0+', entity: 'transactionalId' }),
    transactionTimeoutMs: int32('0+'),
    producerId: int64('3+', { default: -1, entity: 'producerId' }),
    producerEpoch: int16('3+', { default: -1 }),
    enable2Pc: bool('6+', { default: false }),
    keepPreparedTxn: bool('6+', { default: false }),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0, ignorable: true }),
    errorCode: errorCode('0+'),
    producerId: int64('0+', { default: -1, entity: 'producerId' }),
    producerEpoch: int16('0+'),
    ongoingTxnProducerId: int64('6+', { default: -1, entity: 'producerId' }),
    ongoingTxnProducerEpoch: int16('6+', { default: -1 }),
  },
})

export type InitProducerIdRequest = RequestOf<typeof InitProducerId>
export type InitProducerIdResponse = ResponseOf<typeof InitProducerId>
