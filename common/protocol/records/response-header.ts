import { defineRecord, int32, type RecordOf } from '../schema.ts'

export const ResponseHeader = defineRecord({
  name: 'ResponseHeader',
  kind: 'header',
  versions: '0-1',
  flexible: '1+',
  fields: {
    correlationId: int32('0+'),
  },
})

export type ResponseHeader = RecordOf<typeof ResponseHeader>
