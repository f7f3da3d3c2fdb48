import { describe, expect, it } from 'vitest'
import type { HandleKind } from '../../../../client/config/config.ts'
import { readConfig } from '../../../../client/config/read-config.ts'
import { type ClientConfig, type PropertyName, properties } from '../../../../client/config/table.ts'
import { KafkaException } from '../../../../client/index.ts'
import {
  type DocumentedProperty,
  effectiveProperties,
  idleProperties,
  refusedNames,
  refusedValues,
} from '../../../support/client-api/properties.ts'

/** undefined: accepted. */
function refusal(conf: object, kind: HandleKind = 'producer'): string | undefined {
  try {
    readConfig(kind, conf as ClientConfig)
    return undefined
  } catch (error) {
    if (!(error instanceof KafkaException)) throw error
    expect(error.error.name()).toBe('_INVALID_ARG')
    return error.message
  }
}

function kindOf({ side }: DocumentedProperty): HandleKind {
  return side === 'both' ? 'admin' : side
}

function shown(value: unknown): unknown {
  return Array.isArray(value) ? value.join() || null : value === '' ? null : (value ?? null)
}

describe('the documented properties', () => {
  it('every documented property has its side, default and range', () => {
    for (const property of effectiveProperties) {
      const { name, min, max } = property
      const known = properties[name as PropertyName]
      expect([name, known?.side, shown(known?.default)]).toEqual([
        name,
        property.side,
        property.default === undefined ? shown(known?.default) : shown(property.default),
      ])
      if (min === undefined || max === undefined) continue
      const base = kindOf(property) === 'consumer' ? { 'group.id': 'g' } : {}
      for (const value of [Math.min(min, known?.min ?? min) - 1, max + 1])
        expect([name, value, refusal({ ...base, [name]: value }, kindOf(property))]).toEqual([
          name,
          value,
          expect.stringContaining(`"${name}"`),
        ])
      for (const alias of property.aliases ?? [])
        expect(refusal({ ...base, [alias]: max + 1 }, kindOf(property))).toContain(`"${alias}"`)
    }
  })

  it('a property without effect is checked and noted with its reason', () => {
    for (const property of idleProperties) {
      const { name, max } = property
      const reason = properties[name]?.withoutEffect
      if (reason === undefined) continue
      const given = property.default ?? 'gzip'
      const { notices } = readConfig(kindOf(property), { 'group.id': 'g', [name]: given } as ClientConfig)
      expect(notices.map(({ message }) => message)).toContainEqual(expect.stringContaining(reason))
      if (max !== undefined) expect(refusal({ [name]: max + 1 })).toContain(name)
    }
  })

  it('what cannot be had is refused with what to use instead', () => {
    for (const name of refusedNames) expect(refusal({ [name]: 'x' })).toMatch(/: use |nothing/)
    for (const [name, value] of refusedValues)
      expect([name, value, refusal({ [name]: value }, 'admin') ?? refusal({ [name]: value })]).toEqual([
        name,
        value,
        expect.any(String),
      ])
  })
})
