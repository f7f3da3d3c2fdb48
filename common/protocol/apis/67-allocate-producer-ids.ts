import { defineApi, errorCode, int32, int64, type RequestOf, type ResponseOf } from '../schema.ts'

export const AllocateProducerIds = defineApi({
  key: 67,
  name: 'AllocateProducerIds',
  versions: '0',
  flexible: '0+',
  listeners: ['controller'],
  request: {
    brokerId: int32('0+', { entity: 'brokerId' }),
    brokerEpoch: int64('0+', { default: -1 }),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    errorCode: errorCode('0+'),
    producerIdStart: int64('0+', { entity: 'producerId' }),
    producerIdLen: int32('0+'),
  },
})

export type AllocateProducerIdsRequest = RequestOf<typeof AllocateProducerIds>
export type AllocateProducerIdsResponse = ResponseOf<typeof AllocateProducerIds>
