import { defineRecord, type RecordOf } from '../schema.ts'

export const EndTransactionRecord = defineRecord({
  name: 'EndTransactionRecord',
  kind: 'metadata',
  type: 24,
  versions: '0',
  flexible: '0+',
  fields: {},
})

export type EndTransactionRecord = RecordOf<typeof EndTransactionRecord>
