import { defineRecord, int32, int64, type RecordOf, string } from '../schema.ts'

export const ConsumerGroupTargetAssignmentMetadataKey = defineRecord({
  name: 'ConsumerGroupTargetAssignmentMetadataKey',
  kind: 'coordinator-key',
  type: 6,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: string('0'),
  },
})

export type ConsumerGroupTargetAssignmentMetadataKey = RecordOf<
  typeof ConsumerGroupTargetAssignmentMetadataKey
>

export const ConsumerGroupTargetAssignmentMetadataValue = defineRecord({
  name: 'ConsumerGroupTargetAssignmentMetadataValue',
  kind: 'coordinator-value',
  type: 6,
  versions: '0',
  flexible: '0+',
  fields: {
    assignmentEpoch: int32('0+'),
    assignmentTimestamp: int64('0+', { default: 0, tag: 0, ignorable: true }),
  },
})

export type ConsumerGroupTargetAssignmentMetadataValue = RecordOf<
  typeof ConsumerGroupTargetAssignmentMetadataValue
>
