/**
 * Records of the internal topics `__consumer_offsets`, `__transaction_state` and `__share_group_state`, and how they lie
 * in a batch: the key begins with two bytes of record type, the value with two bytes of version, a null value is a
 * tombstone.
 *
 * Group, transaction and share coordinators each list their types in a `CoordinatorRecordTable`. A record of a type or
 * value version that the table lacks is skipped and reported, as Kafka does, so that a directory written by a newer broker
 * still loads.
 */
import { codecOf, decodeMessage, writeBuffer } from '../../common/protocol/codec.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { MalformedFrame } from '../../common/protocol/malformed-frame.ts'
import type { RecordInputOf, RecordOf, RecordSchema } from '../../common/protocol/schema.ts'
import { hasVersion } from '../../common/protocol/versions.ts'
import { BatchView } from '../../common/record/batch.ts'
import { BatchBuilder } from '../../common/record/batch-builder.ts'
import { CompressionType } from '../../common/record/codecs.ts'
import { RecordReader } from '../../common/record/record-reader.ts'
import type { ReplayContext, StateRecordFormat } from '../statemachine/state-machine.ts'

/** A pair of key and value schema that share Kafka's record type number. */
export interface CoordinatorRecordType<
  Key extends RecordSchema = RecordSchema,
  Value extends RecordSchema = RecordSchema,
> {
  readonly type: number
  readonly key: Key
  readonly value: Value
}

/** What is appended and replayed. Keys always have version 0; `value` null deletes what the key names. */
export interface CoordinatorRecord<Type extends CoordinatorRecordType = CoordinatorRecordType> {
  readonly type: Type
  readonly key: RecordOf<Type['key']>
  readonly value: RecordOf<Type['value']> | null
  /** Of the value; 0 for a tombstone. */
  readonly version: number
}

export function recordType<const Key extends RecordSchema, const Value extends RecordSchema>(
  key: Key,
  value: Value,
): CoordinatorRecordType<Key, Value> {
  if (key.type !== value.type) throw new TypeError(`${key.name} and ${value.name} differ in type`)
  return { type: key.type, key, value }
}

/**
 * A record that sets a value. What the input leaves out is completed with the schema's defaults, so that what is replayed
 * now equals what will be read from the log.
 */
export function valueRecord<Key extends RecordSchema, Value extends RecordSchema>(
  type: CoordinatorRecordType<Key, Value>,
  version: number,
  key: RecordInputOf<Key>,
  value: RecordInputOf<Value>,
): CoordinatorRecord {
  return {
    type: type as CoordinatorRecordType,
    key: key as RecordOf<RecordSchema>,
    value: decodeMessage(
      type.value,
      version,
      encodeBody(type.value, version, value),
    ) as RecordOf<RecordSchema>,
    version,
  }
}

/** A record that deletes the value of a key. */
export function tombstone<Key extends RecordSchema, Value extends RecordSchema>(
  type: CoordinatorRecordType<Key, Value>,
  key: RecordInputOf<Key>,
): CoordinatorRecord {
  return { type: type as CoordinatorRecordType, key: key as RecordOf<RecordSchema>, value: null, version: 0 }
}

type Replay = (key: unknown, value: unknown, context: ReplayContext) => void

/**
 * From record type to what replaying it does. `on` ties a function to the types of its record; `replay` finds it again.
 */
export class ReplayTable {
  readonly #functions = new Map<number, Replay>()

  on<Key extends RecordSchema, Value extends RecordSchema>(
    type: CoordinatorRecordType<Key, Value>,
    replay: (key: RecordOf<Key>, value: RecordOf<Value> | null, context: ReplayContext) => void,
  ): this {
    this.#functions.set(type.type, replay as Replay)
    return this
  }

  replay(record: CoordinatorRecord, context: ReplayContext): void {
    const replay = this.#functions.get(record.type.type)
    if (replay === undefined) throw new Error(`no replay for records of ${record.type.key.name}`)
    replay(record.key, record.value, context)
  }
}

export interface CoordinatorRecordFormatOptions {
  /** Every type that the topic may hold and this build understands. */
  readonly types: readonly CoordinatorRecordType[]
  /** Of the batches written (`offsets.topic.compression.codec`); none when absent. */
  readonly compressionType?: CompressionType
}

