/**
 * Control records: what brokers write between the records of clients. End-transaction markers in ordinary partitions
 * (KIP-98), and leader changes, snapshot frames, voters and KRaft version in the metadata log (KIP-595, KIP-630,
 * KIP-853). The key is a version and a type, two int16; every value begins with an int16 version of its own.
 */
import { codecOf, decodeMessage, writeBuffer } from '../protocol/codec.ts'
import { MalformedFrame } from '../protocol/malformed-frame.ts'
import { KRaftVersionRecord } from '../protocol/records/kraft-version-record.ts'
import { LeaderChangeMessage } from '../protocol/records/leader-change-message.ts'
import { SnapshotFooterRecord } from '../protocol/records/snapshot-footer-record.ts'
import { SnapshotHeaderRecord } from '../protocol/records/snapshot-header-record.ts'
import { VotersRecord } from '../protocol/records/voters-record.ts'
import type { Fields, RecordInputOf, RecordOf, RecordSchema } from '../protocol/schema.ts'
import { hasVersion } from '../protocol/versions.ts'
import type { BatchView } from './batch.ts'
import { BatchBuilder, type BatchBuilderOptions } from './batch-builder.ts'
import { RecordReader } from './record-reader.ts'

export const ControlRecordType = {
  ABORT: 0,
  COMMIT: 1,
  LEADER_CHANGE: 2,
  SNAPSHOT_HEADER: 3,
  SNAPSHOT_FOOTER: 4,
  KRAFT_VERSION: 5,
  KRAFT_VOTERS: 6,
} as const
export type ControlRecordType = (typeof ControlRecordType)[keyof typeof ControlRecordType]

const KEY_VERSION = 0
const KEY_BYTES = 4
const END_TXN_MARKER_VERSION = 0
const END_TXN_MARKER_BYTES = 6

export function encodeControlRecordKey(type: ControlRecordType): Buffer {
  const key = Buffer.allocUnsafe(KEY_BYTES)
  key.writeInt16BE(KEY_VERSION, 0)
  key.writeInt16BE(type, 2)
  return key
}

/** The type in the key of a control record; `unknown` for types of the future, null for what is no such key. */
export function controlRecordTypeOf(key: Buffer | null): ControlRecordType | 'unknown' | null {
  if (key === null || key.length < KEY_BYTES || key.readInt16BE(0) < 0) return null
  const type = key.readInt16BE(2)
  return type >= ControlRecordType.ABORT && type <= ControlRecordType.KRAFT_VOTERS
    ? (type as ControlRecordType)
    : 'unknown'
}

/** A batch with these control records, at consecutive offsets from `baseOffset`. */
export function buildControlBatch(
  records: readonly {
    readonly type: ControlRecordType
    readonly value: Buffer
    readonly timestamp: number
  }[],
  options: BatchBuilderOptions = {},
): Buffer {
  const builder = new BatchBuilder({ ...options, isControl: true })
  for (const { type, value, timestamp } of records) {
    builder.append(timestamp, encodeControlRecordKey(type), value)
  }
  return builder.build()
}

export interface EndTransactionMarker {
  readonly isCommit: boolean
  readonly coordinatorEpoch: number
}

export interface EndTransactionMarkerBatch extends EndTransactionMarker {
  readonly producerId: number
  readonly producerEpoch: number
  readonly timestamp: number
  readonly baseOffset?: number
  readonly partitionLeaderEpoch?: number
}

export function encodeEndTransactionMarkerValue(coordinatorEpoch: number): Buffer {
  const value = Buffer.allocUnsafe(END_TXN_MARKER_BYTES)
  value.writeInt16BE(END_TXN_MARKER_VERSION, 0)
  value.writeInt32BE(coordinatorEpoch, 2)
  return value
}

