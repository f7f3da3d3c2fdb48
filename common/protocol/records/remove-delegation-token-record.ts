import { defineRecord, type RecordOf, string } from '../schema.ts'

export const RemoveDelegationTokenRecord = defineRecord({
  name: 'RemoveDelegationTokenRecord',
  kind: 'metadata',
  type: 26,
  versions: '0',
  flexible: '0+',
  fields: {
    tokenId: string('0+'),
  },
})

export type RemoveDelegationTokenRecord = RecordOf<typeof RemoveDelegationTokenRecord>
