import { array, arrayOf, defineRecord, int32, type RecordOf, string, uuid } from '../schema.ts'

export const ConsumerGroupTargetAssignmentMemberKey = defineRecord({
  name: 'ConsumerGroupTargetAssignmentMemberKey',
  kind: 'coordinator-key',
  type: 7,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: string('0'),
    memberId: string('0'),
  },
})

export type ConsumerGroupTargetAssignmentMemberKey = RecordOf<typeof ConsumerGroupTargetAssignmentMemberKey>

export const ConsumerGroupTargetAssignmentMemberValue = defineRecord({
  name: 'ConsumerGroupTargetAssignmentMemberValue',
  kind: 'coordinator-value',
  type: 7,
  versions: '0',
  flexible: '0+',
  fields: {
    topicPartitions: array('0+', {
      topicId: uuid('0+'),
      partitions: arrayOf('0+', int32),
    }),
  },
})

export type ConsumerGroupTargetAssignmentMemberValue = RecordOf<
  typeof ConsumerGroupTargetAssignmentMemberValue
>
