import { bool, defineRecord, type RecordOf, string } from '../schema.ts'

export const DefaultPrincipalData = defineRecord({
  name: 'DefaultPrincipalData',
  kind: 'data',
  versions: '0',
  flexible: '0+',
  fields: {
    type: string('0+'),
    name: string('0+'),
    tokenAuthenticated: bool('0+'),
  },
})

export type DefaultPrincipalData = RecordOf<typeof DefaultPrincipalData>