/** @returns the format of a topic that holds records of these types */
export function coordinatorRecordFormat(
  options: CoordinatorRecordFormatOptions,
): StateRecordFormat<CoordinatorRecord> {
  const types = new Map(options.types.map((type) => [type.type, type]))
  return {
    encodeBatch(records, { timestampMs, leaderEpoch, producer }) {
      const builder = new BatchBuilder({
        compressionType: options.compressionType ?? CompressionType.none,
        partitionLeaderEpoch: leaderEpoch,
        ...(producer === undefined
          ? {}
          : {
              producerId: producer.producerId,
              producerEpoch: producer.producerEpoch,
              isTransactional: true,
            }),
      })
      for (const record of records) builder.append(timestampMs, encodeKey(record), encodeValue(record))
      return builder.build()
    },
    decodeBatch(buffer, position, visitor) {
      const batch = new BatchView(buffer, position)
      const { producerId, producerEpoch, isControl } = batch
      const isTransactional = batch.isTransactional
      const reader = new RecordReader(batch)
      while (reader.next()) {
        const { offset, key, value } = reader
        if (isControl) {
          const isCommit = commitOfMarker(key)
          if (isCommit !== undefined) visitor.onMarker({ producerId, producerEpoch, isCommit }, offset)
          continue
        }
        const record = decodeCoordinatorRecord(types, key, value)
        if (typeof record === 'string') visitor.onUnknown(record, offset)
        else {
          visitor.onRecord(record, {
            offset,
            timestampMs: reader.timestamp,
            producerId: isTransactional ? producerId : -1,
            producerEpoch: isTransactional ? producerEpoch : -1,
          })
        }
      }
      if (reader.error !== ErrorCode.NONE) visitor.onUnknown(reader.errorMessage, reader.offset)
    },
  }
}

/** The bytes of a key: type and fields. */
export function encodeKey(record: CoordinatorRecord): Buffer {
  return writeBuffer(
    (writer) => writer.int16(record.type.type, 'record type'),
    (writer) => codecOf(record.type.key, 0).encode(writer, record.key),
  )
}

/** The bytes of a value: version and fields; null for a tombstone. */
export function encodeValue(record: CoordinatorRecord): Buffer | null {
  if (record.value === null) return null
  return writeBuffer(
    (writer) => writer.int16(record.version, 'value version'),
    (writer) => codecOf(record.type.value, record.version).encode(writer, record.value),
  )
}

/** @returns what the bytes say, or why they are not understood */
export function decodeCoordinatorRecord(
  types: ReadonlyMap<number, CoordinatorRecordType>,
  key: Buffer | null,
  value: Buffer | null,
): CoordinatorRecord | string {
  if (key === null || key.length < 2) return 'a record without a type'
  const number = key.readInt16BE(0)
  const type = types.get(number)
  if (type === undefined) return `a record of type ${number}`
  try {
    const decodedKey = decodeMessage(type.key, 0, key.subarray(2)) as RecordOf<RecordSchema>
    if (value === null) return { type, key: decodedKey, value: null, version: 0 }
    if (value.length < 2) return `a ${type.value.name} without a version`
    const version = value.readInt16BE(0)
    if (!hasVersion(type.value.versions, version)) return `a ${type.value.name} of version ${version}`
    const decodedValue = decodeMessage(type.value, version, value.subarray(2)) as RecordOf<RecordSchema>
    return { type, key: decodedKey, value: decodedValue, version }
  } catch (error) {
    if (error instanceof MalformedFrame) return `a damaged record of ${type.key.name}`
    throw error
  }
}

function encodeBody(schema: RecordSchema, version: number, value: unknown): Buffer {
  return writeBuffer((writer) => codecOf(schema, version).encode(writer, value))
}

const ABORT_MARKER = 0
const COMMIT_MARKER = 1

/** @returns undefined for control records that do not end a transaction */
function commitOfMarker(key: Buffer | null): boolean | undefined {
  if (key === null || key.length < 4) return undefined
  const type = key.readInt16BE(2)
  return type === COMMIT_MARKER ? true : type === ABORT_MARKER ? false : undefined
}
