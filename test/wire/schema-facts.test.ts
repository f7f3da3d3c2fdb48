import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { errorByCode } from '../../common/protocol/errors.ts'
import { apiByKey, apis, apisOf } from '../../common/protocol/registry.ts'
import { type Field, type Fields, type MessageSchema, ZERO_UUID } from '../../common/protocol/schema.ts'
import {
  formatVersionRange,
  HIGHEST_VERSION,
  hasVersion,
  versionRange,
} from '../../common/protocol/versions.ts'
import { recordSchemas } from './record-schemas.ts'

/** A field as Kafka's schema resources put it. */
interface FieldFact {
  readonly name: string
  readonly type: string
  readonly versions?: string
  readonly nullableVersions?: string
  readonly taggedVersions?: string
  readonly flexibleVersions?: string
  readonly tag?: number
  readonly default?: string | number | boolean | null
  readonly ignorable?: boolean
  readonly mapKey?: boolean
  readonly entityType?: string
  readonly fields?: readonly FieldFact[]
}

interface MessageFact {
  readonly apiKey?: number
  readonly name: string
  readonly type: string
  readonly validVersions: string
  readonly flexibleVersions?: string
  readonly listeners?: readonly string[]
  readonly latestVersionUnstable?: boolean
  readonly fields: readonly FieldFact[]
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly FieldFact[] }[]
}

interface ApiFact {
  readonly apiKey: number
  readonly name: string
  readonly request: MessageFact
  readonly response: MessageFact
}

function facts<T>(file: string): T[] {
  const text = readFileSync(new URL(`./facts/${file}`, import.meta.url), 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T)
}

function rows(file: string): string[][] {
  const text = readFileSync(new URL(`./facts/${file}`, import.meta.url), 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
}

/** JSON null is no default at all; only the text "null" is. */
function defaultOfFact({ type, default: value }: FieldFact): unknown {
  if (value === 'null') return null
  if (type.startsWith('[]')) return 'empty'
  const text = value === undefined || value === null ? undefined : String(value)
  switch (type) {
    case 'string':
      return text ?? ''
    case 'uuid':
      return ZERO_UUID
    case 'bool':
      return text === 'true'
    case 'bytes':
      return 'empty'
    case 'records':
      return null
    default:
      return /^[A-Z]/.test(type) ? undefined : Number(text ?? 0)
  }
}

function defaultOfSchema(field: Field): unknown {
  if (field.default === null) return null
  if (field.type === 'array' || field.type === 'bytes') return 'empty'
  return typeof field.default === 'bigint' ? Number(field.default) : field.default
}

function describeFact(fact: FieldFact, message: MessageFact): Record<string, unknown> {
  const element = fact.type.startsWith('[]') ? fact.type.slice(2) : undefined
  const structure = [element, fact.type].find((type) => type !== undefined && /^[A-Z]/.test(type))
  const inner = fact.fields ?? message.commonStructs?.find(({ name }) => name === structure)?.fields
  return {
    name: (fact.name[0] as string).toLowerCase() + fact.name.slice(1),
    type: element === undefined ? (structure === undefined ? fact.type : 'struct') : 'array',
    element: element !== undefined && structure !== undefined ? 'struct' : element,
    versions: fact.versions ?? fact.taggedVersions,
    nullable: fact.nullableVersions ?? 'none',
    tag: fact.tag,
    flexible: fact.flexibleVersions,
    default: defaultOfFact(fact),
    ignorable: fact.ignorable ?? false,
    mapKey: fact.mapKey ?? false,
    entity: fact.entityType,
    fields: inner?.map((field) => describeFact(field, message)),
  }
}

function describeSchema(fields: Fields): Record<string, unknown>[] {
  return Object.entries(fields).map(([name, field]) => ({
    name,
    type: field.type,
    element: field.element,
    versions: formatVersionRange(field.versions),
    nullable: formatVersionRange(field.nullable),
    tag: field.tag,
    flexible: field.flexible && formatVersionRange(field.flexible),
    default: defaultOfSchema(field),
    ignorable: field.ignorable,
    mapKey: field.mapKey,
    entity: field.entity,
    fields: field.fields && describeSchema(field.fields),
  }))
}

function compareMessage(schema: MessageSchema, fact: MessageFact): void {
  expect(schema.name).toBe(fact.name)
  expect(formatVersionRange(schema.versions)).toBe(fact.validVersions)
  expect(formatVersionRange(schema.flexible)).toBe(fact.flexibleVersions ?? 'none')
  expect(describeSchema(schema.fields)).toEqual(fact.fields.map((field) => describeFact(field, fact)))
}

describe('schemas of APIs', () => {
  const known = facts<ApiFact>('messages.jsonl')
  const valid = known.filter(({ request }) => request.validVersions !== 'none')

  it.each(valid.map((api) => [api.name, api] as const))('%s is as Kafka publishes it', (_name, fact) => {
    const api = apiByKey(fact.apiKey)
    expect(api?.name).toBe(fact.name)
    if (api === undefined) return
    compareMessage(api.request, fact.request)
    compareMessage(api.response, fact.response)
    expect(api.latestVersionUnstable).toBe(fact.request.latestVersionUnstable ?? false)
  })

  it('are there for every API that has a valid version, and for no other', () => {
    expect(apis.map(({ name }) => name)).toEqual(valid.map(({ name }) => name))
  })

  it('say which listeners serve the API', () => {
    for (const [key, name, , , listeners] of rows('apis.tsv')) {
      const api = apiByKey(Number(key))
      if (api !== undefined) expect([name, api.listeners.join(',')]).toEqual([name, listeners])
    }
    expect(apisOf('broker')).toHaveLength(79)
  })
})

describe('schemas of records', () => {
  const known = facts<MessageFact>('records.jsonl')

  it.each(known.map((record) => [record.name, record] as const))(
    '%s is as Kafka publishes it',
    (name, fact) => {
      const record = recordSchemas.get(name)
      expect(record).toBeDefined()
      if (record === undefined) return
      compareMessage(record, fact)
      expect(record.kind).toBe(fact.type)
      expect(record.type).toBe(fact.apiKey ?? -1)
    },
  )

  it('cover every persisted structure', () => {
    expect([...recordSchemas.keys()].sort()).toEqual(known.map(({ name }) => name).sort())
  })
})

describe('versions', () => {
  it('are written as Kafka writes them', () => {
    for (const text of ['0', '3+', '0-4', 'none', '0+']) {
      expect(formatVersionRange(versionRange(text))).toBe(text)
    }
    expect(versionRange('2+')).toEqual({ lowest: 2, highest: HIGHEST_VERSION })
    expect(hasVersion(versionRange('2-3'), 4)).toBe(false)
    expect(() => versionRange('3-1')).toThrow(TypeError)
    expect(() => versionRange('-1')).toThrow(TypeError)
  })
})

describe('error codes', () => {
  it('have the names and the retriability that Kafka gives them', () => {
    const ours = [...errorByCode.values()].map(({ code, name, isRetriable }) => [
      String(code),
      name,
      String(isRetriable),
    ])
    expect(ours).toEqual(rows('errors.tsv').map((row) => row.slice(0, 3)))
  })
})
