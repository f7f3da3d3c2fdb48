/**
 * Bytes of persisted structures. Coordinators put two bytes before a message: the record type before a key, the version
 * before a value; so do embedded structures like the consumer protocol's and transaction markers. Keys have one version.
 */
import { codecOf, writeBuffer } from './codec.ts'
import { MalformedFrame } from './malformed-frame.ts'
import { Reader } from './reader.ts'
import type { RecordInputOf, RecordOf, RecordSchema } from './schema.ts'
import { formatVersionRange, hasVersion } from './versions.ts'

/** The structure alone. Bytes after it are ignored, as in Kafka. */
export function decodeRecord<R extends RecordSchema>(
  record: R,
  version: number,
  source: Reader | Buffer,
): RecordOf<R> {
  const reader = source instanceof Reader ? source : new Reader(source)
  return codecOf(record, version).decode(reader) as unknown as RecordOf<R>
}

/** Two bytes of record type, then the key. */
export function encodeRecordKey<R extends RecordSchema>(record: R, key: RecordInputOf<R>): Buffer {
  const codec = codecOf(record, record.versions.highest)
  return writeBuffer((writer) => {
    writer.int16(record.type, record.name)
    codec.encode(writer, key)
  })
}

/** Two bytes of version, then the value. */
export function encodeRecordValue<R extends RecordSchema>(
  record: R,
  version: number,
  value: RecordInputOf<R>,
): Buffer {
  const codec = codecOf(record, version)
  return writeBuffer((writer) => {
    writer.int16(version, record.name)
    codec.encode(writer, value)
  })
}

/** The inverse of `encodeRecordValue`. Raises MalformedFrame, also for a version the record lacks. */
export function decodeRecordValue<R extends RecordSchema>(record: R, bytes: Buffer): RecordOf<R> {
  const reader = new Reader(bytes)
  const version = reader.int16()
  if (!hasVersion(record.versions, version)) {
    throw new MalformedFrame(`${record.name} ${formatVersionRange(record.versions)} in version ${version}`)
  }
  return decodeRecord(record, version, reader)
}

/** The inverse of `encodeRecordKey`. Raises MalformedFrame, also for the key of another type. */
export function decodeRecordKey<R extends RecordSchema>(record: R, bytes: Buffer): RecordOf<R> {
  const reader = new Reader(bytes)
  const type = reader.int16()
  if (type !== record.type) throw new MalformedFrame(`${record.name} has type ${record.type}, not ${type}`)
  return decodeRecord(record, record.versions.highest, reader)
}
