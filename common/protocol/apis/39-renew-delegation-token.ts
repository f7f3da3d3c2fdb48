import { bytes, defineApi, errorCode, int32, int64, type RequestOf, type ResponseOf } from '../schema.ts'

export const RenewDelegationToken = defineApi({
  key: 39,
  name: 'RenewDelegationToken',
  versions: '1-2',
  flexible: '2+',
  listeners: ['broker', 'controller'],
  request: {
    hmac: bytes('0+'),
    renewPeriodMs: int64('0+'),
  },
  response: {
    errorCode: errorCode('0+'),
    expiryTimestampMs: int64('0+'),
    throttleTimeMs: int32('0+', { default: 0 }),
  },
})

export type RenewDelegationTokenRequest = RequestOf<typeof RenewDelegationToken>
export type RenewDelegationTokenResponse = ResponseOf<typeof RenewDelegationToken>
