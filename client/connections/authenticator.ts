/**
 * SASL on a new connection, between ApiVersions and its first ordinary request: the handshake names the mechanism, then its
 * tokens travel in SaslAuthenticate requests (KIP-152). The same conversation on a connection that is up renews its session
 * (KIP-368). Mechanisms are in `sasl/`.
 */
import { SaslHandshake } from '../../common/protocol/apis/17-sasl-handshake.ts'
import { SaslAuthenticate } from '../../common/protocol/apis/36-sasl-authenticate.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ApiSchema, RequestInputOf, ResponseOf } from '../../common/protocol/schema.ts'
import type { Runtime } from '../../common/runtime/runtime.ts'
import type { Config } from '../config/config.ts'
import { KafkaError, KafkaException } from '../errors.ts'
import type { Credentials, SaslExchange, SaslMechanism } from './sasl/mechanism.ts'
import { OauthTokens, type TokenSource } from './sasl/oauth-tokens.ts'
import { oauthbearerMechanism } from './sasl/oauthbearer.ts'
import { oidcTokens } from './sasl/oidc.ts'
import { plainMechanism } from './sasl/plain.ts'
import { scramMechanism } from './sasl/scram.ts'
import { parseUnsecuredJwt, unsecuredToken } from './sasl/unsecured-jwt.ts'
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
  /** @param sessionMs how long the broker takes requests after this; 0 for ever */
  readonly done: (sessionMs: number) => void
  readonly failed: (error: KafkaError) => void
}

export interface Authenticator {
  authenticate(authentication: Authentication): void
}

/** What authenticators need of their handle. */
export interface AuthenticatorContext {
  readonly runtime: Runtime
  readonly credentials: () => Credentials | undefined
  /** A bearer token could not be had: for `error_cb`. */
  readonly onError: (error: KafkaError) => void
}

export interface HandleAuthenticator {
  readonly authenticator: Authenticator
  /** Of OAUTHBEARER: to be closed with the handle. */
  readonly tokens: OauthTokens | undefined
}

/**
 * The authenticator of a configuration; undefined where none is wanted. Throws KafkaException `_INVALID_ARG` for what the
 * mechanism cannot use.
 */
export function authenticatorOf(
  config: Config,
  context: AuthenticatorContext,
): HandleAuthenticator | undefined {
  if (!config.get('security.protocol').startsWith('sasl_')) return undefined
  const { runtime, credentials, onError } = context
  const of = (mechanism: SaslMechanism, tokens?: OauthTokens): HandleAuthenticator => ({
    authenticator: new SaslAuthenticator(mechanism),
    tokens,
  })
  switch (config.get('sasl.mechanisms')) {
    case 'PLAIN':
      return of(plainMechanism(credentials))
    case 'SCRAM-SHA-256':
      return of(scramMechanism('sha256', credentials, runtime.random))
    case 'SCRAM-SHA-512':
      return of(scramMechanism('sha512', credentials, runtime.random))
    default: {
      const tokens = new OauthTokens(runtime, tokenSourceOf(config, runtime), onError)
      return of(
        oauthbearerMechanism(() => tokens.current()),
        tokens,
      )
    }
  }
}

function tokenSourceOf(config: Config, runtime: Runtime): TokenSource {
  const wallMs = (): number => runtime.clock.wallMs()
  if (config.get('sasl.oauthbearer.method') === 'oidc') return oidcTokens(config, runtime.files, wallMs)
  const text = config.get('sasl.oauthbearer.config') ?? ''
  const callback = config.get('oauth_cb')
  if (callback !== undefined) return () => callback(text)
  const jwt = parseUnsecuredJwt(text)
  return () => unsecuredToken(jwt, wallMs())
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
      const text = `The broker does not support SASL authentication ${noSaslHint}`
      failed(new KafkaError(KafkaError._AUTHENTICATION, text))
      return
    }
    call(SaslHandshake, handshake, { mechanism: this.#mechanism.name }, ({ errorCode, mechanisms }) => {
      if (errorCode === ErrorCode.NONE) void this.#converse(authentication, version)
      else {
        const text = handshakeRefusal(this.#mechanism.name, errorCode, mechanisms)
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
    call(SaslAuthenticate, version, { authBytes }, (response) => {
      const { errorCode, errorMessage, authBytes: challenge, sessionLifetimeMs } = response
      if (errorCode !== ErrorCode.NONE) {
        const text = `SASL ${this.#mechanism.name}: ${errorMessage ?? new KafkaError(errorCode).str()}`
        failed(new KafkaError(KafkaError._AUTHENTICATION, text))
        return
      }
      let answer: Buffer | undefined
      try {
        answer = exchange.next(challenge)
      } catch (error) {
        failed(authenticationError(error))
        return
      }
      if (answer === undefined) done(sessionLifetimeMs)
      else this.#say(authentication, version, exchange, answer)
    })
  }
}

const noSaslHint = '(is its listener one without SASL? See security.protocol)'

function handshakeRefusal(mechanism: string, errorCode: number, enabled: readonly string[]): string {
  if (errorCode === ErrorCode.UNSUPPORTED_SASL_MECHANISM) {
    return `SASL mechanism ${mechanism} is not enabled (enabled: ${enabled.join(', ')})`
  }
  const hint = errorCode === ErrorCode.ILLEGAL_SASL_STATE ? ` ${noSaslHint}` : ''
  return `SASL handshake for ${mechanism} refused: ${new KafkaError(errorCode).str()}${hint}`
}

function authenticationError(error: unknown): KafkaError {
  if (error instanceof KafkaException) return error.error
  return new KafkaError(KafkaError._AUTHENTICATION, String(error))
}
