import {
  bool,
  bytes,
  defineApi,
  errorCode,
  int8,
  int32,
  type RequestOf,
  type ResponseOf,
  uuid,
} from '../schema.ts'

export const PushTelemetry = defineApi({
  key: 72,
  name: 'PushTelemetry',
  versions: '0',
  flexible: '0+',
  request: {
    clientInstanceId: uuid('0+'),
    subscriptionId: int32('0+'),
    terminating: bool('0+'),
    compressionType: int8('0+'),
    metrics: bytes('0+'),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    errorCode: errorCode('0+'),
  },
})

export type PushTelemetryRequest = RequestOf<typeof PushTelemetry>
export type PushTelemetryResponse = ResponseOf<typeof PushTelemetry>
