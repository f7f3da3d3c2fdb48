/**
 * Alterations of a group's settings (KIP-1101 bounds): each key by itself, then against the bounds of the broker.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import {
  type AlterOperation,
  type AlterRefusal,
  type AlterResult,
  applyOperations,
  checkOperations,
  isRefused,
  noLists,
  refuse,
} from './alter.ts'
import type { ConfigRow } from './define.ts'
import { inheritedGroupText } from './describe.ts'
import { GROUP_TABLE } from './group.ts'
import { type BrokerLevels, brokerValue, type ConfigTexts } from './levels.ts'
import { parseRow, splitList } from './values.ts'

const GROUP_ROWS: ReadonlyMap<string, ConfigRow> = new Map<string, ConfigRow>(Object.entries(GROUP_TABLE))

/** Group keys that have to lie between `group.KIND.min.REST` and `group.KIND.max.REST`. */
const BOUNDED_KEYS = [
  'consumer.heartbeat.interval.ms',
  'consumer.session.timeout.ms',
  'consumer.assignment.interval.ms',
  'share.heartbeat.interval.ms',
  'share.session.timeout.ms',
  'share.record.lock.duration.ms',
  'share.delivery.count.limit',
  'share.partition.max.record.locks',
  'share.assignment.interval.ms',
  'streams.heartbeat.interval.ms',
  'streams.session.timeout.ms',
  'streams.assignment.interval.ms',
]

const CAPPED_KEYS: Readonly<Record<string, string>> = {
  'streams.num.standby.replicas': 'group.streams.max.standby.replicas',
  'streams.num.warmup.replicas': 'group.streams.max.warmup.replicas',
}

function boundError(name: string, text: string, levels: BrokerLevels): string | null {
  const value = Number(text)
  const cap = CAPPED_KEYS[name]
  if (cap !== undefined) {
    const maximum = Number(brokerValue(cap, levels))
    return value > maximum ? `${name} must be less than or equal to ${maximum}` : null
  }
  if (!BOUNDED_KEYS.includes(name)) return null
  const dot = name.indexOf('.')
  const [kind, rest] = [name.slice(0, dot), name.slice(dot + 1)]
  const minimum = Number(brokerValue(`group.${kind}.min.${rest}`, levels))
  const maximum = Number(brokerValue(`group.${kind}.max.${rest}`, levels))
  if (value >= minimum && value <= maximum) return null
  return `${name} must be in the range ${minimum} to ${maximum} inclusive.`
}

function otherError(name: string, text: string, levels: BrokerLevels): string | null {
  if (name === 'errors.deadletterqueue.topic.name' && text.startsWith('__')) {
    return "errors.deadletterqueue.topic.name: DLQ topic name must not start with '__'"
  }
  if (name === 'streams.rack.aware.assignment.tags') {
    const tags = splitList(text)
    return new Set(tags).size === tags.length ? null : `${name} must not contain duplicate tag keys.`
  }
  if (name === 'streams.assignor.name') {
    const known = brokerValue('group.streams.assignors', levels) as readonly string[]
    if (known.includes(text)) return null
    return `streams.assignor.name '${text}' is not a registered task assignor. Registered assignors are: [${known.join(', ')}].`
  }
  return null
}

/** A member must be able to miss a heartbeat without being removed. */
function sessionError(kind: string, levels: BrokerLevels, texts: ConfigTexts): string | null {
  const [session, heartbeat] = [`${kind}.session.timeout.ms`, `${kind}.heartbeat.interval.ms`]
  if (!texts.has(session) && !texts.has(heartbeat)) return null
  const effective = (name: string): number =>
    Number(texts.get(name) ?? inheritedGroupText(name, GROUP_ROWS.get(name), levels))
  return effective(session) > effective(heartbeat) ? null : `${session} must be greater than ${heartbeat}`
}

function validateGroupTexts(levels: BrokerLevels, texts: ConfigTexts): AlterRefusal | null {
  const invalid = (message: string): AlterRefusal => refuse(ErrorCode.INVALID_CONFIG, message)
  for (const name of texts.keys()) {
    if (!GROUP_ROWS.has(name)) return invalid(`Unknown group config name: ${name}`)
  }
  for (const [name, row] of GROUP_ROWS) {
    const text = texts.get(name)
    const parsed = text === undefined ? null : parseRow(row, name, text)
    if (parsed !== null && parsed.error !== null) return invalid(parsed.error)
  }
  for (const [name, text] of texts) {
    const error = boundError(name, text, levels) ?? otherError(name, text.trim(), levels)
    if (error !== null) return invalid(error)
  }
  for (const kind of ['consumer', 'share', 'streams']) {
    const error = sessionError(kind, levels, texts)
    if (error !== null) return invalid(error)
  }
  return null
}

export interface GroupAlteration {
  readonly groupId: string
  readonly levels: BrokerLevels
  readonly current: ConfigTexts
  readonly operations: readonly AlterOperation[]
}

export function alterGroup({ groupId, levels, current, operations }: GroupAlteration): AlterResult {
  const malformed = checkOperations(operations)
  if (malformed !== null) return malformed
  const applied = applyOperations(current, operations, noLists)
  if (isRefused(applied)) return applied
  if (groupId === '') return refuse(ErrorCode.INVALID_REQUEST, 'Default group resources are not allowed.')
  return validateGroupTexts(levels, applied.newValues) ?? applied
}
