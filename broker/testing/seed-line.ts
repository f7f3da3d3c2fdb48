/**
 * A line of a seed file: a JSON object whose fields are asked for one by one; `end` refuses what nobody asked for. Whatever is wrong is told
 * with file and line.
 */
import { nearestName } from '../config/suggest.ts'
import { StartError } from '../start-error.ts'

export interface Place {
  readonly file: string
  readonly line: number
}

export function seedError(place: Place, problem: string): StartError {
  return new StartError('INVALID_CONFIG', `${place.file}:${place.line}: ${problem}`, 'Correct that line.')
}

export class SeedLine {
  readonly place: Place
  /** Of its text. */
  readonly length: number
  readonly #fields: Readonly<Record<string, unknown>>
  readonly #asked = new Set<string>()

  /** @throws StartError unless the text is a JSON object */
  constructor(place: Place, text: string) {
    this.place = place
    this.length = text.length
    let parsed: unknown
    try {
      parsed = JSON.parse(text)
    } catch (error) {
      throw seedError(place, `This is no JSON: ${error instanceof Error ? error.message : String(error)}.`)
    }
    if (!isObject(parsed)) throw seedError(place, 'A line is one JSON object: {…}.')
    this.#fields = parsed
  }

  /** undefined: it is not there. */
  value(name: string): unknown {
    this.#asked.add(name)
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined
  }

  text(name: string): string {
    const value = this.value(name)
    if (typeof value !== 'string' || value === '') throw this.error(`"${name}" must be a text.`)
    return value
  }

  textOrNull(name: string): string | null {
    const value = this.value(name) ?? null
    if (value !== null && typeof value !== 'string') throw this.error(`"${name}" must be a text or null.`)
    return value
  }

  bytesOfBase64(name: string): Uint8Array | undefined {
    const value = this.value(name)
    if (value === undefined) return undefined
    // Node's decoder passes over what is no base64.
    if (typeof value !== 'string' || !/^(?:[\w+/-]{4})*(?:[\w+/-]{2,3}={0,2})?$/.test(value))
      throw this.error(`"${name}" must be base64.`)
    return Buffer.from(value, 'base64')
  }

  wholeNumber(name: string, lowest = 0): number | undefined {
    const value = this.value(name)
    if (value === undefined) return undefined
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < lowest)
      throw this.error(`"${name}" must be a whole number from ${lowest}.`)
    return value
  }

  /** Names with texts, or pairs of them, which may repeat a name. */
  pairs(name: string): readonly (readonly [string, string | null])[] | undefined {
    const value = this.value(name)
    if (value === undefined) return undefined
    const pairs: unknown[] | undefined = Array.isArray(value)
      ? value
      : isObject(value)
        ? Object.entries(value)
        : undefined
    if (pairs?.every(isPair) !== true)
      throw this.error(`"${name}" must be {"name": "text or null", …} or [["name", "text or null"], …].`)
    return pairs
  }

  settings(name: string): Readonly<Record<string, string | number | boolean>> | undefined {
    const value = this.value(name)
    if (value === undefined) return undefined
    if (!isObject(value) || !Object.values(value).every(isSetting))
      throw this.error(`"${name}" must be {"retention.ms": 1000, …}.`)
    return value as Readonly<Record<string, string | number | boolean>>
  }

  /** @throws StartError for a field that was not asked for */
  end(): void {
    const unknown = Object.keys(this.#fields).find((name) => !this.#asked.has(name))
    if (unknown === undefined) return
    const near = nearestName(unknown, this.#asked)
    throw this.error(
      near === null
        ? `There is no field "${unknown}"; those known are ${[...this.#asked].join(', ')}.`
        : `There is no field "${unknown}". Did you mean "${near}"?`,
    )
  }

  error(problem: string): StartError {
    return seedError(this.place, problem)
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isPair(value: unknown): value is readonly [string, string | null] {
  if (!Array.isArray(value) || value.length !== 2) return false
  const [name, text] = value as readonly unknown[]
  return typeof name === 'string' && (typeof text === 'string' || text === null)
}

function isSetting(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value)
}
