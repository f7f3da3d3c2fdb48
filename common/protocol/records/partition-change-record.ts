import { arrayOf, defineRecord, int8, int32, type RecordOf, uuid } from '../schema.ts'

export const PartitionChangeRecord = defineRecord({
  name: 'PartitionChangeRecord',
  kind: 'metadata',
  type: 5,
  versions: '0-2',
  flexible: '0+',
  fields: {
    partitionId: int32('0+', { default: -1 }),
    topicId: uuid('0+'),
    isr: arrayOf('0+', int32, { nullable: '0+', default: null, tag: 0, entity: 'brokerId' }),
    leader: int32('0+', {
      default: -2,
      tag: 1,
      entity: 'brokerId',
      about: '-2 when unchanged, -1 when there is none.',
    }),
    replicas: arrayOf('0+', int32, { nullable: '0+', default: null, tag: 2, entity: 'brokerId' }),
    removingReplicas: arrayOf('0+', int32, { nullable: '0+', default: null, tag: 3, entity: 'brokerId' }),
    addingReplicas: arrayOf('0+', int32, { nullable: '0+', default: null, tag: 4, entity: 'brokerId' }),
    leaderRecoveryState: int8('0+', {
      default: -1,
      tag: 5,
      about: '-1 when unchanged, 0 recovered, 1 recovering from an unclean election.',
    }),
    directories: arrayOf('1+', uuid, { nullable: '1+', default: null, tag: 8 }),
    eligibleLeaderReplicas: arrayOf('2+', int32, {
      nullable: '2+',
      default: null,
      tag: 6,
      entity: 'brokerId',
    }),
    lastKnownElr: arrayOf('2+', int32, { nullable: '2+', default: null, tag: 7, entity: 'brokerId' }),
  },
})

export type PartitionChangeRecord = RecordOf<typeof PartitionChangeRecord>
