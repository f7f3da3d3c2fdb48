/**
 * What a configuration key is: one row of facts. Every table (`broker-keys/*.ts`, `topic.ts`, `group.ts`,
 * `client-metrics.ts`) is a record from the key's name to such a row; parsing, validation, DescribeConfigs, the
 * alteration rules and the reference documentation are all derived from the rows and nothing else.
 *
 * A default is kept as text, in the canonical form DescribeConfigs shows, so that no int64 loses digits on the way.
 */
export type ConfigType =
  | 'BOOLEAN'
  | 'STRING'
  | 'INT'
  | 'SHORT'
  | 'LONG'
  | 'DOUBLE'
  | 'LIST'
  | 'CLASS'
  | 'PASSWORD'

/** The number DescribeConfigs v3+ sends as `configType`; 0 is UNKNOWN. */
export const CONFIG_TYPE_IDS: Readonly<Record<ConfigType, number>> = {
  BOOLEAN: 1,
  STRING: 2,
  INT: 3,
  SHORT: 4,
  LONG: 5,
  DOUBLE: 6,
  LIST: 7,
  CLASS: 8,
  PASSWORD: 9,
}

export type Importance = 'HIGH' | 'MEDIUM' | 'LOW'

/**
 * When a broker key may change: only by a restart, for one broker at a time, or for the whole cluster (which
 * includes single brokers). Topic, group and client-metrics keys are always dynamic and carry `cluster-wide`.
 */
export type UpdateMode = 'read-only' | 'per-broker' | 'cluster-wide'

/**
 * Whether setting the key changes what kafkito does. `none` means it is accepted, validated, stored and described
 * as Kafka does, and otherwise ignored; `part` names what of it is ignored.
 */
export type Effect =
  | { readonly kind: 'full' }
  | { readonly kind: 'part'; readonly reason: string }
  | { readonly kind: 'none'; readonly reason: string }

export type ConfigValue = boolean | number | string | readonly string[] | null

/** Answers null or the whole sentence that clients see. */
export interface Validator {
  /** The column of Kafka's reference tables. */
  readonly description: string
  /** Repeated entries of a list are dropped before the check, as Kafka does with a warning in its log. */
  readonly isSet?: true
  /**
   * `value` is one that `parseValue` produced for the row's type, null only for keys without a value; `text` is its
   * canonical form, the one sentences quote.
   */
  readonly check: (name: string, value: ConfigValue, text: string) => string | null
}

export interface ConfigRow<Value extends ConfigValue = ConfigValue> {
  readonly type: ConfigType
  /** Canonical text; `null` when the key has no value until somebody sets it; `undefined` when it must be set. */
  readonly defaultText: string | null | undefined
  readonly validator: Validator | null
  readonly importance: Importance
  readonly update: UpdateMode
  readonly documentation: string
  readonly effect: Effect
  /** Kafka accepts the key but leaves it out of documentation and of DescribeConfigs. */
  readonly isInternal: boolean
  /** Never set; carries the type of the parsed value to `TypedConfig.get`. */
  readonly valueType?: Value
}

export type ConfigTable = Readonly<Record<string, ConfigRow>>
export type ConfigKey<Table extends ConfigTable> = Extract<keyof Table, string>
export type ValueOf<Row> = Row extends ConfigRow<infer Value> ? Value : never

/** Facts that few rows have. */
export interface RowOptions {
  readonly effect?: Effect
  readonly isInternal?: boolean
}

const FULL: Effect = { kind: 'full' }

/** The key is accepted and has no effect; the reason is a sentence for the documentation. */
export function none(reason: string): RowOptions {
  return { effect: { kind: 'none', reason } }
}

/** The key has some of its effect; the reason says what is missing. */
export function part(reason: string): RowOptions {
  return { effect: { kind: 'part', reason } }
}

/** A key that exists and works but is not described to clients. */
export function internal(options: RowOptions = {}): RowOptions {
  return { ...options, isInternal: true }
}

type RowConstructor<Value extends ConfigValue> = <Default extends string | null | undefined>(
  defaultText: Default,
  validator: Validator | null,
  importance: Importance,
  update: UpdateMode,
  documentation: string,
  options?: RowOptions,
) => ConfigRow<Default extends null ? Value | null : Value>

function rowOf<Value extends ConfigValue>(type: ConfigType): RowConstructor<Value> {
  return (defaultText, validator, importance, update, documentation, options = {}) => ({
    type,
    defaultText,
    validator,
    importance,
    update,
    documentation,
    effect: options.effect ?? FULL,
    isInternal: options.isInternal ?? false,
  })
}

export const boolean = rowOf<boolean>('BOOLEAN')
export const string = rowOf<string>('STRING')
export const int = rowOf<number>('INT')
export const short = rowOf<number>('SHORT')
/** An int64. The number stops at ±(2^53 - 1), which stands for everything beyond; the text keeps every digit. */
export const long = rowOf<number>('LONG')
export const double = rowOf<number>('DOUBLE')
export const list = rowOf<readonly string[]>('LIST')
export const javaClass = rowOf<string>('CLASS')
export const password = rowOf<string>('PASSWORD')

/** Keeps the literal key names and value types while checking that every row is a row. */
export function defineTable<const Table extends ConfigTable>(table: Table): Table {
  return table
}

/** The table of something that is missing as a whole: rows with a reason of their own keep it. */
export function withoutEffect<const Table extends ConfigTable>({ effect }: RowOptions, table: Table): Table {
  const rows = Object.entries(table).map(([name, row]) =>
    effect === undefined || row.effect.kind === 'none' ? [name, row] : [name, { ...row, effect }],
  )
  return Object.fromEntries(rows) as Table
}

/** Passwords are never shown; neither are values whose type is unknown, lest one of them is a password. */
export function isSensitive(row: ConfigRow | undefined): boolean {
  return row === undefined || row.type === 'PASSWORD'
}
