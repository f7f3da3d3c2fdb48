import { defineRecord, int8, type RecordOf, string, uuid } from '../schema.ts'

export const AccessControlEntryRecord = defineRecord({
  name: 'AccessControlEntryRecord',
  kind: 'metadata',
  type: 18,
  versions: '0',
  flexible: '0+',
  fields: {
    id: uuid('0+'),
    resourceType: int8('0+'),
    resourceName: string('0+'),
    patternType: int8('0+'),
    principal: string('0+'),
    host: string('0+'),
    operation: int8('0+'),
    permissionType: int8('0+'),
  },
})

export type AccessControlEntryRecord = RecordOf<typeof AccessControlEntryRecord>
