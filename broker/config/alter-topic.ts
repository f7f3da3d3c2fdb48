/**
 * Alterations of a topic's settings, and the checks CreateTopics makes on those of a new topic.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import {
  type AlterOperation,
  type AlterRefusal,
  type AlterResult,
  applyOperations,
  checkOperations,
  isRefused,
  refuse,
  topicListBase,
} from './alter.ts'
import { type BrokerLevels, brokerValue, type ConfigTexts } from './levels.ts'
import { TOPIC_TABLE } from './topic.ts'
import { topicRow, topicValue } from './topic-config.ts'
import { parseRow } from './values.ts'

/** The settings a topic would have, against the rules for each key and between keys. */
export function validateTopicTexts(levels: BrokerLevels, texts: ConfigTexts): AlterRefusal | null {
  for (const name of texts.keys()) {
    if (topicRow(name) === undefined) {
      return refuse(ErrorCode.INVALID_CONFIG, `Unknown topic config name: ${name}`)
    }
  }
  for (const [name, row] of Object.entries(TOPIC_TABLE)) {
    const text = texts.get(name)
    if (text === undefined) continue
    const parsed = parseRow(row, name, text)
    if (parsed.error !== null) return refuse(ErrorCode.INVALID_CONFIG, parsed.error)
  }
  const conflict = conflictOf(levels, texts)
  return conflict === null ? null : refuse(ErrorCode.INVALID_CONFIG, conflict)
}

function conflictOf(levels: BrokerLevels, texts: ConfigTexts): string | null {
  const minLagMs = topicValue('min.compaction.lag.ms', levels, texts)
  const maxLagMs = topicValue('max.compaction.lag.ms', levels, texts)
  if (minLagMs > maxLagMs) {
    return `conflict topic config setting min.compaction.lag.ms (${minLagMs}) > max.compaction.lag.ms (${maxLagMs})`
  }
  if (!topicValue('remote.storage.enable', levels, texts)) return null
  if (brokerValue('remote.log.storage.system.enable', levels) !== true) {
    return 'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.'
  }
  if (topicValue('cleanup.policy', levels, texts).includes('compact')) {
    return 'Remote log storage only supports topics with cleanup.policy=delete or cleanup.policy being an empty list.'
  }
  return null
}

/** The settings CreateTopics gives; here a null value is the topic's mistake, not the request's. */
export function validateNewTopicConfigs(
  levels: BrokerLevels,
  configs: readonly { readonly name: string; readonly value: string | null }[],
): AlterRefusal | null {
  const nulls = configs.filter(({ value }) => value === null).map(({ name }) => name)
  if (nulls.length > 0) {
    return refuse(ErrorCode.INVALID_CONFIG, `Null value not supported for topic configs: ${nulls.join(',')}`)
  }
  return validateTopicTexts(levels, new Map(configs.map(({ name, value }) => [name, value ?? ''])))
}

export interface TopicAlteration {
  readonly topicName: string
  readonly levels: BrokerLevels
  readonly current: ConfigTexts
  readonly operations: readonly AlterOperation[]
}

export function alterTopic({ topicName, levels, current, operations }: TopicAlteration): AlterResult {
  const malformed = checkOperations(operations)
  if (malformed !== null) return malformed
  const applied = applyOperations(current, operations, topicListBase)
  if (isRefused(applied)) return applied
  if (topicName === '') return refuse(ErrorCode.INVALID_REQUEST, 'Default topic resources are not allowed.')
  return validateTopicTexts(levels, applied.newValues) ?? applied
}
