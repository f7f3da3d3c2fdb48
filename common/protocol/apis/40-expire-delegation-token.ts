import { bytes, defineApi, errorCode, int32, int64, type RequestOf, type ResponseOf } from '../schema.ts'

export const ExpireDelegationToken = defineApi({
  key: 40,
  name: 'ExpireDelegationToken',
  versions: '1-2',
  flexible: '2+',
  listeners: ['broker', 'controller'],
  request: {
    hmac: bytes('0+'),
    expiryTimePeriodMs: int64('0+'),
  },
  response: {
    errorCode: errorCode('0+'),
    expiryTimestampMs: int64('0+'),
    throttleTimeMs: int32('0+', { default: 0 }),
  },
})

export type ExpireDelegationTokenRequest = RequestOf<typeof ExpireDelegationToken>
export type ExpireDelegationTokenResponse = ResponseOf<typeof ExpireDelegationToken>
