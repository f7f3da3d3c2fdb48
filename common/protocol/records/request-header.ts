import { defineRecord, int16, int32, type RecordOf, string } from '../schema.ts'

export const RequestHeader = defineRecord({
  name: 'RequestHeader',
  kind: 'header',
  versions: '1-2',
  flexible: '2+',
  fields: {
    requestApiKey: int16('0+'),
    requestApiVersion: int16('0+'),
    correlationId: int32('0+'),
    clientId: string('1+', { nullable: '1+', flexible: 'none' }),
  },
})

export type RequestHeader = RecordOf<typeof RequestHeader>
