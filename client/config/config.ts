/**
 * The configuration of one handle: read once from what the application gave, checked, with every default derived. A copy:
 * later changes of the application's object have no effect.
 */
import { isLogSink } from '../log.ts'
import { invalid, parseValue } from './parse.ts'
import type { Side } from './property.ts'
import { refusedProperties, refusedValues } from './refused-properties.ts'
import { nearestName } from './suggest.ts'
import { canonicalName, type PropertyName, properties, type Values } from './table.ts'

export type HandleKind = 'producer' | 'consumer' | 'share-consumer' | 'admin'

/** A remark about the configuration; logged when the handle has its logger. */
export interface ConfigNotice {
  readonly level: 'warning' | 'debug'
  readonly message: string
}

export class Config {
  readonly kind: HandleKind
  readonly notices: readonly ConfigNotice[]
  readonly #values: Values
  readonly #explicit: ReadonlySet<PropertyName>

  constructor(
    kind: HandleKind,
    values: Values,
    explicit: ReadonlySet<PropertyName>,
    notices: readonly ConfigNotice[],
  ) {
    this.kind = kind
    this.notices = notices
    this.#values = values
    this.#explicit = explicit
  }

  get<N extends PropertyName>(name: N): Values[N] {
    return this.#values[name]
  }

  /** Whether the application gave the property. */
  isExplicit(name: PropertyName): boolean {
    return this.#explicit.has(name)
  }
}

/** A configuration while it is being read; validation may still change it. */
export class ConfigDraft {
  readonly kind: HandleKind
  readonly values: Record<string, unknown> = {}
  readonly explicit = new Set<PropertyName>()
  readonly notices: ConfigNotice[] = []

  constructor(kind: HandleKind) {
    this.kind = kind
    for (const [name, property] of Object.entries(properties)) this.values[name] = property.default
  }

  set(name: string, given: unknown): void {
    const canonical = canonicalName(name)
    if (canonical === undefined) throw unknownProperty(name)
    if (given === null || given === undefined) return
    const property = properties[canonical]
    if (property === undefined) return
    if (canonical === 'delivery.report.only.error' && typeof given !== 'boolean') {
      throw new TypeError('"delivery.report.only.error" must be a boolean')
    }
    const value = parseValue(name, property, given, refusedValues[canonical])
    if (canonical === 'logger' && !isLogSink(value)) {
      throw new TypeError('"logger" must have a method log, or methods like those of console')
    }
    const isUnset = property.type === 'text' && property.default === undefined && value === ''
    this.values[canonical] = isUnset ? undefined : value
    if (isUnset) return
    this.explicit.add(canonical)
    if (!this.#isForThisHandle(property.side)) {
      this.notices.push({
        level: 'warning',
        message: `Configuration property ${name} is a ${property.side} property and will be ignored by this ${this.kind} instance`,
      })
    }
    if (property.withoutEffect !== undefined) {
      this.notices.push({
        level: 'debug',
        message: `Property ${name} has no effect: ${property.withoutEffect}`,
      })
    }
  }

  /** `default.topic.config` overwrites what stands at top level. */
  applyTopicConfig(): void {
    const topicConfig = this.values['default.topic.config']
    if (topicConfig === undefined) return
    if (!isRecord(topicConfig)) throw new TypeError('"default.topic.config" must be an object')
    for (const [name, given] of Object.entries(topicConfig)) this.set(name, given)
    this.notices.push({
      level: 'warning',
      message: 'default.topic.config is deprecated: set its properties at top level',
    })
  }

  get<N extends PropertyName>(name: N): Values[N] {
    return this.values[name] as Values[N]
  }

  /** Derives a value that the application left open. */
  derive<N extends PropertyName>(name: N, value: Values[N]): void {
    if (!this.explicit.has(name)) this.values[name] = value
  }

  /** Changes a value whoever set it. */
  force<N extends PropertyName>(name: N, value: Values[N]): void {
    this.values[name] = value
  }

  warn(message: string): void {
    this.notices.push({ level: 'warning', message })
  }

  finish(): Config {
    return new Config(
      this.kind,
      Object.freeze({ ...this.values }) as unknown as Values,
      this.explicit,
      this.notices,
    )
  }

  #isForThisHandle(side: Side): boolean {
    if (side === 'both') return true
    const own = this.kind === 'share-consumer' ? 'consumer' : this.kind
    return own === side
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function unknownProperty(name: string): Error {
  const instead = Object.hasOwn(refusedProperties, name) ? refusedProperties[name] : undefined
  if (instead !== undefined) return invalid(`Property "${name}" is not supported: use ${instead}`)
  const nearest = nearestName(name)
  const hint = nearest === undefined ? '' : ` (did you mean "${nearest}"?)`
  return invalid(`No such configuration property: "${name}"${hint}`)
}
