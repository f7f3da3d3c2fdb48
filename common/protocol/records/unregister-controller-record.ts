import { defineRecord, int32, type RecordOf } from '../schema.ts'

export const UnregisterControllerRecord = defineRecord({
  name: 'UnregisterControllerRecord',
  kind: 'metadata',
  type: 29,
  versions: '0',
  flexible: '0+',
  fields: {
    controllerId: int32('0+'),
  },
})

export type UnregisterControllerRecord = RecordOf<typeof UnregisterControllerRecord>
