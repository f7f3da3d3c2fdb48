import { array, defineRecord, int16, int32, type RecordOf, uuid, ZERO_UUID } from '../schema.ts'

const voter = {
  voterId: int32('0+'),
  voterDirectoryId: uuid('1+', { default: ZERO_UUID }),
}

export const LeaderChangeMessage = defineRecord({
  name: 'LeaderChangeMessage',
  kind: 'data',
  versions: '0-1',
  flexible: '0+',
  fields: {
    version: int16('0+', { about: 'Written as a field: this structure has no version in front.' }),
    leaderId: int32('0+', { entity: 'brokerId' }),
    voters: array('0+', voter),
    grantingVoters: array('0+', voter),
  },
})

export type LeaderChangeMessage = RecordOf<typeof LeaderChangeMessage>
