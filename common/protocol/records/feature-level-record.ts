import { defineRecord, int16, type RecordOf, string } from '../schema.ts'

export const FeatureLevelRecord = defineRecord({
  name: 'FeatureLevelRecord',
  kind: 'metadata',
  type: 12,
  versions: '0',
  flexible: '0+',
  fields: {
    name: string('0+'),
    featureLevel: int16('0+'),
  },
})

export type FeatureLevelRecord = RecordOf<typeof FeatureLevelRecord>
