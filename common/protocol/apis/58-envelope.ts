import { bytes, defineApi, errorCode, type RequestOf, type ResponseOf } from '../schema.ts'

export const Envelope = defineApi({
  key: 58,
  name: 'Envelope',
  versions: '0',
  flexible: '0+',
  listeners: ['controller'],
  request: {
    requestData: bytes('0+'),
    requestPrincipal: bytes('0+', { nullable: '0+' }),
    clientHostAddress: bytes('0+'),
  },
  response: {
    responseData: bytes('0+', { nullable: '0+', default: null }),
    errorCode: errorCode('0+'),
  },
})

export type EnvelopeRequest = RequestOf<typeof Envelope>
export type EnvelopeResponse = ResponseOf<typeof Envelope>
