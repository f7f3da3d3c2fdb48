/** SCRAM users and client quotas through the admin client, against any cluster. */
import { describe, expect, it } from 'vitest'
import {
  ClientQuotaEntity,
  type ClientQuotaFilter,
  ScramCredentialInfo,
  ScramMechanism,
  UserScramCredentialDeletion,
  UserScramCredentialUpsertion,
  ValueError,
} from '../../client/index.ts'
import { AdminWorld, errorName } from './admin-support.ts'
import { needs, needsKraft } from './broker-needs.ts'
import { uniqueName } from './support.ts'

const world = AdminWorld.use()
const { SCRAM_SHA_256, SCRAM_SHA_512, UNKNOWN } = ScramMechanism

function upsertion(user: string, mechanism: ScramMechanism, iterations: number, password = 'secret') {
  return new UserScramCredentialUpsertion(user, new ScramCredentialInfo(mechanism, iterations), password)
}

/** Asks until the answer is the expected one: changes reach the brokers a moment later. */
async function eventually<T>(ask: () => Promise<T>, expected: T): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    const answer = await ask()
    if (attempt === 200 || JSON.stringify(answer) === JSON.stringify(expected)) return answer
  }
}

/** Brokers tell them in any order. */
function byMechanism(infos: readonly ScramCredentialInfo[] = []): ScramCredentialInfo[] {
  return [...infos].sort((one, other) => one.mechanism - other.mechanism)
}

describe('SCRAM users', needs('AlterUserScramCredentials'), () => {
  it('are set, described without their secrets, and deleted', async () => {
    const user = uniqueName('alice')
    await world.admin.alterUserScramCredentials([upsertion(user, SCRAM_SHA_256, 4096)]).all()
    await world.admin.alterUserScramCredentials([upsertion(user, SCRAM_SHA_512, 16384, 'other')]).all()
    const infos = [
      new ScramCredentialInfo(SCRAM_SHA_256, 4096),
      new ScramCredentialInfo(SCRAM_SHA_512, 16384),
    ]
    const described = async () => {
      const description = await world.admin.describeUserScramCredentials([user]).get(user)
      return { user, scramCredentialInfos: byMechanism(description?.scramCredentialInfos) }
    }
    expect(await eventually(described, { user, scramCredentialInfos: infos })).toEqual({
      user,
      scramCredentialInfos: infos,
    })
    const all = await world.admin.describeUserScramCredentials()
    expect(byMechanism(all.get(user)?.scramCredentialInfos)).toEqual(infos)
    for (const mechanism of [SCRAM_SHA_256, SCRAM_SHA_512]) {
      await world.admin.alterUserScramCredentials([new UserScramCredentialDeletion(user, mechanism)]).all()
    }
    const gone = () => errorName(world.admin.describeUserScramCredentials([user]).get(user))
    expect(await eventually(gone, 'RESOURCE_NOT_FOUND')).toBe('RESOURCE_NOT_FOUND')
  })

  it('are refused one by one', needsKraft, async () => {
    const [low, high, missing] = [uniqueName('low'), uniqueName('high'), uniqueName('missing')]
    const [twice, unknown, good] = [uniqueName('twice'), uniqueName('unknown'), uniqueName('good')]
    const results = world.admin.alterUserScramCredentials([
      upsertion(low, SCRAM_SHA_256, 4095),
      upsertion(high, SCRAM_SHA_512, 16385),
      new UserScramCredentialDeletion(missing, SCRAM_SHA_256),
      upsertion(twice, SCRAM_SHA_256, 4096),
      upsertion(twice, SCRAM_SHA_512, 4096),
      upsertion(unknown, UNKNOWN, 4096),
      upsertion(good, SCRAM_SHA_256, 4096),
    ])
    expect(await errorName(results.get(low))).toBe('UNACCEPTABLE_CREDENTIAL')
    expect(await errorName(results.get(high))).toBe('UNACCEPTABLE_CREDENTIAL')
    expect(await errorName(results.get(missing))).toBe('RESOURCE_NOT_FOUND')
    expect(await errorName(results.get(twice))).toBe('DUPLICATE_RESOURCE')
    expect(await errorName(results.get(unknown))).toBe('UNSUPPORTED_SASL_MECHANISM')
    expect(await errorName(results.get(good))).toBe('none')
    await world.admin.alterUserScramCredentials([new UserScramCredentialDeletion(good, SCRAM_SHA_256)]).all()
  })

  it('that are named twice are described once, as a mistake', async () => {
    const user = uniqueName('twice')
    const described = world.admin.describeUserScramCredentials([user, user])
    expect([...described.keys()]).toEqual([user])
    expect(await errorName(described.get(user))).toBe('DUPLICATE_RESOURCE')
  })
})

describe('client quotas', needs('AlterClientQuotas'), () => {
  it('are set by entity, found by filter, and removed', async () => {
    const user = uniqueName('quota')
    const both = new ClientQuotaEntity({ user, 'client-id': 'app' })
    const alone = new ClientQuotaEntity({ user })
    const { admin } = world
    await admin
      .alterClientQuotas([
        { entity: alone, operations: [{ key: 'producer_byte_rate', value: 1000 }] },
        { entity: both, operations: [{ key: 'request_percentage', value: 12.5 }] },
      ])
      .all()
    const found = async (filter: ClientQuotaFilter) => {
      const quotas = await admin.describeClientQuotas(filter)
      return [...quotas].map(([entity, values]) => [entity.key(), [...values]]).sort()
    }
    const ofUser = { components: [{ entityType: ClientQuotaEntity.USER, match: user }] }
    const first = [alone.key(), [['producer_byte_rate', 1000]]]
    const second = [both.key(), [['request_percentage', 12.5]]]
    const all = [first, second].sort()
    expect(await eventually(() => found(ofUser), all)).toEqual(all)
    expect(await found({ ...ofUser, strict: true })).toEqual([first])
    const ofBoth = { components: [...ofUser.components, { entityType: ClientQuotaEntity.CLIENT_ID }] }
    expect(await found(ofBoth)).toEqual([second])
    expect((await admin.describeClientQuotas(ofUser)).get(new ClientQuotaEntity({ user }))?.size).toBe(1)
    const removals = [
      { entity: alone, operations: [{ key: 'producer_byte_rate', value: null }] },
      { entity: both, operations: [{ key: 'request_percentage', value: null }] },
    ]
    await admin.alterClientQuotas(removals, { validateOnly: true }).all()
    expect(await found(ofUser)).toEqual(all)
    await admin.alterClientQuotas(removals).all()
    expect(await eventually(() => found(ofUser), [])).toEqual([])
  })

  it('that cannot be are refused by entity', async () => {
    const user = uniqueName('bad')
    const entities = [
      new ClientQuotaEntity({ user }),
      new ClientQuotaEntity({ user: '' }),
      new ClientQuotaEntity({}),
    ]
    const results = world.admin.alterClientQuotas(
      entities.map((entity) => ({ entity, operations: [{ key: 'no_such_quota', value: 1 }] })),
    )
    for (const entity of entities) expect(await errorName(results.get(entity))).toBe('INVALID_REQUEST')
    const unknown = { components: [{ entityType: 'planet' }] }
    expect(await errorName(world.admin.describeClientQuotas(unknown))).toBe('UNSUPPORTED_VERSION')
    expect(() => world.admin.alterClientQuotas([])).toThrow(ValueError)
  })
})
