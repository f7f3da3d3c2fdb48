import { describe, expect, it } from 'vitest'
import {
  type CoordinatorRecord,
  coordinatorRecordFormat,
  tombstone,
  valueRecord,
} from '../../../../broker/coordinator/coordinator-record.ts'
import {
  ClassicGroupMetadata,
  CommittedOffset,
  GROUP_RECORD_TYPES,
} from '../../../../broker/coordinator/group/group-records.ts'
import type { ReplayContext } from '../../../../broker/statemachine/state-machine.ts'
import { BatchView } from '../../../../common/record/batch.ts'
import { BatchBuilder } from '../../../../common/record/batch-builder.ts'

const format = coordinatorRecordFormat({ types: GROUP_RECORD_TYPES })
const context = { timestampMs: 1000, leaderEpoch: 3, producer: undefined }

function decode(batch: Buffer) {
  const records: { record: CoordinatorRecord; context: ReplayContext }[] = []
  const unknown: string[] = []
  const markers: unknown[] = []
  format.decodeBatch(batch, 0, {
    onRecord: (record, where) => records.push({ record, context: where }),
    onMarker: (marker, offset) => markers.push({ ...marker, offset }),
    onUnknown: (description) => unknown.push(description),
  })
  return { records, unknown, markers }
}

const key = { group: 'g', topic: 't', partition: 1 }
const value = {
  offset: 5,
  leaderEpoch: 2,
  metadata: 'm',
  commitTimestamp: 9,
  topicId: 'AAAAAAAAAAAAAAAAAAAAAQ',
}

describe('records of internal topics', () => {
  it('read back as they were written, tombstones included', () => {
    const records = [
      valueRecord(CommittedOffset, 4, key, value),
      tombstone(CommittedOffset, key),
      tombstone(ClassicGroupMetadata, { group: 'g' }),
    ]
    const decoded = decode(format.encodeBatch(records, context))
    expect(decoded.records.map(({ record }) => record)).toEqual(records)
    expect(decoded.records[1]?.context).toEqual({
      offset: 1,
      timestampMs: 1000,
      producerId: -1,
      producerEpoch: -1,
    })
    expect(decoded.unknown).toEqual([])
  })

  it('have the type before the key and the version before the value', () => {
    const batch = format.encodeBatch([valueRecord(CommittedOffset, 4, key, value)], context)
    expect(batch.includes(Buffer.from([0, 1, 0, 1, 0x67, 0, 1, 0x74, 0, 0, 0, 1]))).toBe(true)
    expect(batch.includes(Buffer.from([0, 4, 0, 0, 0, 0, 0, 0, 0, 5]))).toBe(true)
    expect(new BatchView(batch).partitionLeaderEpoch).toBe(3)
  })

  it('of a transaction carry its producer', () => {
    const producer = { producerId: 7, producerEpoch: 1 }
    const batch = format.encodeBatch([valueRecord(CommittedOffset, 4, key, value)], { ...context, producer })
    expect(new BatchView(batch).isTransactional).toBe(true)
    expect(decode(batch).records[0]?.context).toMatchObject(producer)
  })

  it('a control batch tells the end of a transaction', () => {
    const builder = new BatchBuilder({
      producerId: 7,
      producerEpoch: 1,
      isTransactional: true,
      isControl: true,
    })
    builder.append(1000, Buffer.from([0, 0, 0, 1]), Buffer.alloc(6))
    expect(decode(builder.build()).markers).toEqual([
      { producerId: 7, producerEpoch: 1, isCommit: true, offset: 0 },
    ])
  })

  it.each([
    ['type', Buffer.from([0, 99, 0, 0]), null, 'a record of type 99'],
    ['version', Buffer.from([0, 2, 0, 1, 0x67]), Buffer.from([0, 77]), 'a GroupMetadataValue of version 77'],
    ['length', Buffer.from([0, 2, 0, 9]), Buffer.from([0, 3]), 'a damaged record of GroupMetadataKey'],
  ])('of an unknown %s are skipped and reported', (_what, keyBytes, valueBytes, description) => {
    const builder = new BatchBuilder()
    builder.append(1000, keyBytes, valueBytes)
    expect(decode(builder.build())).toEqual({ records: [], unknown: [description], markers: [] })
  })
})
