import { arrayOf, defineRecord, int8, int32, type RecordOf, uuid } from '../schema.ts'

export const PartitionRecord = defineRecord({
  name: 'PartitionRecord',
  kind: 'metadata',
  type: 3,
  versions: '0-2',
  flexible: '0+',
  fields: {
    partitionId: int32('0+', { default: -1 }),
    topicId: uuid('0+'),
    replicas: arrayOf('0+', int32, { entity: 'brokerId' }),
    isr: arrayOf('0+', int32),
    removingReplicas: arrayOf('0+', int32, { entity: 'brokerId' }),
    addingReplicas: arrayOf('0+', int32, { entity: 'brokerId' }),
    leader: int32('0+', { default: -1, entity: 'brokerId' }),
    leaderRecoveryState: int8('0+', { default: 0, tag: 0 }),
    leaderEpoch: int32('0+', { default: -1 }),
    partitionEpoch: int32('0+', { default: -1 }),
    directories: arrayOf('1+', uuid, { default: [] }),
    eligibleLeaderReplicas: arrayOf('2+', int32, {
      nullable: '2+',
      default: null,
      tag: 1,
      entity: 'brokerId',
    }),
    lastKnownElr: arrayOf('2+', int32, { nullable: '2+', default: null, tag: 2, entity: 'brokerId' }),
  },
})

export type PartitionRecord = RecordOf<typeof PartitionRecord>
