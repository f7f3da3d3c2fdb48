/**
 * From text to value and back, with Kafka's rules for each type: what is trimmed, what counts as a number, which
 * sentence refuses it, and how DescribeConfigs writes the value again.
 */
import type { ConfigRow, ConfigType, ConfigValue } from './define.ts'
import { invalidValue } from './validators.ts'

export type ParsedValue =
  | { readonly error: null; readonly value: ConfigValue; readonly text: string }
  | { readonly error: string }

const INTEGER = /^[+-]?\d+$/
const DECIMAL = /^[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?)$/

const INTEGER_BITS = { SHORT: 16n, INT: 32n, LONG: 64n } as const
/** Java's Double.MAX_VALUE and MIN_VALUE turn up as defaults, so doubles are written as Java writes them. */
const PLAIN_FROM = 1e-3
const PLAIN_BELOW = 1e7

/** A double as Java prints it: at least one digit after the point, `E` outside of 0.001 to 10,000,000. */
export function javaDouble(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const magnitude = Math.abs(value)
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  if (magnitude >= PLAIN_FROM && magnitude < PLAIN_BELOW) {
    const text = String(value)
    return text.includes('.') ? text : `${text}.0`
  }
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  return `${digits.includes('.') ? digits : `${digits}.0`}E${exponent.replace('+', '')}`
}

function parseInteger(type: 'SHORT' | 'INT' | 'LONG', name: string, trimmed: string): ParsedValue {
  if (INTEGER.test(trimmed)) {
    const exact = BigInt(trimmed.startsWith('+') ? trimmed.slice(1) : trimmed)
    if (BigInt.asIntN(Number(INTEGER_BITS[type]), exact) === exact) {
      const clamped = Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(exact)))
      return { error: null, value: clamped, text: exact.toString() }
    }
  }
  return { error: invalidValue(name, trimmed, `Not a number of type ${type}`) }
}

function parseDouble(name: string, trimmed: string): ParsedValue {
  if (!DECIMAL.test(trimmed)) return { error: invalidValue(name, trimmed, 'Not a number of type DOUBLE') }
  const value = Number(trimmed.replace(/[fFdD]$/, ''))
  return { error: null, value, text: javaDouble(value) }
}

/** Reads one value by its type alone, without the key's validator. */
export function parseValue(type: ConfigType, name: string, text: string): ParsedValue {
  const trimmed = text.trim()
  switch (type) {
    case 'BOOLEAN': {
      const lower = trimmed.toLowerCase()
      if (lower === 'true' || lower === 'false') return { error: null, value: lower === 'true', text: lower }
      return { error: invalidValue(name, trimmed, 'Expected value to be either true or false') }
    }
    case 'SHORT':
    case 'INT':
    case 'LONG':
      return parseInteger(type, name, trimmed)
    case 'DOUBLE':
      return parseDouble(name, trimmed)
    case 'LIST': {
      const entries = splitList(trimmed)
      return { error: null, value: entries, text: entries.join(',') }
    }
    case 'STRING':
    case 'CLASS':
    case 'PASSWORD':
      return { error: null, value: trimmed, text: trimmed }
  }
}

/** The entries of a LIST: commas with blanks around them part them, an empty text has none. */
export function splitList(text: string): readonly string[] {
  return text.trim() === '' ? [] : text.trim().split(/\s*,\s*/)
}

/** Reads and checks one value of a key. */
export function parseRow(row: ConfigRow, name: string, text: string): ParsedValue {
  const parsed = parseValue(row.type, name, text)
  if (parsed.error !== null) return parsed
  const result = row.validator?.isSet === true ? withoutRepetitions(parsed.value) : parsed
  const error = row.validator?.check(name, result.value, result.text) ?? null
  return error === null ? result : { error }
}

function withoutRepetitions(value: ConfigValue): { error: null; value: ConfigValue; text: string } {
  const entries = [...new Set(value as readonly string[])]
  return { error: null, value: entries, text: entries.join(',') }
}

/** The canonical form of a text, or the text itself if it does not fit the type. Null stays null. */
export function canonicalText(row: ConfigRow, text: string | null): string | null {
  if (text === null) return null
  const parsed = parseValue(row.type, '', text)
  if (parsed.error !== null) return text
  return row.validator?.isSet === true ? withoutRepetitions(parsed.value).text : parsed.text
}

/** The parsed default of a key; null when it has none or must be set. */
export function defaultValue(row: ConfigRow): ConfigValue {
  if (row.defaultText === null || row.defaultText === undefined) return null
  const parsed = parseValue(row.type, '', row.defaultText)
  return parsed.error === null ? parsed.value : null
}
