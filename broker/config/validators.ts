/**
 * The checks a configuration value passes after its text was parsed.
 *
 * Sentences are Kafka's, checked against recordings of it in `test/unit/broker/config/recorded-sessions.test.ts`.
 */
import type { Validator } from './define.ts'

/** The sentence every refused value starts with. */
export function invalidValue(name: string, value: unknown, reason?: string): string {
  return `Invalid value ${String(value)} for configuration ${name}${reason === undefined ? '' : `: ${reason}`}`
}

function range(minimum: number, maximum: number | null): Validator {
  return {
    description: maximum === null ? `[${minimum},...]` : `[${minimum},...,${maximum}]`,
    check: (name, value, text) => {
      if (value === null) return invalidValue(name, 'null', 'Value must be non-null')
      const number = Number(value)
      if (number < minimum) {
        return invalidValue(name, text, `Value must be at least ${minimum}`)
      }
      if (maximum !== null && number > maximum) {
        return invalidValue(name, text, `Value must be no more than ${maximum}`)
      }
      return null
    },
  }
}

export function atLeast(minimum: number): Validator {
  return range(minimum, null)
}

export function between(minimum: number, maximum: number): Validator {
  return range(minimum, maximum)
}

export function oneOf(...allowed: readonly string[]): Validator {
  return {
    description: `[${allowed.join(', ')}]`,
    check: (name, value) =>
      allowed.includes(String(value))
        ? null
        : invalidValue(name, value, `String must be one of: ${allowed.join(', ')}`),
  }
}

export function oneOfIgnoringCase(...allowed: readonly string[]): Validator {
  const upper = allowed.map((text) => text.toUpperCase())
  return {
    description: `(case insensitive) [${allowed.join(', ')}]`,
    check: (name, value) =>
      value !== null && upper.includes(String(value).toUpperCase())
        ? null
        : invalidValue(name, value, `String must be one of (case insensitive): ${allowed.join(', ')}`),
  }
}

export interface ListRules {
  /** Only these entries, if given. */
  readonly allowed?: readonly string[]
  readonly isEmptyAllowed?: boolean
  readonly isNullAllowed?: boolean
}

/** A list without blank or repeated entries. */
export function listOf(rules: ListRules = {}): Validator {
  const { allowed, isEmptyAllowed = true, isNullAllowed = false } = rules
  return {
    description: allowed === undefined ? '' : `[${allowed.join(', ')}]`,
    isSet: true,
    check: (name, value) => {
      if (value === null) return isNullAllowed ? null : `Configuration '${name}' values must not be null.`
      const entries = value as readonly string[]
      if (entries.length === 0 && !isEmptyAllowed) {
        const valid = allowed === undefined ? 'any non-empty value' : `[${allowed.join(', ')}]`
        return `Configuration '${name}' must not be empty. Valid values include: ${valid}`
      }
      if (new Set(entries).size !== entries.length) {
        return `Configuration '${name}' values must not be duplicated.`
      }
      for (const entry of entries) {
        if (entry === '') return `Configuration '${name}' values must not be empty.`
        if (allowed !== undefined && !allowed.includes(entry)) {
          return invalidValue(name, entry, `String must be one of: ${allowed.join(', ')}`)
        }
      }
      return null
    },
  }
}

export const nonEmptyList = listOf({ isEmptyAllowed: false })

export const nonEmptyString: Validator = {
  description: 'non-empty string',
  check: (name, value) => (value === '' ? invalidValue(name, value, 'String must be non-empty') : null),
}

export const nonNullString: Validator = {
  description: 'non-null string',
  check: (name, value) => (value === null ? invalidValue(name, 'null', 'entry must be non null') : null),
}

/** gzip's levels are 1 to 9, and -1 for zlib's own choice. */
export const gzipLevel: Validator = {
  description: '[1,...,9] or -1',
  check: (name, value) => {
    const level = Number(value)
    if (level === -1 || (level >= 1 && level <= 9)) return null
    return invalidValue(name, value, 'Value must be between 1 and 9 or equal to -1')
  },
}

/** `partition:broker` pairs, or `*` for all replicas. */
export const throttledReplicas: Validator = {
  description: '[partitionId]:[brokerId],[partitionId]:[brokerId],...',
  check: (name, value) => {
    const entries = value as readonly string[]
    const text = entries.join(',')
    if (text === '' || text.trim() === '*') return null
    if (entries.every((entry) => /^([0-9]+:[0-9]+)?$/.test(entry.trim()))) return null
    return invalidValue(
      name,
      `[${entries.join(', ')}]`,
      `${name} must be the literal '*' or a list of replicas in the following format: ` +
        '[partitionId]:[brokerId],[partitionId]:[brokerId],...',
    )
  },
}

/** `id@host:port` entries (KIP-595); an empty list means the voters are dynamic (KIP-853). */
export const quorumVoters: Validator = {
  description: 'non-empty list',
  check: (name, value) => {
    if (value === null) return invalidValue(name, 'null')
    for (const entry of value as readonly string[]) {
      if (!/^[0-9]+@[^@\s]+:[0-9]+$/.test(entry)) {
        return `Invalid configuration value for ${name}. Each entry should be in the form \`{id}@{host}:{port}\`.`
      }
    }
    return null
  },
}

/** `host:port` entries. */
export const quorumBootstrapServers: Validator = {
  description: 'non-empty list',
  check: (name, value) => {
    if (value === null) return invalidValue(name, 'null')
    for (const entry of value as readonly string[]) {
      if (!/^[^\s]+:[0-9]+$/.test(entry)) {
        return (
          `Failed to parse host name from ${entry} for the configuration ${name}. ` +
          'Each entry should be in the form "{host}:{port}"'
        )
      }
    }
    return null
  },
}

const DURATION =
  /^[-+]?P(?=.)(?:[-+]?\d+D)?(?:T(?=.)(?:[-+]?\d+H)?(?:[-+]?\d+M)?(?:[-+]?\d+(?:[.,]\d{1,9})?S)?)?$/i

/** Where a share group without a start offset begins (KIP-1106). */
export const shareAutoOffsetReset: Validator = {
  description: '[latest, earliest, by_duration:PnDTnHnMn.nS]',
  check: (name, value) => {
    const text = String(value)
    const lower = text.toLowerCase()
    if (lower === 'latest' || lower === 'earliest') return null
    const duration = lower.startsWith('by_duration:') ? text.slice('by_duration:'.length) : null
    if (duration !== null && DURATION.test(duration) && !duration.startsWith('-')) return null
    return invalidValue(
      name,
      text,
      `Invalid value \`${text}\` for configuration ${name}. The value must be either 'earliest', 'latest' or of the ` +
        "format 'by_duration:<PnDTnHnMn.nS>'.",
    )
  },
}
