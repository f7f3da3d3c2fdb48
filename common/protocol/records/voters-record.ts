import { array, defineRecord, int16, int32, type RecordOf, string, struct, uint16, uuid } from '../schema.ts'

export const VotersRecord = defineRecord({
  name: 'VotersRecord',
  kind: 'data',
  versions: '0',
  flexible: '0+',
  fields: {
    version: int16('0+'),
    voters: array('0+', {
      voterId: int32('0+', { entity: 'brokerId' }),
      voterDirectoryId: uuid('0+'),
      endpoints: array('0+', {
        name: string('0+', { mapKey: true }),
        host: string('0+'),
        port: uint16('0+'),
      }),
      kRaftVersionFeature: struct('0+', {
        minSupportedVersion: int16('0+'),
        maxSupportedVersion: int16('0+'),
      }),
    }),
  },
})

export type VotersRecord = RecordOf<typeof VotersRecord>
