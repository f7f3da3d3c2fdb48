/**
 * SASL on a new connection, between ApiVersions and its first ordinary request: the handshake names the mechanism, then its
 * tokens travel in SaslAuthenticate requests (KIP-152). Mechanisms are in `sasl/`; OAUTHBEARER belongs beside them.
 */
import { SaslHandshake } from '../../common/protocol/apis/17-sasl-handshake.ts'
import { SaslAuthenticate } from '../../common/protocol/apis/36-sasl-authenticate.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ApiSchema, RequestInputOf, ResponseOf } from '../../common/protocol/schema.ts'
import type { Random } from '../../common/runtime/random.ts'
import type { Config } from '../config/config.ts'
import { KafkaError, KafkaException, kafkaException } from '../errors.ts'
import type { Credentials, SaslExchange, SaslMechanism } from './sasl/mechanism.ts'
import { plainMechanism } from './sasl/plain.ts'
import { scramMechanism } from './sasl/scram.ts'
import type { BrokerVersions } from './versions.ts'

/** The connection as an authenticator sees it. */
export interface Authentication {
  readonly versions: BrokerVersions
  /** Sends a request; a failure ends the connection, so only answers come back. */
  readonly call: <A extends ApiSchema>(
    api: A,
    version: number,
    body: RequestInputOf<A>,
    answered: (response: ResponseOf<A>) => void,
  ) => void
  readonly done: () => void
  readonly failed: (error: KafkaError) => void
}

export interface Authenticator {
  authenticate(authentication: Authentication): void
}

/**
 * The authenticator of a configuration; undefined where none is wanted. Throws `_NOT_IMPLEMENTED` for what is not there yet,
 * so that nobody connects in the clear by mistake.
 */
export function authenticatorOf(
  config: Config,
  credentials: () => Credentials | undefined,
  random: Random,
): Authenticator | undefined {
  const protocol = config.get('security.protocol')
  if (protocol === 'plaintext') return undefined
  if (protocol !== 'sasl_plaintext') {
    throw kafkaException(
      KafkaError._NOT_IMPLEMENTED,
      `"security.protocol=${protocol}" is not implemented yet`,
    )
  }
  const name = config.get('sasl.mechanisms')
  switch (name) {
    case 'PLAIN':
      return new SaslAuthenticator(plainMechanism(credentials))
    case 'SCRAM-SHA-256':
      return new SaslAuthenticator(scramMechanism('sha256', credentials, random))
    case 'SCRAM-SHA-512':
      return new SaslAuthenticator(scramMechanism('sha512', credentials, random))
    default:
      throw kafkaException(KafkaError._NOT_IMPLEMENTED, `"sasl.mechanisms=${name}" is not implemented yet`)
  }
}

export class SaslAuthenticator implements Authenticator {
  readonly #mechanism: SaslMechanism

  constructor(mechanism: SaslMechanism) {
    this.#mechanism = mechanism
  }

  authenticate(authentication: Authentication): void {
    const { versions, call, failed } = authentication
    const handshake = versions.pick(SaslHandshake, { minVersion: 1 })
    const version = versions.pick(SaslAuthenticate)
    if (handshake === undefined || version === undefined) {
      failed(new KafkaError(KafkaError._AUTHENTICATION, 'The broker does not support SASL authentication'))
      return
    }
    call(SaslHandshake, handshake, { mechanism: this.#mechanism.name }, ({ errorCode, mechanisms }) => {
      if (errorCode === ErrorCode.NONE) void this.#converse(authentication, version)
      else {
        const text = `SASL mechanism ${this.#mechanism.name} is not enabled (enabled: ${mechanisms.join(', ')})`
        failed(new KafkaError(KafkaError._AUTHENTICATION, text))
      }
    })
  }

  async #converse(authentication: Authentication, version: number): Promise<void> {
    try {
      const exchange = this.#mechanism.begin()
      this.#say(authentication, version, exchange, await exchange.first())
    } catch (error) {
      authentication.failed(authenticationError(error))
    }
  }

  #say(authentication: Authentication, version: number, exchange: SaslExchange, authBytes: Buffer): void {
    const { call, done, failed } = authentication
    call(SaslAuthenticate, version, { authBytes }, ({ errorCode, errorMessage, authBytes: challenge }) => {
      if (errorCode !== ErrorCode.NONE) {
        const text = `SASL ${this.#mechanism.name}: ${errorMessage ?? new KafkaError(errorCode).str()}`
        failed(new KafkaError(KafkaError._AUTHENTICATION, text))
        return
      }
      try {
        const answer = exchange.next(challenge)
        if (answer === undefined) done()
        else this.#say(authentication, version, exchange, answer)
      } catch (error) {
        failed(authenticationError(error))
      }
    })
  }
}

function authenticationError(error: unknown): KafkaError {
  if (error instanceof KafkaException) return error.error
  return new KafkaError(KafkaError._AUTHENTICATION, String(error))
}
