import { defineRecord, int8, type RecordOf, string } from '../schema.ts'

export const ConfigRecord = defineRecord({
  name: 'ConfigRecord',
  kind: 'metadata',
  type: 4,
  versions: '0',
  flexible: '0+',
  fields: {
    resourceType: int8('0+'),
    resourceName: string('0+'),
    name: string('0+'),
    value: string('0+', { nullable: '0+' }),
  },
})

export type ConfigRecord = RecordOf<typeof ConfigRecord>
