/** From what the application gave to a value of the property's type. Every refusal names property, value and what is allowed. */
import { KafkaError, type KafkaException, kafkaException } from '../errors.ts'
import type { Property } from './property.ts'

const truths: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['t', true],
  ['1', true],
  ['false', false],
  ['f', false],
  ['0', false],
])

export function invalid(message: string): KafkaException {
  return kafkaException(KafkaError._INVALID_ARG, message)
}

/**
 * TypeError for what should be callable and is not; `_INVALID_ARG` for everything else.
 *
 * @param name as the application wrote it: a name or an alias
 * @param refused values that are not taken, in lower case, each with what to use in its place
 */
export function parseValue(
  name: string,
  property: Property,
  given: unknown,
  refused: Readonly<Record<string, string>> = {},
): unknown {
  if (property.type === 'callback') {
    if (typeof given !== 'function') throw new TypeError(`"${name}" must be a function`)
    return given
  }
  if (property.type === 'object') {
    if (typeof given !== 'object' && typeof given !== 'function')
      throw new TypeError(`"${name}" must be an object`)
    return given
  }
  if (property.mayBeFunction && typeof given === 'function') return given
  const text = asText(name, given)
  const value = parseText(name, property, text)
  const key = String(value).trim().toLowerCase()
  if (Object.hasOwn(refused, key))
    throw invalid(`Property "${name}" does not take "${text}": use ${refused[key]}`)
  return value
}

function parseText(name: string, property: Property, text: string): unknown {
  switch (property.type) {
    case 'integer':
    case 'decimal':
      return parseNumber(name, property, text)
    case 'boolean':
      return parseBoolean(name, text)
    case 'word':
      return parseWord(name, property, text)
    case 'words':
    case 'list':
      return parseList(name, property, text)
    default:
      return text
  }
}

function asText(name: string, given: unknown): string {
  switch (typeof given) {
    case 'string':
      return given
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(given)
    default:
      if (Array.isArray(given) && given.every((item) => typeof item === 'string')) return given.join(',')
      throw invalid(
        `Property "${name}" cannot be set to a value of type ${given === null ? 'null' : typeof given}`,
      )
  }
}

function parseNumber(name: string, property: Property, text: string): number {
  const trimmed = text.trim()
  const word = trimmed.toLowerCase()
  if (Object.hasOwn(property.named, word)) return property.named[word] as number
  const isInteger = /^[+-]?(\d+|0x[0-9a-f]+)$/i.test(trimmed)
  const isNumber =
    isInteger || (property.type === 'decimal' && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed))
  const value = trimmed.startsWith('-') ? -Number(trimmed.slice(1)) : Number(trimmed.replace(/^\+/, ''))
  const range = `${property.min} … ${property.max}`
  if (!isNumber || Number.isNaN(value)) {
    const words = Object.keys(property.named)
    const also = words.length > 0 ? ` or ${words.join(', ')}` : ''
    throw invalid(`Property "${name}" must be a number in ${range}${also}, not "${text}"`)
  }
  if (value < property.min || value > property.max) {
    throw invalid(`Property "${name}" must be in ${range}, not ${text}`)
  }
  return value === 0 ? 0 : value
}

function parseBoolean(name: string, text: string): boolean {
  const value = truths.get(text.trim().toLowerCase())
  if (value === undefined) throw invalid(`Property "${name}" must be true or false, not "${text}"`)
  return value
}

function parseWord(name: string, property: Property, text: string): string {
  const wanted = text.trim().toLowerCase()
  for (const synonyms of property.words) {
    if (synonyms.some((word) => word.toLowerCase() === wanted)) return synonyms[0] as string
  }
  if (property.pattern?.test(text.trim()) === true) return text.trim()
  throw invalid(`Property "${name}" must be one of ${allowedWords(property)}, not "${text}"`)
}

function parseList(name: string, property: Property, text: string): readonly string[] {
  const items = text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
  if (property.words.length === 0) return items
  return items.map((item) => parseWord(name, property, item))
}

function allowedWords(property: Property): string {
  return property.words.flat().join(', ')
}
