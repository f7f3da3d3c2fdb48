import { array, arrayOf, defineRecord, int32, type RecordOf, string, uuid } from '../schema.ts'

const topicPartitionsInfo = {
  topicId: uuid('0+'),
  topicName: string('0+'),
  partitions: arrayOf('0+', int32),
}

const topicInfo = {
  topicId: uuid('0+'),
  topicName: string('0+'),
}

export const ShareGroupStatePartitionMetadataKey = defineRecord({
  name: 'ShareGroupStatePartitionMetadataKey',
  kind: 'coordinator-key',
  type: 15,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: string('0'),
  },
})

export type ShareGroupStatePartitionMetadataKey = RecordOf<typeof ShareGroupStatePartitionMetadataKey>

export const ShareGroupStatePartitionMetadataValue = defineRecord({
  name: 'ShareGroupStatePartitionMetadataValue',
  kind: 'coordinator-value',
  type: 15,
  versions: '0',
  flexible: '0+',
  fields: {
    initializingTopics: array('0+', topicPartitionsInfo),
    initializedTopics: array('0+', topicPartitionsInfo),
    deletingTopics: array('0+', topicInfo),
  },
})

export type ShareGroupStatePartitionMetadataValue = RecordOf<typeof ShareGroupStatePartitionMetadataValue>
