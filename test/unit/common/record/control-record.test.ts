import { describe, expect, it } from 'vitest'
import { BatchView } from '../../../../common/record/batch.ts'
import { BatchBuilder } from '../../../../common/record/batch-builder.ts'
import {
  buildControlBatch,
  buildEndTransactionMarkerBatch,
  ControlRecordType,
  controlRecordTypeOf,
  decodeEndTransactionMarker,
  decodeKRaftVersion,
  decodeLeaderChange,
  decodeSnapshotFooter,
  decodeSnapshotHeader,
  decodeVoters,
  encodeControlRecordKey,
  encodeEndTransactionMarkerValue,
  encodeKRaftVersion,
  encodeLeaderChange,
  encodeSnapshotFooter,
  encodeSnapshotHeader,
  encodeVoters,
  readEndTransactionMarker,
} from '../../../../common/record/control-record.ts'
import { decodeRecords } from '../../../../common/record/record-reader.ts'

it.each([true, false])(
  'an end marker is a transactional control batch of 78 bytes (commit: %s)',
  (isCommit) => {
    const batch = new BatchView(
      buildEndTransactionMarkerBatch({
        isCommit,
        coordinatorEpoch: 12,
        producerId: 3,
        producerEpoch: 4,
        timestamp: 999,
        baseOffset: 55,
        partitionLeaderEpoch: 2,
      }),
    )
    expect(batch).toMatchObject({
      sizeBytes: 78,
      isValid: true,
      isControl: true,
      isTransactional: true,
      baseOffset: 55,
      producerId: 3,
      producerEpoch: 4,
      baseSequence: -1,
      lastSequence: -1,
      maxTimestamp: 999,
      partitionLeaderEpoch: 2,
    })
    expect(readEndTransactionMarker(batch)).toEqual({ isCommit, coordinatorEpoch: 12 })
  },
)

it('a batch of clients holds no marker, whatever its key', () => {
  const builder = new BatchBuilder()
  builder.append(1, encodeControlRecordKey(ControlRecordType.COMMIT), encodeEndTransactionMarkerValue(1))
  expect(readEndTransactionMarker(new BatchView(builder.build()))).toBe(null)
})

it('keys of the future are unknown and short ones are none', () => {
  const type = (hex: string) => controlRecordTypeOf(Buffer.from(hex, 'hex'))
  expect([type('00000001'), type('00010000'), type('00000007'), type('0000ffff')]).toEqual([
    1,
    0,
    'unknown',
    'unknown',
  ])
  expect([type('000000'), type('ffff0000'), controlRecordTypeOf(null)]).toEqual([null, null, null])
})

it('a marker value that is too short or of negative version is none', () => {
  const key = encodeControlRecordKey(ControlRecordType.ABORT)
  expect(decodeEndTransactionMarker(key, Buffer.alloc(5))).toBe(null)
  expect(decodeEndTransactionMarker(key, Buffer.from('ffff00000000', 'hex'))).toBe(null)
  expect(decodeEndTransactionMarker(key, null)).toBe(null)
  expect(
    decodeEndTransactionMarker(encodeControlRecordKey(ControlRecordType.LEADER_CHANGE), Buffer.alloc(6)),
  ).toBe(null)
})

describe('the records that frame the metadata log', () => {
  it('are as Kafka 4.3.1 wrote its leader change', () => {
    const bytes = '00000000000102000000010002000000010000'
    const value = { version: 0, leaderId: 1, voters: [{ voterId: 1 }], grantingVoters: [{ voterId: 1 }] }
    expect(encodeLeaderChange(value).toString('hex')).toBe(bytes)
    expect(decodeLeaderChange(Buffer.from(bytes, 'hex'))).toMatchObject(value)
  })

  it('read as they were written', () => {
    const voterDirectoryId = 'AAECAwQFBgcICQoLDA0ODw'
    const leaderChange = {
      version: 1,
      leaderId: 2,
      voters: [{ voterId: 2, voterDirectoryId }],
      grantingVoters: [{ voterId: 2, voterDirectoryId }],
    }
    expect(decodeLeaderChange(encodeLeaderChange(leaderChange))).toEqual(leaderChange)
    expect(decodeSnapshotHeader(encodeSnapshotHeader(1234))).toEqual({
      version: 0,
      lastContainedLogTimestamp: 1234,
    })
    expect(decodeSnapshotFooter(encodeSnapshotFooter())).toEqual({ version: 0 })
    expect(decodeKRaftVersion(encodeKRaftVersion(1))).toEqual({ version: 0, kRaftVersion: 1 })
    const voters = [
      {
        voterId: 1,
        voterDirectoryId,
        endpoints: [{ name: 'CONTROLLER', host: 'localhost', port: 9093 }],
        kRaftVersionFeature: { minSupportedVersion: 0, maxSupportedVersion: 1 },
      },
    ]
    expect(decodeVoters(encodeVoters(voters))).toEqual({ version: 0, voters })
  })

  it('are refused when cut off or of a version of the future', () => {
    const value = encodeLeaderChange({ version: 0, leaderId: 1, voters: [], grantingVoters: [] })
    for (let length = 0; length < value.length; length++) {
      expect(decodeLeaderChange(value.subarray(0, length))).toBe(null)
    }
    expect(decodeSnapshotHeader(Buffer.from('0009000000000000000000', 'hex'))).toBe(null)
  })

  it('stand in a control batch that is not transactional', () => {
    const batch = new BatchView(
      buildControlBatch(
        [
          { type: ControlRecordType.SNAPSHOT_HEADER, value: encodeSnapshotHeader(5), timestamp: 5 },
          { type: ControlRecordType.KRAFT_VERSION, value: encodeKRaftVersion(1), timestamp: 5 },
        ],
        { partitionLeaderEpoch: 3 },
      ),
    )
    expect([batch.isControl, batch.isTransactional, batch.partitionLeaderEpoch]).toEqual([true, false, 3])
    const types = decodeRecords(batch).records.map(({ key }) => controlRecordTypeOf(key))
    expect(types).toEqual([ControlRecordType.SNAPSHOT_HEADER, ControlRecordType.KRAFT_VERSION])
  })
})
