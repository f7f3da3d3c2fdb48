/** SCRAM-SHA-256 and SCRAM-SHA-512 (RFC 5802, RFC 7677): proves the password without sending it, and checks the broker's proof. */
import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import type { Random } from '../../../common/runtime/random.ts'
import { type Credentials, needed, refused, type SaslExchange, type SaslMechanism } from './mechanism.ts'

const nonceBytes = 24
/** A broker that asks for fewer makes guessing cheap, one that asks for more stops this process. */
const minIterations = 4096
const maxIterations = 1_000_000

export type ScramHash = 'sha256' | 'sha512'

export function scramMechanism(
  hash: ScramHash,
  credentials: () => Credentials | undefined,
  random: Random,
): SaslMechanism {
  return {
    name: hash === 'sha256' ? 'SCRAM-SHA-256' : 'SCRAM-SHA-512',
    begin: () => new ScramExchange(hash, credentials, random),
  }
}

class ScramExchange implements SaslExchange {
  readonly #hash: ScramHash
  readonly #credentials: () => Credentials | undefined
  readonly #nonce: string
  #password = ''
  #clientFirstBare = ''
  #serverSignature: Buffer | undefined

  constructor(hash: ScramHash, credentials: () => Credentials | undefined, random: Random) {
    this.#hash = hash
    this.#credentials = credentials
    this.#nonce = random.bytes(nonceBytes).toString('base64')
  }

  first(): Buffer {
    const { username, password } = needed(this.#credentials())
    this.#password = password
    this.#clientFirstBare = `n=${username.replace(/=/g, '=3D').replace(/,/g, '=2C')},r=${this.#nonce}`
    return Buffer.from(`n,,${this.#clientFirstBare}`)
  }

  next(challenge: Buffer): Buffer | undefined {
    const text = challenge.toString()
    if (this.#serverSignature !== undefined) {
      this.#verify(text)
      return undefined
    }
    return this.#prove(text)
  }

  #prove(serverFirst: string): Buffer {
    const { e: error, m: extension, r: nonce, s: saltText, i: iterationText } = attributesOf(serverFirst)
    if (error !== undefined) throw refused(`SCRAM: ${error}`)
    if (extension !== undefined) throw refused('SCRAM: the broker wants an extension that is not known')
    if (nonce === undefined || !nonce.startsWith(this.#nonce) || nonce === this.#nonce) {
      throw refused('SCRAM: the broker answered with another nonce')
    }
    const salt = bytesOf(saltText)
    if (salt === undefined) throw refused('SCRAM: the broker sent no salt in base64')
    const iterations = /^[1-9]\d*$/.test(iterationText ?? '') ? Number(iterationText) : 0
    if (iterations < minIterations || iterations > maxIterations) {
      throw refused(
        `SCRAM: the broker asks for ${iterationText} iterations, ${minIterations} to ${maxIterations} are allowed`,
      )
    }
    const bytes = this.#hash === 'sha256' ? 32 : 64
    const salted = pbkdf2Sync(this.#password.normalize('NFKC'), salt, iterations, bytes, this.#hash)
    const clientKey = this.#hmac(salted, 'Client Key')
    const storedKey = createHash(this.#hash).update(clientKey).digest()
    const finalWithoutProof = `c=biws,r=${nonce}`
    const authMessage = `${this.#clientFirstBare},${serverFirst},${finalWithoutProof}`
    const clientSignature = this.#hmac(storedKey, authMessage)
    const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (clientSignature[index] ?? 0)))
    this.#serverSignature = this.#hmac(this.#hmac(salted, 'Server Key'), authMessage)
    return Buffer.from(`${finalWithoutProof},p=${proof.toString('base64')}`)
  }

  #verify(serverFinal: string): void {
    const { e: error, v: signature } = attributesOf(serverFinal)
    if (error !== undefined) throw refused(`SCRAM: ${error}`)
    const given = bytesOf(signature)
    const expected = this.#serverSignature as Buffer
    if (given?.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw refused('SCRAM: the broker does not know the password')
    }
  }

  #hmac(key: Buffer, text: string): Buffer {
    return createHmac(this.#hash, key).update(text).digest()
  }
}

/** undefined for what is not base64, and for nothing. */
function bytesOf(base64: string | undefined): Buffer | undefined {
  if (base64 === undefined || base64 === '' || base64.length % 4 !== 0) return undefined
  return /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? Buffer.from(base64, 'base64') : undefined
}

function attributesOf(message: string): Readonly<Record<string, string | undefined>> {
  const attributes: Record<string, string> = {}
  for (const part of message.split(',')) {
    if (part[1] === '=') attributes[part.slice(0, 1)] = part.slice(2)
  }
  return attributes
}
