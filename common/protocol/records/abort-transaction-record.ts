import { defineRecord, type RecordOf, string } from '../schema.ts'

export const AbortTransactionRecord = defineRecord({
  name: 'AbortTransactionRecord',
  kind: 'metadata',
  type: 25,
  versions: '0',
  flexible: '0+',
  fields: {
    reason: string('0+', { nullable: '0+', default: null, tag: 0 }),
  },
})

export type AbortTransactionRecord = RecordOf<typeof AbortTransactionRecord>
