import { defineRecord, int32, int64, type RecordOf, string } from '../schema.ts'

export const StreamsGroupTargetAssignmentMetadataKey = defineRecord({
  name: 'StreamsGroupTargetAssignmentMetadataKey',
  kind: 'coordinator-key',
  type: 20,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: string('0'),
  },
})

export type StreamsGroupTargetAssignmentMetadataKey = RecordOf<typeof StreamsGroupTargetAssignmentMetadataKey>

export const StreamsGroupTargetAssignmentMetadataValue = defineRecord({
  name: 'StreamsGroupTargetAssignmentMetadataValue',
  kind: 'coordinator-value',
  type: 20,
  versions: '0',
  flexible: '0+',
  fields: {
    assignmentEpoch: int32('0+'),
    assignmentTimestamp: int64('0+', { default: 0, tag: 0, ignorable: true }),
  },
})

export type StreamsGroupTargetAssignmentMetadataValue = RecordOf<
  typeof StreamsGroupTargetAssignmentMetadataValue
>
