import { defineRecord, int8, type RecordOf } from '../schema.ts'

export const ZkMigrationStateRecord = defineRecord({
  name: 'ZkMigrationStateRecord',
  kind: 'metadata',
  type: 21,
  versions: '0',
  flexible: '0+',
  fields: {
    zkMigrationState: int8('0+'),
  },
})

export type ZkMigrationStateRecord = RecordOf<typeof ZkMigrationStateRecord>
