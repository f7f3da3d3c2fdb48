import { defineRecord, int32, type RecordOf } from '../schema.ts'

export const EndTxnMarker = defineRecord({
  name: 'EndTxnMarker',
  kind: 'data',
  versions: '0',
  flexible: 'none',
  fields: {
    coordinatorEpoch: int32('0+'),
  },
})

export type EndTxnMarker = RecordOf<typeof EndTxnMarker>
