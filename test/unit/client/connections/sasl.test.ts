import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { plainMechanism } from '../../../../client/connections/sasl/plain.ts'
import { scramMechanism } from '../../../../client/connections/sasl/scram.ts'
import { SeededRandom } from '../../../../common/runtime/seeded-random.ts'

const credentials = () => ({ username: 'ali=ce,', password: 'secret' })

/** The broker's side of SCRAM-SHA-256. */
class ScramServer {
  readonly #salt = Buffer.from('some salt')
  #authMessage = ''
  readonly #salted: Buffer
  readonly #iterations: number

  constructor(password: string, iterations = 4096) {
    this.#iterations = iterations
    this.#salted = pbkdf2Sync(password, this.#salt, 4096, 32, 'sha256')
  }

  first(clientFirst: string): Buffer {
    const bare = clientFirst.slice(3)
    const nonce = bare.slice(bare.indexOf('r=') + 2)
    const text = `r=${nonce}server,s=${this.#salt.toString('base64')},i=${this.#iterations}`
    this.#authMessage = `${bare},${text},c=biws,r=${nonce}server`
    return Buffer.from(text)
  }

  proves(clientFinal: string): boolean {
    const clientKey = this.#hmac(this.#salted, 'Client Key')
    const signature = this.#hmac(createHash('sha256').update(clientKey).digest(), this.#authMessage)
    const proof = Buffer.from(clientFinal.slice(clientFinal.indexOf('p=') + 2), 'base64')
    return (
      Buffer.compare(Buffer.from(proof.map((byte, index) => byte ^ (signature[index] ?? 0))), clientKey) === 0
    )
  }

  final(): Buffer {
    const signature = this.#hmac(this.#hmac(this.#salted, 'Server Key'), this.#authMessage)
    return Buffer.from(`v=${signature.toString('base64')}`)
  }

  #hmac(key: Buffer, text: string): Buffer {
    return createHmac('sha256', key).update(text).digest()
  }
}

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

  it('refuses a foreign nonce and iterations outside what is reasonable', async () => {
    const client = exchange()
    await client.first()
    expect(() => client.next(Buffer.from('r=other,s=c2FsdA==,i=4096'))).toThrow(/nonce/)
    const weak = exchange()
    const first = (await weak.first()).toString()
    expect(() => weak.next(new ScramServer('secret', 100).first(first))).toThrow(/iterations/)
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
