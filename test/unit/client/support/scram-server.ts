/** The broker's side of SCRAM (RFC 5802), for one user. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'

const hashes = { 'SCRAM-SHA-256': ['sha256', 32], 'SCRAM-SHA-512': ['sha512', 64] } as const

export type ScramMechanismName = keyof typeof hashes

export class ScramServer {
  readonly #hash: 'sha256' | 'sha512'
  readonly #salted: Buffer
  readonly #salt = Buffer.from('some salt')
  readonly #iterations: number
  #authMessage = ''

  constructor(password: string, iterations = 4096, mechanism: ScramMechanismName = 'SCRAM-SHA-256') {
    const [hash, bytes] = hashes[mechanism]
    this.#hash = hash
    this.#iterations = iterations
    this.#salted = pbkdf2Sync(password, this.#salt, iterations, bytes, hash)
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
    const signature = this.#hmac(createHash(this.#hash).update(clientKey).digest(), this.#authMessage)
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
    return createHmac(this.#hash, key).update(text).digest()
  }
}

/**
 * What a broker that knows the password says in SaslAuthenticate: its next token, undefined for a proof that is wrong. Many
 * conversations may go on at once.
 */
export function scramBroker(
  password: string,
  mechanism: ScramMechanismName = 'SCRAM-SHA-256',
): (said: string) => Buffer | undefined {
  const servers = new Map<string, ScramServer>()
  return (said) => {
    const nonce = /r=([^,]*)/.exec(said)?.[1] ?? ''
    if (said.startsWith('n,,')) {
      const server = new ScramServer(password, 4096, mechanism)
      servers.set(`${nonce}server`, server)
      return server.first(said)
    }
    const server = servers.get(nonce)
    servers.delete(nonce)
    return server?.proves(said) === true ? server.final() : undefined
  }
}