/** The batch a leader appends for WriteTxnMarkers: one record, transactional, without sequence. */
export function buildEndTransactionMarkerBatch(marker: EndTransactionMarkerBatch): Buffer {
  const type = marker.isCommit ? ControlRecordType.COMMIT : ControlRecordType.ABORT
  const value = encodeEndTransactionMarkerValue(marker.coordinatorEpoch)
  return buildControlBatch([{ type, value, timestamp: marker.timestamp }], {
    baseOffset: marker.baseOffset ?? 0,
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    isTransactional: true,
    ...(marker.partitionLeaderEpoch === undefined
      ? {}
      : { partitionLeaderEpoch: marker.partitionLeaderEpoch }),
    initialBytes: 32,
  })
}

/** Key and value of an end-transaction marker decoded, or null when they are something else. */
export function decodeEndTransactionMarker(
  key: Buffer | null,
  value: Buffer | null,
): EndTransactionMarker | null {
  const type = controlRecordTypeOf(key)
  if (type !== ControlRecordType.ABORT && type !== ControlRecordType.COMMIT) return null
  if (value === null || value.length < END_TXN_MARKER_BYTES || value.readInt16BE(0) < 0) return null
  return { isCommit: type === ControlRecordType.COMMIT, coordinatorEpoch: value.readInt32BE(2) }
}

/** The marker in a control batch, or null when the batch holds none (or nothing readable). */
export function readEndTransactionMarker(batch: BatchView): EndTransactionMarker | null {
  if (!batch.isControl) return null
  const reader = new RecordReader(batch)
  return reader.next() ? decodeEndTransactionMarker(reader.key, reader.value) : null
}

/** Encodes a value of the metadata log; its `version` field is the schema version. */
function encodeVersioned<F extends Fields, Name extends string>(
  schema: RecordSchema<F, Name>,
  value: RecordInputOf<RecordSchema<F, Name>> & { readonly version: number },
): Buffer {
  return writeBuffer((writer) => codecOf(schema, value.version).encode(writer, value))
}

/** Null for bytes that are not the message, and for versions of the future. */
function decodeVersioned<F extends Fields, Name extends string>(
  schema: RecordSchema<F, Name>,
  value: Buffer | null,
): RecordOf<RecordSchema<F, Name>> | null {
  if (value === null || value.length < 2) return null
  const version = value.readInt16BE(0)
  if (!hasVersion(schema.versions, version)) return null
  try {
    return decodeMessage(schema, version, value)
  } catch (error) {
    if (error instanceof MalformedFrame) return null
    throw error
  }
}

export function encodeLeaderChange(value: RecordInputOf<typeof LeaderChangeMessage>): Buffer {
  return encodeVersioned(LeaderChangeMessage, value)
}

export function decodeLeaderChange(value: Buffer | null): LeaderChangeMessage | null {
  return decodeVersioned(LeaderChangeMessage, value)
}

export function encodeSnapshotHeader(lastContainedLogTimestamp: number): Buffer {
  return encodeVersioned(SnapshotHeaderRecord, { version: 0, lastContainedLogTimestamp })
}

export function decodeSnapshotHeader(value: Buffer | null): SnapshotHeaderRecord | null {
  return decodeVersioned(SnapshotHeaderRecord, value)
}

export function encodeSnapshotFooter(): Buffer {
  return encodeVersioned(SnapshotFooterRecord, { version: 0 })
}

export function decodeSnapshotFooter(value: Buffer | null): SnapshotFooterRecord | null {
  return decodeVersioned(SnapshotFooterRecord, value)
}

export function encodeKRaftVersion(kRaftVersion: number): Buffer {
  return encodeVersioned(KRaftVersionRecord, { version: 0, kRaftVersion })
}

export function decodeKRaftVersion(value: Buffer | null): KRaftVersionRecord | null {
  return decodeVersioned(KRaftVersionRecord, value)
}

export function encodeVoters(voters: RecordInputOf<typeof VotersRecord>['voters']): Buffer {
  return encodeVersioned(VotersRecord, { version: 0, voters })
}

export function decodeVoters(value: Buffer | null): VotersRecord | null {
  return decodeVersioned(VotersRecord, value)
}
