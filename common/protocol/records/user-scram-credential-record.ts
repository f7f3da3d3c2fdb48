import { bytes, defineRecord, int8, int32, type RecordOf, string } from '../schema.ts'

export const UserScramCredentialRecord = defineRecord({
  name: 'UserScramCredentialRecord',
  kind: 'metadata',
  type: 11,
  versions: '0',
  flexible: '0+',
  fields: {
    name: string('0+'),
    mechanism: int8('0+'),
    salt: bytes('0+'),
    storedKey: bytes('0+'),
    serverKey: bytes('0+'),
    iterations: int32('0+'),
  },
})

export type UserScramCredentialRecord = RecordOf<typeof UserScramCredentialRecord>
