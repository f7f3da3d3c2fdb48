/**
 * The records of the metadata log (`__cluster_metadata`) by type. A record is framed by three varints: frame version,
 * type, version of the record.
 */
import { codecOf, writeBuffer } from '../codec.ts'
import { MalformedFrame } from '../malformed-frame.ts'
import { Reader } from '../reader.ts'
import type { RecordInputOf, RecordOf, RecordSchema } from '../schema.ts'
import { hasVersion } from '../versions.ts'
import { AbortTransactionRecord } from './abort-transaction-record.ts'
import { AccessControlEntryRecord } from './access-control-entry-record.ts'
import { BeginTransactionRecord } from './begin-transaction-record.ts'
import { BrokerRegistrationChangeRecord } from './broker-registration-change-record.ts'
import { ClearElrRecord } from './clear-elr-record.ts'
import { ClientQuotaRecord } from './client-quota-record.ts'
import { ConfigRecord } from './config-record.ts'
import { DelegationTokenRecord } from './delegation-token-record.ts'
import { EndTransactionRecord } from './end-transaction-record.ts'
import { FeatureLevelRecord } from './feature-level-record.ts'
import { FenceBrokerRecord } from './fence-broker-record.ts'
import { NoOpRecord } from './no-op-record.ts'
import { PartitionChangeRecord } from './partition-change-record.ts'
import { PartitionRecord } from './partition-record.ts'
import { ProducerIdsRecord } from './producer-ids-record.ts'
import { RegisterBrokerRecord } from './register-broker-record.ts'
import { RegisterControllerRecord } from './register-controller-record.ts'
import { RemoveAccessControlEntryRecord } from './remove-access-control-entry-record.ts'
import { RemoveDelegationTokenRecord } from './remove-delegation-token-record.ts'
import { RemoveTopicRecord } from './remove-topic-record.ts'
import { RemoveUserScramCredentialRecord } from './remove-user-scram-credential-record.ts'
import { TopicRecord } from './topic-record.ts'
import { UnfenceBrokerRecord } from './unfence-broker-record.ts'
import { UnregisterBrokerRecord } from './unregister-broker-record.ts'
import { UnregisterControllerRecord } from './unregister-controller-record.ts'
import { UserScramCredentialRecord } from './user-scram-credential-record.ts'
import { ZkMigrationStateRecord } from './zk-migration-state-record.ts'

export const metadataRecords = [
  RegisterBrokerRecord,
  UnregisterBrokerRecord,
  TopicRecord,
  PartitionRecord,
  ConfigRecord,
  PartitionChangeRecord,
  FenceBrokerRecord,
  UnfenceBrokerRecord,
  RemoveTopicRecord,
  DelegationTokenRecord,
  UserScramCredentialRecord,
  FeatureLevelRecord,
  ClientQuotaRecord,
  ProducerIdsRecord,
  BrokerRegistrationChangeRecord,
  AccessControlEntryRecord,
  RemoveAccessControlEntryRecord,
  NoOpRecord,
  ZkMigrationStateRecord,
  RemoveUserScramCredentialRecord,
  BeginTransactionRecord,
  EndTransactionRecord,
  AbortTransactionRecord,
  RemoveDelegationTokenRecord,
  RegisterControllerRecord,
  ClearElrRecord,
  UnregisterControllerRecord,
] as const

type MetadataSchema = (typeof metadataRecords)[number]

/** A decoded record of the metadata log; `name` tells the types apart. */
export type MetadataRecord = {
  readonly [S in MetadataSchema as S['name']]: {
    readonly name: S['name']
    readonly version: number
    readonly value: RecordOf<S>
  }
}[MetadataSchema['name']]

const FRAME_VERSION = 1

const schemaByType = new Map<number, RecordSchema>(metadataRecords.map((schema) => [schema.type, schema]))

export function encodeMetadataRecord<S extends MetadataSchema>(
  schema: S,
  version: number,
  value: RecordInputOf<S>,
): Buffer {
  const codec = codecOf(schema, version)
  return writeBuffer((writer) => {
    writer.unsignedVarint(FRAME_VERSION)
    writer.unsignedVarint(schema.type)
    writer.unsignedVarint(version)
    codec.encode(writer, value)
  })
}

/** Raises MalformedFrame, also for types and versions Kafka 4.4 does not know: they cannot be replayed. */
export function decodeMetadataRecord(bytes: Buffer): MetadataRecord {
  const reader = new Reader(bytes)
  const frameVersion = reader.unsignedVarint()
  if (frameVersion !== FRAME_VERSION)
    throw new MalformedFrame(`metadata record of frame version ${frameVersion}`)
  const type = reader.unsignedVarint()
  const version = reader.unsignedVarint()
  const schema = schemaByType.get(type)
  if (schema === undefined || !hasVersion(schema.versions, version)) {
    throw new MalformedFrame(`metadata record of type ${type}, version ${version}`)
  }
  const value = codecOf(schema, version).decode(reader)
  if (reader.remainingBytes > 0) throw new MalformedFrame(`bytes follow a ${schema.name}`)
  return { name: schema.name, version, value } as unknown as MetadataRecord
}
