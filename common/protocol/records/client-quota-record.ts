import { array, bool, defineRecord, float64, type RecordOf, string } from '../schema.ts'

export const ClientQuotaRecord = defineRecord({
  name: 'ClientQuotaRecord',
  kind: 'metadata',
  type: 14,
  versions: '0',
  flexible: '0+',
  fields: {
    entity: array('0+', {
      entityType: string('0+'),
      entityName: string('0+', { nullable: '0+' }),
    }),
    key: string('0+'),
    value: float64('0+'),
    remove: bool('0+'),
  },
})

export type ClientQuotaRecord = RecordOf<typeof ClientQuotaRecord>
