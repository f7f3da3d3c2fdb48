import { defineRecord, type RecordOf } from '../schema.ts'

export const NoOpRecord = defineRecord({
  name: 'NoOpRecord',
  kind: 'metadata',
  type: 20,
  versions: '0',
  flexible: '0+',
  fields: {},
})

export type NoOpRecord = RecordOf<typeof NoOpRecord>
