/** The golden cases as values of our schemas. See `golden/ORIGIN.md`. */
import { readdirSync, readFileSync } from 'node:fs'
import { apiByKey } from '../../common/protocol/registry.ts'
import type { Field, Fields, MessageSchema } from '../../common/protocol/schema.ts'
import { defaultOf, type Structure } from '../../common/protocol/shape.ts'
import { recordSchemas } from './record-schemas.ts'

export interface GoldenCase {
  readonly message: MessageSchema
  readonly version: number
  /** What Kafka was given: fields that the version lacks, or that hold their default, may be missing. */
  readonly input: Structure
  readonly bytes: Buffer
}

const folder = new URL('./golden/', import.meta.url)

interface Line {
  readonly kind: 'request' | 'response' | 'record'
  readonly version: number
  readonly value: Record<string, unknown>
  readonly hex: string
}

export function goldenFiles(): string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.jsonl'))
  const records = readdirSync(new URL('records/', folder)).filter((name) => name.endsWith('.jsonl'))
  return [...names.sort(), ...records.sort().map((name) => `records/${name}`)]
}

export function goldenCases(file: string): GoldenCase[] {
  const lines = readFileSync(new URL(file, folder), 'utf8').trimEnd().split('\n')
  return lines.map((text): GoldenCase => {
    const line = JSON.parse(text) as Line
    const message = messageOf(file, line.kind)
    return {
      message,
      version: line.version,
      input: fromJson(message.fields, line.value),
      bytes: Buffer.from(line.hex, 'hex'),
    }
  })
}

function messageOf(file: string, kind: Line['kind']): MessageSchema {
  if (kind === 'record') {
    const name = file.slice('records/'.length, -'.jsonl'.length)
    const record = recordSchemas.get(name)
    if (record === undefined) throw new Error(`no schema for ${name}`)
    return record
  }
  const api = apiByKey(Number.parseInt(file, 10))
  if (api === undefined) throw new Error(`no schema for ${file}`)
  return api[kind]
}

function fromJson(fields: Fields, json: Record<string, unknown>): Structure {
  const structure: Structure = {}
  for (const [name, value] of Object.entries(json)) {
    const field = fields[name]
    if (field === undefined) throw new Error(`no field ${name}`)
    structure[name] = valueFromJson(field, value)
  }
  return structure
}

function valueFromJson(field: Field, value: unknown): unknown {
  if (value === null) return null
  if (field.type === 'bytes' || field.type === 'records') return Buffer.from(value as string, 'base64')
  if (field.exact) return BigInt(value as number)
  if (field.type === 'struct') return fromJson(field.fields as Fields, value as Record<string, unknown>)
  if (field.element === 'struct') {
    return (value as Record<string, unknown>[]).map((element) => fromJson(field.fields as Fields, element))
  }
  return value
}

/**
 * The input as decoding must give it: with every field. The golden values show no content of `records` (they are empty
 * where `bytes` has content), so that is taken from `decoded`.
 */
export function withDefaults(fields: Fields, input: Structure, decoded: Structure): Structure {
  const structure: Structure = {}
  for (const [name, field] of Object.entries(fields)) {
    const value = input[name]
    const seen = decoded[name]
    if (value === undefined) structure[name] = defaultOf(field)
    else if (value === null) structure[name] = null
    else if (field.type === 'records') structure[name] = seen
    else if (field.type === 'struct') {
      structure[name] = withDefaults(field.fields as Fields, value as Structure, seen as Structure)
    } else if (field.element === 'struct') {
      structure[name] = (value as Structure[]).map((element, index) =>
        withDefaults(field.fields as Fields, element, (seen as Structure[])[index] as Structure),
      )
    } else structure[name] = value
  }
  return structure
}

export function hasRecords(fields: Fields): boolean {
  return Object.values(fields).some(
    ({ type, fields: inner }) => type === 'records' || (inner !== undefined && hasRecords(inner)),
  )
}
