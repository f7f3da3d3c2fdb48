/**
 * The records of the metadata log: a typed union of all of them and the framing that makes them values of a batch.
 *
 * A value is `frame version | record type | record version` as unsigned varints and the record itself; the key is null.
 */
import { codecOf, writeBuffer } from '../../common/protocol/codec.ts'
import { MalformedFrame } from '../../common/protocol/malformed-frame.ts'
import { Reader } from '../../common/protocol/reader.ts'
import { AbortTransactionRecord } from '../../common/protocol/records/abort-transaction-record.ts'
import { AccessControlEntryRecord } from '../../common/protocol/records/access-control-entry-record.ts'
import { BeginTransactionRecord } from '../../common/protocol/records/begin-transaction-record.ts'
import { BrokerRegistrationChangeRecord } from '../../common/protocol/records/broker-registration-change-record.ts'
import { ClearElrRecord } from '../../common/protocol/records/clear-elr-record.ts'
import { ClientQuotaRecord } from '../../common/protocol/records/client-quota-record.ts'
import { ConfigRecord } from '../../common/protocol/records/config-record.ts'
import { DelegationTokenRecord } from '../../common/protocol/records/delegation-token-record.ts'
import { EndTransactionRecord } from '../../common/protocol/records/end-transaction-record.ts'
import { FeatureLevelRecord } from '../../common/protocol/records/feature-level-record.ts'
import { FenceBrokerRecord } from '../../common/protocol/records/fence-broker-record.ts'
import { NoOpRecord } from '../../common/protocol/records/no-op-record.ts'
import { PartitionChangeRecord } from '../../common/protocol/records/partition-change-record.ts'
import { PartitionRecord } from '../../common/protocol/records/partition-record.ts'
import { ProducerIdsRecord } from '../../common/protocol/records/producer-ids-record.ts'
import { RegisterBrokerRecord } from '../../common/protocol/records/register-broker-record.ts'
import { RegisterControllerRecord } from '../../common/protocol/records/register-controller-record.ts'
import { RemoveAccessControlEntryRecord } from '../../common/protocol/records/remove-access-control-entry-record.ts'
import { RemoveDelegationTokenRecord } from '../../common/protocol/records/remove-delegation-token-record.ts'
import { RemoveTopicRecord } from '../../common/protocol/records/remove-topic-record.ts'
import { RemoveUserScramCredentialRecord } from '../../common/protocol/records/remove-user-scram-credential-record.ts'
import { TopicRecord } from '../../common/protocol/records/topic-record.ts'
import { UnfenceBrokerRecord } from '../../common/protocol/records/unfence-broker-record.ts'
import { UnregisterBrokerRecord } from '../../common/protocol/records/unregister-broker-record.ts'
import { UnregisterControllerRecord } from '../../common/protocol/records/unregister-controller-record.ts'
import { UserScramCredentialRecord } from '../../common/protocol/records/user-scram-credential-record.ts'
import { ZkMigrationStateRecord } from '../../common/protocol/records/zk-migration-state-record.ts'
import type {
  DecodedOf,
  Fields,
  RecordInputOf,
  RecordOf,
  RecordSchema,
} from '../../common/protocol/schema.ts'
import { hasVersion } from '../../common/protocol/versions.ts'

const SCHEMAS = {
  AbortTransactionRecord,
  AccessControlEntryRecord,
  BeginTransactionRecord,
  BrokerRegistrationChangeRecord,
  ClearElrRecord,
  ClientQuotaRecord,
  ConfigRecord,
  DelegationTokenRecord,
  EndTransactionRecord,
  FeatureLevelRecord,
  FenceBrokerRecord,
  NoOpRecord,
  PartitionChangeRecord,
  PartitionRecord,
  ProducerIdsRecord,
  RegisterBrokerRecord,
  RegisterControllerRecord,
  RemoveAccessControlEntryRecord,
  RemoveDelegationTokenRecord,
  RemoveTopicRecord,
  RemoveUserScramCredentialRecord,
  TopicRecord,
  UnfenceBrokerRecord,
  UnregisterBrokerRecord,
  UnregisterControllerRecord,
  UserScramCredentialRecord,
  ZkMigrationStateRecord,
} as const

type Schemas = typeof SCHEMAS
export type MetadataRecordType = keyof Schemas

/** One record; `type` tells what `value` holds. The value has every field, those of other versions at their defaults. */
export type MetadataRecord = {
  [Type in MetadataRecordType]: {
    readonly type: Type
    readonly version: number
    readonly value: RecordOf<Schemas[Type]>
  }
}[MetadataRecordType]

export type MetadataRecordOf<Type extends MetadataRecordType> = Extract<MetadataRecord, { type: Type }>

const SCHEMA_BY_TYPE_ID: ReadonlyMap<number, RecordSchema> = new Map(
  Object.values(SCHEMAS).map((schema): [number, RecordSchema] => [schema.type, schema]),
)

const FRAME_VERSION = 1

/** Makes a record; fields that are left out get their defaults. */
export function metadataRecord<Type extends MetadataRecordType>(
  type: Type,
  version: number,
  value: RecordInputOf<Schemas[Type]>,
): MetadataRecordOf<Type> {
  const schema: RecordSchema = SCHEMAS[type]
  return {
    type,
    version,
    value: { ...defaultsOf(schema.fields), ...value },
  } as unknown as MetadataRecordOf<Type>
}

const defaultsBySchema = new WeakMap<Fields, DecodedOf<Fields>>()

function defaultsOf(fields: Fields): DecodedOf<Fields> {
  let defaults = defaultsBySchema.get(fields)
  if (defaults === undefined) {
    defaults = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.default]))
    defaultsBySchema.set(fields, defaults)
  }
  return defaults
}

/** The value of a record in its batch. */
export function encodeMetadataRecord(record: MetadataRecord): Buffer {
  const schema: RecordSchema = SCHEMAS[record.type]
  return writeBuffer((writer) => {
    writer.unsignedVarint(FRAME_VERSION)
    writer.unsignedVarint(schema.type)
    writer.unsignedVarint(record.version)
    codecOf(schema, record.version).encode(writer, record.value)
  })
}

/** A record, or the words for one that this build does not know. */
export function decodeMetadataRecord(value: Buffer): MetadataRecord | string {
  try {
    const reader = new Reader(value)
    const frameVersion = reader.unsignedVarint()
    if (frameVersion !== FRAME_VERSION) return `a metadata record of frame version ${frameVersion}`
    const typeId = reader.unsignedVarint()
    const version = reader.unsignedVarint()
    const schema = SCHEMA_BY_TYPE_ID.get(typeId)
    if (schema === undefined || !hasVersion(schema.versions, version)) {
      return `a metadata record of type ${typeId} and version ${version}`
    }
    // The reader borrows the batch; what is kept of a record (salts, keys) is copied where it is kept.
    const decoded = codecOf(schema, version).decode(reader)
    if (reader.remainingBytes > 0) return `a metadata record with ${reader.remainingBytes} bytes too many`
    return { type: schema.name, version, value: decoded } as unknown as MetadataRecord
  } catch (error) {
    if (error instanceof MalformedFrame) return `a malformed metadata record (${error.message})`
    throw error
  }
}
