import { array, arrayOf, defineRecord, int8, int32, type RecordOf, string } from '../schema.ts'

const taskIds = {
  subtopologyId: string('0+'),
  partitions: arrayOf('0+', int32),
  assignmentEpochs: arrayOf('0+', int32, { nullable: '0+', tag: 0 }),
}

export const StreamsGroupCurrentMemberAssignmentKey = defineRecord({
  name: 'StreamsGroupCurrentMemberAssignmentKey',
  kind: 'coordinator-key',
  type: 22,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: string('0'),
    memberId: string('0'),
  },
})

export type StreamsGroupCurrentMemberAssignmentKey = RecordOf<typeof StreamsGroupCurrentMemberAssignmentKey>

export const StreamsGroupCurrentMemberAssignmentValue = defineRecord({
  name: 'StreamsGroupCurrentMemberAssignmentValue',
  kind: 'coordinator-value',
  type: 22,
  versions: '0',
  flexible: '0+',
  fields: {
    memberEpoch: int32('0+'),
    previousMemberEpoch: int32('0+'),
    state: int8('0+'),
    activeTasks: array('0+', taskIds),
    standbyTasks: array('0+', taskIds),
    warmupTasks: array('0+', taskIds),
    activeTasksPendingRevocation: array('0+', taskIds),
    standbyTasksPendingRevocation: array('0+', taskIds),
    warmupTasksPendingRevocation: array('0+', taskIds),
  },
})

export type StreamsGroupCurrentMemberAssignmentValue = RecordOf<
  typeof StreamsGroupCurrentMemberAssignmentValue
>
