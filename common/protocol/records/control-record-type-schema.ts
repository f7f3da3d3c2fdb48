import { defineRecord, int16, type RecordOf } from '../schema.ts'

export const ControlRecordTypeSchema = defineRecord({
  name: 'ControlRecordTypeSchema',
  kind: 'data',
  versions: '0',
  flexible: 'none',
  fields: {
    type: int16('0+'),
  },
})

export type ControlRecordTypeSchema = RecordOf<typeof ControlRecordTypeSchema>
