/**
 * Rules of access through the admin client. Apache Kafka is compared without an authorizer, or with
 * `authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer` and `super.users=User:ANONYMOUS`; the cases
 * of the other kind are skipped then.
 */
import { describe, expect, it, type TestContext } from 'vitest'
import { AclBinding, AclBindingFilter, ValueError } from '../../client/index.ts'
import { AdminWorld, errorName } from './admin-support.ts'
import { uniqueName } from './support.ts'

const everything = new AclBindingFilter('any', null, 'any', null, null, 'any', 'any')

function rule(
  name: string,
  pattern: 'literal' | 'prefixed' = 'literal',
  principal = 'User:alice',
): AclBinding {
  return new AclBinding('topic', name, pattern, principal, '*', 'read', 'allow')
}

function ofPrincipal(principal: string): AclBindingFilter {
  return new AclBindingFilter('any', null, 'any', principal, null, 'any', 'any')
}

function texts(acls: readonly AclBinding[] | undefined): string[] {
  return (acls ?? []).map(String).sort()
}

async function skipUnless(context: TestContext, world: AdminWorld, hasAuthorizer: boolean): Promise<void> {
  const answer = await errorName(world.admin.describeAcls(everything))
  if ((answer === 'none') !== hasAuthorizer) context.skip()
}

describe('without an authorizer', () => {
  const world = AdminWorld.use()

  it('every call for ACLs says that security is disabled', async (context) => {
    await skipUnless(context, world, false)
    const acl = rule('t')
    expect(await errorName(world.admin.describeAcls(everything))).toBe('SECURITY_DISABLED')
    expect(await errorName(world.admin.createAcls([acl]).get(acl))).toBe('SECURITY_DISABLED')
    expect(await errorName(world.admin.deleteAcls([everything]).get(everything))).toBe('SECURITY_DISABLED')
  })

  it('lists of ACLs are checked before anything is sent', async () => {
    const { admin } = world
    expect(() => admin.createAcls([])).toThrow(ValueError)
    expect(() => admin.createAcls([rule('t'), rule('t')])).toThrow(ValueError)
    expect(() => admin.createAcls([everything as unknown as AclBinding])).toThrow(TypeError)
    expect(() => admin.deleteAcls([everything, ofPrincipal('User:a'), everything])).toThrow(ValueError)
    expect(() => admin.deleteAcls({} as unknown as AclBindingFilter[])).toThrow(TypeError)
    expect(await errorName(admin.describeAcls(rule('t') as unknown as AclBindingFilter))).toBe('TypeError')
  })
})

describe('with an authorizer', () => {
  const world = AdminWorld.use({
    config: { 'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer' },
  })

  /** Changes reach the broker that describes a moment later. */
  async function described(filter: AclBindingFilter, expected: readonly AclBinding[]): Promise<string[]> {
    for (let attempt = 0; ; attempt++) {
      const found = texts(await world.admin.describeAcls(filter))
      if (attempt === 200 || `${found}` === `${texts(expected)}`) return found
    }
  }

  it('rules are created, described and deleted, each once', async (context) => {
    await skipUnless(context, world, true)
    const [alice, bob] = [`User:${uniqueName('alice')}`, `User:${uniqueName('bob')}`]
    const one = rule('orders', 'literal', alice)
    const two = new AclBinding('broker', 'kafka-cluster', 'literal', alice, '10.0.0.0/8', 'create', 'deny')
    const three = rule('orders', 'literal', bob)
    await world.admin.createAcls([one, two, three]).all()
    await world.admin.createAcls([one]).all()
    expect(await described(ofPrincipal(alice), [one, two])).toEqual(texts([one, two]))
    const [ofAlice, ofBob] = [ofPrincipal(alice), ofPrincipal(bob)]
    const nobody = ofPrincipal(`User:${uniqueName('nobody')}`)
    const deleted = world.admin.deleteAcls([ofAlice, ofBob, nobody])
    expect(texts(await deleted.get(ofPrincipal(alice)))).toEqual(texts([one, two]))
    expect(texts(await deleted.get(ofBob))).toEqual(texts([three]))
    expect(await deleted.get(nobody)).toEqual([])
    expect(await described(ofAlice, [])).toEqual([])
  })

  it('a filter that matches finds names, prefixes and the star', async (context) => {
    await skipUnless(context, world, true)
    const principal = `User:${uniqueName('match')}`
    const [literal, prefixed, star, other] = [
      rule('orders', 'literal', principal),
      rule('ord', 'prefixed', principal),
      rule('*', 'literal', principal),
      rule('orders-eu', 'literal', principal),
    ]
    await world.admin.createAcls([literal, prefixed, star, other]).all()
    const found = (pattern: 'match' | 'any' | 'prefixed', name: string, expected: AclBinding[]) =>
      described(new AclBindingFilter('topic', name, pattern, principal, null, 'any', 'any'), expected)
    expect(await found('match', 'orders', [literal, prefixed, star])).toEqual(
      texts([literal, prefixed, star]),
    )
    expect(await found('any', 'orders', [literal])).toEqual(texts([literal]))
    expect(await found('prefixed', 'ord', [prefixed])).toEqual(texts([prefixed]))
    await world.admin.deleteAcls([ofPrincipal(principal)]).all()
  })

  it('what is no rule is refused by itself', async (context) => {
    await skipUnless(context, world, true)
    const principal = `User:${uniqueName('bad')}`
    const good = rule('t', 'literal', principal)
    const bad = [
      rule('', 'literal', principal),
      rule('t', 'literal', 'alice'),
      new AclBinding('topic', 't', 'literal', principal, '10.0.0.0/33', 'read', 'allow'),
      new AclBinding('broker', 'mine', 'literal', principal, '*', 'read', 'allow'),
    ]
    const results = world.admin.createAcls([...bad, good])
    for (const acl of bad) expect(await errorName(results.get(acl))).toBe('INVALID_REQUEST')
    expect(await errorName(results.get(rule('t', 'literal', principal)))).toBe('none')
    await world.admin.deleteAcls([ofPrincipal(principal)]).all()
  })
})
