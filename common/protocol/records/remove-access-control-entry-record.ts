import { defineRecord, type RecordOf, uuid } from '../schema.ts'

export const RemoveAccessControlEntryRecord = defineRecord({
  name: 'RemoveAccessControlEntryRecord',
  kind: 'metadata',
  type: 19,
  versions: '0',
  flexible: '0+',
  fields: {
    id: uuid('0+'),
  },
})

export type RemoveAccessControlEntryRecord = RecordOf<typeof RemoveAccessControlEntryRecord>
