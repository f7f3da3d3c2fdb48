/**
 * The settings of one broker, level by level. A broker's own dynamic value beats the cluster's dynamic default, that
 * beats the start-up settings, those beat the table's default.
 *
 * Texts are kept as they were given: DescribeConfigs shows some of them that way.
 */
import { brokerRow, listenerBaseKey } from './broker.ts'
import type { ConfigRow, ConfigValue } from './define.ts'
import { brokerSynonyms } from './synonyms.ts'
import { canonicalText, defaultValue, parseValue } from './values.ts'

/** The numbers DescribeConfigs sends as `configSource`. */
export const CONFIG_SOURCES = {
  DYNAMIC_TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  DYNAMIC_BROKER_LOGGER_CONFIG: 6,
  DYNAMIC_CLIENT_METRICS_CONFIG: 7,
  DYNAMIC_GROUP_CONFIG: 8,
} as const

export type ConfigSource = (typeof CONFIG_SOURCES)[keyof typeof CONFIG_SOURCES]
export type ConfigTexts = ReadonlyMap<string, string>

export interface BrokerLevels {
  readonly dynamicBroker: ConfigTexts
  readonly dynamicDefault: ConfigTexts
  readonly static: ConfigTexts
}

export const NO_TEXTS: ConfigTexts = new Map()

export function staticLevels(properties: ConfigTexts): BrokerLevels {
  return { dynamicBroker: NO_TEXTS, dynamicDefault: NO_TEXTS, static: properties }
}

/** Whether a dynamic value of a synonym hides the start-up value of this key, as it does in Kafka. */
function isShadowed(name: string, levels: BrokerLevels): boolean {
  return brokerSynonyms(name).some(
    (synonym) =>
      synonym !== name && (levels.dynamicBroker.has(synonym) || levels.dynamicDefault.has(synonym)),
  )
}

/** The text that counts for a broker key, before it is made canonical; null when there is none. */
export function rawBrokerText(name: string, levels: BrokerLevels, row: ConfigRow | undefined): string | null {
  const dynamic = levels.dynamicBroker.get(name) ?? levels.dynamicDefault.get(name)
  if (dynamic !== undefined) return dynamic
  const fixed = isShadowed(name, levels) ? undefined : levels.static.get(name)
  if (fixed !== undefined) return fixed
  return listenerBaseKey(name) === null ? (row?.defaultText ?? null) : null
}

/** The text that counts for a broker key, in canonical form; null when there is none. */
export function brokerText(name: string, levels: BrokerLevels): string | null {
  const row = brokerRow(name)
  const raw = rawBrokerText(name, levels, row)
  return row === undefined ? raw : canonicalText(row, raw)
}

/** The value that counts for a broker key. A text that does not fit the key's type counts as absent. */
export function brokerValue(name: string, levels: BrokerLevels): ConfigValue {
  const row = brokerRow(name)
  if (row === undefined) return null
  const raw = rawBrokerText(name, levels, row)
  if (raw === null) return null
  const parsed = parseValue(row.type, name, raw)
  return parsed.error === null ? parsed.value : defaultValue(row)
}
