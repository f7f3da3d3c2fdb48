import { array, defineRecord, int32, int64, type RecordOf, string } from '../schema.ts'

const lastAssignmentConfig = {
  key: string('0+'),
  value: string('0+'),
}

export const StreamsGroupMetadataKey = defineRecord({
  name: 'StreamsGroupMetadataKey',
  kind: 'coordinator-key',
  type: 17,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: string('0'),
  },
})

export type StreamsGroupMetadataKey = RecordOf<typeof StreamsGroupMetadataKey>

export const StreamsGroupMetadataValue = defineRecord({
  name: 'StreamsGroupMetadataValue',
  kind: 'coordinator-value',
  type: 17,
  versions: '0',
  flexible: '0+',
  fields: {
    epoch: int32('0+'),
    metadataHash: int64('0+', { exact: true }),
    validatedTopologyEpoch: int32('0+', { default: -1, tag: 0 }),
    lastAssignmentConfigs: array('0+', lastAssignmentConfig, { nullable: '0+', tag: 1 }),
    storedDescriptionTopologyEpoch: int32('0+', { default: -1, tag: 2 }),
    failedDescriptionTopologyEpoch: int32('0+', { default: -1, tag: 3 }),
  },
})

export type StreamsGroupMetadataValue = RecordOf<typeof StreamsGroupMetadataValue>
