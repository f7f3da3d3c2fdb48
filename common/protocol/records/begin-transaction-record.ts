import { defineRecord, type RecordOf, string } from '../schema.ts'

export const BeginTransactionRecord = defineRecord({
  name: 'BeginTransactionRecord',
  kind: 'metadata',
  type: 23,
  versions: '0',
  flexible: '0+',
  fields: {
    name: string('0+', { nullable: '0+', default: null, tag: 0 }),
  },
})

export type BeginTransactionRecord = RecordOf<typeof BeginTransactionRecord>
