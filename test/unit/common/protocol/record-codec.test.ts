import { describe, expect, it } from 'vitest'
import { MalformedFrame } from '../../../../common/protocol/malformed-frame.ts'
import {
  decodeRecordKey,
  decodeRecordValue,
  encodeRecordKey,
  encodeRecordValue,
} from '../../../../common/protocol/record-codec.ts'
import { ConsumerGroupMetadataValue } from '../../../../common/protocol/records/consumer-group-metadata.ts'
import { ConsumerProtocolSubscription } from '../../../../common/protocol/records/consumer-protocol-subscription.ts'
import { decodeGroupRecord } from '../../../../common/protocol/records/group-records.ts'
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
} from '../../../../common/protocol/records/metadata-records.ts'
import { OffsetCommitKey, OffsetCommitValue } from '../../../../common/protocol/records/offset-commit.ts'
import { PartitionChangeRecord } from '../../../../common/protocol/records/partition-change-record.ts'
import { TopicRecord } from '../../../../common/protocol/records/topic-record.ts'
import { decodeTransactionRecord } from '../../../../common/protocol/records/transaction-records.ts'

const key = { group: 'g', topic: 't', partition: 3 }
const value = { offset: 42, leaderEpoch: 1, metadata: '', commitTimestamp: 1_700_000_000_000 }

describe('a coordinator record', () => {
  it('has its type before the key and its version before the value', () => {
    const keyBytes = encodeRecordKey(OffsetCommitKey, key)
    const valueBytes = encodeRecordValue(OffsetCommitValue, 3, value)
    expect(keyBytes.toString('hex')).toBe('0001' + '000167' + '000174' + '00000003')
    expect(valueBytes.subarray(0, 2).toString('hex')).toBe('0003')
    expect(decodeRecordKey(OffsetCommitKey, keyBytes)).toEqual(key)
    expect(decodeRecordValue(OffsetCommitValue, valueBytes)).toMatchObject(value)

    const record = decodeGroupRecord(keyBytes, valueBytes)
    expect(record?.name).toBe('OffsetCommit')
    if (record?.name === 'OffsetCommit') expect(record.value?.offset).toBe(42)
  })

  it('without a value is a tombstone', () => {
    const record = decodeGroupRecord(encodeRecordKey(OffsetCommitKey, key), null)
    expect(record).toEqual({ name: 'OffsetCommit', key, value: null })
  })

  it('of a type or version from the future is skipped', () => {
    expect(decodeGroupRecord(Buffer.from('03e8', 'hex'), null)).toBeUndefined()
    expect(decodeTransactionRecord(Buffer.from('0001', 'hex'), null)).toBeUndefined()
    const keyBytes = encodeRecordKey(OffsetCommitKey, key)
    expect(decodeGroupRecord(keyBytes, Buffer.from('00ff', 'hex'))).toBeUndefined()
  })

  it('that is cut short is malformed', () => {
    expect(() => decodeGroupRecord(Buffer.from('00', 'hex'), null)).toThrow(MalformedFrame)
    expect(() => decodeRecordKey(OffsetCommitKey, Buffer.from('0002', 'hex'))).toThrow(MalformedFrame)
    expect(() => decodeRecordValue(OffsetCommitValue, Buffer.from('00ff', 'hex'))).toThrow(MalformedFrame)
  })

  it('keeps all 64 bits of a hash', () => {
    const metadataHash = -8_070_450_532_247_928_833n
    const bytes = encodeRecordValue(ConsumerGroupMetadataValue, 0, { epoch: 1, metadataHash })
    expect(decodeRecordValue(ConsumerGroupMetadataValue, bytes).metadataHash).toBe(metadataHash)
  })
})

describe('the consumer protocol', () => {
  it('has its version in front', () => {
    const bytes = encodeRecordValue(ConsumerProtocolSubscription, 1, { topics: ['t'] })
    expect(bytes.toString('hex')).toBe('0001' + '00000001' + '000174' + 'ffffffff' + '00000000')
    expect(decodeRecordValue(ConsumerProtocolSubscription, bytes).topics).toEqual(['t'])
  })
})

describe('a metadata record', () => {
  const topicId = 'b4R4KuqLN-8IJhYMYTZ2Bw'

  it('is framed by frame version, type and version', () => {
    const bytes = encodeMetadataRecord(TopicRecord, 0, { name: 'orders', topicId })
    expect(bytes.toString('hex')).toBe(
      `010200076f7264657273${Buffer.from(topicId, 'base64url').toString('hex')}00`,
    )
    expect(decodeMetadataRecord(bytes)).toEqual({
      name: 'TopicRecord',
      version: 0,
      value: { name: 'orders', topicId },
    })
  })

  it('says only what changed', () => {
    const change = { partitionId: 1, topicId, isr: [1, 2], leader: 2 }
    const decoded = decodeMetadataRecord(encodeMetadataRecord(PartitionChangeRecord, 2, change))
    if (decoded.name !== 'PartitionChangeRecord') expect.fail(decoded.name)
    expect(decoded.value).toMatchObject({ ...change, replicas: null, leaderRecoveryState: -1 })
  })

  it.each(['020200', '01ff0100', '010201', '0114000000', ''])('%s is malformed', (hex) => {
    expect(() => decodeMetadataRecord(Buffer.from(hex, 'hex'))).toThrow(MalformedFrame)
  })
})
