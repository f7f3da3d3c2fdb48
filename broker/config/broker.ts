/**
 * All broker keys. The rows lie in `broker-keys/`, one file per subject; nothing else belongs here.
 */
import { CONTROLLER_KEYS } from './broker-keys/controller.ts'
import { GROUP_KEYS } from './broker-keys/groups.ts'
import { LOG_KEYS } from './broker-keys/log.ts'
import { NETWORK_KEYS } from './broker-keys/network.ts'
import { REMOTE_STORAGE_KEYS } from './broker-keys/remote-storage.ts'
import { REPLICATION_KEYS } from './broker-keys/replication.ts'
import { SASL_KEYS } from './broker-keys/sasl.ts'
import { SERVER_KEYS } from './broker-keys/server.ts'
import { SHARE_GROUP_KEYS } from './broker-keys/share-groups.ts'
import { SSL_KEYS } from './broker-keys/ssl.ts'
import { STREAMS_GROUP_KEYS } from './broker-keys/streams-groups.ts'
import { THROTTLE_KEYS } from './broker-keys/throttles.ts'
import { TRANSACTION_KEYS } from './broker-keys/transactions.ts'
import { type ConfigKey, type ConfigRow, defineTable } from './define.ts'

export const BROKER_TABLE = defineTable({
  ...CONTROLLER_KEYS,
  ...GROUP_KEYS,
  ...LOG_KEYS,
  ...NETWORK_KEYS,
  ...REMOTE_STORAGE_KEYS,
  ...REPLICATION_KEYS,
  ...SASL_KEYS,
  ...SERVER_KEYS,
  ...SHARE_GROUP_KEYS,
  ...SSL_KEYS,
  ...STREAMS_GROUP_KEYS,
  ...THROTTLE_KEYS,
  ...TRANSACTION_KEYS,
})

export type BrokerTable = typeof BROKER_TABLE
export type BrokerKey = ConfigKey<BrokerTable>

const BROKER_ROWS: ReadonlyMap<string, ConfigRow> = new Map<string, ConfigRow>(Object.entries(BROKER_TABLE))

const LISTENER_PREFIX = /^listener\.name\.[^.]*\.(.*)$/

/** Listener keys may name a SASL mechanism before these (KIP-86): `listener.name.sasl_ssl.plain.sasl.jaas.config`. */
const MECHANISM_KEYS = [
  'sasl.jaas.config',
  'sasl.login.class',
  'sasl.login.callback.handler.class',
  'sasl.server.callback.handler.class',
  'connections.max.reauth.ms',
]

/**
 * The key that a `listener.name.NAME.` setting is about: its remainder, or the SASL key behind a mechanism's name.
 * Null when the name has no such prefix.
 */
export function listenerBaseKey(name: string): string | null {
  const rest = LISTENER_PREFIX.exec(name)?.[1]
  if (rest === undefined) return null
  return MECHANISM_KEYS.find((key) => rest.endsWith(`.${key}`)) ?? rest
}

/** The row of a key, plain or behind a listener's prefix; `undefined` for anything Kafka does not define. */
export function brokerRow(name: string): ConfigRow | undefined {
  return BROKER_ROWS.get(name) ?? BROKER_ROWS.get(listenerBaseKey(name) ?? '')
}

/** Key material, which may change at run time only for one listener at a time. */
export const LISTENER_ONLY_KEYS: ReadonlySet<string> = new Set([
  'ssl.key.password',
  'ssl.keystore.certificate.chain',
  'ssl.keystore.key',
  'ssl.keystore.location',
  'ssl.keystore.password',
  'ssl.keystore.type',
  'ssl.truststore.certificates',
  'ssl.truststore.location',
  'ssl.truststore.password',
  'ssl.truststore.type',
])
