import { defineRecord, int32, int64, type RecordOf, string } from '../schema.ts'

export const ConsumerGroupMetadataKey = defineRecord({
  name: 'ConsumerGroupMetadataKey',
  kind: 'coordinator-key',
  type: 3,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: string('0'),
  },
})

export type ConsumerGroupMetadataKey = RecordOf<typeof ConsumerGroupMetadataKey>

export const ConsumerGroupMetadataValue = defineRecord({
  name: 'ConsumerGroupMetadataValue',
  kind: 'coordinator-value',
  type: 3,
  versions: '0',
  flexible: '0+',
  fields: {
    epoch: int32('0+'),
    metadataHash: int64('0+', { exact: true, default: 0n, tag: 0 }),
  },
})

export type ConsumerGroupMetadataValue = RecordOf<typeof ConsumerGroupMetadataValue>
