import { defineRecord, int8, type RecordOf, string } from '../schema.ts'

export const RemoveUserScramCredentialRecord = defineRecord({
  name: 'RemoveUserScramCredentialRecord',
  kind: 'metadata',
  type: 22,
  versions: '0',
  flexible: '0+',
  fields: {
    name: string('0+'),
    mechanism: int8('0+'),
  },
})

export type RemoveUserScramCredentialRecord = RecordOf<typeof RemoveUserScramCredentialRecord>
