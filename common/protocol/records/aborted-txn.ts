import { defineRecord, int64, type RecordOf } from '../schema.ts'

export const AbortedTxn = defineRecord({
  name: 'AbortedTxn',
  kind: 'data',
  versions: '0',
  flexible: 'none',
  fields: {
    producerId: int64('0+'),
    firstOffset: int64('0+'),
    lastOffset: int64('0+'),
    lastStableOffset: int64('0+'),
  },
})

export type AbortedTxn = RecordOf<typeof AbortedTxn>
