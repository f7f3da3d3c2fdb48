import { array, defineRecord, int32, int64, type RecordOf, string, uuid, ZERO_UUID } from '../schema.ts'

export const QuorumStateData = defineRecord({
  name: 'QuorumStateData',
  kind: 'data',
  versions: '0-1',
  flexible: '0+',
  fields: {
    clusterId: string('0', { default: '' }),
    leaderId: int32('0+', { default: -1 }),
    leaderEpoch: int32('0+', { default: -1 }),
    votedId: int32('0+', { default: -1 }),
    votedDirectoryId: uuid('1+', { default: ZERO_UUID }),
    appliedOffset: int64('0', { default: 0 }),
    currentVoters: array(
      '0',
      {
        voterId: int32('0'),
      },
      { nullable: '0', default: [] },
    ),
  },
})

export type QuorumStateData = RecordOf<typeof QuorumStateData>
