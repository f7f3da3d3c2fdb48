import { arrayOf, defineRecord, int64, type RecordOf, string } from '../schema.ts'

export const DelegationTokenRecord = defineRecord({
  name: 'DelegationTokenRecord',
  kind: 'metadata',
  type: 10,
  versions: '0',
  flexible: '0+',
  fields: {
    owner: string('0+'),
    requester: string('0+'),
    renewers: arrayOf('0+', string),
    issueTimestamp: int64('0+'),
    maxTimestamp: int64('0+'),
    expirationTimestamp: int64('0+'),
    tokenId: string('0+'),
  },
})

export type DelegationTokenRecord = RecordOf<typeof DelegationTokenRecord>
