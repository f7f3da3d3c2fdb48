/**
 * What DescribeConfigs answers for each resource: every key with its value, where the value comes from, and the
 * chain of synonyms it was picked from. Entries are in alphabetical order; Kafka's order is that of a hash map.
 *
 * A broker's own entries and synonyms show texts as they were given, all others show them in canonical form.
 */
import { BROKER_TABLE, brokerRow, listenerBaseKey } from './broker.ts'
import { effectiveLevel, LOGGERS, type LogLevel } from './broker-logger.ts'
import { CLIENT_METRICS_TABLE } from './client-metrics.ts'
import { CONFIG_TYPE_IDS, type ConfigRow, isSensitive } from './define.ts'
import { GROUP_TABLE } from './group.ts'
import {
  type BrokerLevels,
  brokerText,
  CONFIG_SOURCES,
  type ConfigSource,
  type ConfigTexts,
} from './levels.ts'
import { brokerSynonyms, GROUP_SYNONYMS, TOPIC_SYNONYMS } from './synonyms.ts'
import { TOPIC_TABLE } from './topic.ts'
import { inheritedTopicText, topicRow } from './topic-config.ts'
import { canonicalText } from './values.ts'

export interface DescribedSynonym {
  readonly name: string
  readonly value: string | null
  readonly source: ConfigSource
}

export interface DescribedConfig {
  readonly name: string
  readonly value: string | null
  readonly readOnly: boolean
  /** Version 0 of the protocol sent this in place of the source. */
  readonly isDefault: boolean
  readonly configSource: ConfigSource
  readonly isSensitive: boolean
  readonly synonyms: readonly DescribedSynonym[]
  /** 0 is UNKNOWN. */
  readonly configType: number
  readonly documentation: string | null
}

export interface DescribeOptions {
  /** Only these keys; null or an empty list means all. Unknown names are left out silently. */
  readonly keys?: readonly string[] | null
  readonly includeSynonyms?: boolean
  readonly includeDocumentation?: boolean
}

function isWanted(name: string, options: DescribeOptions): boolean {
  const { keys = null } = options
  return keys === null || keys.length === 0 || keys.includes(name)
}

function wantedNames(names: Iterable<string>, options: DescribeOptions): readonly string[] {
  return [...new Set(names)].filter((name) => isWanted(name, options)).sort()
}

interface EntryFacts {
  readonly name: string
  readonly row: ConfigRow | undefined
  readonly value: string | null
  readonly readOnly: boolean
  readonly source: ConfigSource
  readonly synonyms: readonly DescribedSynonym[]
}

function entryOf(facts: EntryFacts, options: DescribeOptions): DescribedConfig {
  const { name, row, readOnly, source } = facts
  const isSecret = isSensitive(row)
  return {
    name,
    value: isSecret ? null : facts.value,
    readOnly,
    isDefault: source === CONFIG_SOURCES.DEFAULT_CONFIG,
    configSource: source,
    isSensitive: isSecret,
    synonyms: options.includeSynonyms === true ? facts.synonyms : [],
    configType: row === undefined ? 0 : CONFIG_TYPE_IDS[row.type],
    documentation: options.includeDocumentation === true ? (row?.documentation ?? null) : null,
  }
}

/**
 * The values of a broker key and its synonyms, level by level, from the first that bears the key's own name: what
 * stronger names say is not this key's business.
 */
export function brokerSynonymChain(name: string, levels: BrokerLevels): readonly DescribedSynonym[] {
  const isSecret = isSensitive(brokerRow(name))
  const names = brokerSynonyms(name, listenerBaseKey(name))
  const chain: DescribedSynonym[] = []
  const add = (source: ConfigSource, read: (synonym: string) => string | null | undefined): void => {
    for (const synonym of names) {
      const value = read(synonym)
      if (value !== undefined && value !== null) {
        chain.push({ name: synonym, value: isSecret ? null : value, source })
      }
    }
  }
  add(CONFIG_SOURCES.DYNAMIC_BROKER_CONFIG, (synonym) => levels.dynamicBroker.get(synonym))
  add(CONFIG_SOURCES.DYNAMIC_DEFAULT_BROKER_CONFIG, (synonym) => levels.dynamicDefault.get(synonym))
  add(CONFIG_SOURCES.STATIC_BROKER_CONFIG, (synonym) => levels.static.get(synonym))
  add(CONFIG_SOURCES.DEFAULT_CONFIG, (synonym) =>
    listenerBaseKey(synonym) === null ? brokerRow(synonym)?.defaultText : null,
  )
  const first = chain.findIndex((synonym) => synonym.name === name)
  return first < 0 ? [] : chain.slice(first)
}

function sourceOf(chain: readonly DescribedSynonym[]): ConfigSource {
  return chain[0]?.source ?? CONFIG_SOURCES.DEFAULT_CONFIG
}

/** Behind a listener's prefix a key counts as fixed, although it may be altered; so does a key nobody knows. */
function isReadOnlyBrokerKey(name: string): boolean {
  const row = brokerRow(name)
  return row === undefined || listenerBaseKey(name) !== null || row.update === 'read-only'
}

/** Resource BROKER with the broker's id: all keys. */
export function describeBroker(
  levels: BrokerLevels,
  options: DescribeOptions = {},
): readonly DescribedConfig[] {
  const set = [...levels.dynamicBroker.keys(), ...levels.dynamicDefault.keys(), ...levels.static.keys()]
  const shown = Object.keys(BROKER_TABLE).filter((name) => brokerRow(name)?.isInternal === false)
  return wantedNames([...shown, ...set], options).map((name) => {
    const synonyms = brokerSynonymChain(name, levels)
    const facts = { name, row: brokerRow(name), value: brokerText(name, levels), synonyms }
    return entryOf({ ...facts, readOnly: isReadOnlyBrokerKey(name), source: sourceOf(synonyms) }, options)
  })
}

