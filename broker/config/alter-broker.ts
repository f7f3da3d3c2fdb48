/**
 * Alterations of a broker's dynamic settings, for one broker or as the cluster's default (KIP-226).
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import {
  ALTER_OPERATIONS,
  type AlterOperation,
  type AlterRefusal,
  type AlterResult,
  applyOperations,
  brokerListBase,
  checkOperations,
  isRefused,
  refuse,
} from './alter.ts'
import { brokerRow, LISTENER_ONLY_KEYS, listenerBaseKey } from './broker.ts'
import { crossCheckBroker } from './cross-checks.ts'
import { type BrokerLevels, brokerValue, type ConfigTexts } from './levels.ts'
import { parseRow } from './values.ts'

/** These may at most double or halve in one step. */
const THREAD_COUNTS = [
  'num.io.threads',
  'num.network.threads',
  'num.replica.fetchers',
  'num.recovery.threads.per.data.dir',
  'background.threads',
  'remote.log.reader.threads',
  'remote.log.manager.copier.thread.pool.size',
  'remote.log.manager.expiration.thread.pool.size',
  'remote.log.manager.follower.thread.pool.size',
]

const RETENTION_PAIRS = [
  ['log.local.retention.ms', 'log.retention.ms'],
  ['log.local.retention.bytes', 'log.retention.bytes'],
] as const

export interface BrokerAlteration {
  readonly nodeId: number
  /** A node id, or empty for the cluster's default. */
  readonly resourceName: string
  /** The levels of the broker that answers, before the change. */
  readonly levels: BrokerLevels
  readonly operations: readonly AlterOperation[]
  /** With eligible leader replicas (KIP-966) `min.insync.replicas` is kept at the cluster's level only. */
  readonly isElrEnabled?: boolean
}

function nodeIdError(resourceName: string, nodeId: number): string | null {
  if (resourceName === '') return null
  if (!/^[+-]?\d+$/.test(resourceName)) return `Node id must be an integer, but it is: ${resourceName}`
  const asked = Number(resourceName)
  return asked === nodeId ? null : `Unexpected broker id, expected ${nodeId}, but received ${asked}`
}

function listOperationError({ name, operation }: AlterOperation): string | null {
  if (operation !== ALTER_OPERATIONS.APPEND && operation !== ALTER_OPERATIONS.SUBTRACT) return null
  const row = brokerRow(name)
  if (row === undefined) return `Unknown config name: ${name}`
  if (row.type === 'LIST') return null
  const verb = operation === ALTER_OPERATIONS.APPEND ? 'append' : 'subtract'
  return `Config value ${verb} is not allowed for config key: ${name}`
}

function namesError(names: readonly string[], isDefault: boolean): string | null {
  const refused = (sentence: string, wrong: readonly string[]): string | null =>
    wrong.length === 0 ? null : `${sentence}: [${wrong.join(', ')}]`
  const plain = names.filter((name) => listenerBaseKey(name) === null)
  return (
    refused(
      'Cannot update these configs dynamically',
      plain.filter((name) => brokerRow(name)?.update === 'read-only'),
    ) ??
    refused(
      'These security configs can be dynamically updated only per-listener using the listener prefix',
      plain.filter((name) => LISTENER_ONLY_KEYS.has(name)),
    ) ??
    (isDefault
      ? refused(
          'Cannot update these configs at default cluster level, broker id must be specified',
          names.filter(isPerBroker),
        )
      : null)
  )
}

/** What is said behind a listener's prefix is said to one broker, but for these. */
const CLUSTER_WIDE_LISTENER_KEYS: ReadonlySet<string> = new Set([
  'max.connections',
  'max.connection.creation.rate',
  'num.network.threads',
])

function isPerBroker(name: string): boolean {
  const key = listenerBaseKey(name)
  if (key === null) return brokerRow(name)?.update === 'per-broker'
  return !CLUSTER_WIDE_LISTENER_KEYS.has(key)
}

function typeError(texts: ConfigTexts): string | null {
  for (const [name, text] of texts) {
    const row = brokerRow(name)
    const parsed = row === undefined ? null : parseRow(row, name, text)
    if (parsed !== null && parsed.error !== null) return parsed.error
  }
  return null
}

