import { defineRecord, int32, int64, type RecordOf, string } from '../schema.ts'

export const LegacyOffsetCommitKey = defineRecord({
  name: 'LegacyOffsetCommitKey',
  kind: 'coordinator-key',
  type: 0,
  versions: '0',
  flexible: 'none',
  fields: {
    group: string('0'),
    topic: string('0'),
    partition: int32('0'),
  },
})

export type LegacyOffsetCommitKey = RecordOf<typeof LegacyOffsetCommitKey>

export const LegacyOffsetCommitValue = defineRecord({
  name: 'LegacyOffsetCommitValue',
  kind: 'coordinator-value',
  type: 0,
  versions: '0',
  flexible: 'none',
  fields: {
    offset: int64('0'),
    metadata: string('0'),
    commitTimestamp: int64('0'),
  },
})

export type LegacyOffsetCommitValue = RecordOf<typeof LegacyOffsetCommitValue>
