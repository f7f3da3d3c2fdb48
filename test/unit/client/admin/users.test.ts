import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  ClientQuotaEntity,
  ScramCredentialInfo,
  ScramMechanism,
  UserScramCredentialAlteration,
  UserScramCredentialDeletion,
  UserScramCredentialUpsertion,
  ValueError,
} from '../../../../client/index.ts'
import type { AlterUserScramCredentialsRequest } from '../../../../common/protocol/apis/51-alter-user-scram-credentials.ts'
import { AdminWorld } from './scripted-admin.ts'

const info = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096)

/** Lets threads that hash finish, without letting time pass. */
async function unhurried<T>(world: AdminWorld, promise: Promise<T> | undefined): Promise<T | undefined> {
  let isDone = false
  const done = (): void => {
    isDone = true
  }
  promise?.then(done, done)
  while (!isDone) {
    await world.cluster.idle()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return await promise
}

function answering(world: AdminWorld): void {
  world.answer = ({ api, body }) => {
    if (api !== 'AlterUserScramCredentials') return undefined
    const { upsertions, deletions } = body as AlterUserScramCredentialsRequest
    const users = new Set([...upsertions, ...deletions].map(({ name }) => name))
    return { answer: { results: [...users].map((user) => ({ user, errorCode: 0, errorMessage: null })) } }
  }
}

describe('a password', () => {
  it('leaves as the salted hash of RFC 7677, from which a broker proves itself', async () => {
    const world = await AdminWorld.make()
    answering(world)
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
    const upsertion = new UserScramCredentialUpsertion('user', info, 'pencil', salt)
    await unhurried(world, world.admin.alterUserScramCredentials([upsertion]).get('user'))
    const body = world.cluster.seen('AlterUserScramCredentials')[0]?.body as AlterUserScramCredentialsRequest
    const [sent] = body.upsertions
    expect(sent).toMatchObject({ name: 'user', mechanism: 1, iterations: 4096 })
    expect(sent?.salt.equals(salt)).toBe(true)
    // The example of the RFC, section 3.
    const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
    const messages = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=${nonce}`
    const serverKey = createHmac('sha256', sent?.saltedPassword ?? '')
      .update('Server Key')
      .digest()
    const signature = createHmac('sha256', serverKey).update(messages).digest('base64')
    expect(signature).toBe('6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')
  })

  it('is salted with something new each time', async () => {
    const world = await AdminWorld.make()
    answering(world)
    const strong = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    const upsertions = ['a', 'b'].map(
      (user) => new UserScramCredentialUpsertion(user, strong, Buffer.from('same')),
    )
    await unhurried(world, world.admin.alterUserScramCredentials(upsertions).all())
    const body = world.cluster.seen('AlterUserScramCredentials')[0]?.body as AlterUserScramCredentialsRequest
    const [one, other] = body.upsertions
    expect(one?.saltedPassword).toHaveLength(64)
    expect(one?.salt.equals(other?.salt ?? Buffer.alloc(0))).toBe(false)
    expect(one?.saltedPassword.equals(other?.saltedPassword ?? Buffer.alloc(0))).toBe(false)
  })
})

describe('alterations', () => {
  it('have users, mechanisms and passwords, of their types', () => {
    const upsertion = (user: unknown, password: unknown, salt?: unknown, iterations = 1) =>
      new UserScramCredentialUpsertion(
        user as string,
        new ScramCredentialInfo(1, iterations),
        password as string,
        salt as null,
      )
    expect(upsertion('u', 'p')).toBeInstanceOf(UserScramCredentialAlteration)
    expect(upsertion('u', new Uint8Array([1])).password).toEqual(Buffer.of(1))
    expect(() => upsertion('', 'p')).toThrow(ValueError)
    expect(() => upsertion(null, 'p')).toThrow(TypeError)
    expect(() => upsertion('u', '')).toThrow(ValueError)
    expect(() => upsertion('u', null)).toThrow(TypeError)
    expect(() => upsertion('u', 'p', Buffer.alloc(0))).toThrow(ValueError)
    expect(() => upsertion('u', 'p', 'salt')).toThrow(TypeError)
    expect(() => upsertion('u', 'p', null, 0)).toThrow(ValueError)
    expect(() => new UserScramCredentialUpsertion('u', {} as ScramCredentialInfo, 'p')).toThrow(TypeError)
    expect(() => new UserScramCredentialDeletion('u', 9 as 1)).toThrow(ValueError)
    expect(() => new ScramCredentialInfo(1, '4096' as unknown as number)).toThrow(TypeError)
  })

  it('come in lists with entries', async () => {
    const { admin } = await AdminWorld.make()
    expect(() => admin.alterUserScramCredentials([])).toThrow(ValueError)
    expect(() => admin.alterUserScramCredentials({} as [])).toThrow(TypeError)
    expect(() => admin.alterUserScramCredentials([{ user: 'u' }])).toThrow(TypeError)
    expect(() => admin.describeUserScramCredentials([])).toThrow(ValueError)
    expect(() => admin.describeUserScramCredentials([''])).toThrow(ValueError)
    expect(() => admin.describeUserScramCredentials([null as unknown as string])).toThrow(TypeError)
    expect(() => admin.describeUserScramCredentials('u' as unknown as string[])).toThrow(TypeError)
  })

  it('that take credentials away are sent once', async () => {
    const world = await AdminWorld.make()
    world.answer = ({ api }) => (api === 'AlterUserScramCredentials' ? 'disconnect' : undefined)
    const results = world.admin.alterUserScramCredentials([new UserScramCredentialDeletion('u', 1)])
    expect(await world.failure(results.get('u'))).toBe('_TRANSPORT')
    expect(world.cluster.seen('AlterUserScramCredentials')).toHaveLength(1)
  })
})

describe('who a quota is for', () => {
  it('is equal by value, whatever the order', () => {
    const one = new ClientQuotaEntity({ user: 'u', 'client-id': null })
    const other = new ClientQuotaEntity(
      new Map([
        ['client-id', null],
        ['user', 'u'],
      ]),
    )
    expect(one.equals(other)).toBe(true)
    expect(one.equals(new ClientQuotaEntity({ user: 'u' }))).toBe(false)
    expect(`${one}`).toBe('user=u,client-id=<default>')
    expect(() => new ClientQuotaEntity({ user: 7 as unknown as string })).toThrow(TypeError)
  })
})
