import { defineRecord, int32, int64, type RecordOf, string } from '../schema.ts'

export const ShareGroupTargetAssignmentMetadataKey = defineRecord({
  name: 'ShareGroupTargetAssignmentMetadataKey',
  kind: 'coordinator-key',
  type: 12,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: string('0'),
  },
})

export type ShareGroupTargetAssignmentMetadataKey = RecordOf<typeof ShareGroupTargetAssignmentMetadataKey>

export const ShareGroupTargetAssignmentMetadataValue = defineRecord({
  name: 'ShareGroupTargetAssignmentMetadataValue',
  kind: 'coordinator-value',
  type: 12,
  versions: '0',
  flexible: '0+',
  fields: {
    assignmentEpoch: int32('0+'),
    assignmentTimestamp: int64('0+', { default: 0, tag: 0, ignorable: true }),
  },
})

export type ShareGroupTargetAssignmentMetadataValue = RecordOf<typeof ShareGroupTargetAssignmentMetadataValue>
