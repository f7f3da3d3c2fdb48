import { array, arrayOf, defineRecord, int32, type RecordOf, string, uuid } from '../schema.ts'

export const ConsumerGroupPartitionMetadataKey = defineRecord({
  name: 'ConsumerGroupPartitionMetadataKey',
  kind: 'coordinator-key',
  type: 4,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: string('0'),
  },
})

export type ConsumerGroupPartitionMetadataKey = RecordOf<typeof ConsumerGroupPartitionMetadataKey>

export const ConsumerGroupPartitionMetadataValue = defineRecord({
  name: 'ConsumerGroupPartitionMetadataValue',
  kind: 'coordinator-value',
  type: 4,
  versions: '0',
  flexible: '0+',
  fields: {
    topics: array('0+', {
      topicId: uuid('0+'),
      topicName: string('0+'),
      numPartitions: int32('0+'),
      partitionMetadata: array('0+', {
        partition: int32('0+'),
        racks: arrayOf('0+', string),
      }),
    }),
  },
})

export type ConsumerGroupPartitionMetadataValue = RecordOf<typeof ConsumerGroupPartitionMetadataValue>
