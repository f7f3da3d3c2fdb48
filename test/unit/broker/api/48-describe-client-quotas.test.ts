import { describe, expect, it } from 'vitest'
import { describeClientQuotas } from '../../../../broker/api/48-describe-client-quotas.ts'
import { metadataRecord } from '../../../../broker/metadata/metadata-record.ts'
import { brokerHarness } from './broker-harness.ts'

type Entity = Readonly<Record<string, string | null>>
type Component = readonly [entityType: string, matchType: number, match: string | null]

const EXACT = 0
const DEFAULT = 1
const SPECIFIED = 2
const ENTITIES: readonly Entity[] = [
  { user: 'al' },
  { user: null },
  { user: 'al', 'client-id': 'c' },
  { user: 'al', 'client-id': null },
  { user: null, 'client-id': 'c' },
  { 'client-id': 'c' },
  { 'client-id': null },
  { ip: '1.2.3.4' },
  { ip: null },
]

function quotas() {
  const harness = brokerHarness()
  for (const entity of ENTITIES) {
    const parts = Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName }))
    const record = { entity: parts, key: 'producer_byte_rate', value: 1.5, remove: false }
    harness.publish(metadataRecord('ClientQuotaRecord', 0, record))
  }
  return harness
}

function ask(filter: readonly Component[], strict = false, version = 1) {
  const components = filter.map(([entityType, matchType, match]) => ({ entityType, matchType, match }))
  return quotas().call(describeClientQuotas, version, { components, strict })
}

function found(filter: readonly Component[], strict = false): Entity[] | undefined {
  return ask(filter, strict).entries?.map(({ entity }) =>
    Object.fromEntries(entity.map(({ entityType, entityName }) => [entityType, entityName])),
  )
}

describe('DescribeClientQuotas', () => {
  it.each([0, 1])('tells entities and values (version %i)', (version) => {
    expect(ask([['ip', EXACT, '1.2.3.4']], false, version)).toMatchObject({
      errorCode: 0,
      errorMessage: '',
      entries: [
        {
          entity: [{ entityType: 'ip', entityName: '1.2.3.4' }],
          values: [{ key: 'producer_byte_rate', value: 1.5 }],
        },
      ],
    })
  })

  it('matches a name, the default entity, or any entity of the type', () => {
    expect(found([['user', EXACT, 'al']])).toEqual([ENTITIES[0], ENTITIES[2], ENTITIES[3]])
    expect(found([['user', EXACT, 'nobody']])).toEqual([])
    expect(found([['user', DEFAULT, null]])).toEqual([ENTITIES[1], ENTITIES[4]])
    expect(found([['client-id', SPECIFIED, null]])).toEqual(ENTITIES.slice(2, 7))
    expect(found([['ip', SPECIFIED, null]])).toEqual(ENTITIES.slice(7))
    expect(found([])).toEqual(ENTITIES)
  })

  it('leaves out entities with further types when strict', () => {
    expect(found([['user', EXACT, 'al']], true)).toEqual([ENTITIES[0]])
    expect(
      found(
        [
          ['user', EXACT, 'al'],
          ['client-id', SPECIFIED, null],
        ],
        true,
      ),
    ).toEqual([ENTITIES[2], ENTITIES[3]])
    expect(found([['client-id', DEFAULT, null]], true)).toEqual([ENTITIES[6]])
    expect(found([], true)).toEqual([])
  })

  const refusals: [string, readonly Component[], number, string][] = [
    ['a type that does not exist', [['group', SPECIFIED, null]], 35, 'Unsupported entity type group'],
    ['an empty type', [['', SPECIFIED, null]], 42, 'Invalid empty entity type.'],
    ['a match type that does not exist', [['group', 9, null]], 42, 'Unknown match type 9'],
    [
      'a type named twice',
      [
        ['user', SPECIFIED, null],
        ['user', EXACT, 'al'],
        ['group', SPECIFIED, null],
      ],
      42,
      'Entity type user cannot appear more than once in the filter.',
    ],
    [
      'an exact match of nothing',
      [['user', EXACT, null]],
      42,
      'Request specified MATCH_TYPE_EXACT, but set match string to null.',
    ],
    [
      'the default of a name',
      [['user', DEFAULT, 'x']],
      42,
      'Request specified MATCH_TYPE_DEFAULT, but also specified a match string.',
    ],
    [
      'any of a name',
      [['user', SPECIFIED, 'x']],
      42,
      'Request specified MATCH_TYPE_SPECIFIED, but also specified a match string.',
    ],
    [
      'ip beside user',
      [
        ['user', SPECIFIED, null],
        ['ip', SPECIFIED, null],
      ],
      42,
      'Invalid entity filter component combination. IP filter component should not be used with user or clientId filter component.',
    ],
  ]
  it.each(refusals)('refuses %s', (_what, filter, errorCode, errorMessage) => {
    expect(ask(filter)).toMatchObject({ errorCode, errorMessage, entries: null })
  })
})
