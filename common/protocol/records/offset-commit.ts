import { defineRecord, int32, int64, type RecordOf, string, uuid } from '../schema.ts'

export const OffsetCommitKey = defineRecord({
  name: 'OffsetCommitKey',
  kind: 'coordinator-key',
  type: 1,
  versions: '0',
  flexible: 'none',
  fields: {
    group: string('0'),
    topic: string('0'),
    partition: int32('0'),
  },
})

export type OffsetCommitKey = RecordOf<typeof OffsetCommitKey>

export const OffsetCommitValue = defineRecord({
  name: 'OffsetCommitValue',
  kind: 'coordinator-value',
  type: 1,
  versions: '0-4',
  flexible: '4+',
  fields: {
    offset: int64('0+'),
    leaderEpoch: int32('3+', { default: -1, ignorable: true }),
    metadata: string('0+'),
    commitTimestamp: int64('0+'),
    expireTimestamp: int64('1', { default: -1, ignorable: true }),
    topicId: uuid('4+', { tag: 0, ignorable: true }),
  },
})

export type OffsetCommitValue = RecordOf<typeof OffsetCommitValue>
