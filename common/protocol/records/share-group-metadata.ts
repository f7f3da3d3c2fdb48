import { defineRecord, int32, int64, type RecordOf, string } from '../schema.ts'

export const ShareGroupMetadataKey = defineRecord({
  name: 'ShareGroupMetadataKey',
  kind: 'coordinator-key',
  type: 11,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: string('0'),
  },
})

export type ShareGroupMetadataKey = RecordOf<typeof ShareGroupMetadataKey>

export const ShareGroupMetadataValue = defineRecord({
  name: 'ShareGroupMetadataValue',
  kind: 'coordinator-value',
  type: 11,
  versions: '0',
  flexible: '0+',
  fields: {
    epoch: int32('0+'),
    metadataHash: int64('0+', { exact: true }),
  },
})

export type ShareGroupMetadataValue = RecordOf<typeof ShareGroupMetadataValue>