/** Resource BROKER with an empty name: only what was set for the whole cluster. */
export function describeBrokerDefault(
  dynamicDefault: ConfigTexts,
  options: DescribeOptions = {},
): readonly DescribedConfig[] {
  return wantedNames(dynamicDefault.keys(), options).map((name) => {
    const row = brokerRow(name)
    const value = dynamicDefault.get(name) ?? null
    const source = CONFIG_SOURCES.DYNAMIC_DEFAULT_BROKER_CONFIG
    const synonyms = [{ name, value: isSensitive(row) ? null : value, source }]
    return entryOf({ name, row, value, readOnly: isReadOnlyBrokerKey(name), source, synonyms }, options)
  })
}

/** Resource TOPIC. `overrides` are the topic's own values; keys of them that nobody knows are left out. */
export function describeTopic(
  levels: BrokerLevels,
  overrides: ConfigTexts,
  options: DescribeOptions = {},
): readonly DescribedConfig[] {
  const shown = Object.keys(TOPIC_TABLE).filter((name) => !topicRow(name)?.isInternal || overrides.has(name))
  return wantedNames(shown, options).map((name) => {
    const primary = TOPIC_SYNONYMS[name]?.[0]?.name
    const inherited = primary === undefined ? [] : brokerSynonymChain(primary, levels)
    const facts = { name, row: topicRow(name), inheritedText: inheritedTopicText(name, levels), inherited }
    return overridable(facts, overrides.get(name), CONFIG_SOURCES.DYNAMIC_TOPIC_CONFIG, options)
  })
}

/** Resource GROUP. */
export function describeGroup(
  levels: BrokerLevels,
  overrides: ConfigTexts,
  options: DescribeOptions = {},
): readonly DescribedConfig[] {
  const rows = new Map<string, ConfigRow>(Object.entries(GROUP_TABLE))
  const shown = [...rows.keys()].filter((name) => !rows.get(name)?.isInternal || overrides.has(name))
  return wantedNames(shown, options).map((name) => {
    const row = rows.get(name)
    const ownDefault = { name, value: row?.defaultText ?? '', source: CONFIG_SOURCES.DEFAULT_CONFIG }
    const synonym = GROUP_SYNONYMS[name]
    const inherited = synonym === undefined ? [ownDefault] : brokerSynonymChain(synonym, levels)
    const facts = { name, row, inheritedText: inheritedGroupText(name, row, levels), inherited }
    return overridable(facts, overrides.get(name), CONFIG_SOURCES.DYNAMIC_GROUP_CONFIG, options)
  })
}

/** The text a group has for a key it does not set itself. */
export function inheritedGroupText(
  name: string,
  row: ConfigRow | undefined,
  levels: BrokerLevels,
): string | null {
  const synonym = GROUP_SYNONYMS[name]
  if (synonym === undefined) return row?.defaultText ?? null
  const text = brokerText(synonym, levels)
  return name === 'streams.assignor.name' ? (text?.split(',')[0] ?? null) : text
}

/** Resource CLIENT_METRICS: the keys of one subscription; a subscription that does not exist has defaults only. */
export function describeClientMetrics(
  overrides: ConfigTexts,
  options: DescribeOptions = {},
): readonly DescribedConfig[] {
  const rows = new Map<string, ConfigRow>(Object.entries(CLIENT_METRICS_TABLE))
  return wantedNames(rows.keys(), options).map((name) => {
    const row = rows.get(name)
    const facts = { name, row, inheritedText: row?.defaultText ?? null, inherited: [] }
    return overridable(facts, overrides.get(name), CONFIG_SOURCES.DYNAMIC_CLIENT_METRICS_CONFIG, options)
  })
}

interface InheritingKey {
  readonly name: string
  readonly row: ConfigRow | undefined
  readonly inheritedText: string | null
  readonly inherited: readonly DescribedSynonym[]
}

/** An entry of a resource that may set the key itself and otherwise inherits it. */
function overridable(
  key: InheritingKey,
  own: string | undefined,
  ownSource: ConfigSource,
  options: DescribeOptions,
): DescribedConfig {
  const { name, row, inherited } = key
  const facts = { name, row, readOnly: false }
  if (own === undefined || row === undefined) {
    const source = sourceOf(inherited)
    return entryOf({ ...facts, value: key.inheritedText, source, synonyms: inherited }, options)
  }
  const value = canonicalText(row, own)
  const synonym = { name, value: isSensitive(row) ? null : value, source: ownSource }
  return entryOf({ ...facts, value, source: ownSource, synonyms: [synonym, ...inherited] }, options)
}

/** Resource BROKER_LOGGER: the level of every logger. `levels` are those that were set. */
export function describeBrokerLogger(
  levels: ReadonlyMap<string, LogLevel>,
  options: DescribeOptions = {},
): readonly DescribedConfig[] {
  return wantedNames(Object.keys(LOGGERS), options).map((name) => ({
    name,
    value: effectiveLevel(name, levels),
    readOnly: false,
    isDefault: false,
    configSource: CONFIG_SOURCES.DYNAMIC_BROKER_LOGGER_CONFIG,
    isSensitive: false,
    synonyms: [],
    configType: 0,
    documentation: '',
  }))
}
