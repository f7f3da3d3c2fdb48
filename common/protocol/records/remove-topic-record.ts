import { defineRecord, type RecordOf, uuid } from '../schema.ts'

export const RemoveTopicRecord = defineRecord({
  name: 'RemoveTopicRecord',
  kind: 'metadata',
  type: 9,
  versions: '0',
  flexible: '0+',
  fields: {
    topicId: uuid('0+'),
  },
})

export type RemoveTopicRecord = RecordOf<typeof RemoveTopicRecord>
