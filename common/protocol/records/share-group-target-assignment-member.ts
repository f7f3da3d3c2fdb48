import { array, arrayOf, defineRecord, int32, type RecordOf, string, uuid } from '../schema.ts'

export const ShareGroupTargetAssignmentMemberKey = defineRecord({
  name: 'ShareGroupTargetAssignmentMemberKey',
  kind: 'coordinator-key',
  type: 13,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: string('0'),
    memberId: string('0'),
  },
})

export type ShareGroupTargetAssignmentMemberKey = RecordOf<typeof ShareGroupTargetAssignmentMemberKey>

export const ShareGroupTargetAssignmentMemberValue = defineRecord({
  name: 'ShareGroupTargetAssignmentMemberValue',
  kind: 'coordinator-value',
  type: 13,
  versions: '0',
  flexible: '0+',
  fields: {
    topicPartitions: array('0+', {
      topicId: uuid('0+'),
      partitions: arrayOf('0+', int32),
    }),
  },
})

export type ShareGroupTargetAssignmentMemberValue = RecordOf<typeof ShareGroupTargetAssignmentMemberValue>
