import { defineRecord, type RecordOf, string, uuid } from '../schema.ts'

export const TopicRecord = defineRecord({
  name: 'TopicRecord',
  kind: 'metadata',
  type: 2,
  versions: '0',
  flexible: '0+',
  fields: {
    name: string('0+', { entity: 'topicName' }),
    topicId: uuid('0+'),
  },
})

export type TopicRecord = RecordOf<typeof TopicRecord>
