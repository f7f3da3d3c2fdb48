/** One entry of a configuration: described, or to be changed. */
import { AlterConfigOpType, ConfigSource } from '../../constants.ts'
import { checkNames } from '../arguments.ts'

export interface ConfigEntryOptions {
  readonly source?: ConfigSource | number
  readonly isReadOnly?: boolean
  readonly isDefault?: boolean
  readonly isSensitive?: boolean
  readonly isSynonym?: boolean
  /** By name. */
  readonly synonyms?: ReadonlyMap<string, ConfigEntry> | readonly ConfigEntry[]
  /** For `incrementalAlterConfigs`. */
  readonly incrementalOperation?: AlterConfigOpType | keyof typeof AlterConfigOpType | null
}

const optionNames = [
  'source',
  'isReadOnly',
  'isDefault',
  'isSensitive',
  'isSynonym',
  'synonyms',
  'incrementalOperation',
]

export class ConfigEntry {
  readonly name: string
  /** null when unset, or sensitive. */
  value: string | null
  /** A number of `ConfigSource`, or of a newer broker. */
  readonly source: number
  readonly isReadOnly: boolean
  readonly isDefault: boolean
  readonly isSensitive: boolean
  readonly isSynonym: boolean
  readonly synonyms: ReadonlyMap<string, ConfigEntry>
  incrementalOperation: AlterConfigOpType | null

  constructor(name: string, value?: string | number | boolean | null, options: ConfigEntryOptions = {}) {
    if (typeof name !== 'string') throw new TypeError('the name of a config entry must be a string')
    checkNames(options, optionNames)
    const { synonyms = [] } = options
    this.name = name
    this.value = value === null || value === undefined ? null : String(value)
    this.source = options.source ?? ConfigSource.UNKNOWN_CONFIG
    this.isReadOnly = options.isReadOnly ?? false
    this.isDefault = options.isDefault ?? false
    this.isSensitive = options.isSensitive ?? false
    this.isSynonym = options.isSynonym ?? false
    this.synonyms = new Map([...synonyms.values()].map((entry) => [entry.name, entry]))
    this.incrementalOperation = operationOf(options.incrementalOperation)
  }

  toString(): string {
    return `${this.name}="${this.value}"`
  }
}

function operationOf(value: ConfigEntryOptions['incrementalOperation']): AlterConfigOpType | null {
  if (value === undefined || value === null) return null
  const number = typeof value === 'string' ? AlterConfigOpType[value] : value
  if (!Object.values(AlterConfigOpType).includes(number)) {
    throw new TypeError('incrementalOperation must be a member of AlterConfigOpType')
  }
  return number
}
