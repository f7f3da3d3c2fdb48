import { describe, expect, it } from 'vitest'
import { plainMechanism } from '../../../../client/connections/sasl/plain.ts'
import { scramMechanism } from '../../../../client/connections/sasl/scram.ts'
import { SeededRandom } from '../../../../common/runtime/seeded-random.ts'
import { ScramServer } from '../support/scram-server.ts'

const credentials = () => ({ username: 'ali=ce,', password: 'secret' })

function exchange() {
  return scramMechanism('sha256', credentials, new SeededRandom(1)).begin()
}

describe('SCRAM', () => {
  it('proves the password and accepts a broker that proves it too', async () => {
    const client = exchange()
    const server = new ScramServer('secret')
    const first = (await client.first()).toString()
    expect(first).toContain('n=ali=3Dce=2C,')
    const final = client.next(server.first(first))?.toString() ?? ''
    expect(server.proves(final)).toBe(true)
    expect(client.next(server.final())).toBeUndefined()
  })

  it('does not prove a password it has not got, and refuses a broker that does not know it', async () => {
    const client = exchange()
    const server = new ScramServer('other')
    const final = client.next(server.first((await client.first()).toString()))?.toString() ?? ''
    expect(server.proves(final)).toBe(false)
    expect(() => client.next(server.final())).toThrow(/does not know the password/)
  })

  it.each([
    ['another nonce', (text: string) => text.replace(/r=[^,]*/, 'r=other'), /nonce/],
    ['its own nonce and nothing more', (text: string) => text.replace('server', ''), /nonce/],
    ['no nonce', (text: string) => text.replace(/r=[^,]*,/, ''), /nonce/],
    ['no salt', (text: string) => text.replace(/s=[^,]*,/, ''), /salt/],
    ['an empty salt', (text: string) => text.replace(/s=[^,]*/, 's='), /salt/],
    ['a salt that is not base64', (text: string) => text.replace(/s=[^,]*/, 's=c2F*dA=='), /salt/],
    ['a salt that is cut off', (text: string) => text.replace(/s=[^,]*/, 's=c2FsdA'), /salt/],
    ['an extension that must be known', (text: string) => `m=x,${text}`, /extension/],
    ['an error', () => 'e=unknown-user', /unknown-user/],
    ['nothing', () => '', /nonce/],
    ['noise', () => '\u0000\uffff,,=,r', /nonce/],
  ])('refuses a broker that sends %s', async (_, lie, reason) => {
    const client = exchange()
    const first = new ScramServer('secret').first((await client.first()).toString())
    expect(() => client.next(Buffer.from(lie(first.toString())))).toThrow(reason)
  })

  it.each([
    ...['0', '1', '2', '4095', '1000001', '2147483648'],
    ...['-4096', '4096.5', '0x2000', '1e5', 'many', ''],
  ])('refuses a broker that asks for %j iterations', async (count) => {
    const client = exchange()
    const first = new ScramServer('secret').first((await client.first()).toString())
    const lie = Buffer.from(first.toString().replace(/i=.*/, `i=${count}`))
    expect(() => client.next(lie)).toThrow(/iterations/)
  })

  it('takes no notice of what a broker adds at the end', async () => {
    const client = exchange()
    const first = new ScramServer('secret').first((await client.first()).toString())
    expect(client.next(Buffer.concat([first, Buffer.from(',x=more')]))?.toString()).toMatch(/^c=biws,r=.*,p=/)
  })

  it.each([
    ['nothing', '', /does not know the password/],
    ['an empty proof', 'v=', /does not know the password/],
    ['a proof that is not base64', 'v=!!!!', /does not know the password/],
    ['a proof that is too short', 'v=c2FsdA==', /does not know the password/],
    ['the proof of somebody else', `v=${Buffer.alloc(32).toString('base64')}`, /does not know the password/],
    ['an error', 'e=invalid-proof', /invalid-proof/],
  ])('refuses a broker that ends with %s', async (_, final, reason) => {
    const client = exchange()
    client.next(new ScramServer('secret').first((await client.first()).toString()))
    expect(() => client.next(Buffer.from(final))).toThrow(reason)
  })
})

describe('PLAIN', () => {
  it('sends user and password, and needs both', async () => {
    const first = await plainMechanism(credentials).begin().first()
    expect(first.toString()).toBe('\0ali=ce,\0secret')
    expect(() =>
      plainMechanism(() => undefined)
        .begin()
        .first(),
    ).toThrow(/not set/)
  })
})