/** What the parts of a broker say to the change before it comes into force; Kafka wraps it in Java's words. */
function reconfigurationError(before: BrokerLevels, after: BrokerLevels): string | null {
  for (const name of THREAD_COUNTS) {
    const [current, wanted] = [Number(brokerValue(name, before)), Number(brokerValue(name, after))]
    const failed = `Dynamic thread count update validation failed for ${name}=${wanted}, value should `
    if (wanted > current * 2) return `${failed}not be greater than double the current value ${current}`
    if (wanted < Math.floor(current / 2)) return `${failed}be at least half the current value ${current}`
  }
  const cleaners = Number(brokerValue('log.cleaner.threads', before))
  const wantedCleaners = Number(brokerValue('log.cleaner.threads', after))
  if (wantedCleaners > cleaners * 2) {
    return `Log cleaner threads cannot be increased to more than double the current value ${cleaners}`
  }
  if (wantedCleaners < Math.floor(cleaners / 2)) {
    return `Log cleaner threads cannot be reduced to less than half the current value ${cleaners}`
  }
  return localRetentionError(after)
}

function localRetentionError(levels: BrokerLevels): string | null {
  for (const [localName, wholeName] of RETENTION_PAIRS) {
    const local = Number(brokerValue(localName, levels))
    const whole = brokerValue(wholeName, levels)
    if (local === -2 || whole === null || Number(whole) === -1) continue
    const reason =
      local === -1
        ? `Value must not be -1 as ${wholeName} value is set as ${whole}.`
        : local > Number(whole)
          ? `Value must not be more than ${wholeName} property value: ${whole}`
          : null
    if (reason !== null) return `Invalid value ${local} for configuration ${localName}: ${reason}`
  }
  return null
}

function insyncError(alteration: BrokerAlteration): string | null {
  const operation = alteration.operations.find(({ name }) => name === 'min.insync.replicas')
  if (alteration.isElrEnabled !== true || operation === undefined) return null
  if (alteration.resourceName !== '') {
    return 'Broker-level min.insync.replicas cannot be altered while ELR is enabled.'
  }
  return operation.operation === ALTER_OPERATIONS.DELETE
    ? 'Cluster-level min.insync.replicas cannot be removed while ELR is enabled.'
    : null
}

function validateBrokerTexts(alteration: BrokerAlteration, texts: ConfigTexts): AlterRefusal | null {
  const { levels, resourceName } = alteration
  const isDefault = resourceName === ''
  const after = isDefault ? { ...levels, dynamicDefault: texts } : { ...levels, dynamicBroker: texts }
  const error = namesError([...texts.keys()], isDefault) ?? typeError(texts) ?? crossCheckBroker(after)
  if (error !== null) return refuse(ErrorCode.INVALID_REQUEST, error)
  const objection = reconfigurationError(levels, after)
  if (objection === null) return null
  return refuse(
    ErrorCode.INVALID_REQUEST,
    `Invalid value org.apache.kafka.common.config.ConfigException: ${objection} for configuration Invalid dynamic configuration`,
  )
}

export function alterBroker(alteration: BrokerAlteration): AlterResult {
  const { nodeId, resourceName, levels, operations } = alteration
  const malformed = checkOperations(operations)
  if (malformed !== null) return malformed
  const wrongNode = nodeIdError(resourceName, nodeId)
  if (wrongNode !== null) return refuse(ErrorCode.INVALID_REQUEST, wrongNode)
  for (const operation of operations) {
    const error = listOperationError(operation)
    if (error !== null) return refuse(ErrorCode.INVALID_CONFIG, error)
  }
  const current = resourceName === '' ? levels.dynamicDefault : levels.dynamicBroker
  const applied = applyOperations(current, operations, brokerListBase)
  if (isRefused(applied)) return applied
  const refused = validateBrokerTexts(alteration, applied.newValues)
  if (refused !== null) return refused
  const insync = insyncError(alteration)
  return insync === null ? applied : refuse(ErrorCode.INVALID_CONFIG, insync)
}
