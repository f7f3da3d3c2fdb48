/**
 * The start-up settings of one broker: parsed, checked, and readable with the type each key has.
 */
import { BROKER_TABLE, type BrokerKey, type BrokerTable, brokerRow, listenerBaseKey } from './broker.ts'
import { advertisedListenersOf, crossCheckBroker } from './cross-checks.ts'
import type { ConfigValue, ValueOf } from './define.ts'
import { type BrokerLevels, brokerText, brokerValue, type ConfigTexts, staticLevels } from './levels.ts'
import { PLUGIN_KEYS } from './plugin-keys.ts'
import { nearestName } from './suggest.ts'
import { parseRow } from './values.ts'

/**
 * Typed reading of a broker's settings at some moment: `config.get('num.partitions')` is a number. Dynamic changes
 * make a new one through `with`.
 */
export class BrokerConfig {
  readonly levels: BrokerLevels
  /** Levels never change, so every value is parsed once. */
  readonly #values = new Map<string, ConfigValue>()

  constructor(levels: BrokerLevels) {
    this.levels = levels
  }

  /** The value in force; null only for keys whose default is null. */
  get<Key extends BrokerKey>(name: Key): ValueOf<BrokerTable[Key]> {
    // The row's type parameter is the type its own parser produces.
    return this.#valueOf(name) as ValueOf<BrokerTable[Key]>
  }

  /** The value of a key for one listener: its `listener.name.NAME.` setting, or else the key itself. */
  getForListener<Key extends BrokerKey>(listenerName: string, name: Key): ValueOf<BrokerTable[Key]> {
    const prefixed = `listener.name.${listenerName.toLowerCase()}.${name}`
    const value = this.#valueOf(prefixed)
    return value === null ? this.get(name) : (value as ValueOf<BrokerTable[Key]>)
  }

  #valueOf(name: string): ConfigValue {
    let value = this.#values.get(name)
    if (value === undefined) {
      value = brokerValue(name, this.levels)
      this.#values.set(name, value)
    }
    return value
  }

  /** The text in force, in canonical form, for any name. */
  text(name: string): string | null {
    return brokerText(name, this.levels)
  }

  with(dynamic: {
    readonly dynamicDefault?: ConfigTexts
    readonly dynamicBroker?: ConfigTexts
  }): BrokerConfig {
    return new BrokerConfig({ ...this.levels, ...dynamic })
  }
}

export interface UnknownKey {
  readonly name: string
  readonly didYouMean: string | null
}

/** A key whose value was chosen and changes nothing. */
export interface IneffectiveKey {
  readonly name: string
  /** A sentence. */
  readonly reason: string
}

export interface ParsedBrokerConfig {
  readonly config: BrokerConfig
  /** Sentences for the operator; a broker must not start while there are any. */
  readonly errors: readonly string[]
  /** Accepted and shown by DescribeConfigs as Kafka does, but without effect. */
  readonly unknownKeys: readonly UnknownKey[]
  /** Known keys that were given another value than their default and are without effect here. */
  readonly ineffectiveKeys: readonly IneffectiveKey[]
}

function missingKeyErrors(properties: ConfigTexts): readonly string[] {
  const rows = Object.entries(BROKER_TABLE)
  return rows
    .filter(([name, row]) => row.defaultText === undefined && !properties.has(name))
    .map(([name]) => `Missing required configuration "${name}" which has no default value.`)
}

/** The names that are none of a broker's settings. */
export function unknownKeysIn(names: Iterable<string>): readonly UnknownKey[] {
  const unknown = [...names].filter((name) => !PLUGIN_KEYS.has(name) && brokerRow(name) === undefined)
  return unknown.map((name) => {
    const misspelt = listenerBaseKey(name) ?? name
    return { name, didYouMean: nearestName(misspelt, Object.keys(BROKER_TABLE)) }
  })
}

export interface ParseOptions {
  /** Whether `node.id`, `process.roles` and `controller.listener.names` have to be given. */
  readonly requiresIdentity?: boolean
}

export function parseBrokerConfig(properties: ConfigTexts, options: ParseOptions = {}): ParsedBrokerConfig {
  const errors: string[] = options.requiresIdentity === true ? [...missingKeyErrors(properties)] : []
  const ineffectiveKeys: IneffectiveKey[] = []
  for (const [name, text] of properties) {
    const row = brokerRow(name)
    const pluginReason = PLUGIN_KEYS.get(name)
    if (pluginReason !== undefined) {
      ineffectiveKeys.push({ name, reason: pluginReason })
      continue
    }
    if (row === undefined) continue
    const parsed = parseRow(row, name, text)
    if (parsed.error !== null) errors.push(parsed.error)
    if (row.effect.kind === 'none' && text.trim() !== row.defaultText) {
      ineffectiveKeys.push({ name, reason: row.effect.reason })
    }
  }
  const identity = identityOf(properties)
  const config = new BrokerConfig(staticLevels(identity.properties))
  if (identity.error !== null) errors.push(identity.error)
  if (errors.length === 0) {
    const failed = crossCheckBroker(config.levels) ?? advertisedListenersOf(config.levels).error
    if (failed !== null) errors.push(failed)
  }
  return { config, errors, unknownKeys: unknownKeysIn(properties.keys()), ineffectiveKeys }
}

/** `broker.id` is the old name of `node.id`: either gives the other its value, both must not differ. */
function identityOf(properties: ConfigTexts): { properties: ConfigTexts; error: string | null } {
  const node = properties.get('node.id')
  const broker = properties.get('broker.id')
  if (node !== undefined && broker !== undefined && node.trim() !== broker.trim()) {
    return {
      properties,
      error:
        '`node.id` and `broker.id` must be set to the same value. `broker.id` is deprecated, please use `node.id` instead.',
    }
  }
  const id = node ?? broker
  if (id === undefined) return { properties, error: null }
  return { properties: new Map([...properties, ['node.id', id], ['broker.id', id]]), error: null }
}
