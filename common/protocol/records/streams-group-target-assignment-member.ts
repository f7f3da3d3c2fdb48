import { array, arrayOf, defineRecord, int32, type RecordOf, string } from '../schema.ts'

const taskIds = {
  subtopologyId: string('0+'),
  partitions: arrayOf('0+', int32),
}

export const StreamsGroupTargetAssignmentMemberKey = defineRecord({
  name: 'StreamsGroupTargetAssignmentMemberKey',
  kind: 'coordinator-key',
  type: 21,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: string('0'),
    memberId: string('0'),
  },
})

export type StreamsGroupTargetAssignmentMemberKey = RecordOf<typeof StreamsGroupTargetAssignmentMemberKey>

export const StreamsGroupTargetAssignmentMemberValue = defineRecord({
  name: 'StreamsGroupTargetAssignmentMemberValue',
  kind: 'coordinator-value',
  type: 21,
  versions: '0',
  flexible: '0+',
  fields: {
    activeTasks: array('0+', taskIds),
    standbyTasks: array('0+', taskIds),
    warmupTasks: array('0+', taskIds),
  },
})

export type StreamsGroupTargetAssignmentMemberValue = RecordOf<typeof StreamsGroupTargetAssignmentMemberValue>
