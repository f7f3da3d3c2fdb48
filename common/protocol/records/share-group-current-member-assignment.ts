import { array, arrayOf, defineRecord, int8, int32, type RecordOf, string, uuid } from '../schema.ts'

const topicPartitions = {
  topicId: uuid('0+'),
  partitions: arrayOf('0+', int32),
}

export const ShareGroupCurrentMemberAssignmentKey = defineRecord({
  name: 'ShareGroupCurrentMemberAssignmentKey',
  kind: 'coordinator-key',
  type: 14,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: string('0'),
    memberId: string('0'),
  },
})

export type ShareGroupCurrentMemberAssignmentKey = RecordOf<typeof ShareGroupCurrentMemberAssignmentKey>

export const ShareGroupCurrentMemberAssignmentValue = defineRecord({
  name: 'ShareGroupCurrentMemberAssignmentValue',
  kind: 'coordinator-value',
  type: 14,
  versions: '0',
  flexible: '0+',
  fields: {
    memberEpoch: int32('0+'),
    previousMemberEpoch: int32('0+'),
    state: int8('0+'),
    assignedPartitions: array('0+', topicPartitions),
  },
})

export type ShareGroupCurrentMemberAssignmentValue = RecordOf<typeof ShareGroupCurrentMemberAssignmentValue>
