/** What has a configuration: a topic, a broker, a group. Key of the results of the configuration calls, by type and name. */
import { ResourceType } from '../../constants.ts'
import type { KafkaError } from '../../errors.ts'
import { ValueError } from '../../errors.ts'
import { checkNames } from '../arguments.ts'
import { enumArgument } from '../enum-argument.ts'
import { ConfigEntry } from './config-entry.ts'

export type ConfigValue = string | number | boolean | bigint | null

export interface ConfigResourceOptions {
  /** For `alterConfigs`. */
  readonly setConfig?: Readonly<Record<string, ConfigValue>> | ReadonlyMap<string, ConfigValue> | null
  /** For `incrementalAlterConfigs`. */
  readonly incrementalConfigs?: readonly ConfigEntry[] | null
  /** After describing. */
  readonly describedConfigs?: ReadonlyMap<string, ConfigEntry> | null
  readonly error?: KafkaError | null
}

export class ConfigResource {
  static readonly Type: typeof ResourceType = ResourceType
  readonly restype: ResourceType
  readonly name: string
  /** What `describeConfigs` found; null before. */
  readonly configs: ReadonlyMap<string, ConfigEntry> | null
  readonly error: KafkaError | null
  readonly setConfigDict: Record<string, string | null> = {}
  readonly incrementalConfigs: ConfigEntry[]

  /** @param restype a number, or the name of the type in any case */
  constructor(
    restype: ResourceType | keyof typeof ResourceType | Lowercase<keyof typeof ResourceType>,
    name: string,
    options: ConfigResourceOptions = {},
  ) {
    this.restype = enumArgument(ResourceType, restype, 'restype')
    if (name === null || name === undefined) throw new ValueError('the name of a resource must not be null')
    if (typeof name !== 'string') throw new TypeError('the name of a resource must be a string')
    checkNames(options, ['setConfig', 'incrementalConfigs', 'describedConfigs', 'error'])
    this.name = name
    this.configs = options.describedConfigs ?? null
    this.error = options.error ?? null
    const { setConfig } = options
    const pairs = setConfig instanceof Map ? setConfig : Object.entries(setConfig ?? {})
    for (const [entry, value] of pairs) this.setConfig(entry, value)
    this.incrementalConfigs = []
    for (const entry of options.incrementalConfigs ?? []) this.addIncrementalConfig(entry)
  }

  /** Entries set. */
  get length(): number {
    return Object.keys(this.setConfigDict).length
  }

  len(): number {
    return this.length
  }

  /** @param overwrite false keeps an entry that is there */
  setConfig(name: string, value: ConfigValue, overwrite = true): void {
    if (typeof name !== 'string') throw new TypeError('the name of a config entry must be a string')
    if (!overwrite && Object.hasOwn(this.setConfigDict, name)) return
    this.setConfigDict[name] = value === null || value === undefined ? null : String(value)
  }

  addIncrementalConfig(entry: ConfigEntry): void {
    if (!(entry instanceof ConfigEntry)) throw new TypeError('an incremental config must be a ConfigEntry')
    this.incrementalConfigs.push(entry)
  }

  key(): string {
    return resourceKey(this.restype, this.name)
  }

  equals(other: unknown): boolean {
    return other instanceof ConfigResource && ConfigResource.compare(this, other) === 0
  }

  compare(other: ConfigResource): number {
    return ConfigResource.compare(this, other)
  }

  static compare(one: ConfigResource, other: ConfigResource): number {
    if (one.restype !== other.restype) return one.restype - other.restype
    if (one.name !== other.name) return one.name < other.name ? -1 : 1
    return 0
  }

  toString(): string {
    const type = Object.entries(ResourceType).find(([, number]) => number === this.restype)?.[0]
    return `ConfigResource(${type},${this.name})`
  }
}

export function resourceKey(restype: number, name: string): string {
  return `${restype}:${name}`
}
