import { defineRecord, type RecordOf, string } from '../schema.ts'

export const ClearElrRecord = defineRecord({
  name: 'ClearElrRecord',
  kind: 'metadata',
  type: 28,
  versions: '0',
  flexible: '0+',
  fields: {
    topicName: string('0+', { entity: 'topicName' }),
  },
})

export type ClearElrRecord = RecordOf<typeof ClearElrRecord>
