import { describe, expect, it } from 'vitest'
import {
  AclBinding,
  AclBindingFilter,
  AclOperation,
  AclPermissionType,
  ResourcePatternType,
  ResourceType,
  ValueError,
} from '../../../../client/index.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { AdminWorld } from './scripted-admin.ts'

type Fields = [
  restype: unknown,
  name: unknown,
  pattern: unknown,
  principal: unknown,
  host: unknown,
  operation: unknown,
  permission: unknown,
]

const good: Fields = ['topic', 't', 'literal', 'User:a', '*', 'read', 'allow']
const binding = (fields: Fields) => new AclBinding(...(fields as ConstructorParameters<typeof AclBinding>))
const filter = (fields: Fields) =>
  new AclBindingFilter(...(fields as ConstructorParameters<typeof AclBindingFilter>))
/** The good fields but one. */
const but = (index: number, value: unknown): Fields => good.with(index, value) as Fields

describe('a rule', () => {
  it('takes members, numbers, and names in any case', () => {
    const { TOPIC } = ResourceType
    const one = binding(good)
    const other = new AclBinding(TOPIC, 't', ResourcePatternType.LITERAL, 'User:a', '*', AclOperation.READ, 3)
    expect(one).toMatchObject({
      restype: 2,
      name: 't',
      resourcePatternType: 3,
      principal: 'User:a',
      host: '*',
      operation: 3,
      permissionType: AclPermissionType.ALLOW,
    })
    expect([one.equals(other), one.key() === other.key()]).toEqual([true, true])
    expect(one.equals(binding(but(5, 'WRITE')))).toBe(false)
    expect(one.equals(filter(good))).toBe(false)
  })

  it('has all fields, of their types', () => {
    for (let index = 0; index < good.length; index++) {
      expect(() => binding(but(index, null))).toThrow(ValueError)
    }
    for (const index of [1, 3, 4]) expect(() => binding(but(index, 7))).toThrow(TypeError)
    for (const index of [0, 2, 5, 6]) {
      expect(() => binding(but(index, 'nonsense'))).toThrow(ValueError)
      expect(() => binding(but(index, 99))).toThrow(ValueError)
      expect(() => binding(but(index, 'any'))).toThrow(ValueError)
    }
    expect(() => binding(but(2, 'match'))).toThrow(ValueError)
  })

  it('cannot be created of unknown kinds', async () => {
    const { admin } = await AdminWorld.make()
    expect(() => admin.createAcls([binding(but(5, 'unknown'))])).toThrow(ValueError)
  })
})

describe('a filter', () => {
  it('may leave name, principal and host open, and nothing else', () => {
    const open = filter(['any', null, 'match', null, null, 'any', 'any'])
    expect([open.name, open.principal, open.host]).toEqual([null, null, null])
    for (const index of [0, 2, 5, 6]) {
      expect(() => filter(but(index, null))).toThrow(ValueError)
      expect(() => filter(but(index, 'unknown'))).toThrow(ValueError)
    }
    for (const index of [1, 3, 4]) expect(() => filter(but(index, 7))).toThrow(TypeError)
  })
})

describe('calls for rules', () => {
  it('give each rule its own answer', async () => {
    const world = await AdminWorld.make()
    world.answer = ({ api }) => {
      if (api !== 'CreateAcls') return undefined
      const bad = { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: 'no such host' }
      return { answer: { results: [{ errorCode: 0, errorMessage: null }, bad] } }
    }
    const results = world.admin.createAcls([binding(good), binding(but(4, 'x'))])
    expect(await world.failure(results.get(binding(good)))).toBe('none')
    await expect(world.settle(results.get(binding(but(4, 'x'))))).rejects.toThrow('no such host')
    expect(world.cluster.seen('CreateAcls')[0]?.body).toMatchObject({
      creations: [
        { resourceType: 2, resourceName: 't', resourcePatternType: 3, principal: 'User:a', operation: 3 },
        { host: 'x' },
      ],
    })
  })

  it('show kinds that have no member as unknown', async () => {
    const world = await AdminWorld.make()
    const acl = { principal: 'User:a', host: '*', operation: 15, permissionType: 3 }
    world.answer = ({ api }) =>
      api === 'DescribeAcls'
        ? {
            answer: {
              errorCode: 0,
              errorMessage: null,
              resources: [{ resourceType: 7, resourceName: 'u', patternType: 3, acls: [acl] }],
            },
          }
        : undefined
    const found = await world.settle(
      world.admin.describeAcls(filter(['any', null, 'any', null, null, 'any', 'any'])),
    )
    expect(found).toMatchObject([
      { restype: ResourceType.UNKNOWN, operation: AclOperation.UNKNOWN, name: 'u' },
    ])
  })

  it('that delete are not sent twice when the answer is lost', async () => {
    const world = await AdminWorld.make()
    world.answer = ({ api }) => (api === 'DeleteAcls' ? 'disconnect' : undefined)
    expect(await world.failure(world.admin.deleteAcls([filter(good)]).get(filter(good)))).toBe('_TRANSPORT')
    expect(world.cluster.seen('DeleteAcls')).toHaveLength(1)
  })

  it('fail with the first rule that could not be deleted', async () => {
    const world = await AdminWorld.make()
    const acl = {
      resourceType: 2,
      resourceName: 't',
      patternType: 3,
      principal: 'User:a',
      host: '*',
      operation: 3,
      permissionType: 3,
    }
    world.answer = ({ api }) => {
      if (api !== 'DeleteAcls') return undefined
      const matchingAcls = [0, ErrorCode.UNKNOWN_SERVER_ERROR].map((errorCode) => ({
        ...acl,
        errorCode,
        errorMessage: null,
      }))
      return { answer: { filterResults: [{ errorCode: 0, errorMessage: null, matchingAcls }] } }
    }
    expect(await world.failure(world.admin.deleteAcls([filter(good)]).get(filter(good)))).toBe('UNKNOWN')
  })
})
