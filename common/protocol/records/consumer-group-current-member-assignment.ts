import { array, arrayOf, defineRecord, int8, int32, type RecordOf, string, uuid } from '../schema.ts'

const topicPartitions = {
  topicId: uuid('0+'),
  partitions: arrayOf('0+', int32),
  assignmentEpochs: arrayOf('0+', int32, { nullable: '0+', tag: 0 }),
}

export const ConsumerGroupCurrentMemberAssignmentKey = defineRecord({
  name: 'ConsumerGroupCurrentMemberAssignmentKey',
  kind: 'coordinator-key',
  type: 8,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: string('0'),
    memberId: string('0'),
  },
})

export type ConsumerGroupCurrentMemberAssignmentKey = RecordOf<typeof ConsumerGroupCurrentMemberAssignmentKey>

export const ConsumerGroupCurrentMemberAssignmentValue = defineRecord({
  name: 'ConsumerGroupCurrentMemberAssignmentValue',
  kind: 'coordinator-value',
  type: 8,
  versions: '0',
  flexible: '0+',
  fields: {
    memberEpoch: int32('0+'),
    previousMemberEpoch: int32('0+'),
    state: int8('0+'),
    assignedPartitions: array('0+', topicPartitions),
    partitionsPendingRevocation: array('0+', topicPartitions),
  },
})

export type ConsumerGroupCurrentMemberAssignmentValue = RecordOf<
  typeof ConsumerGroupCurrentMemberAssignmentValue
>
