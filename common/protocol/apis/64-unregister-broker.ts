import { defineApi, errorCode, int32, type RequestOf, type ResponseOf, string } from '../schema.ts'

export const UnregisterBroker = defineApi({
  key: 64,
  name: 'UnregisterBroker',
  versions: '0',
  flexible: '0+',
  listeners: ['broker', 'controller'],
  request: {
    brokerId: int32('0+', { entity: 'brokerId' }),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    errorCode: errorCode('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
  },
})

export type UnregisterBrokerRequest = RequestOf<typeof UnregisterBroker>
export type UnregisterBrokerResponse = ResponseOf<typeof UnregisterBroker>
